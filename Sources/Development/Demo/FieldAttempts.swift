// Ciphertext and keyring rows that were moved or changed.

import Contracts
import Grants

enum FieldAttempts {
  static func run(
    _ issued: IssuedGrant, _ world: borrowing World, _ records: [RecordName: JSONObject], _ stage: inout Stage
  ) throws {
    stage.chapter("Somebody who can write to the database moves sealed values about")
    let note = records[world.note] ?? JSONObject()
    let tampered = "ciphertext-tampered-or-wrong-key"
    var swapped = note
    swapped.set("title", note["content"] ?? .null)
    read("the note's content put into its title", tampered, swapped, nil, issued, world, &stage)
    var planted = note
    planted.set("title", records[world.diary]?["title"] ?? .null)
    read("a diary title planted in the granted note", tampered, planted, nil, issued, world, &stage)
    var text = Array((note["title"]?.text ?? "").utf8)
    text[30] = text[30] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
    var flipped = note
    flipped.set("title", .string(String(decoding: text, as: UTF8.self)))
    read("one character of the sealed title", tampered, flipped, nil, issued, world, &stage)
    var future = note
    future.set("title", .string("enc:3:AAAA.BBBB"))
    read("a version of envelope nobody knows", "ciphertext-malformed", future, nil, issued, world, &stage)
    var old = note
    old.set("title", .string("enc:1:oKGio6Slpqeoqaqr.m7lYCpHaeDWe1AT6Bdn7hX/vjClf+zc="))
    read("an old value that has no sealed copy", "not-sealed-yet", old, nil, issued, world, &stage)
    read("the task's keyring row used for the note", tampered, note, issued.keyring[world.task], issued, world, &stage)
    var row = issued.keyring[world.note] ?? []
    row[20] ^= 1
    read("one bit of the keyring row", tampered, note, row, issued, world, &stage)
  }

  private static func read(
    _ what: String, _ reason: String, _ record: JSONObject, _ row: [UInt8]?, _ issued: IssuedGrant,
    _ world: borrowing World, _ stage: inout Stage
  ) {
    let outcome = IssuedGrant.read(
      world.note, "title", of: record, through: issued.json, row: row ?? issued.keyring[world.note],
      keys: world.keys, user: world.user, mission: world.mission, now: world.now)
    stage.expect(reason, from: what, got: outcome.word)
  }
}
