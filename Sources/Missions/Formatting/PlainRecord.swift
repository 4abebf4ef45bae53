// A record of which nothing is sealed, such as a goal: its fields are lent as they stand in the log.

package import Contracts

package struct PlainRecord: RecordFields {
  private let object: JSONObject

  package init(object: JSONObject) { self.object = object }

  package func withField<Result: ~Copyable>(_ name: String, _ body: (JSONTape, Span<UInt8>) -> Result) -> Result? {
    guard let value = object[name] else { return nil }
    let text = value.compactBytes()
    guard let tape = try? JSONTape(scanning: text.span) else {
      preconditionFailure("a value that was read as JSON is written as JSON")
    }
    return body(tape, text.span)
  }
}
