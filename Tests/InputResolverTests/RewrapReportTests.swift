// What moving grants decides and says, without a database or a key.

import Contracts
import Testing

@testable import InputResolver

@Suite struct RewrapReportTests {
  private static let (current, one, other) = (
    String(repeating: "c", count: 32), String(repeating: "1", count: 32), String(repeating: "2", count: 32)
  )
  private static let held = [current, one, other]

  @Test(
    "Without a name grants are moved from every former key, with names from these alone, and never from the current")
  func names() throws {
    func keys(_ wanted: [String]) throws -> [String] {
      try RewrapReport.formerKeys(wanted, held: Self.held, current: Self.current)
    }
    #expect(try keys([]) == [Self.one, Self.other])
    #expect(try keys([Self.other]) == [Self.other])
    #expect(try keys([Self.other, Self.one, Self.other]) == [Self.other, Self.one])
    let unknown = String(repeating: "9", count: 32)
    #expect(try keys([unknown]) == [unknown])
    #expect(throws: RewrapProblem.isCurrent(Self.current)) { try keys([Self.one, Self.current]) }
    #expect(try RewrapReport.formerKeys([], held: [Self.current], current: Self.current) == [])
  }

  private func report(_ keys: [RewrapReport.Key], isDryRun: Bool = false) -> RewrapReport {
    var report = RewrapReport(current: Self.current, isDryRun: isDryRun)
    report.keys = keys
    return report
  }

  private func key(_ id: String, open: Int, moved: Int = 0, failed: Int = 0, left: Int = 0) -> RewrapReport.Key {
    var key = RewrapReport.Key(keyId: id, isHeld: true, open: open)
    (key.moved, key.failed, key.left) = (moved, failed, left)
    return key
  }

  @Test("A key that nobody here has is refused if no grant names it, and counted if one does")
  func unknown() throws {
    let lost = RewrapReport.Key(keyId: Self.other, isHeld: false, open: 3)
    try report([lost]).refuseUnknown(held: Self.held)
    #expect(lost.failed == 3 && lost.left == 3)
    #expect(!report([lost]).isDone && report([lost]).text.contains("is not among the keys"))
    let slip = RewrapReport.Key(keyId: Self.other, isHeld: false, open: 0)
    #expect(throws: RewrapProblem.unknown(Self.other, held: Self.held)) {
      try report([lost, slip]).refuseUnknown(held: Self.held)
    }
    try report([key(Self.one, open: 0)]).refuseUnknown(held: Self.held)
  }

  @Test("It is done when nothing is left for a former key, and at no other end")
  func done() {
    #expect(report([]).isDone && report([key(Self.one, open: 0)]).isDone)
    #expect(report([key(Self.one, open: 3, moved: 3)]).isDone)
    #expect(!report([key(Self.one, open: 3, moved: 2, failed: 1, left: 1)]).isDone)
    #expect(!report([key(Self.one, open: 3, moved: 3, left: 1)]).isDone)
    var stopped = report([key(Self.one, open: 3, moved: 3)])
    stopped.wasStopped = true
    #expect(!stopped.isDone && stopped.text.contains("run it again"))
    #expect(report([key(Self.one, open: 3, moved: 3, left: 3)], isDryRun: true).isDone)
    #expect(!report([key(Self.one, open: 3, moved: 2, failed: 1, left: 3)], isDryRun: true).isDone)
  }

  @Test("A grant that could not be moved is named with its key and a reason, a thousand at most, all of them counted")
  func failures() {
    var report = report([key(Self.one, open: 0), key(Self.other, open: 2_000)])
    report.fail(Identifier("g\nx"), 0, .wrapRejected)
    for _ in 0..<1_500 { report.fail(Identifier("h"), 1, .internal) }
    #expect(report.failed == 1_501 && report.failures.count == 1_000)
    #expect(report.text.contains("grant g\\u{a}x of key \(Self.one): wrap-rejected\n"))
    #expect(report.json["failures"]?.array?.first?["reason"]?.text == "wrap-rejected")
    // Another pass over a key counts its failures anew.
    report.forgetFailures(of: 1)
    #expect(report.failed == 1 && report.failures.map(\.keyId) == [Self.one])
  }

  @Test("Its JSON has every count, and says whether it was done")
  func json() throws {
    let json = report([key(Self.one, open: 5, moved: 3, failed: 2, left: 2)]).json
    #expect(
      json.compactText()
        == #"{"currentKeyId":"\#(Self.current)","dryRun":false,"stopped":false,"done":false,"moved":3,"failed":2,"left":2,"#
        + #""keys":[{"keyId":"\#(Self.one)","held":true,"open":5,"moved":3,"changed":0,"failed":2,"left":2}],"failures":[]}"#
    )
  }
}
