// Open grants that name a key of the resolver, and the exchange of their wraps, one grant per transaction. What the two
// functions allow is in m0012_rewrap.sql.

package import Contracts
package import Postgres

/// A grant as its row has it. The claims are bytes that its wrap was made with; whoever opens it reads them.
package struct WrappedGrant: Sendable, Equatable {
  package let grant: Identifier
  package let user: Identifier
  package let mission: Identifier
  package let wrappedKey: [UInt8]
  package let claims: [UInt8]
}

package struct GrantRewrapping: Sendable {
  private let pool: PostgresPool

  package init(_ pool: PostgresPool) { self.pool = pool }

  /// Rows of about a kilobyte.
  private static let pageSize: Int32 = 200
  private static let countedAtOnce: Int32 = 1_000

  /// In the order of their ids, those behind `grant`; an empty answer means that there are no more.
  nonisolated(nonsending)
    package func page(
      ofKey key: String, after grant: Identifier?, deadline: Deadline? = nil
    ) async throws(PostgresError) -> [WrappedGrant]
  {
    let rows = try await pool.query(
      Self.listing.bind(.text(key), .utf8(grant?.utf8 ?? []), .int4(Self.pageSize)), deadline: deadline)
    var grants: [WrappedGrant] = []
    for row in rows {
      grants.append(
        WrappedGrant(
          grant: try row.identifier(0), user: try row.identifier(1), mission: try row.identifier(2),
          wrappedKey: try row.get(3), claims: try row.get(4)))
    }
    return grants
  }

  /// A thousand at a time, so that no call takes long however many there are.
  nonisolated(nonsending)
    package func count(ofKey key: String, deadline: Deadline? = nil) async throws(PostgresError) -> Int
  {
    var total = 0
    var last = ""
    while true {
      let row = try await pool.query(
        Self.counting.bind(.text(key), .text(last), .int4(Self.countedAtOnce)), deadline: deadline
      ).only()
      let count: Int64 = try row.get(0)
      guard count > 0 else { return total }
      total += Int(count)
      last = try row.get(1)
    }
  }

  package enum Exchange: Sendable, Equatable {
    case done
    /// The row is not what was opened any more: closed, renewed or exchanged meanwhile.
    case changed
  }

  package enum Failure: Error, Equatable, Sendable {
    case database(PostgresError)
    /// The database makes other claims of the row than the new wrap has; the row is as it was.
    case claimsDiffer
  }

  /// Replaces the wrap of `grant`, which is for `key`, if the row still holds that very wrap.
  nonisolated(nonsending)
    package func exchange(
      _ grant: WrappedGrant, ofKey key: String, for newKey: String, wrappedKey: [UInt8], claims: [UInt8],
      deadline: Deadline? = nil
    ) async throws(TransactionError<Failure>) -> Exchange
  {
    let statement = Self.exchanging.bind(
      .utf8(grant.user.utf8), .utf8(grant.grant.utf8), .text(key), .bytes(grant.wrappedKey), .text(newKey),
      .bytes(wrappedKey))
    return try await pool.withTransaction(deadline: deadline) { transaction throws(Failure) -> Exchange in
      let made: [UInt8]?
      do throws(PostgresError) {
        let row = try await transaction.query(statement).only()
        made = row.isNull(0) ? nil : try row.get(0)
      } catch { throw .database(error) }
      guard let made else { return .changed }
      // Under other claims the wrap would never open again, so nothing of this may stay.
      guard made == claims else { throw .claimsDiffer }
      return .done
    }
  }

  private static let listing = Statement(
    """
    SELECT l.grant_id, l.user_id, l.mission_id, l.wrapped_key, l.claims FROM mana_ai.rewrap_list($1, $2, $3) AS l
    """, .text, .text, .int4)
  private static let counting = Statement(
    """
    SELECT count(*), coalesce(max(l.grant_id COLLATE "C"), '') FROM mana_ai.rewrap_list($1, $2, $3) AS l
    """, .text, .text, .int4)
  private static let exchanging = Statement(
    "SELECT mana_ai.rewrap_grant($1, $2, $3, $4, $5, $6)", .text, .text, .text, .bytea, .text, .bytea)
}
