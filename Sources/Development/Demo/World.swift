// The people and things of the demo: a user with three records, a mission, and the resolver's pair from disk.

import Contracts
import Cryptography
import Grants
import Secrets
import ServiceRuntime

struct World: ~Copyable {
  let user: Identifier
  let stranger: Identifier
  let mission: Identifier
  let master: SecretBytes
  let resolver: RSAPublicKey
  let keys: ResolverKeys
  let now: Instant
  /// In the order shown: two that will be granted, one that will not.
  let note: RecordName
  let task: RecordName
  let diary: RecordName

  init(keyFolder: String, now: Instant) throws {
    // Whatever can throw comes before the first member that has an owner.
    let names = try (Identifier(checking: "ada"), Identifier(checking: "mallory"), Identifier(checking: "plan-my-week"))
    let records = try (
      Self.record("notes", "n1"), Self.record("tasks", "t1"), Self.record("journalEntries", "j1")
    )
    let pair = try Self.pair(in: keyFolder)
    let publicHalf = pair.publicKey()
    let secret = try SecureRandom.secret(KeyDeriver.masterKeyBytes)
    (user, stranger, mission) = names
    (note, task, diary) = records
    resolver = publicHalf
    keys = ResolverKeys(pair)
    master = secret
    self.now = now
  }

  /// The private half that `mandate keys generate` has just written. Only a resolver, and this demo, reads one.
  private static func pair(in folder: String) throws -> RSAPrivateKey {
    let names = try Folder(opening: folder).subfolder(opening: "private").entries().filter { $0.hasSuffix(".pem") }
    guard let name = names.sorted().first else {
      throw DemoProblem(why: "there is no private key in \(folder)/private")
    }
    let pem = try SecretFile.read(folder + "/private/" + name)
    return try RSAPrivateKey(pem: pem.bytes)
  }

  private static func record(_ table: String, _ id: String) throws -> RecordName {
    RecordName(table: try TableName(table), record: try Identifier(checking: id))
  }

  /// What the user's device writes: every field sealed under the record's own key.
  borrowing func seal(_ record: RecordName, _ fields: KeyValuePairs<String, String>) throws -> JSONObject {
    var deriver = try KeyDeriver()
    let key = try deriver.recordKey(master: master, user: user, record: record)
    var codec = try FieldCodec()
    var members: [(String, JSONValue)] = [("id", .string(record.record.text))]
    for (field, value) in fields {
      let place = FieldPlace(user: user, record: record, field: field)
      let json = JSONValue.string(value).compactBytes()
      members.append(
        (field, .string(try codec.seal2(json.span, key: key, place: place, iv: try SecureRandom.bytes(12)))))
    }
    return JSONObject(members: members)
  }
}

struct DemoProblem: Error, CustomStringConvertible {
  let why: String
  var description: String { why }
}
