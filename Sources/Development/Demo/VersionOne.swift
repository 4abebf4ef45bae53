// The older format, for comparison: it still opens, and it shows why it is no boundary.

import Contracts
import Cryptography
import Grants

enum VersionOne {
  static func run(_ world: borrowing World, _ stage: inout Stage) throws {
    stage.chapter("For comparison: a v1 grant, as existing systems issue it")
    let derivation = GrantV1.Derivation(
      missionId: world.mission.text, tables: ["notes"], recordIds: ["notes:n1"])
    var deriver = try KeyDeriver()
    let key = try deriver.missionKeyV1(
      master: world.master, mission: world.mission.text, tables: ["notes"], recordIds: ["notes:n1"])
    let grant = try SealedGrantV1.seal(
      key, for: world.resolver, derivation: derivation, issuedAt: world.now,
      expiresAt: Instant(milliseconds: world.now.milliseconds + 3_600_000))
    let tomorrow = Instant(milliseconds: world.now.milliseconds + 86_400_000)
    stage.expect("expired", from: "a day later", got: word(grant.json, world, tomorrow))
    let edited = grant.json.replacing(["expiresAt"], .string("2999-12-31T00:00:00.000Z"))
      .replacing(["derivation", "recordIds"], .array([.string("notes:n1"), .string("journalEntries:j1")]))
    let answer = word(edited, world, tomorrow)
    if answer == "opened, and allows journalEntries:j1" {
      stage.say("note      with its expiry and its list edited it is \(answer):")
      stage.say("          v1 proves nothing but 32 bytes. Issue v2.")
    } else {
      stage.surprise("an edited v1 grant: \(answer)")
    }
  }

  private static func word(_ json: JSONValue, _ world: borrowing World, _ now: Instant) -> String {
    do {
      return try SealedGrantV1.withOpen(json, keys: world.keys, now: now) { grant in
        grant.allows(table: "journalEntries", record: "j1") ? "opened, and allows journalEntries:j1" : "opened"
      }
    } catch { return Refused.grant(error).word }
  }
}
