// The page that describes our formats is held to its own examples.

import Testing

@Suite("docs/formats.md") struct FormatsPageTests {
  @Test("Every worked example on the page is recomputed, and there are fourteen")
  func everyExampleHolds() throws {
    let examples = try FormatsPage.examples()
    #expect(examples.map(\.name).sorted() == Recomputing.checks.map(\.name).sorted())
    #expect(examples.count == 14)
    for example in examples {
      let check = try #require(Recomputing.checks.first { $0.name == example.name })
      #expect(try check.holds(example), "the example \(example.name) does not hold")
    }
  }

  @Test("A changed character in any value of any example is noticed")
  func everyChangeIsNoticed() throws {
    var changes = 0
    for example in try FormatsPage.examples() {
      let check = try #require(Recomputing.checks.first { $0.name == example.name })
      for index in example.lines.indices {
        var changed = example
        changed.lines[index].text = Self.changed(example.lines[index].text)
        #expect((try? check.holds(changed)) != true, "\(example.name), \(example.lines[index].name)")
        changes += 1
      }
    }
    print("docs/formats.md: \(changes) changed values noticed")
    #expect(changes > 80)
  }

  @Test("A value that is missing from an example is noticed")
  func everyMissingValueIsNoticed() throws {
    for example in try FormatsPage.examples() {
      let check = try #require(Recomputing.checks.first { $0.name == example.name })
      for index in example.lines.indices {
        var changed = example
        changed.lines.remove(at: index)
        #expect((try? check.holds(changed)) != true, "\(example.name), \(example.lines[index].name)")
      }
    }
  }

  /// One character in the middle becomes another of its kind; null becomes a text.
  private static func changed(_ text: String) -> String {
    guard text != "null" else { return "\"x\"" }
    var characters = Array(text)
    // In a list or text the middle may be a quote; the next letter or digit will do.
    let start = characters.count / 2
    let place = (start..<characters.count).first { characters[$0].isLetter || characters[$0].isNumber } ?? start
    characters[place] = characters[place] == "1" ? "2" : "1"
    return String(characters)
  }
}
