// A source file as the rules see it: where it stands, its lines, and its words without comments and literals.

struct SourceFile {
  /// From the root of the package, with `/`.
  let path: String
  let text: String
  let words: [Word]
  /// Why the words may not be trusted: the reader lost its way in the text.
  let unreadable: String?

  init(path: String, text: String) {
    self.path = path
    self.text = text
    var reader = SwiftWords(text)
    words = reader.read()
    unreadable = reader.problem
  }

  /// `Sources`, `Tests`, `Benchmarks`, `Fuzz`.
  var area: String { component(0) }
  /// The folder below the area; in Sources and Tests it is the target's name.
  var room: String { component(1) }
  var name: String { path.split(separator: "/").last.map(String.init) ?? path }

  var lineCount: Int { text.utf8.count { $0 == UInt8(ascii: "\n") } }

  private func component(_ index: Int) -> String {
    let parts = path.split(separator: "/")
    return index < parts.count - 1 ? String(parts[index]) : ""
  }

  /// The modules this file imports, `Foundation` for `import struct Foundation.Data`.
  var imports: [(module: String, line: Int)] {
    let kinds: Set = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
    return words.indices.compactMap { index in
      // `import` is a keyword, so it can only be a name behind a dot or in backticks.
      guard words[index].text == "import", word(index - 1) != "." else { return nil }
      let target = kinds.contains(word(index + 1)) ? index + 2 : index + 1
      return word(target).isEmpty ? nil : (word(target), words[index].line)
    }
  }

  /// The text of a word, or nothing beyond either end.
  func word(_ index: Int) -> String { words.indices.contains(index) ? words[index].text : "" }
}

/// An identifier with its `@` or `#`, or one character of anything else.
struct Word {
  let text: String
  let line: Int
  /// Nothing stands between this word and the one before: `try!` as opposed to `try !`.
  let glued: Bool
}
