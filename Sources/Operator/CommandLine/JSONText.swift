// JSON for scripts that read our answers. Everything a command prints is public, so Foundation's encoder may do it.

internal import FoundationEssentials

enum JSONText {
  /// Members in the order of the alphabet, so that two answers can be compared line by line.
  static func of(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    } catch {
      preconditionFailure("an answer of texts and numbers cannot be written as JSON")
    }
  }
}
