// RSA-OAEP as text: the numbers of a key under headings (`# Modulus:`), then examples under theirs
// (`# OAEP Example 1 alg=sha256 mgf1=sha1`; SHA-1 where none is named, as in PKCS #1's own file).

import Contracts
import Cryptography
import ServiceRuntime

enum OAEPExampleText {
  static let kind = VectorKind(
    name: "rsa-oaep examples",
    recognises: { content in
      guard case .text(let text) = content else { return false }
      return TextLines.start(of: text) { isExample($0) } && TextLines.start(of: text) { $0.text == "# Encryption:" }
    },
    count: { content in
      guard case .text(let text) = content else { return nil }
      return TextLines.count(in: text) { isExample($0) }
    },
    check: { content, progress throws(UnreadableVectors) in
      guard case .text(let text) = content else { throw UnreadableVectors(why: "not text") }
      return try check(text, progress)
    })

  /// PKCS #1's worked example: it shows every step with a key of 1024 bits, which our loader refuses.
  static let workedExample = VectorKind(
    name: "rsa-oaep worked example",
    recognises: { content in
      guard case .text(let text) = content else { return false }
      return text.utf8.starts(with: "RSA-OAEP encryption with intermediate values".utf8)
    },
    count: { _ in 1 },
    check: { _, _ in [CaseResult(id: "worked example", outcome: .skipped("key under 2048 bits"))] })

  fileprivate static func isExample(_ line: TextLine) -> Bool { line.starts(with: "# OAEP Example ") }

  private static func check(_ text: String, _ progress: (Int) -> Void) throws(UnreadableVectors) -> [CaseResult] {
    let file = try OAEPExampleFile(text)
    var results: [CaseResult] = []
    for key in file.keys {
      // Loaded once for all its examples.
      let loaded = Result { () throws(CaseProblem) in TestRSAKey(pkcs8: try key.numbers().pkcs8) }
      for example in key.examples {
        let outcome = Outcome.of { () throws(CaseProblem) in try example.run(with: try loaded.get()) }
        results.append(CaseResult(id: "line \(example.line), \(Printable.name(example.title))", outcome: outcome))
        progress(results.count)
      }
    }
    return results
  }
}

extension OAEPExampleFile.Example {
  fileprivate func run(with key: TestRSAKey) throws(CaseProblem) -> Outcome {
    guard let hash = OAEPHash(name: hash) else { return .skipped("hash " + Printable.name(hash)) }
    guard let mgf = OAEPHash(name: mgf) else { return .skipped("hash " + Printable.name(mgf)) }
    let (message, ciphertext) = (try bytes("Message"), try bytes("Encryption"))
    switch key {
    case .notTaken(let reason): return .skipped(reason)
    case .unreadable(let why): return .failed(why)
    case .loaded(let key):
      do throws(CryptographyError) {
        return Outcome.passed(
          unless: try key.difference(decrypting: ciphertext, to: message, label: [], hash: hash, mgf: mgf))
      } catch { return .failed(error == .rejected ? "refused, though it is valid" : "our own failure: \(error)") }
    }
  }

  private func bytes(_ name: String) throws(CaseProblem) -> [UInt8] {
    guard let digits = values[name] else { throw CaseProblem(why: "\(name) is missing") }
    guard let bytes = Hex.decode(digits) else { throw CaseProblem(why: "\(name) is not hex") }
    return bytes
  }
}
