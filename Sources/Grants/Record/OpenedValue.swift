// An opened value: where its JSON text lies in the plaintext, and the tape of it. It holds none of the text.

package import Contracts
import Secrets

package struct OpenedValue: Sendable {
  package let range: Range<Int>
  /// Nil for a string without escapes, by far the most common value: it is its own bytes.
  private let scanned: JSONTape?

  package var tape: JSONTape { scanned ?? JSONTape(plainStringOf: range.count) }

  /// Reads the bytes behind `start` as the web's decoder would: wrong bytes become U+FFFD, one leading byte-order
  /// mark is dropped. On failure the plaintext is cut back to `start`.
  init(readingFrom start: Int, of plaintext: inout WipedBytes) throws(FieldFailure) {
    if JSONTape.isPlainString(plaintext.bytes.extracting(droppingFirst: start)) {
      scanned = nil
      range = start..<plaintext.count
      return
    }
    if let repaired = Self.repaired(plaintext.bytes.extracting(droppingFirst: start)) {
      plaintext.resize(to: start)
      plaintext.append(repaired.bytes)
    }
    do {
      scanned = try JSONTape(scanning: plaintext.bytes.extracting(droppingFirst: start))
    } catch {
      plaintext.resize(to: start)
      throw .refused(.decryptFailed)
    }
    range = start..<plaintext.count
  }

  /// Nil where nothing needs repair, which is nearly always.
  private static func repaired(_ text: Span<UInt8>) -> WipedBytes? {
    let hasMark = text.count >= 3 && text[0] == 0xEF && text[1] == 0xBB && text[2] == 0xBF
    guard hasMark || !UTF8Text.isValid(text) else { return nil }
    var repaired = WipedBytes(capacity: text.count)
    UTF8Text.repair(text) { repaired.append($0) }
    return repaired
  }
}
