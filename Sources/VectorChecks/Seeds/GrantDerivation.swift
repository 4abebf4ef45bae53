// grant-derivation-v1: canonical string and mission key, and the two errors in their order.

import Contracts
import Grants
import Secrets
import ServiceRuntime

enum GrantDerivation {
  static let kind = SeedsFile.kind(
    "grant-derivation-v1", reference: "missions/grant.ts", prepare: { _ throws(UnreadableVectors) in },
    check: { fields, _ throws(CaseProblem) in try check(fields) })

  private static func check(_ fields: CaseFields) throws(CaseProblem) -> Outcome {
    let (tables, recordIds) = (try fields.texts("tables"), try fields.texts("recordIds"))
    let (mission, version) = (try fields.text("missionId"), try fields.text("version"))
    let expected = try fields.fields("expected")
    let found = derive(try fields.hex("masterKeyHex"), version, mission, tables, recordIds)
    switch found {
    case .broken(let why): return .failed(why)
    case .refused(let kind):
      let wanted = expected["error"]?["kind"]?.text
      return kind == wanted ? .passed : .failed("refused as \(kind), expected \(wanted ?? "a key")")
    case .key(let key):
      if let error = expected["error"] {
        return .failed("derived a key, expected \(Printable.name(error["kind"]?.text ?? "an error"))")
      }
      let info = Array(canonicalScopeV1(tables: tables, recordIds: recordIds).utf8)
      let wantedInfo = (text: Array(try expected.text("infoString").utf8), bytes: try expected.hex("infoHex"))
      guard info == wantedInfo.text, info == wantedInfo.bytes else { return .failed("another canonical string") }
      // The order in which a caller lists things is no part of a scope.
      let turned = canonicalScopeV1(tables: tables.reversed(), recordIds: recordIds.reversed())
      guard turned.utf8.elementsEqual(info) else { return .failed("the canonical string depends on the order") }
      let wanted = try expected.hex("mdkHex")
      let isRight = key.equals(wanted.span)
      return isRight ? .passed : .failed("another mission key was derived")
    }
  }

  private enum Found: ~Copyable {
    case key(MissionKeyV1)
    /// In the words of the file.
    case refused(String)
    case broken(String)
  }

  private static func derive(
    _ master: [UInt8], _ version: String, _ mission: String, _ tables: [String], _ recordIds: [String]
  ) -> Found {
    do throws(SecretError) {
      let secret = try SecretBytes(copying: master.span)
      do throws(DerivationFailure) {
        var deriver = try KeyDeriver()
        return .key(
          try deriver.missionKeyV1(
            master: secret, version: version, mission: mission, tables: tables, recordIds: recordIds))
      } catch {
        switch error {
        case .masterKeyLength(let count):
          return count == master.count ? .refused("bad-master-key-length") : .broken("another key length is reported")
        case .unsupportedVersion: return .refused("unsupported-version")
        case .failed(let failure): return .broken("our own failure: \(failure)")
        }
      }
    } catch { return .broken("no locked memory is left") }
  }
}
