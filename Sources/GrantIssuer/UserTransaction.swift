// One transaction under a user's scope. A use case has three ways out of it: a value, which commits; a refusal that it
// returns, which commits too, so that the refusal's line in the log stays; and a problem that it throws, which rolls
// everything back.

import Contracts
import Cryptography
import Postgres
import ServiceRuntime
import Store

typealias Outcome<Value: ~Copyable> = Result<Value, IssuerProblem>

extension Issuer {
  func transact<Value: ~Copyable>(
    _ caller: Caller, access: Access = .readWrite,
    _ body: nonisolated(nonsending) (inout PostgresTransaction) async throws(IssuerProblem) -> Outcome<Value>
  ) async -> Outcome<Value> {
    do throws(TransactionError<IssuerProblem>) {
      return try await pool.withTransaction(of: caller.scope, access: access, body)
    } catch { return .failure(IssuerProblem(error)) }
  }

  /// A line in the vault's log. The user's row comes first: the log hangs on it, and a refused caller may have none.
  func note(
    _ action: VaultAction, _ status: Int, _ context: String? = nil, by caller: Caller
  ) throws(IssuerProblem) -> [BoundStatement] {
    [
      VaultRows.addUser(caller.scope),
      VaultAudit.add(
        action, status: status, context: context, address: caller.address, agent: caller.agent,
        id: try RandomID.line(), of: caller.scope),
    ]
  }

  /// The same in a transaction of its own, for what was rolled back. That it can't be written changes no answer.
  func noteSeparately(_ action: VaultAction, _ status: Int, _ context: String, by caller: Caller) async {
    do throws(IssuerProblem) {
      let lines = try note(action, status, context, by: caller)
      do throws(TransactionError<PostgresError>) {
        _ = try await pool.transact([caller.scope.statement] + lines)
      } catch { throw IssuerProblem(error) }
    } catch {
      log.error(
        "A line of the vault's log could not be written.",
        [.userId: .id(caller.user.text), .reason: .name(context), .detail: .text(error.detail ?? "")])
    }
  }

  /// Waits until nothing that was opened with these grants is under way any more; answers those that still are.
  func drain(_ closed: [ClosedGrant]) async -> [String] {
    let left = await GrantClosing(pool).drain(closed.map(\.grant))
    if !left.isEmpty {
      log.error("Grants are closed, but openings that had begun before have not ended.", [.count: .count(left.count)])
    }
    return left
  }
}

extension PostgresTransaction {
  /// One round trip, its errors in the issuer's words.
  mutating func ask(_ statements: [BoundStatement]) async throws(IssuerProblem) -> [Rows] {
    do throws(PostgresError) { return try await pipeline(statements) } catch { throw IssuerProblem(postgres: error) }
  }
}

/// Reading rows, with errors in the issuer's words.
func reading<Value>(_ body: () throws(PostgresError) -> Value) throws(IssuerProblem) -> Value {
  do throws(PostgresError) { return try body() } catch { throw IssuerProblem(postgres: error) }
}

/// Ids that nobody can guess.
enum RandomID {
  /// 21 characters of 64, as the seeds' log has them.
  static func line() throws(IssuerProblem) -> String {
    String(decoding: try bytes(21).map { alphabet[Int($0 & 63)] }, as: UTF8.self)
  }

  /// A UUID of version 4, in lower case.
  static func uuid() throws(IssuerProblem) -> String {
    var bytes = try bytes(16)
    bytes[6] = bytes[6] & 0x0F | 0x40
    bytes[8] = bytes[8] & 0x3F | 0x80
    let hex = Array(Hex.encode(bytes).utf8)
    let groups = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(decoding: hex[$0], as: UTF8.self) }
    return groups.joined(separator: "-")
  }

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-".utf8)

  private static func bytes(_ count: Int) throws(IssuerProblem) -> [UInt8] {
    do throws(CryptographyError) { return try SecureRandom.bytes(count) } catch { throw .failed(.cryptography(error)) }
  }
}
