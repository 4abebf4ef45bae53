// What may be in the repository: no private key, nothing that a run left behind, no unfinished work, no path of
// somebody's machine; and the entrances a stranger is promised.

struct RepositoryFile {
  /// From the root of the repository.
  let path: String
  let text: String

  var isProse: Bool {
    let endings = [
      ".swift", ".md", ".sh", ".py", ".mjs", ".js", ".html", ".css", ".sql", ".h", ".c", ".modulemap", ".yml", ".conf",
      "Makefile", "/run",
    ]
    return endings.contains { path.hasSuffix($0) }
  }
}

enum RepositoryRules {
  /// Test keys are published on purpose in Vectors, and some tests need one. Anywhere else it would be a real one.
  static func noPrivateKeyIsCommitted(_ files: [RepositoryFile]) -> Verdict {
    // The words alone are not a key: a parser and its documents must be able to speak of them. A key has a body.
    let block = #/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?:\s|\\n|\\r|")*(?:[A-Za-z0-9-]+: .*\s+)*[A-Za-z0-9+\/]{32}/#
    return each(files) { file in
      if file.path.hasPrefix("Vectors/") || file.path.hasPrefix("Tests/") { return nil }
      guard file.text.contains("PRIVATE KEY-----"), file.text.firstMatch(of: block) != nil else { return nil }
      return "holds a private key"
    }
  }

  static func nothingLeftBehindIsCommitted(_ paths: [String]) -> Verdict {
    let folders = ["keys/private/", ".mandate/", ".swiftpm/", "node_modules/", "__pycache__/"]
    var verdict = Verdict()
    for path in paths {
      verdict.look()
      if folders.contains(where: path.hasPrefix) || path.contains(".build/") || path.contains(".doccarchive/") {
        verdict.problem("\(path) is committed; it belongs to one machine")
      }
    }
    return verdict
  }

  /// What stands at the top is a table of contents; anything new there is a decision.
  static func theTopIsTidy(_ paths: [String]) -> Verdict {
    var verdict = Verdict()
    for entry in Set(paths.compactMap { $0.split(separator: "/").first.map(String.init) }).sorted() {
      verdict.look()
      if !Plan.topLevel.contains(entry) { verdict.problem("\(entry) has no place at the top of the repository") }
    }
    return verdict
  }

  /// Unfinished work is an issue, not a mark in a file.
  static func nothingIsMarkedUnfinished(_ files: [RepositoryFile]) -> Verdict {
    // Put together here so that this file does not contain them.
    let marks = ["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK", "TB" + "D", "W" + "IP"]
    return each(files.filter(\.isProse)) { file in
      let found = marks.filter { mark in contains(file.text, word: mark) }
      return found.isEmpty ? nil : "contains \(found)"
    }
  }

  /// A path that exists on one machine only is no help on another, and says where somebody works.
  static func noMachineIsNamed(_ files: [RepositoryFile]) -> Verdict {
    let places = ["home", "Users", "root", "work", "workspace", "builds", "opt/swift", "tmp"].map { "/" + $0 + "/" }
    return each(files.filter(\.isProse)) { file in
      let found = places.filter { place in contains(file.text, word: place) }
      return found.isEmpty ? nil : "contains \(found)"
    }
  }

  /// The two commands of the README, and that CI runs the same as everyone.
  static func theEntrancesArePromised(_ files: [RepositoryFile]) -> Verdict {
    let promises = ["README.md": ["make demo", "make test"], ".ci/run": ["make test"]]
    var verdict = Verdict()
    for (path, commands) in promises {
      verdict.look()
      let text = files.first { $0.path == path }?.text ?? ""
      for command in commands where !text.contains(command) { verdict.problem("\(path) does not have `\(command)`") }
    }
    return verdict
  }

  /// `make help` lists the promised targets first, these and no others, in this order.
  static func makeListsItsTargets(_ help: String) -> Verdict {
    var verdict = Verdict()
    var listed: [String] = []
    for line in help.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("  ") {
        listed.append(String(line.split(separator: " ")[0]))
        verdict.look()
      } else if !line.isEmpty, !listed.isEmpty {
        break
      }
    }
    if listed != Plan.makeTargets { verdict.problem("make help lists \(listed)") }
    return verdict
  }

  /// `word` with nothing around it that would make it part of a longer one: base64 and paths hold all sorts.
  private static func contains(_ text: String, word: String) -> Bool {
    func joins(_ character: Character) -> Bool {
      character.isLetter || character.isNumber || "_-+.~$}".contains(character)
    }
    return text.ranges(of: word).contains { range in
      let before = range.lowerBound > text.startIndex ? text[text.index(before: range.lowerBound)] : " "
      let after = range.upperBound < text.endIndex ? text[range.upperBound] : " "
      return word.hasPrefix("/") ? !joins(before) : !joins(before) && !after.isLetter && !after.isNumber && after != "_"
    }
  }

  private static func each(_ files: [RepositoryFile], objection: (RepositoryFile) -> String?) -> Verdict {
    var verdict = Verdict()
    for file in files {
      verdict.look()
      if let why = objection(file) { verdict.problem("\(file.path) \(why)") }
    }
    return verdict
  }
}
