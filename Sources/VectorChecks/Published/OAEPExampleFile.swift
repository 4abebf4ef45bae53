// Takes PKCS #1's way of printing examples apart: `# Heading:` lines with hex below them, for a key and then for its
// examples. Digits may stand on one line or on many, in pairs or not.

import Contracts
import ServiceRuntime

struct OAEPExampleFile: Sendable {
  struct Key: Sendable {
    /// By heading, those of the public part with `Public ` in front.
    fileprivate(set) var values: [String: String] = [:]
    fileprivate(set) var examples: [Example] = []
  }

  struct Example: Sendable {
    let line: Int
    let title: String
    fileprivate(set) var hash = "sha1"
    fileprivate(set) var mgf = "sha1"
    fileprivate(set) var values: [String: String] = [:]
  }

  private(set) var keys: [Key] = []

  init(_ text: String) throws(UnreadableVectors) {
    var lines = TextLines(text)
    /// The heading whose value the next lines are; nil in prose.
    var heading: String?
    var part = Part.prose
    while let line = lines.next() {
      if line.first == UInt8(ascii: "#") {
        let title = String(line.text.drop { $0 == "#" || $0 == " " })
        part = try begin(title, after: part, line: lines.number)
        heading = title.hasSuffix(":") && part != .prose ? String(title.dropLast()) : nil
        if let heading { try put("", under: heading, in: part, line: lines.number) }
      } else if let heading {
        add(line.text.filter { $0 != " " }, to: heading, in: part)
      }
    }
  }

  private enum Part { case prose, publicKey, privateKey, example }

  /// A public key begins a new key; an example belongs to the key that stands above it.
  private mutating func begin(_ title: String, after part: Part, line: Int) throws(UnreadableVectors) -> Part {
    if title == "Public key" {
      keys.append(Key())
      return .publicKey
    }
    if title == "Private key" { return .privateKey }
    guard title.hasPrefix("OAEP Example ") else { return part }
    guard !keys.isEmpty else { throw UnreadableVectors(why: "line \(line): an example stands above the first key") }
    var example = Example(line: line, title: title)
    for word in title.split(separator: " ") {
      if word.hasPrefix("alg=") { example.hash = String(word.dropFirst(4)) }
      if word.hasPrefix("mgf1=") { example.mgf = String(word.dropFirst(5)) }
    }
    keys[keys.count - 1].examples.append(example)
    return .example
  }

  private static let known: [Part: Set<String>] = [
    .publicKey: ["Modulus", "Exponent"],
    .privateKey: [
      "Modulus", "Public exponent", "Exponent", "Prime 1", "Prime 2", "Prime exponent 1", "Prime exponent 2",
      "Coefficient",
    ],
    .example: ["Message", "Seed", "Encryption"],
  ]

  private mutating func put(_ value: String, under heading: String, in part: Part, line: Int) throws(UnreadableVectors)
  {
    guard Self.known[part]?.contains(heading) == true, self[part, heading] == nil else {
      throw UnreadableVectors(why: "line \(line): \(Printable.name(heading)) does not belong here")
    }
    self[part, heading] = value
  }

  private mutating func add(_ digits: String, to heading: String, in part: Part) {
    self[part, heading] = (self[part, heading] ?? "") + digits
  }

  private subscript(part: Part, heading: String) -> String? {
    get {
      switch part {
      case .prose: nil
      case .publicKey: keys.last?.values["Public " + heading]
      case .privateKey: keys.last?.values[heading]
      case .example: keys.last?.examples.last?.values[heading]
      }
    }
    set {
      guard let key = keys.indices.last else { return }
      switch part {
      case .prose: break
      case .publicKey: keys[key].values["Public " + heading] = newValue
      case .privateKey: keys[key].values[heading] = newValue
      case .example:
        guard let example = keys[key].examples.indices.last else { return }
        keys[key].examples[example].values[heading] = newValue
      }
    }
  }
}

extension OAEPExampleFile.Key {
  func numbers() throws(CaseProblem) -> RSAKeyNumbers {
    let numbers = RSAKeyNumbers(
      modulus: try number("Modulus"), publicExponent: try number("Public exponent"),
      privateExponent: try number("Exponent"), prime1: try number("Prime 1"), prime2: try number("Prime 2"),
      exponent1: try number("Prime exponent 1"), exponent2: try number("Prime exponent 2"),
      coefficient: try number("Coefficient"))
    guard try number("Public Modulus") == numbers.modulus, try number("Public Exponent") == numbers.publicExponent
    else { throw CaseProblem(why: "the public and the private part are different keys") }
    return numbers
  }

  /// A number may be printed without the zero that would make its digits even.
  private func number(_ name: String) throws(CaseProblem) -> [UInt8] {
    guard let digits = values[name], !digits.isEmpty else { throw CaseProblem(why: "the key's \(name) is missing") }
    guard let bytes = Hex.decode(digits.utf8.count.isMultiple(of: 2) ? digits : "0" + digits) else {
      throw CaseProblem(why: "the key's \(name) is not hex")
    }
    return Array(bytes.drop { $0 == 0 })
  }
}
