// docs/issuer.md promises that its lines work as printed. Here they are run, one by one, against the built issuer.

import Foundation
import Testing

@Suite struct IssuerPageTests {
  private func transcript() throws -> [(command: String, answer: [String])] {
    let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/issuer.md")
    var lines: [(command: String, answer: [String])] = []
    var isInside = false
    for line in try String(contentsOf: page, encoding: .utf8).components(separatedBy: "\n") {
      if line.hasPrefix("```") {
        isInside = line == "```console"
      } else if isInside, line.hasPrefix("$ ") {
        lines.append((String(line.dropFirst(2)), []))
      } else if isInside {
        lines[lines.count - 1].answer.append(line)
      }
    }
    return lines
  }

  /// What differs from run to run. Spelled as a text: a literal with quotes in it is more than the house's reader of
  /// sources can follow.
  private func settled(_ text: String) throws -> String {
    let changing = try Regex(
      #""(masterKey|kekId|wrappedKey|keyId|grantId|issuedAt|expiresAt|renewableUntil|revokedAt)":"[^"]+""#)
    return text.replacing(changing) { match in
      let name = match.output[1].substring ?? ""
      return "\"\(name)\":\"…\""
    }
  }

  private func run(_ command: String, _ environment: [String: String]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", command]
    process.environment = environment.merging(["PATH": "/usr/bin:/bin"]) { $1 }
    let output = Pipe()
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return text
  }

  @Test("Every line of curl in the issuer's page answers what the page says")
  func transcripts() async throws {
    try await IssuerProcess.with { issuer in
      try await issuer.script(
        """
        INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, client_id)
        VALUES ('notes', 'notes', 'n1', 'u-1', 'insert', '{}', 'device')
        """)
      let environment = ["ISSUER": issuer.forUsers, "TOKEN": try issuer.signer.token("u-1")]
      let lines = try transcript()
      #expect(lines.count >= 9)
      for line in lines {
        let printed = try run(line.command, environment).trimmingCharacters(in: .newlines)
        #expect(try settled(printed) == settled(line.answer.joined(separator: "\n")), "\(line.command)")
      }
    }
  }
}
