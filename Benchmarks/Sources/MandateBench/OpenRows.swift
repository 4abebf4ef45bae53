// Rows `open-…`: one `enc:2` value, from its text to its bytes, against base64 and GCM in C.

import CYardsticks
import Contracts
import Cryptography
import Grants
import Secrets

enum OpenRows {
  private static let whySmall =
    "at 64 bytes the cipher is a small part; the strict base64, the wiping and the look at the JSON are ours alone"

  static func row(_ name: String, plaintextBytes: Int) -> Row {
    Row(name: name, unit: "values/s", mark: 0.8, whyMissed: plaintextBytes < 100 ? whySmall : nil) {
      let sample = try SampleRecord(fields: 1, plaintextBytes: plaintextBytes)
      var codec = try FieldCodec()
      let text = Array((sample.sealed["field0"]?.text ?? "").utf8)
      let place = sample.place("field0")
      var plaintext = WipedBytes(capacity: plaintextBytes)
      let ours = try Stopwatch.rate(seconds: 0.4, batch: plaintextBytes > 10_000 ? 50 : 1000) { batch in
        for _ in 0..<batch {
          plaintext.resize(to: 0)
          let opened = try codec.open2(text.span, key: sample.key.key, place: place, onto: &plaintext)
          guard opened.range.count == plaintextBytes else { throw YardstickProblem(why: "a value came out short") }
        }
      }
      let rounds = max(Int(ours * 0.4), 10)
      let seconds = yardstick_open(rounds, plaintextBytes, place.aad.count)
      guard seconds > 0 else { throw YardstickProblem(why: "the C loop over base64 and GCM failed") }
      return Row.Pair(ours: ours, yardstick: Double(rounds) / seconds)
    }
  }
}

/// Holds a key that has only one owner where a closure needs it.
final class KeyBox: Sendable {
  let key: RecordKey
  init(_ key: consuming RecordKey) { self.key = key }
}

/// A record whose fields are JSON strings of x's that are `plaintextBytes` long with their quotes.
struct SampleRecord {
  let key: KeyBox
  let user: Identifier
  let name: RecordName
  let fields: [String]
  let sealed: JSONObject

  init(fields count: Int, plaintextBytes: Int) throws {
    user = try Identifier(checking: "3f0c8b1e-0000-4000-8000-000000000001")
    name = RecordName(
      table: try TableName("notes"), record: try Identifier(checking: "9b2f41aa-0000-4000-8000-000000000002"))
    fields = (0..<count).map { "field\($0)" }
    let master = try SecureRandom.secret(32)
    var deriver = try KeyDeriver()
    key = KeyBox(try deriver.recordKey(master: master, user: user, record: name))
    var codec = try FieldCodec()
    let json = Array("\"".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: plaintextBytes - 2) + Array("\"".utf8)
    var members: [(String, JSONValue)] = []
    for field in fields {
      let place = FieldPlace(user: user, record: name, field: field)
      members.append(
        (field, .string(try codec.seal2(json.span, key: key.key, place: place, iv: try SecureRandom.bytes(12)))))
    }
    sealed = JSONObject(members: members)
  }

  func place(_ field: String) -> FieldPlace { FieldPlace(user: user, record: name, field: field) }
}
