// Help texts, tables and suggestions.

import Testing

@testable import ServiceRuntime

@Suite struct TextTests {
  @Test("Help shows each setting with default, unit, limits and reason, in columns of at most 100")
  func help() {
    let text = SettingsHelp.text([
      Setting<Int>.integer(.vectors, .value(60_000), in: 1...90_000, unit: "ms", reason: "How long is long.")
        .documentation,
      Log.levelSetting.documentation,
      SecretSetting(.databaseURL, required: true, length: 1...2048, reason: "Where the data is.").documentation,
      DocumentSetting(.resolverPublicKey, required: false, reason: "For whom keys are wrapped.").documentation,
    ])
    #expect(
      text == """
        Settings are read from the environment once, at the start. An empty value counts as absent.

          NAME                    DEFAULT   UNIT  REASON
          MANDATE_VECTORS         60000     ms    How long is long. Must be a whole number from 1 to 90000.
          MANDATE_LOG_LEVEL       info            How serious an event must be to be logged. Must be one of
                                                  `debug`, `info`, `warning`, `error`.
          MANDATE_DATABASE_URL    required        Where the data is. Must be 1 to 2048 bytes. Secret; may
                                                  come from a file that MANDATE_DATABASE_URL_FILE names.
                                                  Older names: SYNC_DATABASE_URL, DATABASE_URL.
          MANA_AI_PUBLIC_KEY_PEM                  For whom keys are wrapped. Must be at most 65536 bytes.
                                                  May come from a file that MANA_AI_PUBLIC_KEY_PEM_FILE
                                                  names.

        """)
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 && $0.last != " " })
  }

  @Test("A column that is empty everywhere is left out, a long word has a line of its own")
  func tables() {
    var table = TextTable(headings: ["A", "B", "C"], width: 10)
    #expect(table.isEmpty)
    table.add(["a", "", "one " + String(repeating: "x", count: 40) + " two"])
    #expect(table.text == "A  C\na  one\n   " + String(repeating: "x", count: 40) + "\n   two\n")
  }

  @Test(
    "A slip of the finger finds the name that was meant",
    arguments: [
      ("lst", "list"), ("lsit", "list"), ("list", "list"), ("LIST", "list"), ("generat", "generate"), ("shw", "show"),
    ])
  func nearest(slip: String, meant: String) {
    #expect(Nearest.to(slip, among: ["generate", "list", "show"]) == meant)
  }

  @Test("Another word finds nothing", arguments: ["", "delete", "xy", String(repeating: "list", count: 100)])
  func notNear(word: String) { #expect(Nearest.to(word, among: ["generate", "list", "show"]) == nil) }

  @Test("Inserted, lost, changed and swapped letters count one each")
  func slips() {
    #expect(Nearest.slips(from: "", to: "") == 0)
    #expect(Nearest.slips(from: "abc", to: "") == 3)
    #expect(Nearest.slips(from: "", to: "abc") == 3)
    #expect(Nearest.slips(from: "abcd", to: "acbd") == 1)
    #expect(Nearest.slips(from: "kitten", to: "sitting") == 3)
  }
}
