// What looks like a secret is not written, and what is one cannot even be handed over.

import FolderSupport
import Foundation
import Testing

@testable import ServiceRuntime

@Suite struct RedactionTests {
  @Test(
    "What looks like a secret is replaced as a whole, in logs and in error texts",
    arguments: [
      "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----", "pem: -----begin rsa private key-----",
      "enc:1:AAAA.BBBB", "value enc:2:AAAA", "ENC:2:x",
      "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1LTEifQ.c2lnbmF0dXJl", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
      "token=eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1LTEifQ", "postgres://app:hunter2@db/mandate",
      "cannot reach https://u:p@h/x?y, giving up", "postgres://app:pa/ss@db/mandate", "http://:x@h",
      "host=db password=hunter2", "https://h/?Password=x",
    ])
  func secrets(text: String) {
    #expect(SecretShapes.match(text))
    #expect(Printable.value(text) == "<redacted>")
    #expect(Printable.name(text) == "<redacted>")
    for value in [LogValue.text(text), .id(text), .name(text)] {
      var line: [UInt8] = []
      value.write(to: &line)
      #expect(String(decoding: line, as: UTF8.self) == "\"<redacted>\"")
    }
  }

  @Test("A secret behind the place where a text is cut still hides the whole text")
  func behindTheCut() {
    var line: [UInt8] = []
    LogValue.text(String(repeating: "x", count: 5_000) + " enc:2:AAAA").write(to: &line)
    #expect(String(decoding: line, as: UTF8.self) == "\"<redacted>\"")
  }

  @Test(
    "What does not look like a secret is written",
    arguments: [
      "", "u-1", "postgres://db/mandate", "http://localhost:3020", "https://h:8443/a?b=c", "mail@example.org",
      "www.example.org", "a.b.c", "enc", "enc:3:x", "3f5c0b6e-0d0e-4c11-9d9c-1f1a2b3c4d5e", "1.2.3", "eyJ",
      "the password was wrong",
    ])
  func harmless(text: String) { #expect(!SecretShapes.match(text)) }

  @Test("What is shown is short, on one line and drives no terminal")
  func printable() {
    #expect(Printable.value("a\u{1b}[31m\nb\u{202e}\u{a0}") == #"`a\u{1b}[31m\u{a}b\u{202e}\u{a0}`"#)
    #expect(Printable.value("ä €") == "`ä €`")
    #expect(Printable.value(String(repeating: "x", count: 500)).count < 90)
  }

  @Test("A path in a command that a reader may copy is one word of it, whoever named the file")
  func words() {
    #expect(Printable.word("keys/2026-03-01.a_b.pem") == "keys/2026-03-01.a_b.pem")
    #expect(Printable.word("keys/a b.pem") == "'keys/a b.pem'")
    #expect(Printable.word("keys/$(reboot);`x`.pem") == "'keys/$(reboot);`x`.pem'")
    #expect(Printable.word("it's") == #"'it'\''s'"#)
    #expect(Printable.word("") == "''")
  }

  @Test(
    "The compiler takes a text and refuses a secret or a plaintext in its place",
    arguments: [".text(@)", ".id(@)", ".name(@)", #".text("\(@)")"#, ".text(String(describing: @))"])
  func doesNotCompile(field: String) throws {
    #expect(try compiles(field.replacing("@", with: "text")), "the frame around the refused values must compile")
    #expect(try !compiles(field.replacing("@", with: "secret")))
    #expect(try !compiles(field.replacing("@", with: "plaintext")))
  }

  /// Whether a line of this package that logs `field` passes the type checker.
  private func compiles(_ field: String) throws -> Bool {
    let folder = try TemporaryFolder()
    let source = try folder.write(
      "fixture.swift",
      """
      import Secrets
      import ServiceRuntime
      func fixture(_ log: Log, _ text: String, _ secret: borrowing SecretBytes, _ plaintext: borrowing WipedBytes) {
        log.info("An event.", [.detail: \(field)])
      }
      """, mode: 0o600)
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let products = Bundle.main.bundleURL
    let compiler = Process()
    compiler.executableURL = URL(filePath: "/usr/bin/env")
    compiler.arguments = [
      "swiftc", "-typecheck", "-swift-version", "6", "-package-name", packageName(of: root),
      "-I", products.appending(path: "Modules").path, "-I", root.appending(path: "Sources/CLinux").path, source,
    ]
    compiler.standardError = FileHandle.nullDevice
    try compiler.run()
    compiler.waitUntilExit()
    return compiler.terminationStatus == 0
  }

  /// What the build hands the compiler for `package` access: the name of the folder, as an identifier.
  private func packageName(of root: URL) -> String {
    String(root.lastPathComponent.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "_" })
  }
}
