// The text of a key file may be spelled in many ways. All of these load, as the same key, in both halves.

import Foundation
import Secrets
import Testing

@testable import Cryptography

@Suite struct KeySpellingTests {
  /// What JavaScript's `\s` matches, in UTF-8.
  static let whiteSpace =
    "\u{09}\u{0A}\u{0B}\u{0C}\u{0D}\u{20}\u{A0}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}"
    + "\u{2007}\u{2008}\u{2009}\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}\u{FEFF}"

  static func body(_ pem: String) -> String { pem.split(separator: "\n").filter { !$0.hasPrefix("-") }.joined() }

  static func relabelled(_ pem: String, _ label: String) -> String {
    "-----BEGIN \(label)-----\n\(body(pem))\n-----END \(label)-----"
  }

  struct Spelling: Sendable, CustomTestStringConvertible {
    let name: String
    let respell: @Sendable (String) -> String
    var testDescription: String { name }
  }

  static let spellings: [Spelling] = [
    Spelling(name: "as it is") { $0 },
    Spelling(name: "carriage returns") { $0.replacingOccurrences(of: "\n", with: "\r\n") },
    Spelling(name: "indented, with tabs and blank lines") {
      "\n\n" + $0.replacingOccurrences(of: "\n", with: "  \n\n\t")
    },
    Spelling(name: "one long line") { relabelled($0, "PRIVATE KEY") },
    Spelling(name: "no line ends at all") { $0.replacingOccurrences(of: "\n", with: "") },
    Spelling(name: "no armour") { body($0) },
    Spelling(name: "no footer") { $0.components(separatedBy: "-----END")[0] },
    Spelling(name: "no header") { body($0) + "\n-----END PRIVATE KEY-----\n" },
    Spelling(name: "another label") { relabelled($0, "RSA PRIVATE KEY") },
    Spelling(name: "a certificate's label") { relabelled($0, "CERTIFICATE") },
    Spelling(name: "a label of ours") { relabelled($0, "What 2 expect?") },
    Spelling(name: "labels that differ") { "-----BEGIN A-----\(body($0))-----END B-----" },
    Spelling(name: "armour in the middle") {
      "\(body($0).prefix(100))-----BEGIN X-----\(body($0).dropFirst(100))-----END Y-----"
    },
    Spelling(name: "a byte order mark") { "\u{FEFF}" + $0 },
    Spelling(name: "no-break spaces") { $0.replacingOccurrences(of: "\nM", with: "\n\u{A0}M") },
    Spelling(name: "every white space of JavaScript, behind every seventh letter") {
      whiteSpace + body($0).enumerated().map { $0 % 7 == 0 ? "\($1)\(whiteSpace)" : "\($1)" }.joined()
    },
    Spelling(name: "no padding") { $0.replacingOccurrences(of: "=", with: "") },
  ]

  @Test("A private key loads however its text is spelled", arguments: spellings)
  func privateKey(spelling: Spelling) throws {
    for pem in [TestKeys.rsa2048, TestKeys.rsa3072, TestKeys.rsa4096] {
      let expected = try RSAPrivateKey(text: pem)
      let key = try RSAPrivateKey(text: spelling.respell(pem))
      let same = key.publicKey() == expected.publicKey()
      #expect(same)
    }
  }

  @Test("A public key loads however its text is spelled", arguments: spellings)
  func publicKey(spelling: Spelling) throws {
    for pem in [TestKeys.rsa2048, TestKeys.rsa3072, TestKeys.rsa4096] {
      let expected = try RSAPrivateKey(text: pem).publicKey()
      #expect(try RSAPublicKey(text: spelling.respell(expected.pem())) == expected)
    }
  }

  @Test("Padding, its absence and loose bits at the end spell the same key")
  func padding() throws {
    // A private key whose DER is one byte, and one whose DER is two bytes beyond whole groups.
    var found: Set<Int> = []
    for pem in [TestKeys.rsa2048, TestKeys.rsa3072, TestKeys.rsa4096] + Self.more {
      let signs = Self.body(pem).filter { $0 == "=" }.count
      found.insert(signs)
      let bare = Self.body(pem).replacingOccurrences(of: "=", with: "")
      let expected = try Self.load(pem)
      #expect(try Self.load(bare) == expected)
      if signs > 0, let last = bare.last, let value = Self.letters.firstIndex(of: last) {
        let loose = String(bare.dropLast()) + String(Self.letters[value + 1])
        #expect(try Self.load(loose) == expected)
        #expect(try Self.load(loose + String(repeating: "=", count: signs)) == expected)
        // One sign where two belong, or the other way round, is not base64.
        let wrong = bare + String(repeating: "=", count: 3 - signs)
        let error = loadFailure { () throws(KeyLoadError) in _ = try Self.load(wrong) }
        #expect(error == .notBase64)
      }
    }
    #expect(found == [0, 1, 2])
  }

  private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")

  private static func load(_ text: String) throws(KeyLoadError) -> [UInt8] {
    let bytes = text.bytes
    let key = try KeyText(bytes.span)
    return copied(key.bytes)
  }

  /// DER of every remainder, whatever the keys happen to have.
  private static let more = [[UInt8](0..<90), [UInt8](0..<91), [UInt8](0..<92)].map { armoured($0, label: "X") }
}
