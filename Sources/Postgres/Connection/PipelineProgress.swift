// Keeps the books of one batch: which message is next to be sent, which answer is next to come, and what each unit has
// come to. It decides; `Wire` moves the bytes.

/// One message of a batch, in the order in which it is sent and answered.
enum PipelineStep {
  /// Names a statement on this connection. It has a Sync of its own, so that one that does not parse takes nothing
  /// else with it.
  case prepare(Statement)
  case run(BoundStatement)
  case sync
}

struct PipelineProgress {
  let steps: [PipelineStep]
  let unitCount: Int
  /// Steps that `prepare` statements take at the start.
  private let preparations: Int
  /// Index of the first step that is not sent yet.
  private(set) var sent = 0
  /// Index of the first step whose answer has not come yet.
  private(set) var answered = 0
  private(set) var outcomes: [UnitOutcome] = []
  private(set) var newlyPrepared: [Int] = []
  /// Names that the server does not know although we thought so, or whose plan has become impossible.
  private(set) var hasStaleStatements = false

  /// Whether the step that is being answered has had its result, or its error.
  private var hasAnswer = false
  private var rows: [Rows] = []
  private var failure: UnitFailure?
  private var statementIndex = 0
  private var preparationFailures: [Int: PostgresError] = [:]
  private var preparationFailed = false

  init(_ units: [PipelineUnit], isPrepared: (Int) -> Bool, namesAllowed: Bool) {
    var steps: [PipelineStep] = []
    steps.reserveCapacity(units.reduce(units.count) { $0 + $1.statements.count })
    if namesAllowed {
      var added: Set<Int> = []
      for unit in units {
        for bound in unit.statements {
          guard let number = bound.statement.number, !isPrepared(number), added.insert(number).inserted else {
            continue
          }
          steps.append(.prepare(bound.statement))
          steps.append(.sync)
        }
      }
    }
    preparations = steps.count
    for unit in units {
      for bound in unit.statements { steps.append(.run(bound)) }
      steps.append(.sync)
    }
    self.steps = steps
    unitCount = units.count
    outcomes.reserveCapacity(units.count)
  }

  var isSent: Bool { sent == steps.count }
  var isAnswered: Bool { answered == steps.count }
  /// Everything that was sent has been answered.
  var isQuiet: Bool { answered == sent }
  var nextToSend: PipelineStep { steps[sent] }
  var nextToAnswer: PipelineStep? { answered < sent ? steps[answered] : nil }

  /// The next step to send is the first of a unit.
  var isAtUnitStart: Bool {
    guard sent > 0, case .run = steps[sent - 1] else { return true }
    return false
  }

  mutating func noteSent() { sent += 1 }

  // MARK: Answers

  mutating func succeeded(_ result: ResultOwner) {
    hasAnswer = true
    switch steps[answered] {
    case .prepare(let statement): if let number = statement.number { newlyPrepared.append(number) }
    case .run:
      rows.append(Rows(result))
      statementIndex += 1
    case .sync: break
    }
  }

  mutating func failed(_ error: PostgresError) {
    hasAnswer = true
    switch steps[answered] {
    case .prepare(let statement): if let number = statement.number { preparationFailures[number] = error }
    case .run(let bound):
      guard failure == nil else { return }
      failure = .statement(statementIndex, cause(of: error, bound))
    case .sync: if failure == nil { failure = .commit(error) }
    }
  }

  /// A statement that was skipped because an earlier one of its unit failed.
  mutating func skipped() { hasAnswer = true }

  /// libpq ends each statement's answer with a nothing. False where there was no answer to end.
  mutating func stepEnded() -> Bool {
    guard hasAnswer else { return false }
    hasAnswer = false
    if case .sync = steps[answered] { return true }
    answered += 1
    return true
  }

  mutating func synced() {
    defer { answered += 1 }
    hasAnswer = false
    guard answered >= preparations else { return }
    endUnit(failure.map { .failure($0) } ?? .success(rows))
  }

  private mutating func endUnit(_ outcome: UnitOutcome) {
    outcomes.append(outcome)
    rows = []
    failure = nil
    statementIndex = 0
  }

  /// The server does not know a name: then why it would not take the statement is the better answer.
  private mutating func cause(of error: PostgresError, _ bound: BoundStatement) -> PostgresError {
    guard case .server(let server) = error, let number = bound.statement.number else { return error }
    if server.state == .unknownStatement, let why = preparationFailures[number] { return why }
    // In a transaction block, one that does not parse fails all the others too.
    if server.state == .failedTransaction, let why = preparationFailures.first?.value { return why }
    if server.state == .unknownStatement || server.state == .featureNotSupported { hasStaleStatements = true }
    return error
  }

  // MARK: The end before the end

  /// Gives every unit without an outcome the one that fits how far it had come.
  mutating func abandon(_ error: PostgresError) {
    var start = preparations
    for unit in 0..<unitCount {
      let sync = steps[start...].firstIndex { if case .sync = $0 { true } else { false } } ?? steps.count
      defer { start = sync + 1 }
      guard unit >= outcomes.count else { continue }
      // A refusal that was already seen stands: such a unit can't commit.
      endUnit(.failure(failure ?? (sent <= start ? .unsent(error) : .unknown(error))))
    }
  }
}
