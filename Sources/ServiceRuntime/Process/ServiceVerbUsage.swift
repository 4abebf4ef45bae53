// What else a service's executable can be told to do: once, by an operator, and then it ends. The command line, its help
// and its refusals are made from this.

package struct ServiceVerbUsage: Sendable {
  package let name: String
  /// One line for lists.
  let summary: String
  /// What somebody needs to know before using it; wrapped by help.
  let details: [String]
  let options: [Option]
  let examples: [String]

  package init(name: String, summary: String, details: [String], options: [Option], examples: [String]) {
    (self.name, self.summary, self.details) = (name, summary, details)
    (self.options, self.examples) = (options, examples)
  }

  package struct Option: Sendable {
    let name: String
    /// What stands behind it; nil for one that stands alone.
    let placeholder: String?
    let reason: String
    /// Nil if the value will do, else what is allowed, as the end of a sentence.
    let objection: @Sendable (String) -> String?

    var flag: String { "--\(name)" }

    package static func flag(_ name: String, reason: String) -> Option {
      Option(name: name, placeholder: nil, reason: reason, objection: { _ in nil })
    }

    /// `--name VALUE`, as often as wanted.
    package static func list(
      _ name: String, _ placeholder: String, reason: String, objection: @escaping @Sendable (String) -> String?
    ) -> Option {
      Option(name: name, placeholder: placeholder, reason: reason, objection: objection)
    }
  }
}

/// A use that was understood: every option is one that the verb has, every value will do.
package struct ServiceVerbCall: Sendable, Equatable {
  package let verb: String
  private var given: [String: [String]] = [:]
  package private(set) var wantsJSON = false

  /// More values than any verb takes; beyond it somebody's shell pattern matched too much.
  static let mostArguments = 100

  package func has(_ option: ServiceVerbUsage.Option) -> Bool { given[option.name] != nil }
  package func values(_ option: ServiceVerbUsage.Option) -> [String] { given[option.name] ?? [] }

  // MARK: Parsing

  /// Why the words behind a verb cannot be understood, for the operator.
  struct Misuse: Error { let sentence: String }

  init(_ usage: ServiceVerbUsage, _ arguments: some Collection<String>) throws(Misuse) {
    verb = usage.name
    guard arguments.count <= Self.mostArguments else {
      throw Misuse(sentence: "more than \(Self.mostArguments) arguments; was a pattern expanded?")
    }
    var rest = Array(arguments)[...]
    while let argument = rest.popFirst() {
      if argument == "--json" { wantsJSON = true } else { try take(argument, &rest, usage) }
    }
  }

  private mutating func take(
    _ argument: String, _ rest: inout ArraySlice<String>, _ usage: ServiceVerbUsage
  ) throws(Misuse) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let option = usage.options.first(where: { $0.flag == parts[0] }) else {
      let near = Nearest.to(argument, among: usage.options.map(\.flag) + ["--json", "--help"])
      let advice = near.map { " Did you mean \($0)?" } ?? ""
      throw Misuse(sentence: "\(Printable.value(argument)) is nothing that \(usage.name) takes.\(advice)")
    }
    guard let placeholder = option.placeholder else {
      guard parts.count == 1 else { throw Misuse(sentence: "\(option.flag) takes no value.") }
      given[option.name] = []
      return
    }
    // A value that looks like an option was forgotten.
    let next = rest.first.flatMap { $0.hasPrefix("--") ? nil : $0 }
    if parts.count == 1, next != nil { rest.removeFirst() }
    guard let value = parts.count == 2 ? parts[1] : next, !value.isEmpty else {
      throw Misuse(sentence: "\(option.flag) needs a value: \(placeholder).")
    }
    if let allowed = option.objection(value) {
      throw Misuse(sentence: "\(option.flag) is \(Printable.value(value)); it must be \(allowed).")
    }
    given[option.name, default: []].append(value)
  }
}

extension ServiceVerbUsage {
  func line(_ program: StaticString) -> String {
    let words = options.map { option in
      option.placeholder.map { " [\(option.flag) \($0)]..." } ?? " [\(option.flag)]"
    }
    return "\(program) \(name)\(words.joined()) [--json]"
  }

  func help(_ program: StaticString) -> String {
    let details = details.map { TextTable.wrap($0, to: TextTable.pageWidth).joined(separator: "\n") }
    var taken = TextTable(headings: ["OPTION", "WHAT IT DOES"], indent: 2)
    for option in options {
      taken.add([option.placeholder.map { "\(option.flag) \($0)" } ?? option.flag, option.reason])
    }
    taken.add(["--json", "Answer in JSON, errors included."])
    taken.add(["--help", "Show this."])
    return """
      \(program) \(name): \(summary)

      Usage: \(line(program))

      \(details.joined(separator: "\n\n"))

      \(taken.text)
      Settings are the service's own, from the same environment: see \(program) --help.
      SIGTERM and SIGINT end it after what is in hand. Progress is told on standard error.
      Exit codes: 0 done, 1 refused or failed, 2 wrong usage or configuration.

      Examples:
      \(examples.map { "  \($0)\n" }.joined())
      """
  }
}
