// What several suites of this target share: seeded randomness, so that a failure can be seen again, and short ways
// to call the byte-wise readers (a Span cannot stand inside `#expect`).

import Contracts

/// SplitMix64. Not for keys; for test inputs that are the same in every run.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
  }
}

/// "e" with an acute accent in its two spellings, which Swift's String calls equal and our formats must not.
let composed = "\u{E9}"
let decomposed = "e\u{301}"

func strict(_ text: String) -> [UInt8]? { strict(Array(text.utf8)) }
func strict(_ text: [UInt8]) -> [UInt8]? { Base64.decodeStrict(text.span) }
func forgiving(_ text: String) -> [UInt8]? { forgiving(Array(text.utf8)) }
func forgiving(_ text: [UInt8]) -> [UInt8]? { Base64.decodeForgiving(text.span) }

func encoded(_ bytes: [UInt8]) -> String { Base64.encode(bytes.span) }

func isValidUTF8(_ bytes: [UInt8]) -> Bool { UTF8Text.isValid(bytes.span) }

func repaired(_ bytes: [UInt8]) -> [UInt8] {
  var output: [UInt8] = []
  UTF8Text.repair(bytes.span) { output.append($0) }
  return output
}

func json(_ text: String) throws -> JSONValue { try JSONValue(parsing: text) }

/// Byte for byte; `==` on String would call the two spellings of "é" equal.
func sameBytes(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }
