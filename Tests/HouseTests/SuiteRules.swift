// What the suites of the store promise about themselves: that every test of theirs which asks a database goes both
// roads, straight to the server and through PgBouncer in transaction mode.

enum SuiteRules {
  /// A test that asks a database is `async`; one that is not can't ask it anything. So each asynchronous test takes a
  /// road, all roads are among its arguments, its body uses the one that it got, and nothing switches a test off.
  static func storeTestsGoBothRoads(_ files: [SourceFile]) -> Verdict {
    var verdict = Verdict()
    for file in files where file.path.hasPrefix("Tests/StoreTests/") {
      for index in file.words.indices {
        if ["disabled", "enabled"].contains(file.word(index)), file.word(index - 1) == "." {
          verdict.problem("\(file.path):\(file.words[index].line) switches a test off")
        }
        guard file.word(index) == "@Test", let test = Declaration(in: file, at: index) else { continue }
        guard test.isAsync else { continue }
        verdict.look()
        if !test.goesBothRoads {
          verdict.problem("\(file.path):\(file.words[index].line) \(test.name) does not go both roads")
        }
      }
    }
    return verdict
  }

  /// A test's attribute, parameters, effects and body, as words.
  private struct Declaration {
    let name: String
    private let attribute: [String]
    private let parameters: [String]
    private let effects: [String]
    private let body: [String]

    var isAsync: Bool { effects.contains("async") }

    var goesBothRoads: Bool {
      guard let parameter = parameters.firstIndex(of: "Road"), parameter >= 2, parameters[parameter - 1] == ":" else {
        return false
      }
      return Self.allRoads(attribute) && body.contains(parameters[parameter - 2])
    }

    /// `Road.allCases` with nothing behind it that could leave one out.
    private static func allRoads(_ words: [String]) -> Bool {
      words.indices.contains { index in
        words[index...].starts(with: ["Road", ".", "allCases"]) && [",", ")"].contains(words[safe: index + 3])
      }
    }

    init?(in file: SourceFile, at start: Int) {
      guard file.word(start + 1) == "(", let attributeEnd = file.closing(start + 1),
        let function = file.words.indices.first(where: { $0 > attributeEnd && file.word($0) == "func" }),
        let open = file.words.indices.first(where: { $0 > function && file.word($0) == "(" }),
        let close = file.closing(open),
        let bodyStart = file.words.indices.first(where: { $0 > close && file.word($0) == "{" }),
        let bodyEnd = file.closing(bodyStart)
      else { return nil }
      func texts(_ range: Range<Int>) -> [String] { file.words[range].map(\.text) }
      name = file.word(function + 1)
      attribute = texts(start..<attributeEnd + 1)
      parameters = texts(open..<close)
      effects = texts(close..<bodyStart)
      body = texts(bodyStart..<bodyEnd)
    }
  }
}

extension SourceFile {
  /// Where the bracket that opens here is closed.
  func closing(_ open: Int) -> Int? {
    var depth = 0
    for index in words.indices.dropFirst(open) {
      switch word(index) {
      case "(", "[", "{": depth += 1
      case ")", "]", "}": depth -= 1
      default: continue
      }
      if depth == 0 { return index }
    }
    return nil
  }

  /// Where the bracket that closes here was opened.
  func opening(_ close: Int) -> Int? {
    var depth = 0
    for index in words.indices.prefix(close + 1).reversed() {
      switch word(index) {
      case "(", "[", "{": depth -= 1
      case ")", "]", "}": depth += 1
      default: continue
      }
      if depth == 0 { return index }
    }
    return nil
  }
}

extension Array where Element == String {
  fileprivate subscript(safe index: Int) -> String { indices.contains(index) ? self[index] : "" }
}
