// A check that cannot fail is a defect: change any expected value, and the file must fail.

import Contracts
import Foundation
import Testing

@testable import VectorChecks

@Suite("A changed vector fails")
struct MutationTests {
  /// Members that hold what must come out, by file.
  static let expected: [(file: String, members: Set<String>)] = [
    ("wycheproof-aes-gcm.json", ["ct", "tag", "msg", "result"]), ("wycheproof-hkdf.json", ["okm", "result"]),
    ("wycheproof-ed25519.json", ["sig", "msg", "result"]), ("wycheproof-rsa-oaep.json", ["msg", "ct", "result"]),
    ("seeds-grant-derivation-v1.json", ["infoString", "infoHex", "mdkHex", "kind"]),
    ("seeds-grant-unwrap.json", ["mdkHex", "reason", "masterKeyHex", "issuedAtMs"]),
    ("seeds-record-replay.json", ["replay", "agents", "snapshot", "differences"]),
    ("seeds-resolver-format.json", ["titleUtf16Length", "contentUtf16Length", "readRecord", "status", "reason"]),
    ("seeds-enc1.json", ["value", "valueTagged", "valueRepeat", "valueJsonText", "error", "isEncrypted"]),
  ]

  @Test("Every expected value of every JSON case counts", arguments: expected)
  func jsonCases(_ file: String, _ members: Set<String>) throws {
    var changed = 0
    for alone in Mutation.cases(of: try Fixtures.json(file)) where Self.asserts(alone) {
      for mutant in Mutation.mutants(of: alone, Self.isInvalid(alone) ? ["result"] : members) {
        #expect(verdict(on: .json(mutant.json)).fails, "\(mutant.path) was changed and nobody noticed")
        changed += 1
      }
    }
    #expect(changed > 4)
  }

  @Test("A letter more in what is shown of a record is noticed", arguments: ["title", "content"])
  func shownTexts(_ member: String) throws {
    var changed = 0
    for alone in Mutation.cases(of: try Fixtures.json("seeds-resolver-format.json")) where Self.asserts(alone) {
      guard let shown = alone["cases"]?.array?.first, let expected = shown["expected"],
        let text = expected[member]?.text
      else { continue }
      let mutant = shown.with("expected", expected.with(member, .string(text + "x")))
      #expect(verdict(on: .json(alone.with("cases", .array([mutant])))).fails)
      changed += 1
    }
    #expect(changed > 20)
  }

  /// Cases that are run and whose outcome is ours to assert. Of a text with half a surrogate pair we assert that it
  /// is refused, whatever stands beside the half.
  private static func asserts(_ alone: JSONValue) -> Bool {
    guard let tally = verdict(on: .json(alone)).tally else { return false }
    return tally.passed == 1 || tally.setApart.keys.contains { $0.hasPrefix("DEV-3") || $0.hasPrefix("DEV-4") }
  }

  /// A changed input of a test that is invalid stays invalid.
  private static func isInvalid(_ alone: JSONValue) -> Bool {
    alone["testGroups"]?.array?.first?["tests"]?.array?.first?["result"]?.text == "invalid"
  }

  @Test(
    "Every expected value of every text case counts",
    arguments: [
      ("cavp-encrypt.rsp", ["CT", "Tag"]), ("cavp-decrypt.rsp", ["PT"]), ("hkdf.txt", ["PRK", "OKM"]),
      ("oaep-label.txt", ["Output"]),
    ])
  func textCases(_ file: String, _ names: [String]) throws {
    let text = try Fixtures.text(file).replacingOccurrences(of: "\r", with: "")
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var changed = 0
    for (index, line) in lines.enumerated() {
      let parts = line.split(separator: "=", maxSplits: 1).map { $0.filter { !$0.isWhitespace } }
      guard parts.count == 2, names.contains(parts[0]), !parts[1].isEmpty else { continue }
      var mutant = lines
      mutant[index] = "\(parts[0]) = \(Mutation.flipped(parts[1]))"
      let verdict = verdict(on: .text(mutant.joined(separator: "\n")))
      // What is skipped cannot fail; the skipped cases of these files are counted in FixtureTests.
      let isSkipped =
        file == "hkdf.txt" && index > lines.count - 5 || file == "cavp-decrypt.rsp" && parts[1].count == 26
      #expect(verdict.fails != isSkipped, "line \(index + 1)")
      changed += 1
    }
    #expect(changed >= 2)
  }

