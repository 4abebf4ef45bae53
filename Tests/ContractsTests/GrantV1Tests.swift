// The seeds' grant: its one spelling, and what is read of a stored value of any shape.

import Contracts
import Testing

@Suite("Grants of v1")
struct GrantV1Tests {
  private let grant = GrantV1(
    wrappedKey: "AAEC",
    derivation: .init(missionId: "m", tables: ["tasks", "notes"], recordIds: ["tasks:t1", "notes:n1"]),
    issuedAt: "2026-04-15T10:20:30.456Z", expiresAt: "2026-04-22T10:20:30.456Z")

  @Test("The JSON has the members of the seeds' issuer in their order, the lists sorted")
  func spelling() {
    #expect(
      grant.json.compactText() == #"{"wrappedKey":"AAEC","derivation":{"version":"v1","missionId":"m","#
        + #""tables":["notes","tasks"],"recordIds":["notes:n1","tasks:t1"]},"#
        + #""issuedAt":"2026-04-15T10:20:30.456Z","expiresAt":"2026-04-22T10:20:30.456Z"}"#)
  }

  @Test("Lists are sorted by UTF-16 units and keep their duplicates")
  func lists() {
    let derivation = GrantV1.Derivation(
      missionId: "m", tables: ["b", "a", "b"], recordIds: ["n:\u{FF5E}", "n:\u{1F600}", "n:\u{E000}"])
    #expect(derivation.tables == ["a", "b", "b"])
    #expect(
      derivation.recordIds.map { Identifier($0) } == ["n:\u{1F600}", "n:\u{E000}", "n:\u{FF5E}"].map { Identifier($0) })
  }

  @Test("What the issuer wrote is what the opening finds")
  func roundTrip() throws {
    let stored = StoredGrantV1(try json(grant.json.compactText()))
    #expect(stored.wrappedKey == "AAEC")
    #expect(stored.expiresAt?.iso == grant.expiresAt)
    #expect(stored.recordIds == grant.derivation.recordIds)
  }

  @Test("Two grants that differ only in how a letter is spelled are two")
  func equality() {
    func grant(_ id: String) -> GrantV1 {
      GrantV1(
        wrappedKey: "", derivation: .init(missionId: "m", tables: ["n"], recordIds: ["n:\(id)"]), issuedAt: "",
        expiresAt: "")
    }
    #expect(grant(composed) == grant("\u{E9}"))
    #expect(grant(composed) != grant(decomposed))
    #expect(grant(composed).derivation != grant(decomposed).derivation)
    #expect(grant(composed).derivation == grant(composed).derivation)
  }

  @Test("Of a stored value of any shape, each part that is missing or of another type is nil, and the rest is read")
  func anyShape() throws {
    for text in ["null", "true", "1", #""x""#, "[]", "{}", #"[{"wrappedKey":"AAEC"}]"#] {
      let stored = StoredGrantV1(try json(text))
      #expect(stored.wrappedKey == nil && stored.expiresAt == nil && stored.recordIds == nil)
    }
    let lists = [
      #"{"derivation":null}"#, #"{"derivation":[]}"#, #"{"derivation":"x"}"#, #"{"derivation":{}}"#,
      #"{"derivation":{"recordIds":null}}"#, #"{"derivation":{"recordIds":"n:1"}}"#,
      #"{"derivation":{"recordIds":{"0":"n:1"}}}"#,
      #"{"derivation":{"recordIds":["n:1",2]}}"#, #"{"derivation":{"recordIds":["n:1",null]}}"#,
      #"{"derivation":{"recordIds":[["n:1"]]}}"#, #"{"recordIds":["n:1"]}"#, #"{"derivation":{"recordids":["n:1"]}}"#,
    ]
    for text in lists { #expect(StoredGrantV1(try json(text)).recordIds == nil, "\(text)") }
    #expect(StoredGrantV1(try json(#"{"derivation":{"recordIds":[]}}"#)).recordIds == [])
    for text in ["1", "null", #""2026""#, #""1776248430456""#, "\"\"", "1776248430456", #"["2026-04-15T10:20Z"]"#] {
      #expect(StoredGrantV1(try json(#"{"expiresAt":\#(text)}"#)).expiresAt == nil, "\(text)")
    }
    #expect(StoredGrantV1(try json(#"{"expiresAt":"2026-04-15T10:20Z"}"#)).expiresAt?.iso == "2026-04-15T10:20:00.000Z")
    #expect(StoredGrantV1(try json(#"{"wrappedKey":"not base64 yet"}"#)).wrappedKey == "not base64 yet")
    #expect(StoredGrantV1(try json(#"{"wrappedKey":["AAEC"]}"#)).wrappedKey == nil)
  }
}
