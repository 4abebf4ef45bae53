// Keyring rows: each opens for its own record and grant, and nothing else opens it.

import Contracts
import Cryptography
import Secrets
import Testing

@testable import Grants

@Suite struct KeyringTests {
  private static let names = [
    "notes:n1", "notes:n2", "tasks:n1", "a:1x", "a1:x", "notes:" + composed, "notes:" + decomposed,
  ]
  .map { record($0) }
  private static let claims = GrantsTests.claims(of: names)
  private static let nonce: [UInt8] = Array(0x10...0x1B)

  private func row(_ name: RecordName, grantId: String = Ordinary.grantId) throws -> [UInt8] {
    var cipher = try AESGCM()
    return try KeyringRow.seal(
      Ordinary.recordKey(name.joined), under: Ordinary.missionKey(Self.claims), grantId: id(grantId), record: name,
      nonce: Self.nonce, with: &cipher)
  }

  private func open(
    _ row: [UInt8], _ name: RecordName, grantId: String = Ordinary.grantId, claims: GrantClaims = claims
  ) throws -> Ending<FieldRefusal> {
    let missionKey = try Ordinary.missionKey(claims)
    let wanted = try bytes(Ordinary.recordKey(name.joined))
    var cipher = try AESGCM()
    return Ending { () throws(FieldFailure) in
      let key = try KeyringRow.open(row, under: missionKey, grantId: id(grantId), record: name, with: &cipher)
      #expect(bytes(key) == wanted)
    }
  }

  @Test("A row opens for its own record and for no other one")
  func matrix() throws {
    for name in Self.names {
      let row = try row(name)
      #expect(row.count == KeyringRow.byteCount && row.count == 60)
      for other in Self.names {
        #expect(try open(row, other) == (other == name ? .opened : .refused(.ciphertextTampered)))
      }
    }
  }

  @Test("A row of another grant does not open, nor under another grant's mission key")
  func otherGrant() throws {
    let name = Self.names[0]
    #expect(try open(row(name), name, grantId: Ordinary.otherGrantId) == .refused(.ciphertextTampered))
    #expect(try open(row(name, grantId: Ordinary.otherGrantId), name) == .refused(.ciphertextTampered))
    #expect(try open(row(name), name, claims: Ordinary.claims()) == .refused(.ciphertextTampered))
    let otherUser = Ordinary.claims(user: "user-9", scope: Self.claims.scope)
    #expect(try open(row(name), name, claims: otherUser) == .refused(.ciphertextTampered))
  }

  @Test("A row with any bit flipped does not open")
  func everyBit() throws {
    let name = Self.names[0]
    let row = try row(name)
    for index in row.indices {
      for bit in 0..<8 {
        var changed = row
        changed[index] ^= 1 << bit
        #expect(try open(changed, name) == .refused(.ciphertextTampered))
      }
    }
  }

  @Test("A row of any other length does not open, even if it was sealed so", arguments: 0...96)
  func lengths(count: Int) throws {
    guard count != KeyringRow.byteCount else { return }
    let name = Self.names[0]
    let row = try row(name)
    let cut = count < row.count ? Array(row.prefix(count)) : row + [UInt8](repeating: 0, count: count - row.count)
    #expect(try open(cut, name) == .refused(.ciphertextTampered))
    guard count >= 28 else { return }
    var frame = Frame()
    for part in ["mandate/v2/keyring", Ordinary.grantId, name.table.text, name.record.text] { frame.add(part) }
    let missionKey = try Ordinary.missionKey(Self.claims)
    var cipher = try AESGCM()
    let key = [UInt8](repeating: 7, count: count - 28)
    let sealed: [UInt8] = try cipher.seal(
      key.span, key: missionKey.secret.bytes, iv: Self.nonce.span, aad: frame.bytes.span)
    #expect(try open(Self.nonce + sealed, name) == .refused(.ciphertextTampered))
  }

  @Test("The nonce stands in front, and another nonce makes another row")
  func nonce() throws {
    var cipher = try AESGCM()
    let name = Self.names[0]
    let rows = try (0..<2).map { index in
      try KeyringRow.seal(
        Ordinary.recordKey(), under: Ordinary.missionKey(Self.claims), grantId: id(Ordinary.grantId), record: name,
        nonce: [UInt8](repeating: UInt8(index), count: 12), with: &cipher)
    }
    #expect(rows.map { Array($0.prefix(12)) } == [[UInt8](repeating: 0, count: 12), [UInt8](repeating: 1, count: 12)])
    #expect(rows[0].dropFirst(12) != rows[1].dropFirst(12))
  }
}

private func claims(of names: [RecordName]) -> GrantClaims {
  do { return Ordinary.claims(scope: try Scope(of: names)) } catch { fatalError("\(names) are no scope") }
}
