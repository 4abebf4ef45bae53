// `mandate-dev seed`: the part of a sync server that a demo needs.

import Contracts
import Foundation
import Testing

@Suite("mandate-dev seed") struct SeedTests {
  private static let line: String =
    #"{"userId":"anna","appId":"notes","tableName":"notes","recordId":"n1","op":"insert","data":{"title":"x"}}"#

  /// The line with one member more.
  private func with(_ member: String) -> String { String(Self.line.dropLast()) + ",\(member)}" }

  @Test("A change is written once, however often it is sent, and its order is that of the lines")
  func once() async throws {
    try await StrangerWorld.with { world in
      let update = Self.line.replacing("insert", with: "update").replacing("\"x\"", with: "\"y\"")
      let lines = [Self.line, "", update, Self.line.replacing("anna", with: "bert")].joined(separator: "\n")
      #expect(try await world.seed(lines).output == "3 written, 0 known before\n")
      #expect(try await world.seed(lines + "\n").output == "0 written, 3 known before\n")
      let rows = try await world.issuer.texts(
        "SELECT user_id || ' ' || op || ' ' || (data ->> 'title') FROM public.sync_changes ORDER BY created_at, id")
      #expect(rows == ["anna insert x", "anna update y", "bert insert x"])
    }
  }

  @Test("What one line lacks is said, and then none is written")
  func refused() async throws {
    try await StrangerWorld.with { world in
      let id = "9f0c1d2e-0000-4000-8000-000000000001"
      let known = with(#""id":"\#(id)""#)
      #expect(try await world.seed(known).code == 0)
      let bad: [(String, String)] = [
        ("nonsense", "line 2 is no JSON object"), ("[]", "line 2 is no JSON object"),
        (Self.line.replacing("recordId", with: "record"), "line 2 has a member that nothing reads: record"),
        (Self.line.replacing("insert", with: "upsert"), "line 2 op must be"),
        (Self.line.replacing(#"{"title":"x"}"#, with: "[]"), "line 2 data must be"),
        (Self.line.replacing("anna", with: ""), "line 2 userId must be"),
        (with(#""op":"delete""#), "line 2 a member stands twice"),
        (with(#""fieldMeta":{"title":1}"#), "line 2 fieldMeta must be"),
        (with(#""id":"7""#), "line 2 id must be a UUID"),
        (known.replacing("\"x\"", with: "\"z\""), "another change with the id \(id)"),
      ]
      for (line, sentence) in bad {
        let outcome = try await world.seed(Self.line.replacing("n1", with: "n2") + "\n" + line)
        #expect(outcome.code == 1 && outcome.output.isEmpty && outcome.errors.contains(sentence), "\(outcome)")
      }
      #expect(try await world.issuer.texts("SELECT record_id FROM public.sync_changes") == ["n1"])
      #expect(try await world.seed("\n").errors.contains("there was no change"))
    }
    let lost = try await Program.run(Program.built("mandate-dev"), ["seed"], input: Self.line)
    #expect(lost.code == 1 && lost.errors.contains("MANDATE_DATABASE_URL is not set"))
    let wrong = try await Program.run(Program.built("mandate-dev"), ["seed", "more"], input: Self.line)
    #expect(wrong.code == 2 && wrong.errors.contains("usage: mandate-dev"))
    let help = try await Program.run(Program.built("mandate-dev"), ["seed", "--help"])
    #expect(help.code == 0 && help.output.contains("MANDATE_DATABASE_URL is the database"))
  }
}
