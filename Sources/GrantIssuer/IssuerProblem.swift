// Everything the issuer says no with: status, code, and a sentence for whoever reads the answer. What went wrong inside
// is told to the log alone.

package import Contracts
package import Cryptography
package import Postgres
package import Vault

package enum IssuerProblem: Error, Equatable, Sendable {
  /// The body, or the named member of it, is not what it should be.
  case badRequest(String)
  case unauthorised
  case notFound
  case grantNotConfigured
  case vaultNotInitialised
  case zeroKnowledgeActive
  /// Rotating would make a key that the user could not have.
  case rotationForbidden
  case recoveryMissing
  /// The key that was supplied is not the one that entered zero-knowledge mode.
  case wrongKey
  /// Of a vault that was imported in zero-knowledge mode nobody ever knew a check value.
  case keyCheckMissing
  /// By name, as they were asked for.
  case unknownRecords([String])
  case unknownMission
  case tooManyRequests(retryAfter: Int)
  /// The database has no time for us now; trying again may help.
  case unavailable(PostgresError)
  case failed(Cause)

  package enum Cause: Error, Equatable, Sendable {
    case database(PostgresError)
    /// Whether it was done only the database can tell.
    case unknownFate(PostgresError)
    case vault(VaultFailure)
    case cryptography(CryptographyError)
    /// A promise of our own schema that is not kept.
    case brokenRow
  }
}

extension IssuerProblem {
  package var status: Int {
    switch self {
    case .badRequest, .recoveryMissing, .wrongKey, .unknownRecords, .unknownMission: 400
    case .unauthorised: 401
    case .notFound, .vaultNotInitialised: 404
    case .zeroKnowledgeActive, .rotationForbidden, .keyCheckMissing: 409
    case .tooManyRequests: 429
    case .failed: 500
    case .grantNotConfigured, .unavailable: 503
    }
  }

  package var code: String {
    switch self {
    case .badRequest: "BAD_REQUEST"
    case .unauthorised: "UNAUTHORISED"
    case .notFound: "NOT_FOUND"
    case .grantNotConfigured: "GRANT_NOT_CONFIGURED"
    case .vaultNotInitialised: "VAULT_NOT_INITIALISED"
    case .zeroKnowledgeActive: "ZK_ACTIVE"
    case .rotationForbidden: "ZK_ROTATE_FORBIDDEN"
    case .recoveryMissing: "RECOVERY_WRAP_MISSING"
    case .wrongKey: "WRONG_MASTER_KEY"
    case .keyCheckMissing: "KEY_CHECK_MISSING"
    case .unknownRecords: "UNKNOWN_RECORD"
    case .unknownMission: "UNKNOWN_MISSION"
    case .tooManyRequests: "TOO_MANY_REQUESTS"
    case .unavailable: "UNAVAILABLE"
    case .failed: "INTERNAL"
    }
  }

  package var sentence: String {
    switch self {
    case .badRequest(let sentence): sentence
    case .unauthorised: "A valid bearer token is needed."
    case .notFound: "There is nothing here."
    case .grantNotConfigured: "No resolver key is configured, so there is nobody to grant anything to."
    case .vaultNotInitialised: "There is no vault yet; make one with POST /api/v1/me/encryption-vault/init."
    case .zeroKnowledgeActive: "The vault is in zero-knowledge mode: the server has no key to do this with."
    case .rotationForbidden: "In zero-knowledge mode only the user's own devices can make a new key."
    case .recoveryMissing: "Store a recovery wrap first, or the key would be lost."
    case .wrongKey: "This is not the key that was in use when zero-knowledge mode began."
    case .keyCheckMissing:
      "This vault came here in zero-knowledge mode, and nothing here can tell whether a key is its own; "
        + "it stays in that mode."
    case .unknownRecords(let names): "\(names.count) of the records do not exist, or are not yours to grant."
    case .unknownMission: "There is no such mission to attach the grant to."
    case .tooManyRequests(let seconds): "Too many calls of this kind; try again in \(seconds) s."
    case .unavailable: "The service is busy or its database is away; try again."
    case .failed: "Something went wrong here; it is in the log."
    }
  }

  /// 401 and 500 also carry the pair that the seeds' clients read.
  package var body: JSONValue {
    var members: [(String, JSONValue)] = [("error", .string(sentence)), ("code", .string(code))]
    if case .unknownRecords(let names) = self { members.append(("records", .array(names.map(JSONValue.string)))) }
    if status == 401 || status == 500 {
      members += [("statusCode", .number(JSONNumber(status))), ("message", .string(sentence))]
    }
    return .object(JSONObject(members: members))
  }

  package var retryAfter: Int? { if case .tooManyRequests(let seconds) = self { seconds } else { nil } }

  /// What the log is told; nil for what is the caller's own doing.
  package var detail: String? {
    switch self {
    case .unavailable(let error), .failed(.database(let error)): "\(error)"
    case .failed(.unknownFate(let error)): "fate unknown: \(error)"
    case .failed(.vault(.unopenable)): "a master key cannot be opened with the keys that are configured"
    case .failed(.vault(.notTheKey)): "a check value did not match"
    case .failed(.vault(.failed(let error))), .failed(.cryptography(let error)): "\(error)"
    case .failed(.brokenRow): "a stored row breaks a promise of the schema"
    default: nil
    }
  }
}

extension IssuerProblem: PostgresFailure {
  package init(postgres error: PostgresError) {
    switch error {
    case .unreachable, .connectionLost, .deadline, .poolExhausted, .poolClosed, .cancelled: self = .unavailable(error)
    default: self = .failed(.database(error))
    }
  }

  init(_ failure: VaultFailure) { self = failure == .notTheKey ? .wrongKey : .failed(.vault(failure)) }

  init(_ error: TransactionError<IssuerProblem>) {
    switch error {
    case .body(let problem), .rollback(let problem, _): self = problem
    case .begin(let error), .commit(let error): self = IssuerProblem(postgres: error)
    case .commitUnknown(let error): self = .failed(.unknownFate(error))
    case .aborted: self = .failed(.brokenRow)
    }
  }

  init(_ error: TransactionError<PostgresError>) {
    if case .commitUnknown(let error) = error {
      self = .failed(.unknownFate(error))
    } else {
      self = IssuerProblem(postgres: error.cause)
    }
  }
}
