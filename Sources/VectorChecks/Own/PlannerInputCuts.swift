// Where content is cut: around the limit of each module, through pairs, marks, escapes and the JSON of other values.

import Contracts

enum PlannerInputCuts {
  typealias Item = PlannerInputCases.Item

  private static let emoji = "\u{1F600}"

  private static func letters(_ count: Int) -> String { String(repeating: "x", count: max(count, 0)) }
  private static func pairs(_ count: Int) -> String { String(repeating: emoji, count: count) }

  /// What a text of `lead` units is followed by, by name; the limit stands at `most`.
  private struct Ending {
    let comment: String
    let flag: String
    let lead: Int
    let tail: String
  }

  /// The endings that tell a limit from its neighbours.
  private static func narrow(_ most: Int) -> [Ending] {
    [
      Ending(comment: "as much as fits", flag: "Cut", lead: most, tail: ""),
      Ending(comment: "one unit more than fits", flag: "Cut", lead: most + 1, tail: ""),
      Ending(comment: "a pair in front of the cut", flag: "Surrogate", lead: most - 2, tail: emoji + "b"),
      Ending(comment: "a pair across the cut", flag: "Surrogate", lead: most - 1, tail: emoji + "b"),
      Ending(comment: "a pair across the cut, and nothing behind it", flag: "Surrogate", lead: most - 1, tail: emoji),
      Ending(comment: "a pair behind the cut", flag: "Surrogate", lead: most, tail: emoji),
    ]
  }

  private static func wide(_ most: Int) -> [Ending] {
    narrow(most) + [
      Ending(comment: "one unit less than fits", flag: "Cut", lead: most - 1, tail: ""),
      Ending(comment: "a pair that just fits", flag: "Surrogate", lead: most - 2, tail: emoji),
      Ending(comment: "two pairs, and the cut between them", flag: "Surrogate", lead: most - 2, tail: pairs(2)),
      Ending(comment: "the last pair of Unicode across the cut", flag: "Surrogate", lead: most - 1, tail: "\u{10FFFF}"),
      Ending(comment: "the first pair of Unicode across the cut", flag: "Surrogate", lead: most - 1, tail: "\u{10000}"),
      Ending(comment: "a character below the surrogates at the cut", flag: "Cut", lead: most - 1, tail: "\u{D7FF}b"),
      Ending(comment: "a character above the surrogates at the cut", flag: "Cut", lead: most - 1, tail: "\u{E000}b"),
      Ending(comment: "U+FFFF at the cut", flag: "Cut", lead: most - 1, tail: "\u{FFFF}b"),
      Ending(comment: "an ellipsis of one's own at the cut", flag: "Cut", lead: most - 1, tail: "…b"),
      Ending(comment: "a mark in front of the cut", flag: "Combining", lead: most - 2, tail: "e\u{301}b"),
      Ending(comment: "a mark behind the cut", flag: "Combining", lead: most - 1, tail: "e\u{301}"),
      Ending(comment: "marks upon marks", flag: "Combining", lead: most - 2, tail: "e\u{301}\u{302}\u{303}"),
      Ending(
        comment: "a family, cut behind its second joiner", flag: "Combining", lead: most - 6,
        tail: "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}"),
      Ending(
        comment: "a family, cut through its child", flag: "Combining", lead: most - 7,
        tail: "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}"),
      Ending(comment: "a flag, cut between its letters", flag: "Combining", lead: most - 2, tail: "\u{1F1E9}\u{1F1EA}"),
      Ending(comment: "a skin tone behind the cut", flag: "Combining", lead: most - 2, tail: "\u{1F44D}\u{1F3FD}"),
      Ending(comment: "a line end across the cut", flag: "Cut", lead: most - 1, tail: "\r\nb"),
      Ending(comment: "twice as much as fits", flag: "Cut", lead: most * 2, tail: ""),
    ]
  }

  private static func texts(_ endings: [Ending], before: Int = 0, _ fields: (String) -> [(String, String)]) -> [Item] {
    endings.map { Item($0.comment, $0.flag, fields: fields(letters($0.lead - before) + $0.tail)) }
  }

  private static func content(_ json: String) -> [(String, String)] { [("content", json)] }

  private static func content(text: String) -> [(String, String)] { content(PlannerInputCases.quoted(text)) }

