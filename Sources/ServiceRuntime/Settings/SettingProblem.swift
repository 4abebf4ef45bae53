// What can be wrong with the environment. Each problem is one sentence for the operator: the variable, what was
// found there, what is allowed. No case can hold the value of a secret.

package enum SettingProblem: Error, Equatable, Sendable {
  /// Begins as our names do, but nothing of ours reads it.
  case unknownName(String, nearest: String?)
  case repeated(String)
  case missing(String, older: [String], mayBeFile: Bool, allowed: String)
  case notText(String)
  case tooLong(String)
  case notAllowed(String, found: String, allowed: String)
  case secretNotAllowed(String, allowed: String)
  case valueAndFile(String)
  case file(String, path: String, FileProblem)
  case noLockedMemory(String)
  /// Each value is allowed, but not together.
  case relation([String], String)

  package var sentence: String {
    switch self {
    case .unknownName(let name, let nearest):
      let advice = nearest.map { "did you mean \($0)?" } ?? "remove it; --help lists the names that exist."
      return "\(Printable.name(name)) is not a setting: \(advice)"
    case .repeated(let name):
      return "\(name) is in the environment more than once; it must be there once."
    case .missing(let name, let older, let mayBeFile, let allowed):
      let file = mayBeFile ? " (or \(KnownVariable.fileName(for: name)))" : ""
      let others = older.isEmpty ? "" : " (the older \(older.joined(separator: ", ")) would do)"
      return "\(name)\(file) is not set\(others); it must be \(allowed)."
    case .notText(let name):
      return "\(name) is not UTF-8 text; it must be."
    case .tooLong(let name):
      return "\(name) is longer than \(Environment.longestValue) bytes, which no setting may be."
    case .notAllowed(let name, let found, let allowed):
      return "\(name) is \(Printable.value(found)); it must be \(allowed)."
    case .secretNotAllowed(let name, let allowed):
      return "\(name) holds a secret that is not \(allowed) long (it is not shown here)."
    case .valueAndFile(let name):
      return "\(name) and \(KnownVariable.fileName(for: name)) are both set; only one of them may be."
    case .file(let name, let path, let problem):
      return "\(name) names \(Printable.value(path)), which \(problem.sentence)"
    case .noLockedMemory(let name):
      return "\(name) found no locked memory left to live in; raise the limit: ulimit -l 8192."
    case .relation(let names, let sentence):
      return "\(names.joined(separator: ", ")): \(sentence)"
    }
  }
}

/// Everything that is wrong, so that an operator repairs a configuration once and not one start at a time.
package struct SettingsProblems: Error, Equatable, Sendable {
  package let problems: [SettingProblem]

  /// One line each.
  package var text: String { problems.map(\.sentence).joined(separator: "\n") }
}
