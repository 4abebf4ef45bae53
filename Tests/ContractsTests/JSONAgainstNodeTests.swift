// Our reader and writer against a real JavaScript engine, over generated texts.

import Contracts
import Foundation
import Testing

/// A JavaScript engine, where this machine has one.
private let node: URL? = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
  .map { URL(fileURLWithPath: String($0)).appendingPathComponent("node") }
  .first { FileManager.default.isExecutableFile(atPath: $0.path) }

@Suite("JSON as a JavaScript engine reads and writes it")
struct JSONAgainstNodeTests {
  /// One text per line in base64; the answer is `-` for a refusal, else what JSON.stringify makes of it.
  private static let script = """
    const lines = require('fs').readFileSync(0, 'latin1').split('\\n').slice(0, -1)
    process.stdout.write(lines.map(line => {
      try { return Buffer.from(JSON.stringify(JSON.parse(Buffer.from(line, 'base64').toString('utf8')))).toString('base64') }
      catch { return '-' }
    }).join('\\n') + '\\n')
    """

  @Test(
    "Thousands of texts, whole and broken, are taken, refused and written again as JSON.parse and JSON.stringify do",
    .enabled(if: node != nil, "skipped: there is no node on this machine to compare with"))
  func compare() throws {
    var generator = JSONGenerator(seed: 262)
    let texts = (0..<4000).map { $0.isMultiple(of: 2) ? generator.text() : generator.broken() }
    let answers = try answersOfNode(texts)
    try #require(answers.count == texts.count)
    var (taken, refused, halves) = (0, 0, 0)
    for (text, answer) in zip(texts, answers) {
      let theirs = answer == "-" ? nil : strict(answer)
      #expect((theirs == nil) == (answer == "-"))
      do throws(JSONProblem) {
        let ours = try JSONValue(parsing: text).compactBytes(numbers: .javaScript)
        #expect(ours == theirs, "\(text.debugDescription)")
        taken += 1
      } catch .loneSurrogate {
        halves += 1  // JavaScript keeps half a pair, which no UTF-8 can carry: our one deviation.
      } catch {
        #expect(theirs == nil, "\(text.debugDescription)")
        refused += 1
      }
    }
    #expect(taken > 2000 && refused > 1000 && halves < 100)
  }

  private func answersOfNode(_ texts: [String]) throws -> [String] {
    let process = Process()
    process.executableURL = node
    process.arguments = ["-e", Self.script]
    let (input, output) = (FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString), Pipe())
    try Data(texts.map { encoded(Array($0.utf8)) + "\n" }.joined().utf8).write(to: input)
    defer { try? FileManager.default.removeItem(at: input) }
    process.standardInput = try FileHandle(forReadingFrom: input)
    process.standardOutput = output
    try process.run()
    let answer = try #require(try output.fileHandleForReading.readToEnd())
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: answer, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
