// The command line of a service. To serve it takes everything from the environment; what else its executable can do is
// a verb, with options of its own.

package struct ServiceCommandLine: Sendable {
  package enum Request: Sendable, Equatable {
    case run
    /// Read and check every setting, say what is wrong, touch nothing else.
    case checkConfiguration
    /// Do this one thing, and end.
    case perform(ServiceVerbCall)
    /// Text that was asked for.
    case show(String)
    /// A sentence for the operator.
    case refuse(String)
  }

  private let program: StaticString
  private let purpose: StaticString
  private let settings: [SettingDocumentation]
  private let verbs: [ServiceVerbUsage]

  package init(
    program: StaticString, purpose: StaticString, settings: [SettingDocumentation], verbs: [ServiceVerbUsage] = []
  ) {
    (self.program, self.purpose, self.settings, self.verbs) = (program, purpose, settings, verbs)
  }

  /// Decided before anything else, so that even a wrong use of a verb is answered in the form that was asked for.
  package func wantsJSON(_ arguments: [String]) -> Bool { verb(arguments) != nil && arguments.contains("--json") }

  package func parse(_ arguments: [String]) -> Request {
    if let verb = verb(arguments) { return parse(verb, arguments.dropFirst()) }
    if arguments.contains("--help") || arguments.contains("-h") { return .show(help) }
    switch arguments.count {
    case 0: return .run
    case 1:
      switch arguments[0] {
      case "--version": return .show("\(program) \(ProductVersion.current)\n")
      case "--check-config": return .checkConfiguration
      default:
        let near = Nearest.to(arguments[0], among: verbs.map(\.name) + ["--check-config", "--version"])
        let advice = near.map { " Did you mean \($0)?" } ?? ""
        return .refuse(
          "\(Printable.value(arguments[0])) is nothing \(program) knows; --help shows what it does.\(advice)")
      }
    default: return .refuse("\(program) takes one option at a time; --help lists them.")
    }
  }

  private func verb(_ arguments: [String]) -> ServiceVerbUsage? {
    arguments.first.flatMap { first in verbs.first { $0.name == first } }
  }

  private func parse(_ verb: ServiceVerbUsage, _ arguments: ArraySlice<String>) -> Request {
    if arguments.contains("--help") || arguments.contains("-h") { return .show(verb.help(program)) }
    do throws(ServiceVerbCall.Misuse) { return .perform(try ServiceVerbCall(verb, arguments)) } catch {
      return .refuse("\(error.sentence) Usage: \(verb.line(program))")
    }
  }

  private var help: String {
    var options = TextTable(headings: ["OPTION", "WHAT IT DOES"], width: TextTable.pageWidth, indent: 2)
    options.add(["(nothing)", "Serve until SIGTERM; then finish what is in flight, at most MANDATE_DRAIN_MS, and end."])
    options.add(["--check-config", "Read and check all settings and the files they name, and end: 0 good, 2 not."])
    options.add(["--version", "Show the version."])
    options.add(["--help", "Show this."])
    for verb in verbs { options.add([verb.name, "\(verb.summary) See \(program) \(verb.name) --help."]) }
    return """
      \(program): \(purpose)

      \(options.text)
      SIGHUP reads again what may be reloaded. Log lines are JSON on standard error.
      Exit codes: 0 ended when asked to, 1 could not start or go on, 2 wrong usage or configuration.

      \(SettingsHelp.text(settings))
      """
  }
}
