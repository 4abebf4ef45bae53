// Grants: a v2 grant is accepted in one spelling only, the one that is written; of a v1 grant the parts that count
// survive being written.

import Contracts
import Harness

@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  unsafe withInput(start, count) { text in
    guard let json = try? JSONValue(parsing: text) else { return }
    if let grant = try? GrantV2(json) { look(grant, json) }
    look(StoredGrantV1(json))
  }
}

private func look(_ grant: GrantV2, _ json: JSONValue) {
  let written = grant.json.compactBytes()
  demandRoundTrip(grant, written: written, "what is written is the same grant") { text in
    (try? JSONValue(parsing: text)).flatMap { try? GrantV2($0) }
  }
  // The label is made over the exact strings, so every member must be read as it stands.
  for name in ["wrappedKey", "keyId", "grantId", "issuedAt", "expiresAt"] {
    demandSame(bytes(grant.json[name]), bytes(json[name]), "a member is written as it was read")
  }
  for name in ["version", "userId", "missionId", "tables", "recordIds"] {
    demandSame(
      bytes(grant.json["derivation"]?[name]), bytes(json["derivation"]?[name]), "a claim is written as it was read")
  }
  let scope = grant.claims.scope
  demand((1...Scope.maximumRecords).contains(scope.records.count), "a scope has 1 to 1,000 records")
  demand((try? Scope(of: scope.records.reversed() + scope.records)) == scope, "order and repetition do not matter")
  demand(scope.records.allSatisfy(scope.contains), "a scope contains its records")
  demand(scope.records.allSatisfy { (try? RecordName(joined: $0.joined)) == $0 }, "a record's name is joined and split")
}

private func look(_ stored: StoredGrantV1) {
  guard let wrapped = stored.wrappedKey, let expiresAt = stored.expiresAt, let records = stored.recordIds else {
    return
  }
  let grant = GrantV1(
    wrappedKey: wrapped, derivation: .init(missionId: "m", tables: records, recordIds: records), issuedAt: "",
    expiresAt: expiresAt.iso)
  demandRoundTrip(grant, written: grant.json.compactBytes(), "what is written is the same grant of v1") { text in
    guard let json = try? JSONValue(parsing: text) else { return nil }
    let again = StoredGrantV1(json)
    guard let wrapped = again.wrappedKey, let expiresAt = again.expiresAt, let records = again.recordIds else {
      return nil
    }
    return GrantV1(
      wrappedKey: wrapped,
      derivation: .init(
        missionId: json["derivation"]?["missionId"]?.text ?? "", tables: json["derivation"]?["tables"]?.texts ?? [],
        recordIds: records),
      issuedAt: json["issuedAt"]?.text ?? "", expiresAt: expiresAt.iso)
  }
}

private func bytes(_ value: JSONValue?) -> [UInt8] { value?.compactBytes() ?? [] }
