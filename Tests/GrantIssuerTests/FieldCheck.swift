// Whether two keys are the same, asked of the keys' only use: what one has sealed, the other opens.

import Contracts
import Cryptography
import Grants
import Secrets

enum FieldCheck {
  private static let text = Array(#""the same""#.utf8)
  private static let iv = [UInt8](repeating: 7, count: 12)

  static func sealed(under key: borrowing MissionKeyV1) -> String? {
    do {
      var codec = try FieldCodec()
      return try codec.seal1(text.span, key: key, iv: iv)
    } catch { return nil }
  }

  static func opens(_ sealed: String?, under key: borrowing MissionKeyV1) -> Bool {
    do {
      var codec = try FieldCodec()
      var plain = WipedBytes()
      let bytes = Array((sealed ?? "").utf8)
      _ = try codec.open1(bytes.span, key: key, onto: &plain)
      return sealed != nil
    } catch { return false }
  }

  static func sealed(under key: borrowing RecordKey, user: String, record: RecordName) -> String? {
    do {
      var codec = try FieldCodec()
      return try codec.seal2(
        text.span, key: key, place: FieldPlace(user: Identifier(user), record: record, field: "f"), iv: iv)
    } catch { return nil }
  }

  static func opens(_ sealed: String?, under key: borrowing RecordKey, user: String, record: RecordName) -> Bool {
    do {
      var codec = try FieldCodec()
      var plain = WipedBytes()
      let bytes = Array((sealed ?? "").utf8)
      _ = try codec.open2(
        bytes.span, key: key, place: FieldPlace(user: Identifier(user), record: record, field: "f"), onto: &plain)
      return sealed != nil
    } catch { return false }
  }
}
