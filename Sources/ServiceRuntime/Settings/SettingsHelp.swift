// The part of `--help` that lists the settings, made from their declarations.

package enum SettingsHelp {
  /// A table with one row per setting in the order given; wraps to 100 columns.
  package static func text(_ settings: [SettingDocumentation]) -> String {
    var table = TextTable(headings: ["NAME", "DEFAULT", "UNIT", "REASON"], width: TextTable.pageWidth, indent: 2)
    for setting in settings {
      table.add([setting.variable.rawValue, setting.fallback, setting.unit, explanation(setting)])
    }
    return "Settings are read from the environment once, at the start. An empty value counts as absent.\n\n"
      + table.text
  }

  private static func explanation(_ setting: SettingDocumentation) -> String {
    var sentences = [setting.reason, "Must be \(setting.allowed)."]
    switch setting.variable.form {
    case .text: break
    case .secret: sentences.append("Secret; may come from a file that \(setting.variable.fileVariable) names.")
    case .document: sentences.append("May come from a file that \(setting.variable.fileVariable) names.")
    }
    if !setting.variable.olderNames.isEmpty {
      sentences.append("Older names: \(setting.variable.olderNames.joined(separator: ", ")).")
    }
    return sentences.joined(separator: " ")
  }
}