  @Test("A message that an OAEP example does not hold is noticed", arguments: ["oaep-examples.txt", "oaep-spread.txt"])
  func oaepMessages(_ file: String) throws {
    let text = try Fixtures.text(file)
    for message in ["6d657373616765", "6d 65 73 73 61 67 65"] where text.contains(message) {
      let mutant = text.replacingOccurrences(of: message, with: message.dropLast() + "4")
      #expect(verdict(on: .text(mutant)).fails)
    }
  }

  @Test("A decryption that must fail and does not is a failure")
  func mustFail() throws {
    let text = try Fixtures.text("cavp-encrypt.rsp").replacingOccurrences(of: "\r", with: "")
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let swapped = lines.map { $0.hasPrefix("PT") ? "FAIL" : String($0) }.joined(separator: "\n")
    let tally = verdict(on: .text(swapped)).tally
    #expect(tally?.failures.count == 3)
    #expect(tally?.failures.allSatisfy { $0.what == "accepted, though it must fail" } == true)
  }
}

enum Mutation {
  /// The same file once for each of its cases, with that case alone.
  static func cases(of file: JSONValue) -> [JSONValue] {
    if let cases = file["cases"]?.array { return cases.map { file.with("cases", .array([$0])) } }
    let groups = file["testGroups"]?.array ?? []
    return groups.flatMap { group in
      (group["tests"]?.array ?? []).map { test in
        file.with("numberOfTests", .number(JSONNumber(1)))
          .with("testGroups", .array([group.with("tests", .array([test]))]))
      }
    }
  }

  /// The file once for each named member anywhere in it, with that member's value changed.
  static func mutants(of json: JSONValue, _ members: Set<String>) -> [(path: String, json: JSONValue)] {
    switch json {
    case .array(let elements):
      return elements.enumerated().flatMap { index, element in
        mutants(of: element, members).map { mutant in
          var changed = elements
          changed[index] = mutant.json
          return ("[\(index)]\(mutant.path)", .array(changed))
        }
      }
    case .object(let object):
      return object.members.flatMap { member -> [(path: String, json: JSONValue)] in
        let name = member.key.text
        // The other reader's outcome is not run.
        if name == "sharedCrypto" { return [] }
        if members.contains(name) { return [(".\(name)", json.with(name, changed(member.value)))] }
        return mutants(of: member.value, members).map { (".\(name)\($0.path)", json.with(name, $0.json)) }
      }
    default: return []
    }
  }

  private static func changed(_ value: JSONValue) -> JSONValue {
    switch value {
    case .string(let text): .string(flipped(text.text))
    case .number(let number): .number(JSONNumber((number.integer ?? 0) + 1))
    case .bool(let value): .bool(!value)
    case .null: .string("x")
    case .array(let elements): .array(elements + [.null])
    case .object: value["count"].map { value.with("count", changed($0)) } ?? value.with("more", .null)
    }
  }

  /// One bit of the last digit of hex; another word for a word that the files know; one letter more for the rest.
  static func flipped(_ text: String) -> String {
    let words = ["valid": "invalid", "invalid": "valid", "expired": "malformed", "aead": "json", "json": "aead"]
    if let word = words[text] { return word }
    guard Hex.decode(text) != nil, let digit = text.last?.hexDigitValue else { return text + "x" }
    return text.dropLast() + String(digit ^ 1, radix: 16)
  }
}

extension JSONValue {
  func with(_ name: String, _ value: JSONValue) -> JSONValue {
    guard var object else { return self }
    object.set(name, value)
    return .object(object)
  }

  func without(_ name: String) -> JSONValue {
    guard let object else { return self }
    return .object(JSONObject(object.members.map { ($0.key, $0.value) }.filter { $0.0 != JSONString(name) }))
  }
}
