// A span of a temporary must not be an argument of a call that can throw: Swift 6.3.1 does not destroy the temporary
// where the call throws, which leaks it, or destroys it twice, which crashes. Given a name first, it is safe.

enum SpanRules {
  private static let views: Set = ["span", "bytes", "mutableSpan", "mutableBytes", "rawSpan", "utf8Span"]

  /// `try f(g(x).span)` is caught, and so are a literal or a property of a call's result in the place of `g(x)`; with
  /// `let y = g(x)` before it, `try f(y.span)` passes.
  static func temporariesLendNoSpanToThrowingCalls(_ files: [SourceFile]) -> Verdict {
    var verdict = Verdict()
    for file in files {
      verdict.look()
      for index in file.words.indices where views.contains(file.word(index)) && file.word(index - 1) == "." {
        guard file.word(index + 1) != "(", isOfTemporary(file, index), isArgumentOfThrowingCall(file, index) else {
          continue
        }
        verdict.problem(
          "\(file.path):\(file.words[index].line) hands the `\(file.word(index))` of a temporary to a call that can throw"
        )
      }
    }
    return verdict
  }

  /// Goes back over `.name.name` to where the expression begins. The words hold no literals, so where nothing stands
  /// before the first dot there was one.
  private static func isOfTemporary(_ file: SourceFile, _ view: Int) -> Bool {
    var dot = view - 1
    while isName(file.word(dot - 1)), file.word(dot - 2) == "." { dot -= 2 }
    switch file.word(dot - 1) {
    case ")": return true
    case "]":
      // An element of something that has a name is stored there; a list in brackets is a literal.
      guard let open = file.opening(dot - 1) else { return false }
      return !(file.words[open].glued && (isName(file.word(open - 1)) || [")", "]"].contains(file.word(open - 1))))
    case "(", ",", ":": return true
    default: return false
    }
  }

  /// Goes back to the beginning of the statement, and out of every bracket on the way.
  private static func isArgumentOfThrowingCall(_ file: SourceFile, _ view: Int) -> Bool {
    var index = view
    var isArgument = false
    while index > 0 {
      index -= 1
      switch file.word(index) {
      case ")", "]", "}":
        // A statement on the line before ends here, unless what follows goes on with it.
        guard index == view - 2 || !endsStatement(file, index) else { return false }
        guard let open = file.opening(index) else { return false }
        index = open
      case "(":
        if file.words[index].glued, isName(file.word(index - 1)) || file.word(index - 1) == ">" { isArgument = true }
      case "try": return isArgument
      case "{", ";": return false
      default: if endsStatement(file, index) { return false }
      }
    }
    return false
  }

  private static let joints: Set = ["=", ",", "(", "[", ":", "?", "+", "&", "|", "<", ">", ".", "-", "!", "~"]
  private static let openWords: Set = ["try", "await", "return", "in", "throw", "else"]

  /// The next word stands on a later line and neither of the two asks for the other.
  private static func endsStatement(_ file: SourceFile, _ index: Int) -> Bool {
    guard file.words.indices.contains(index + 1), file.words[index + 1].line > file.words[index].line else {
      return false
    }
    let (word, next) = (file.word(index), file.word(index + 1))
    return !joints.contains(word) && !openWords.contains(word) && !joints.contains(next) && next != ")" && next != "]"
  }

  private static func isName(_ word: String) -> Bool {
    guard let first = word.utf8.first else { return false }
    return first == UInt8(ascii: "_") || first >= 0x80
      || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first | 0x20)
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
  }
}