  /// Content that is no text: the list's bracket and the quote are two units, the closing ones come on top.
  private static func inJSON(_ most: Int) -> [Item] {
    [
      Item("JSON that just fits", "Cut", fields: content("[\"\(letters(most - 4))\"]")),
      Item("JSON without its last bracket", "Cut", fields: content("[\"\(letters(most - 3))\"]")),
      Item("JSON with a pair across the cut", "Surrogate", fields: content("[\"\(letters(most - 3))\(emoji)\"]")),
      Item("an escape that is cut in two", "Cut", fields: content("[\"\(letters(most - 5))\\u0001\"]")),
      Item("an escape of two characters, cut in two", "Cut", fields: content("[\"\(letters(most - 3))\\n\"]")),
    ]
  }

  static let notes: [Item] =
    texts(wide(500), content(text:))
    + [
      Item("pairs alone, as many as fit", "Surrogate", fields: content(text: pairs(250))),
      Item("pairs alone, one more", "Surrogate", fields: content(text: pairs(251))),
      Item("a letter and pairs, one unit too many", "Surrogate", fields: content(text: "x" + pairs(250))),
      Item("an escaped pair across the cut", "Surrogate", fields: content("\"\(letters(499))\\ud83d\\ude00b\"")),
      Item("an escaped pair in front of the cut", "Surrogate", fields: content("\"\(letters(498))\\uD83D\\uDE00b\"")),
      Item(
        "escapes count as what they stand for", "Cut",
        fields: content("\"\(String(repeating: #"\n\u00e9"#, count: 250))\"")),
      Item(
        "a mark alone, six hundred times", "Combining", fields: content(text: String(repeating: "\u{301}", count: 600))),
      Item("a key that is cut", "Cut", fields: content("{\"\(letters(600))\":1}")),
      Item("a number that is cut", "Cut", fields: content("[\"\(letters(494))\",123456]")),
      Item("a word that is cut", "Cut", fields: content("[\"\(letters(493))\",false]")),
      Item(
        "numbers in front before the cut", "Cut", fields: content("{\"b\":\"\(letters(490))\",\"1\":\"\(emoji)\"}")),
    ] + inJSON(500)

  static let journal: [Item] = texts(narrow(500), content(text:))
  static let kontext: [Item] = texts(narrow(1500), content(text:)) + inJSON(1500)

  /// `[s] ` stands before the title.
  static let tasks: [Item] =
    texts(narrow(500), before: 4) { [("status", #""s""#), ("title", PlannerInputCases.quoted($0))] }
    + [
      Item(
        "cut in front of what a date begins with", "Cut",
        fields: [("title", PlannerInputCases.quoted(letters(499))), ("dueDate", #""x""#)]),
      Item(
        "cut through the words before a date", "Cut",
        fields: [("title", PlannerInputCases.quoted(letters(490))), ("dueDate", #""x""#)]),
      Item(
        "without the bracket behind a date", "Cut",
        fields: [("title", "\"\""), ("dueDate", PlannerInputCases.quoted(letters(490)))]),
      Item(
        "a long title is shown whole as the title", "Cut",
        fields: [("title", PlannerInputCases.quoted(letters(700))), ("description", #""d""#)]),
    ]

  /// `T @ ` stands before the date.
  static let calendar: [Item] =
    texts(narrow(500), before: 4) { [("title", #""T""#), ("startDate", PlannerInputCases.quoted($0))] }

  /// `a`, a line end.
  static let profile: [Item] =
    texts(narrow(2000), before: 2) { [("about", #""a""#), ("freeform", PlannerInputCases.quoted($0))] }
    + [
      Item(
        "the line end is the last that fits", "Cut",
        fields: [("about", PlannerInputCases.quoted(letters(1999))), ("social", #""b""#)]),
      Item(
        "the line end does not fit", "Cut",
        fields: [("about", PlannerInputCases.quoted(letters(2000))), ("social", #""b""#)]),
      Item(
        "what is trimmed does not count", "Cut",
        fields: [("about", PlannerInputCases.quoted("   " + letters(2000) + "  "))]),
      Item(
        "JSON behind a text, cut", "Surrogate",
        fields: [
          ("about", PlannerInputCases.quoted(letters(1990))), ("goals", PlannerInputCases.quoted(emoji)),
          ("social", "[\"abc\(emoji)\"]"),
        ]),
    ]
}
