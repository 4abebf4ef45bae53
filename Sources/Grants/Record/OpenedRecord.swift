// A record whose granted fields are open. The plaintext has one owner and is wiped with it; everything else about
// the record is what the log already held.

package import Contracts
import Secrets

package struct OpenedRecord: ~Copyable {
  /// The record as it is stored: opened fields still stand sealed in it.
  package let stored: JSONObject
  private let plaintext: WipedBytes
  /// A handful at most, so a list is faster than a table.
  private let opened: [(field: JSONString, value: OpenedValue)]

  init(stored: JSONObject, plaintext: consuming WipedBytes, opened: [(field: JSONString, value: OpenedValue)]) {
    self.stored = stored
    self.plaintext = plaintext
    self.opened = opened
  }

  /// How many fields were sealed and are now open.
  package var openedCount: Int { opened.count }

  /// Lends the JSON text of a field and its tape, whether it was sealed or not. Nil where the record has no such
  /// field.
  package borrowing func withField<Result: ~Copyable>(
    _ name: String, _ body: (JSONTape, Span<UInt8>) -> Result
  ) -> Result? {
    let wanted = JSONString(name)
    if let value = opened.first(where: { $0.field == wanted })?.value {
      return body(value.tape, plaintext.bytes.extracting(value.range))
    }
    guard let plain = stored[name] else { return nil }
    let text = plain.compactBytes()
    guard let tape = try? JSONTape(scanning: text.span) else {
      preconditionFailure("a value that was read as JSON is written as JSON")
    }
    return body(tape, text.span)
  }

  /// A copy of a field that nobody will wipe: for tests and published vectors.
  package borrowing func copyOfField(_ name: String) -> JSONValue? {
    withField(name) { tape, text in JSONValue(tape, in: text) }
  }
}
