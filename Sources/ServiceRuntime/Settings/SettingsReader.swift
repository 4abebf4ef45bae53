// Builds a process's configuration from the environment in one go: reads every documented setting, notes every
// problem, and hands the result out only when there was none.

package import Secrets

package struct SettingsReader: ~Copyable {
  private let environment: Environment
  private var problems: [SettingProblem] = []
  /// Documented settings that nothing has read yet. What is read must be documented and the other way round, so
  /// `--help` and the code cannot part.
  private var unread: [KnownVariable]
  /// Variables with a problem; what relates them to others is not judged.
  private var spoilt: Set<KnownVariable> = []

  /// Calls `assemble` once. Until it returns, a value with a problem is a harmless stand-in.
  package static func build<Configuration: ~Copyable>(
    from environment: Environment, documented: [SettingDocumentation],
    assemble: (inout SettingsReader) -> Configuration
  ) throws(SettingsProblems) -> Configuration {
    var reader = SettingsReader(environment, documented)
    let configuration = assemble(&reader)
    environment.forgetSecrets()
    precondition(
      reader.unread.isEmpty, "documented, but never read: \(reader.unread.map(\.rawValue).joined(separator: ", "))")
    guard reader.problems.isEmpty else { throw SettingsProblems(problems: reader.problems) }
    return configuration
  }

  private init(_ environment: Environment, _ documented: [SettingDocumentation]) {
    self.environment = environment
    unread = documented.map(\.variable)
    for name in environment.unknownNames {
      problems.append(.unknownName(name, nearest: Nearest.to(name, among: Environment.ourNames)))
    }
  }

  package mutating func read<Value>(_ setting: Setting<Value>) -> Value {
    begin(setting.variable)
    guard let (name, value) = find(setting.variable) else {
      if case .value(let value) = setting.fallback { return value }
      note(.missing(setting.variable, allowed: setting.allowed), setting.variable)
      return setting.standIn
    }
    guard let text = text(name, value, setting.variable) else { return setting.standIn }
    guard let parsed = setting.parse(text) else {
      note(.notAllowed(name, found: text, allowed: setting.allowed), setting.variable)
      return setting.standIn
    }
    return parsed
  }

  /// Nil when it is absent and may be.
  package mutating func read(_ setting: SecretSetting) -> SecretBytes? {
    begin(setting.variable)
    guard let (name, value) = find(setting.variable) else {
      if setting.isRequired { note(.missing(setting.variable, allowed: setting.allowed), setting.variable) }
      return nil
    }
    guard let whole = secret(name, value, setting.variable) else { return nil }
    do throws(SecretError) {
      let secret = setting.dropsTrailingNewline ? try whole.droppingTrailingNewline() : consume whole
      if setting.length.contains(secret.count) { return secret }
      note(.secretNotAllowed(name, allowed: setting.allowed), setting.variable)
    } catch {
      note(.noLockedMemory(name), setting.variable)
    }
    return nil
  }

  /// A secret that must be there. Where it is not, the problem is noted and an empty stand-in returned.
  package mutating func readRequired(_ setting: SecretSetting) -> SecretBytes {
    precondition(setting.isRequired, "\(setting.variable.rawValue) is declared as optional")
    if let secret = read(setting) { return secret }
    do {
      return try SecretBytes(zeroed: 0)
    } catch {
      fatalError("mandate: no locked memory is left for a single secret; raise the limit: ulimit -l 8192")
    }
  }

  /// The text of a public document; nil when it is absent and may be.
  package mutating func read(_ setting: DocumentSetting) -> WipedBytes? {
    begin(setting.variable)
    guard let (name, value) = find(setting.variable) else {
      if setting.isRequired { note(.missing(setting.variable, allowed: "a public text"), setting.variable) }
      return nil
    }
    guard let text = text(name, value, setting.variable) else { return nil }
    guard name.hasSuffix(KnownVariable.fileName(for: "")) else { return WipedBytes(copying: Array(text.utf8).span) }
    do throws(FileProblem) {
      return try PublicFile.read(text)
    } catch {
      note(.file(name, path: text, error), setting.variable)
      return nil
    }
  }

  /// A rule between settings that were read before, as a sentence that says what must hold.
  package mutating func require(
    _ holds: @autoclosure () -> Bool, of variables: [KnownVariable], _ sentence: String
  ) {
    guard spoilt.isDisjoint(with: variables), !holds() else { return }
    problems.append(.relation(variables.map(\.rawValue), sentence))
  }
}

extension SettingsReader {
  private mutating func begin(_ variable: KnownVariable) {
    guard let index = unread.firstIndex(of: variable) else {
      preconditionFailure("\(variable.rawValue) is not documented, or was read twice")
    }
    unread.remove(at: index)
  }

  private mutating func note(_ problem: SettingProblem, _ variable: KnownVariable) {
    problems.append(problem)
    spoilt.insert(variable)
  }

  /// The first name that is set, inline or as a file. Our own name wins over older ones, whatever these hold.
  private mutating func find(_ variable: KnownVariable) -> (String, Environment.Value)? {
    for name in variable.names {
      let inline = environment.value(of: name)
      let fileName = KnownVariable.fileName(for: name)
      let file = variable.form == .text ? nil : environment.value(of: fileName)
      switch (inline, file) {
      case (nil, nil): continue
      case (let value?, nil): return (name, value)
      case (nil, let path?): return (fileName, path)
      case (.some, .some):
        note(.valueAndFile(name), variable)
        return (name, .refused)
      }
    }
    return nil
  }

  private mutating func text(_ name: String, _ value: Environment.Value, _ variable: KnownVariable) -> String? {
    switch value {
    case .text(let text): return text
    case .notText: note(.notText(name), variable)
    case .repeated: note(.repeated(name), variable)
    case .tooLong: note(.tooLong(name), variable)
    case .noLockedMemory: note(.noLockedMemory(name), variable)
    case .refused: break
    case .secret: preconditionFailure("\(name) is a secret and may not become text")
    }
    return nil
  }

  private mutating func secret(_ name: String, _ value: Environment.Value, _ variable: KnownVariable) -> SecretBytes? {
    if case .secret(let slot) = value { return slot.take() }
    guard let path = text(name, value, variable) else { return nil }
    do throws(FileProblem) {
      return try SecretFile.read(path)
    } catch {
      note(.file(name, path: path, error), variable)
      return nil
    }
  }
}

extension SettingProblem {
  fileprivate static func missing(_ variable: KnownVariable, allowed: String) -> Self {
    .missing(variable.rawValue, older: variable.olderNames, mayBeFile: variable.form != .text, allowed: allowed)
  }
}
