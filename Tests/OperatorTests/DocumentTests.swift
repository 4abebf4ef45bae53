// docs/operator.md promises that its transcripts are what the commands print. Here they are run, line by line.

import FolderSupport
import Foundation
import Testing

@Suite struct DocumentTests {
  private struct Line {
    let command: String
    var answer: [String] = []
  }

  /// What differs from run to run: days, keys, the folder.
  private func settled(_ text: String, in place: String = "/srv/mandate") -> String {
    text.replacing(place, with: "/srv/mandate")
      .replacing(/[0-9]{4}-[0-9]{2}-[0-9]{2}/, with: "DATE")
      .replacing(/(?m)^(  (?:socket in|data|log) +).*$/) { "\($0.1)PLACE" }
      .replacing(/host=[^&]*/, with: "host=PLACE")
      .replacing(/[0-9]+ facts/, with: "N facts")
      .replacing(/[0-9a-f]{64}/, with: "FINGERPRINT")
      .replacing(/[0-9a-f]{32}/, with: "KEYID")
      .replacing(/"n" : "[A-Za-z0-9_-]+"/, with: "MODULUS")
      .replacing(/(?s)-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----/, with: "PEM")
  }

  private func transcripts() throws -> [Line] {
    let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "docs/operator.md")
    var lines: [Line] = []
    var isInside = false
    for line in try String(contentsOf: page, encoding: .utf8).components(separatedBy: "\n") {
      if line.hasPrefix("```") {
        isInside = line == "```console"
      } else if isInside, line.hasPrefix("$ ") {
        lines.append(Line(command: String(line.dropFirst(2))))
      } else if isInside {
        lines[lines.count - 1].answer.append(line)
      }
    }
    return lines
  }

  @Test("Every transcript in the operator's page is what the commands print")
  func transcriptsAreTrue() throws {
    let place = try TemporaryFolder()
    defer { PrivateClusterFolder.remove(below: place) }
    let lines = try transcripts()
    #expect(lines.count >= 20)
    for line in lines {
      let outcome = try BuiltCommand.other("sh", ["-c", "exec 2>&1; " + line.command], in: place)
      let wanted = line.answer.joined(separator: "\n").trimmingCharacters(in: .newlines)
      let printed = outcome.output.trimmingCharacters(in: .newlines)
      #expect(settled(printed, in: place.path) == settled(wanted), "\(line.command)")
    }
  }
}
