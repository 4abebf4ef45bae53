// Nothing that a command prints holds any part of a private key.

import FolderSupport
import Foundation
import Testing

@Suite struct SecrecyTests {
  @Test("No output of any command, whether it works or fails, holds a piece of a private half in any spelling")
  func nothingLeaks() throws {
    let place = try TemporaryFolder()
    var said = ""
    func run(_ arguments: String...) throws {
      for arguments in [arguments, arguments + ["--json"]] {
        let outcome = try BuiltCommand.run(arguments, in: place)
        said += outcome.output + outcome.errors
      }
    }
    try run("keys", "generate", "--name", "resolver")
    let file = try #require(try place.contents("keys").first { $0.hasPrefix("private/") })
    let pem = try String(contentsOfFile: place.path("keys/" + file), encoding: .utf8)
    try place.write("keys/slip.pem", pem, mode: 0o600)
    try place.write("keys/.\(file.dropFirst(8)).part", pem, mode: 0o600)
    try run("keys", "list")
    for wanted in ["resolver", "keys/slip.pem", "keys/" + file, "slip"] { try run("keys", "show", wanted) }
    try run("keys", "generate", "--name", "resolver")
    try run("keys", "generate", "--folder", "keys/slip.pem")
    try run("keys", "generate", "--name", pem)
    try run("keys", "show", pem)

    let body = pem.split(separator: "\n").filter { !$0.hasPrefix("-----") }.joined()
    let der = try #require(Data(base64Encoded: body))
    // Behind version, algorithm, modulus and exponent: the private exponent, the primes and what follows from them.
    let secret = [UInt8](der.dropFirst(300))
    #expect(secret.count > 800)
    var looked = 0
    for start in stride(from: 0, to: secret.count - 24, by: 3) {
      let piece = Data(secret[start..<(start + 12)])
      let hex = piece.map { String(format: "%02x", $0) }.joined()
      // base64 at each of the three places where a piece may begin in a larger text.
      let spellings =
        [hex, hex.uppercased()]
        + (0..<3).map { shift in
          Data(secret[(start + shift)..<(start + shift + 12)]).base64EncodedString()
        }
      for spelling in spellings {
        for variant in [spelling, spelling.replacing("+", with: "-").replacing("/", with: "_")] {
          looked += 1
          if said.contains(variant) { Issue.record("a piece of the private half was printed") }
        }
      }
    }
    #expect(looked > 2_000)
    #expect(said.count > 5_000)
    #expect(!said.contains("BEGIN PRIVATE KEY"))
    let seen = said.contains(Data(der[40..<52]).base64EncodedString()) || said.contains("BEGIN PUBLIC KEY")
    #expect(seen, "the public half was printed, so the search had something to find")
  }
}
