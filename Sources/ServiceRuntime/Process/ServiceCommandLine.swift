// The command line of a service. Everything it needs to know comes from the environment, so this is all there is.

package struct ServiceCommandLine: Sendable {
  package enum Request: Sendable, Equatable {
    case run
    /// Read and check every setting, say what is wrong, touch nothing else.
    case checkConfiguration
    /// Text that was asked for.
    case show(String)
    /// A sentence for the operator.
    case refuse(String)
  }

  private let program: StaticString
  private let purpose: StaticString
  private let settings: [SettingDocumentation]

  package init(program: StaticString, purpose: StaticString, settings: [SettingDocumentation]) {
    (self.program, self.purpose, self.settings) = (program, purpose, settings)
  }

  package func parse(_ arguments: [String]) -> Request {
    if arguments.contains("--help") || arguments.contains("-h") { return .show(help) }
    switch arguments.count {
    case 0: return .run
    case 1:
      switch arguments[0] {
      case "--version": return .show("\(program) \(ProductVersion.current)\n")
      case "--check-config": return .checkConfiguration
      default:
        return .refuse("\(Printable.value(arguments[0])) is nothing \(program) knows; --help shows what it does.")
      }
    default: return .refuse("\(program) takes one option at a time; --help lists them.")
    }
  }

  private var help: String {
    var options = TextTable(headings: ["OPTION", "WHAT IT DOES"], width: TextTable.pageWidth, indent: 2)
    options.add(["(nothing)", "Serve until SIGTERM; then finish what is in flight, at most MANDATE_DRAIN_MS, and end."])
    options.add(["--check-config", "Read and check all settings and the files they name, and end: 0 good, 2 not."])
    options.add(["--version", "Show the version."])
    options.add(["--help", "Show this."])
    return """
      \(program): \(purpose)

      \(options.text)
      SIGHUP reads again what may be reloaded. Log lines are JSON on standard error.
      Exit codes: 0 ended when asked to, 1 could not start or go on, 2 wrong usage or configuration.

      \(SettingsHelp.text(settings))
      """
  }
}
