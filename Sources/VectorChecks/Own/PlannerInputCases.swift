// The cases of planner-input: every pair of module and table, and for each module the records that show its rule. How
// content is cut stands in PlannerInputCuts, how numbers are spelled in PlannerInputNumbers.

import Contracts
import Missions

enum PlannerInputCases {
  struct Pair {
    let comment: String
    let flag: String
    let module: String
    let table: String
  }

  struct Item {
    let comment: String
    let flags: [String]
    /// Names, and values as JSON texts.
    let fields: [(String, String)]

    init(_ comment: String, _ flags: String..., fields: [(String, String)]) {
      (self.comment, self.flags, self.fields) = (comment, flags, fields)
    }
  }

  static let all: [(String, [Item])] = [
    ("notes", notes + PlannerInputCuts.notes + json + PlannerInputNumbers.inJSON),
    ("tasks", tasks + PlannerInputCuts.tasks), ("todo", [wholeTask]),
    ("calendar", calendar + PlannerInputCuts.calendar),
    ("journal", journal + PlannerInputCuts.journal), ("kontext", kontext + PlannerInputCuts.kontext),
    ("profile", profile + PlannerInputCuts.profile), ("goals", goals + PlannerInputNumbers.asText),
  ]

  /// A text as a JSON text.
  static func quoted(_ text: String) -> String { JSONValue.string(text).compactText() }

  // MARK: The map

  static let pairs: [Pair] = {
    var tables: [String] = []
    for module in InputModule.all where !tables.contains(module.table) { tables.append(module.table) }
    let known = InputModule.all.flatMap { module in
      tables.map { table in
        Pair(
          comment: "\(module.name) with \(table)", flag: table == module.table ? "Map" : "WrongTable",
          module: module.name, table: table)
      }
    }
    let strange: [(String, String, String)] = [
      ("no module", "", "notes"), ("no table", "notes", ""), ("neither", "", ""), ("another case", "Notes", "notes"),
      ("a table in another case", "journal", "journalentries"), ("a space behind", "notes ", "notes"),
      ("a space before the table", "notes", " notes"), ("a line end behind", "notes\n", "notes"),
      ("a NUL behind", "notes\0", "notes"), ("a NUL behind the table", "notes", "notes\0"),
      ("an app for a module", "companion", "companionGoals"), ("a table for a module", "events", "events"),
      ("a module that clients have and inputs don't", "habits", "habits"), ("a prefix", "note", "notes"),
      ("a prefix of the table", "notes", "note"), ("two names", "notes,tasks", "notes"),
      ("app and table in one", "notes", "notes/notes"), ("a Cyrillic letter", "n\u{43E}tes", "notes"),
      ("full-width letters", "\u{FF4E}otes", "notes"), ("a combining mark", "notes\u{301}", "notes"),
      ("a zero-width joiner", "notes", "no\u{200D}tes"), ("a name that every object has", "constructor", "notes"),
      ("a prototype", "__proto__", "notes"), ("the dotless i", "todo", "task\u{131}"),
    ]
    return known + strange.map { Pair(comment: $0.0, flag: "UnknownName", module: $0.1, table: $0.2) }
  }()

  // MARK: Text as it is

