// The story of what exists today: a pair, sealed records, a grant, an opening, and every way to get more refused.

import Contracts
import Cryptography
import Grants
import ServiceRuntime

enum Demo {
  /// True when everything that should open did and everything that should not did not.
  static func run(keyFolder: String) throws -> Bool {
    var stage = Stage()
    let world = try World(keyFolder: keyFolder, now: Instant(milliseconds: WallClock.system.now().microseconds / 1000))
    let records = try sealedRecords(world, &stage)
    let issued = try IssuedGrant(world)
    show(issued, world, &stage)
    open(issued, world, records, &stage)
    try GrantAttempts.run(issued, world, &stage)
    try FieldAttempts.run(issued, world, records, &stage)
    try VersionOne.run(world, &stage)
    stage.chapter("Done")
    stage.say("\(stage.opened) things worked, \(stage.refused) attempts were refused, \(stage.surprises) surprises")
    return stage.surprises == 0
  }

  private static func sealedRecords(
    _ world: borrowing World, _ stage: inout Stage
  ) throws -> [RecordName: JSONObject] {
    stage.chapter("The user's device seals three records, each field under its record's own key")
    let records = [
      world.note: try world.seal(world.note, ["title": "Garden", "content": "Buy seeds before Friday."]),
      world.task: try world.seal(world.task, ["title": "Call the plumber"]),
      world.diary: try world.seal(world.diary, ["title": "Monday", "content": "Nobody needs to read this."]),
    ]
    for name in [world.note, world.task, world.diary] {
      let text = records[name]?["title"]?.text ?? ""
      stage.say("\(name.joined)  title = \(text.prefix(44))…")
    }
    return records
  }

  private static func show(_ issued: IssuedGrant, _ world: borrowing World, _ stage: inout Stage) {
    stage.chapter("The user grants two of them to the mission \(world.mission.text), for seven days")
    stage.say("for the resolver key \(world.resolver.keyIdHex)")
    stage.say("the grant, as it is stored on the mission:")
    stage.say(issued.json.compactText().replacingWrap())
    for name in issued.grant.claims.scope.records {
      let row = issued.keyring[name] ?? []
      stage.say("keyring row for \(name.joined): \(row.count) bytes, \(Hex.encode(row.prefix(12)))…")
    }
  }

  /// What the resolver does at a tick: unwrap, open the keyring, open the fields, forget.
  private static func open(
    _ issued: IssuedGrant, _ world: borrowing World, _ records: [RecordName: JSONObject], _ stage: inout Stage
  ) {
    stage.chapter("The resolver opens what was granted")
    for name in issued.grant.claims.scope.records {
      switch issued.read(name, "title", of: records[name], keys: world.keys, user: world.user, now: world.now) {
      case .success(let text): stage.works("\(name.joined) title", text)
      case .failure(let refusal): stage.surprise("\(name.joined) did not open: \(refusal.word)")
      }
    }
    let outcome = issued.read(
      world.diary, "title", of: records[world.diary], keys: world.keys, user: world.user, now: world.now)
    stage.expect("not-granted", from: "\(world.diary.joined), which the grant does not name", got: outcome.word)
  }
}

extension String {
  /// The wrapped key is 344 characters of noise; a reader needs to see the rest.
  fileprivate func replacingWrap() -> String {
    guard let start = range(of: "\"wrappedKey\":\""), let end = self[start.upperBound...].firstIndex(of: "\"") else {
      return self
    }
    return self[..<start.upperBound] + self[start.upperBound...].prefix(16) + "…" + self[end...]
  }

  private func range(of word: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(word) { return start..<index(start, offsetBy: word.count) }
      start = index(after: start)
    }
    return nil
  }
}
