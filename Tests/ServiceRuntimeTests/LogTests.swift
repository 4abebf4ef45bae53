// The log: its shape, its limits, and what it will not write.

import Foundation
import Glibc
import Secrets
import Testing

@testable import ServiceRuntime

@Suite struct LogTests {
  private let clock = WallClock.stopped(at: Moment(microseconds: 1_772_359_200_123_456))

  /// What is written while `body` runs, as the lines of a pipe.
  private func lines(_ level: Log.Level, _ body: (Log) -> Void) throws -> [String] {
    let pipe = Pipe()
    body(Log(program: "mandate-test", level: level, to: pipe.fileHandleForWriting.fileDescriptor, clock: clock))
    try pipe.fileHandleForWriting.close()
    let text = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    #expect(text.isEmpty || text.hasSuffix("\n"))
    return text.split(separator: "\n").map(String.init)
  }

  private func line(_ body: (Log) -> Void) throws -> String {
    let all = try lines(.debug, body)
    return try #require(all.count == 1 ? all.first : nil)
  }

  private func members(_ line: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
  }

  private enum Outcome: String, CaseIterable { case notConfigured = "not-configured" }

  @Test("A line is one JSON object with time, level, program, event and its fields, in that order")
  func shape() throws {
    let line = try line {
      $0.warning(
        "A grant was refused.",
        [
          .grantId: .id("g-1"), .reason: .reason(Outcome.notConfigured), .count: .count(-3), .status: .flag(true),
          .took: .took(.microseconds(12_345)),
        ])
    }
    #expect(
      line == #"{"time":"2026-03-01T10:00:00.123456Z","level":"warning","program":"mandate-test","#
        + #""event":"A grant was refused.","grantId":"g-1","reason":"not-configured","count":-3,"status":true,"#
        + #""took":12.345}"#)
    #expect(try members(line).count == 9)
  }

  @Test("A reader that stands still costs lines and no thread, and is written to again when it goes on")
  func reader() throws {
    let pipe = Pipe()
    let descriptor = pipe.fileHandleForWriting.fileDescriptor
    let log = Log(program: "mandate-test", to: descriptor, clock: clock)
    // Filled to the last byte by somebody else; what it is opened for stays as a service would have it.
    let flags = fcntl(descriptor, F_GETFL)
    try #require(fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0)
    for size in [4_096, 1] { while unsafe write(descriptor, [UInt8](repeating: 0x0A, count: size), size) > 0 {} }
    try #require(fcntl(descriptor, F_SETFL, flags) == 0)
    for _ in 0..<500 { log.info("Nobody reads this.") }
    #expect(log.lostLines == 500)
    var room = [UInt8](repeating: 0, count: 1 << 20)
    try #require(unsafe read(pipe.fileHandleForReading.fileDescriptor, &room, room.count) > 0)
    log.info("Somebody reads this.")
    #expect(log.lostLines == 500)
    try pipe.fileHandleForWriting.close()
    let rest = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    #expect(rest.contains("Somebody reads this.") && !rest.contains("Nobody reads this."))
  }

  @Test("What is less serious than the level is not written, and its fields are not even made")
  func levels() throws {
    let seen = try lines(.warning) { log in
      log.debug("a", [.detail: never()])
      log.info("b", [.detail: never()])
      log.warning("c")
      log.error("d")
    }
    #expect(try seen.map { try members($0)["event"] as? String } == ["c", "d"])
    #expect(Log.Level.allCases.sorted() == [.debug, .info, .warning, .error])
  }

  private func never() -> LogValue {
    Issue.record("a field was made for a line that is not written")
    return .flag(false)
  }

  @Test(
    "Text arrives as it was and cannot leave its place",
    arguments: ["\"},{\"level\":\"error", "\\", "\n\r\t\u{0}\u{1b}[31m\u{7f}", "ä€😀\u{202e}\u{2028}", "e\u{301}"])
  func escapes(text: String) throws {
    let line = try line { $0.info("x", [.detail: .text(text)]) }
    let seen = try #require(try members(line)["detail"] as? String)
    #expect(Array(seen.utf8) == Array(text.utf8))
    #expect(line.utf8.allSatisfy { (0x20...0x7e).contains($0) })
  }

  @Test("A text is cut where it is too long, never in the middle of an escape")
  func cutText() throws {
    for text in [String(repeating: "a", count: 5_000), String(repeating: "😀", count: 5_000)] {
      let line = try line { $0.info("x", [.detail: .text(text), .userId: .id(text)]) }
      let detail = try #require(try members(line)["detail"] as? String)
      #expect(detail.hasSuffix("..."))
      #expect(detail.utf8.count < 1_100)
    }
  }

  @Test("A line never grows beyond what a pipe takes in one piece, and says when something is missing")
  func cutLine() throws {
    let long = LogValue.text(String(repeating: "x", count: 2_000))
    let line = try line { $0.info("x", [.detail: long, .path: long, .reason: long, .status: long, .count: .count(7)]) }
    #expect(line.utf8.count < LogLine.longest)
    let seen = try members(line)
    #expect(seen["cut"] as? Bool == true)
    #expect(seen["detail"] != nil && seen["status"] == nil)
    #expect(seen["count"] as? Int == 7, "a short field after a long one still fits")
  }

  @Test("Fields of a context are in every line made from it, and in no other")
  func context() throws {
    let seen = try lines(.debug) { log in
      let request = log.adding([.requestId: .id("r-1")]).adding([.userId: .id("u-1")])
      request.info("a", [.count: .count(1)])
      log.info("b")
    }
    #expect(seen[0].hasSuffix(#""event":"a","requestId":"r-1","userId":"u-1","count":1}"#))
    #expect(seen[1].hasSuffix(#""event":"b"}"#))
  }

  @Test("No key takes the place of a member that every line has")
  func reservedKeys() {
    #expect(LogKey.allCases.count > 5)
    #expect(LogKey.allCases.allSatisfy { !LogLine.reserved.contains($0.rawValue) })
    #expect(LogKey.allCases.allSatisfy { $0.rawValue.utf8.allSatisfy { $0.isLetter } })
  }

  @Test("A log that cannot be written counts what it lost and goes on")
  func lostLines() {
    let log = Log(program: "mandate-test", to: -1, clock: clock)
    log.info("a")
    log.adding([.count: .count(1)]).info("b")
    #expect(log.lostLines == 2)
  }

  @Test("Times before 1970 and at the end of a day are told right")
  func moments() {
    #expect(Moment(microseconds: -1).text == "1969-12-31T23:59:59.999999Z")
    #expect(Moment(microseconds: 0).text == "1970-01-01T00:00:00.000000Z")
    #expect(Moment(microseconds: 951_782_399_999_999).text == "2000-02-28T23:59:59.999999Z")
    #expect(Moment(microseconds: 951_782_400_000_000).date == "2000-02-29")
    let now = WallClock.system.now()
    #expect(now > Moment(microseconds: 1_700_000_000_000_000))
  }
}

extension UInt8 {
  fileprivate var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }
}