  private static let titleless: [Item] = [
    Item("no title", "Absent", fields: [("content", quoted("nur Text"))]),
    Item("the title is null", "Absent", fields: [("title", "null"), ("content", quoted("x"))]),
    Item("an empty title stays empty", "Absent", fields: [("title", "\"\""), ("content", quoted("x"))]),
    Item("the title is a number", "WrongType", fields: [("title", "7"), ("content", quoted("x"))]),
    Item("the title is true", "WrongType", fields: [("title", "true"), ("content", quoted("x"))]),
    Item("the title is a list", "WrongType", fields: [("title", #"["T"]"#), ("content", quoted("x"))]),
    Item("the title is an object", "WrongType", fields: [("title", #"{"de":"T"}"#), ("content", quoted("x"))]),
    Item("nothing at all", "Absent", fields: []),
  ]

  private static let contentless: [Item] = [
    Item("no content", "Absent", fields: [("title", quoted("T"))]),
    Item("the content is null", "Absent", fields: [("content", "null")]),
    Item("empty content", "Absent", fields: [("content", "\"\"")]),
    Item("the content is a number", "WrongType", fields: [("content", "12.50")]),
    Item("the content is true", "WrongType", fields: [("content", "true")]),
    Item("the content is false", "WrongType", fields: [("content", "false")]),
    Item("the content is an empty list", "WrongType", fields: [("content", "[]")]),
    Item("the content is an empty object", "WrongType", fields: [("content", "{ }")]),
    Item("the content is a list", "WrongType", fields: [("content", #"["a", null, [true, {"b": []}]]"#)]),
  ]

  private static let notes: [Item] =
    [
      Item(
        "title and content", "Basic",
        fields: [("title", quoted("Einkauf")), ("content", quoted("Milch, Brot\n- Käse"))]),
      Item(
        "nothing is trimmed, and controls stay", "Basic",
        fields: [("title", quoted("  T \n")), ("content", quoted(" \t\r\n\u{1}\u{7F}\u{85}\u{2028} "))]),
      Item(
        "an escaped text is the text", "Json",
        fields: [
          ("title", #""\u0041\u00e9\ud83d\ude00\/""#), ("content", #""\"\\\b\f\n\r\t\u0000\u20ac\uD834\uDD1E""#),
        ]),
      Item("what looks like a sealed value is text", "Basic", fields: [("content", quoted("enc:1:AAAA.BBBB"))]),
      Item(
        "another field shows nowhere", "Unread",
        fields: [("content", quoted("x")), ("body", quoted("geheim")), ("Content", quoted("geheim"))]),
      Item(
        "names in other cases are other fields", "Unread",
        fields: [("Title", quoted("geheim")), ("content ", quoted("geheim"))]),
      Item(
        "composed and decomposed stay what they are", "Combining",
        fields: [("title", quoted("caf\u{E9}")), ("content", quoted("cafe\u{301}"))]),
      Item(
        "a title is not cut", "Cut",
        fields: [("title", quoted(String(repeating: "T", count: 501) + "\u{1F600}")), ("content", quoted("x"))]),
    ] + titleless + contentless

  private static let journal: [Item] =
    [
      Item("title and content", "Basic", fields: [("title", quoted("Montag")), ("content", quoted("Regen."))]),
      Item("no content", "Absent", fields: [("title", quoted("T"))]),
      Item("the content is null", "Absent", fields: [("content", "null")]),
      Item("the content is a number", "WrongType", fields: [("content", "5")]),
      Item("the content is an object", "WrongType", fields: [("content", #"{"text":"x"}"#)]),
    ] + titleless

  private static let kontext: [Item] =
    [
      Item("content", "Basic", fields: [("content", quoted("Ich arbeite von zu Hause."))]),
      Item("a title shows nowhere", "Unread", fields: [("title", quoted("geheim")), ("content", quoted("x"))]),
    ] + contentless

  // MARK: Lines of parts

  private static let wholeTask = Item(
    "every part", "Basic",
    fields: [
      ("status", quoted("open")), ("title", quoted("Steuer")), ("description", quoted("Belege")),
      ("dueDate", quoted("2026-12-01")),
    ])

  private static let tasks: [Item] = [
    wholeTask,
    Item("the parts have one order", "Basic", fields: wholeTask.fields.reversed()),
    Item("a title alone", "Basic", fields: [("title", quoted("Steuer"))]),
    Item("nothing at all", "Absent", fields: []),
    Item("a date alone", "Absent", fields: [("dueDate", quoted("morgen"))]),
    Item("an empty title is no part", "Absent", fields: [("title", "\"\""), ("description", quoted("d"))]),
    Item(
      "all parts are empty", "Absent",
      fields: [("status", "\"\""), ("title", "\"\""), ("description", "\"\""), ("dueDate", "\"\"")]),
    Item("a space is a part", "Absent", fields: [("status", quoted(" ")), ("title", quoted(" "))]),
    Item("everything is null", "Absent", fields: wholeTask.fields.map { ($0.0, "null") }),
    Item("everything is a number", "WrongType", fields: wholeTask.fields.map { ($0.0, "1") }),
    Item("everything is a list", "WrongType", fields: wholeTask.fields.map { ($0.0, #"["x"]"#) }),
    Item("everything is false", "WrongType", fields: wholeTask.fields.map { ($0.0, "false") }),
    Item(
      "another field shows nowhere", "Unread",
      fields: [("title", quoted("T")), ("subtasks", #"["geheim"]"#), ("content", quoted("geheim"))]),
    Item(
      "line ends and brackets stay", "Basic",
      fields: [("status", quoted("a]\n[b")), ("title", quoted("(x)")), ("dueDate", quoted(")"))]),
  ]

  private static let calendar: [Item] = [
    Item(
      "every part", "Basic",
      fields: [("title", quoted("Zahnarzt")), ("startDate", quoted("2026-12-01T09:00")), ("location", quoted("Bonn"))]),
    Item("no title", "Absent", fields: [("location", quoted("Bonn"))]),
    Item("an empty title is no part", "Absent", fields: [("title", "\"\""), ("startDate", quoted("heute"))]),
    Item("nothing at all", "Absent", fields: []),
    Item("all parts are empty", "Absent", fields: [("title", "\"\""), ("startDate", "\"\""), ("location", "\"\"")]),
    Item(
      "a date as a number and a place as an object", "WrongType",
      fields: [("title", quoted("T")), ("startDate", "1764579600000"), ("location", #"{"city":"Bonn"}"#)]),
    Item("the title is a number", "WrongType", fields: [("title", "1"), ("location", quoted("Bonn"))]),
    Item(
      "another field shows nowhere", "Unread",
      fields: [("title", quoted("T")), ("description", quoted("geheim")), ("endDate", quoted("geheim"))]),
  ]

  // MARK: Lines of fields

  private static let profile: [Item] = [
    Item("two fields", "Basic", fields: [("about", quoted("Lehrerin")), ("interests", quoted("Schach"))]),
    Item(
      "the fields have one order", "Basic",
      fields: ["freeform", "social", "goals", "nutrition", "routine", "interests", "about"].map { ($0, quoted($0)) }),
    Item("nothing at all", "Absent", fields: []),
    Item(
      "what is empty takes no line", "Absent",
      fields: [("about", "null"), ("interests", "\"\""), ("routine", quoted("früh")), ("goals", quoted("  "))]),
    Item(
      "empty lists and objects take one", "WrongType",
      fields: [("about", "[]"), ("interests", "{}"), ("routine", quoted("x"))]),
    Item(
      "lists and objects are JSON", "WrongType",
      fields: [("interests", #"[ "Schach", " Go " ]"#), ("goals", #"{"b": 1.0, "a": [null]}"#)]),
    Item(
      "numbers and truths take no line", "WrongType",
      fields: [
        ("about", "1"), ("interests", "0"), ("routine", "true"), ("nutrition", "false"), ("social", quoted("x")),
      ]),
    Item(
      "other fields show nowhere", "Unread",
      fields: [("title", quoted("geheim")), ("leisure", quoted("geheim")), ("content", quoted("geheim"))]),
    Item(
      "all that JavaScript trims", "Space",
      fields: [("about", quoted(spaces + "a" + spaces)), ("interests", quoted("b")), ("routine", quoted(spaces))]),
    Item("white space within stays", "Space", fields: [("about", quoted(" a \n\n b\t"))]),
    Item(
      "what JavaScript does not trim", "Space",
      fields: [
        ("about", quoted("\u{85}a\u{180E}")), ("interests", quoted("\u{200B}")), ("routine", quoted("\u{2060}")),
      ]),
    Item("escaped spaces are spaces", "Space", fields: [("about", #""\u0020\ufeffa\u00a0\n\u3000""#)]),
  ]

  private static let spaces =
    "\t\n\u{B}\u{C}\r \u{A0}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\u{2007}\u{2008}\u{2009}"
    + "\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}\u{FEFF}"

  // MARK: Progress

  private static func goal(_ comment: String, _ flag: String, _ fields: (String, String)...) -> Item {
    Item(comment, flag, fields: fields)
  }

  private static let goals: [Item] =
    [
      goal(
        "a whole goal", "Basic", ("currentValue", "3"), ("target", #"{"value":10}"#), ("period", quoted("week")),
        ("title", quoted("Laufen"))),
      goal("nothing at all", "Absent"),
      goal(
        "everything is null", "Absent", ("title", "null"), ("currentValue", "null"), ("target", "null"),
        ("period", "null")),
      goal("empty texts stay empty", "Absent", ("title", "\"\""), ("currentValue", "\"\""), ("period", "\"\"")),
      goal("a target without a value", "Absent", ("target", #"{"unit":"km"}"#)),
      goal("a target whose value is null", "Absent", ("target", #"{"value":null}"#)),
      goal("the last of two values counts", "Json", ("target", #"{"value":1,"\u0076alue":2}"#)),
      goal("a null behind a value counts", "Json", ("target", #"{"value":1,"value":null}"#)),
      goal("a value within another member is none", "Json", ("target", #"{"x":{"value":1}}"#)),
      goal("a prototype is a member like others", "Json", ("target", #"{"__proto__":{"value":1}}"#)),
      goal("texts for numbers", "WrongType", ("currentValue", quoted("drei")), ("target", #"{"value":"zehn"}"#)),
      goal("truths", "WrongType", ("title", "true"), ("currentValue", "false"), ("target", #"{"value":true}"#)),
      goal(
        "objects", "WrongType", ("title", #"{"a":1}"#), ("currentValue", "{}"), ("target", #"{"value":{"x":1}}"#)),
      goal(
        "lists, with nothing for null", "WrongType", ("title", "[1,2]"), ("currentValue", "[1,null,[2,[],{}],\"x\"]"),
        ("target", #"{"value":[]}"#), ("period", "[[null]]")),
      goal("lists within lists", "WrongType", ("period", "[[1,[2,[3,null]]],null,[]]")),
    ]
    + [("a number", "10"), ("a text", quoted("10")), ("a list", "[10]"), ("true", "true")].map {
      goal("the target is \($0.0)", "WrongType", ("target", $0.1))
    } + [
      goal("a title that is a number", "WrongType", ("title", "5.0")),
      goal("nothing is cut", "Cut", ("title", quoted(long)), ("period", quoted(long))),
      goal("another field shows nowhere", "Unread", ("content", quoted("geheim")), ("description", quoted("geheim"))),
    ]

  private static let long = String(repeating: "lang ", count: 421)

  // MARK: JSON

  private static func json(_ comment: String, _ flags: String..., text: String) -> Item {
    Item(comment, "Json", fields: [("content", text)])
  }

  private static let json: [Item] = [
    json("white space between tokens goes", text: " { \"a\" :\t[ 1 ,\n2 ] , \"b\":\r{ } } "),
    json(
      "only quotes, backslashes and controls are escaped",
      text: ##"["\u0000\u0001\b\t\n\u000b\f\r\u001f\"\\\/\u007f\u0080\u2028\u2029","é€😀"]"##),
    json("escapes of letters go", text: #"{"\u0061\u00e9":"\u20ac\ud83d\ude00\u004a"}"#),
    json("numbers in front, in their order", text: #"{"b":1,"10":2,"2":3,"a":4,"0":5}"#),
    json(
      "what is no index stays where it is",
      text: #"{"x":0,"01":1,"-1":2,"1.5":3,"1e3":4," 1":5,"4294967295":6,"4294967294":7,"":8,"+1":9}"#),
    json("two equal keys: the first place, the last value", text: #"{"a":1,"b":2,"a":[3]}"#),
    json("two equal keys, one escaped", text: #"{"a":1,"b":2,"\u0061":3}"#),
    json("two equal indices", text: #"{"7":1,"b":2,"3":4,"7":5}"#),
    json("equivalent keys are two", text: "{\"caf\u{E9}\":1,\"cafe\u{301}\":2}"),
    json("names that every object has", text: #"{"__proto__":{"x":1},"constructor":2,"toString":null}"#),
    json("nested, each in its order", text: #"[{"1":{"b":[],"0":{}},"0":null},[[[]]],{"":{"":""}}]"#),
    json("thirty levels", text: String(repeating: "[", count: 30) + String(repeating: "]", count: 30)),
    json("a text that looks like JSON is a text", text: #""{\"a\":1}""#),
  ]
}
