// What the server says when it refuses. The state and the names of schema objects may be shown; sentences may not.

/// A five-character SQLSTATE. Callers compare it with the names below; unknown ones stay visible.
package struct SQLState: Sendable, Hashable, CustomStringConvertible {
  package let code: String

  package init(_ code: String) { self.code = code }

  package var description: String { code }

  /// The first two characters: what kind of trouble.
  package var classCode: Substring { code.prefix(2) }

  /// What libpq itself reports has no state.
  static let none = SQLState("")

  package static let uniqueViolation = SQLState("23505")
  package static let foreignKeyViolation = SQLState("23503")
  package static let checkViolation = SQLState("23514")
  package static let notNullViolation = SQLState("23502")
  package static let serializationFailure = SQLState("40001")
  package static let deadlockDetected = SQLState("40P01")
  package static let failedTransaction = SQLState("25P02")
  package static let readOnlyTransaction = SQLState("25006")
  package static let insufficientPrivilege = SQLState("42501")
  package static let undefinedTable = SQLState("42P01")
  package static let undefinedFunction = SQLState("42883")
  package static let undefinedColumn = SQLState("42703")
  package static let syntaxError = SQLState("42601")
  package static let duplicateObject = SQLState("42710")
  package static let duplicateDatabase = SQLState("42P04")
  package static let unknownStatement = SQLState("26000")
  package static let featureNotSupported = SQLState("0A000")
  package static let raisedException = SQLState("P0001")
  package static let lockNotAvailable = SQLState("55P03")
  package static let queryCanceled = SQLState("57014")
  package static let adminShutdown = SQLState("57P01")
  package static let crashShutdown = SQLState("57P02")
  package static let cannotConnectNow = SQLState("57P03")
  package static let tooManyConnections = SQLState("53300")
  package static let invalidPassword = SQLState("28P01")
  package static let invalidAuthorization = SQLState("28000")
  package static let undefinedDatabase = SQLState("3D000")
}

/// How bad. FATAL and PANIC end the connection.
package enum Severity: String, Sendable {
  case error = "ERROR"
  case fatal = "FATAL"
  case panic = "PANIC"
}

package struct ServerError: Error, Sendable, Equatable {
  package let state: SQLState
  package let severity: Severity
  package let schema: String?
  package let table: String?
  package let column: String?
  package let constraint: String?
  /// The server's own sentences. They may quote a row, a parameter or a line of SQL.
  package let withheld: Withheld

  package init(
    state: SQLState, severity: Severity, schema: String? = nil, table: String? = nil, column: String? = nil,
    constraint: String? = nil, withheld: Withheld = Withheld()
  ) {
    self.state = state
    self.severity = severity
    self.schema = schema
    self.table = table
    self.column = column
    self.constraint = constraint
    self.withheld = withheld
  }

  /// Two refusals are the same when state and place are; wording is not compared.
  package static func == (left: Self, right: Self) -> Bool {
    left.state == right.state && left.severity == right.severity && left.schema == right.schema
      && left.table == right.table && left.column == right.column && left.constraint == right.constraint
  }
}

extension ServerError: CustomStringConvertible {
  package var description: String {
    var text = "\(severity.rawValue) \(state)"
    for (name, value) in [("table", table), ("column", column), ("constraint", constraint)] {
      if let value { text += " \(name) \(value)" }
    }
    return text
  }
}

/// Sentences that no log may show: printing, dumping and reflecting all give the same one word.
package struct Withheld: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  private let message: String
  private let detail: String
  private let context: String

  package init(message: String = "", detail: String = "", context: String = "") {
    self.message = message
    self.detail = detail
    self.context = context
  }

  package var description: String { "<withheld>" }
  package var debugDescription: String { "<withheld>" }
  package var customMirror: Mirror { Mirror(self, children: [:]) }

  /// For tests and for a developer at a debugger, who must see what a function raised. HouseTests may grep for it.
  package func revealedForDebugging() -> (message: String, detail: String, context: String) {
    (message, detail, context)
  }
}
