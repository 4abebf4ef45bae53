// The keys that a mission's opening needs, as bytes to search a memory for. They are computed here by hand, because the
// keys themselves give none out, and held against the real ones, so that a search for them is one for what there was.

import Contracts
import Cryptography
import Foundation
import Grants
import MemoryInspection
import Secrets

struct KeyBytes {
  let user: String
  let mission: String
  let grant: String
  /// Ids of notes, all that the grant names.
  let notes: [String]

  /// The mission key, and a record key for each note.
  func all() throws -> [Data] { [try missionKey()] + (try notes.map { try recordKey($0) }) }

  /// Whether they are what the product derives.
  func areRight() throws -> Bool {
    var deriver = try KeyDeriver()
    let master = try World.master(user)
    let names = try notes.map { try RecordName(joined: "notes:\($0)") }
    let key = try deriver.missionKeyV2(
      master: master, user: Identifier(user), mission: Identifier(mission), grantId: Identifier(grant),
      scope: Scope(of: names))
    let bytes = [UInt8](try missionKey())
    guard key.equals(bytes.span) else { return false }
    for (note, name) in zip(notes, names) {
      let key = try deriver.recordKey(master: master, user: Identifier(user), record: name)
      let bytes = [UInt8](try recordKey(note))
      guard key.equals(bytes.span) else { return false }
    }
    return true
  }

  private func recordKey(_ note: String) throws -> Data {
    var info = Frame()
    info.add("mandate/v2/record-key")
    for part in [user, "notes", note] { info.add(part) }
    return try derive(salt: [], info: info.bytes)
  }

  private func missionKey() throws -> Data {
    var claim = Frame()
    for part in [user, mission, grant] { claim.add(part) }
    try Scope(of: notes.map { try RecordName(joined: "notes:\($0)") }).addRecords(to: &claim)
    var info = Frame()
    info.add("mandate/v2/mission-key")
    info.add(SHA256.digest(claim.bytes))
    return try derive(salt: Array(mission.utf8), info: info.bytes)
  }

  private func derive(salt: [UInt8], info: [UInt8]) throws -> Data {
    let master = try World.master(user)
    var hkdf = try HKDFSHA256()
    let key = try hkdf.derive(ikm: master.bytes, salt: salt.span, info: info.span, count: 32)
    return Data([UInt8](copying: key.bytes))
  }
}

extension Data {
  /// How often these bytes lie in what a process can write to.
  func count(in process: Int32) throws -> Int {
    try MemoryScan(masked: map { $0 ^ 0x5A }).places(in: process).count
  }
}
