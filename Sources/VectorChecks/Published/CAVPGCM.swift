// NIST's CAVP response files for AES-GCM (`gcmEncryptExtIV*.rsp`, `gcmDecrypt*.rsp`): blocks of parameters in
// brackets, then numbered cases.

import Contracts
import Cryptography
import ServiceRuntime

enum CAVPGCM {
  static let kind = VectorKind(
    name: "cavp gcm",
    recognises: { content in
      guard case .text(let text) = content else { return false }
      // The parameters that stand above every block. XPN files have one more and another computation.
      let names = ["[Keylen", "[IVlen", "[PTlen", "[AADlen", "[Taglen"]
      return names.allSatisfy { name in TextLines.start(of: text) { $0.starts(with: name) } }
        && !TextLines.start(of: text) { $0.starts(with: "[SaltLen") }
    },
    count: { content in
      guard case .text(let text) = content else { return nil }
      return TextLines.count(in: text) { $0.starts(with: "Count") }
    },
    check: { content, progress throws(UnreadableVectors) in
      guard case .text(let text) = content else { throw UnreadableVectors(why: "not text") }
      return try check(text, progress)
    })

  private static func check(_ text: String, _ progress: (Int) -> Void) throws(UnreadableVectors) -> [CaseResult] {
    var lines = TextLines(text)
    var block = Block()
    var open: CAVPCase?
    var results: [CaseResult] = []
    func close() {
      guard let finished = open else { return }
      results.append(CaseResult(id: finished.id, outcome: Outcome.of { () throws(CaseProblem) in try finished.run() }))
      open = nil
      if results.count.isMultiple(of: 64) { progress(results.count) }
    }
    while let line = lines.next() {
      if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
      if let parameter = line.bracketed() {
        close()
        try block.read(parameter, line: lines.number)
      } else if let (name, value) = line.pair() {
        if name == "Count" {
          close()
          open = CAVPCase(id: "line \(lines.number), \(block.name) #\(value.text)", block: block)
        } else if open?.set(name, value.text) != true {
          throw UnreadableVectors(why: "line \(lines.number): \(Printable.name(name)) does not belong here")
        }
      } else if line.text == "FAIL", open != nil {
        open?.mustFail = true
      } else {
        throw UnreadableVectors(why: "line \(lines.number) is not understood")
      }
    }
    close()
    return results
  }

  /// The lengths in bits that every case of the block has.
  struct Block: Sendable {
    private(set) var bits: [String: Int] = [:]

    var name: String {
      ["Keylen", "IVlen", "PTlen", "AADlen", "Taglen"].map { "\(bits[$0] ?? 0)" }.joined(separator: "/")
    }

    mutating func read(_ parameter: TextLine, line: Int) throws(UnreadableVectors) {
      guard let (name, value) = parameter.pair(), let number = Int(value.text) else {
        throw UnreadableVectors(why: "line \(line) is not a parameter")
      }
      bits[name] = number
    }
  }
}

/// One numbered case.
private struct CAVPCase {
  let id: String
  let block: CAVPGCM.Block
  var mustFail = false
  /// Decryption files give the plaintext last, as the answer; encryption files give it first, as the question.
  private var isDecryption = false
  private var values: [String: String] = [:]

  init(id: String, block: CAVPGCM.Block) {
    self.id = id
    self.block = block
  }

  /// False where the case has this value already.
  mutating func set(_ name: String, _ value: String) -> Bool {
    isDecryption = isDecryption || name == "PT" && values["Tag"] != nil
    return values.updateValue(value, forKey: name) == nil
  }

  func run() throws(CaseProblem) -> Outcome {
    let input = GCMCase(
      key: try bytes("Key", "Keylen"), iv: try bytes("IV", "IVlen"), aad: try bytes("AAD", "AADlen"),
      message: mustFail ? [] : try bytes("PT", "PTlen"), ciphertext: try bytes("CT", "PTlen"),
      tag: try bytes("Tag", "Taglen"))
    guard values.count == (mustFail ? 5 : 6) else { throw CaseProblem(why: "values that do not belong here") }
    do throws(CryptographyError) {
      return try mustFail || isDecryption ? decrypt(input) : encrypt(input)
    } catch { return .failed(error == .rejected ? "refused, though it is valid" : "our own failure: \(error)") }
  }

  private func decrypt(_ input: GCMCase) throws(CryptographyError) -> Outcome {
    guard input.tag.count == AESGCM.tagBytes else { return .skipped(GCMCase.shortTag) }
    guard mustFail else { return Outcome.passed(unless: try input.openDifference()) }
    do throws(CryptographyError) {
      _ = try input.openDifference()
      return .failed("accepted, though it must fail")
    } catch .rejected { return .passed }
  }

  /// With a short tag, the first bytes of ours are held against it. Only a whole one can be opened again.
  private func encrypt(_ input: GCMCase) throws(CryptographyError) -> Outcome {
    if let difference = try input.sealDifference() { return .failed(difference) }
    guard input.tag.count == AESGCM.tagBytes else { return .passed }
    return Outcome.passed(unless: try input.openDifference())
  }

  private func bytes(_ name: String, _ length: String) throws(CaseProblem) -> [UInt8] {
    guard let value = values[name] else { throw CaseProblem(why: "\(name) is missing") }
    guard let bytes = Hex.decode(value) else { throw CaseProblem(why: "\(name) is not hex") }
    guard bytes.count * 8 == block.bits[length] else { throw CaseProblem(why: "\(name) has not the block's length") }
    return bytes
  }
}
