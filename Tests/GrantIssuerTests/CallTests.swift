// What a body may be before anything is looked up: each wrong one is named, none is repaired.

import Contracts
import Testing

@testable import GrantIssuer

@Suite struct CallTests {
  @Test(
    "A body that is not the seeds' shape is refused",
    arguments: [
      "", " ", "null", "true", "1", "\"x\"", "[]", "{", "{}", "{\"missionId\":\"m\"}", "\u{FEFF}{}",
      #"{"missionId":"","tables":["notes"],"recordIds":["notes:1"]}"#,
      #"{"missionId":7,"tables":["notes"],"recordIds":["notes:1"]}"#,
      #"{"missionId":null,"tables":["notes"],"recordIds":["notes:1"]}"#,
      #"{"missionId":"m","tables":"notes","recordIds":["notes:1"]}"#,
      #"{"missionId":"m","tables":{"0":"notes"},"recordIds":["notes:1"]}"#,
      #"{"missionId":"m","tables":[1],"recordIds":["notes:1"]}"#,
      #"{"missionId":"m","tables":["notes",null],"recordIds":["notes:1"]}"#,
      #"{"missionId":"m","tables":["notes"]}"#,
      #"{"missionId":"m","tables":["notes"],"recordIds":"notes:1"}"#,
      #"{"missionId":"m","tables":["notes"],"recordIds":[["notes:1"]]}"#,
      #"{"missionId":"m","tables":["notes"],"recordIds":["notes:1"],}"#,
      #"{"missionId":"\ud83d","tables":["notes"],"recordIds":["notes:1"]}"#,
      "{\"missionId\":\"a\nb\",\"tables\":[\"notes\"],\"recordIds\":[\"notes:1\"]}",
    ])
  func shapes(body: String) {
    #expect(throws: IssuerProblem.self) { try issueCall(body) }
  }

  @Test(
    "What v2 does not take is refused, and the member is named",
    arguments: [
      ("missionId", #"{"missionId":"a\u0000","tables":["notes"],"recordIds":["notes:1"]}"#),
      ("missionId", #"{"missionId":"a\u001bb","tables":["notes"],"recordIds":["notes:1"]}"#),
      ("tables[0]", #"{"missionId":"m","tables":["no tes"],"recordIds":["notes:1"]}"#),
      ("tables[1]", #"{"missionId":"m","tables":["notes",""],"recordIds":["notes:1"]}"#),
      ("tables[0]", #"{"missionId":"m","tables":["a:b"],"recordIds":["notes:1"]}"#),
      ("tables[0]", #"{"missionId":"m","tables":["nötes"],"recordIds":["notes:1"]}"#),
      ("tables", #"{"missionId":"m","tables":["notes","tasks"],"recordIds":["notes:1"]}"#),
      ("tables", #"{"missionId":"m","tables":["tasks"],"recordIds":["notes:1"]}"#),
      ("tables", #"{"missionId":"m","tables":["Notes"],"recordIds":["notes:1"]}"#),
      ("recordIds[0]", #"{"missionId":"m","tables":["notes"],"recordIds":["notes"]}"#),
      ("recordIds[0]", #"{"missionId":"m","tables":["notes"],"recordIds":["notes:"]}"#),
      ("recordIds[1]", #"{"missionId":"m","tables":["notes"],"recordIds":["notes:1",":1"]}"#),
      ("recordIds[0]", #"{"missionId":"m","tables":["notes"],"recordIds":["notes:\u0000"]}"#),
      ("recordIds[0]", #"{"missionId":"m","tables":["notes"],"recordIds":["notes:\u0085"]}"#),
      ("version", #"{"missionId":"m","tables":["notes"],"recordIds":["notes:1"],"version":"v3"}"#),
      ("version", #"{"missionId":"m","tables":["notes"],"recordIds":["notes:1"],"version":2}"#),
      ("purpose", #"{"missionId":"m","tables":["notes"],"recordIds":["notes:1"],"purpose":""}"#),
      ("purpose", #"{"missionId":"m","tables":["notes"],"recordIds":["notes:1"],"purpose":{}}"#),
      ("attach", #"{"missionId":"m","tables":["notes"],"recordIds":["notes:1"],"attach":"yes"}"#),
      ("allowMissing", #"{"missionId":"m","tables":["notes"],"recordIds":["notes:1"],"allowMissing":1}"#),
    ])
  func members(member: String, body: String) throws {
    let call = try issueCall(body)
    var sentence: String?
    do throws(IssuerProblem) {
      _ = try call.version(issuesV1: false)
      _ = try GrantWish(call)
    } catch {
      sentence = error.sentence
      #expect(error.status == 400 && error.code == "BAD_REQUEST")
    }
    #expect(sentence?.hasPrefix(member + " ") == true, "\(sentence ?? "accepted")")
  }

  @Test("Lengths are counted in bytes, and ids that look alike are different ids")
  func bytes() throws {
    let longest = String(repeating: "é", count: 128)
    let call = try wish(longest, [longest, "e\u{301}", "é", "a:b,c"])
    #expect(try GrantWish(call).consent.scope.records.count == 4)
    for tooLong in [try wish(longest + "x", ["1"]), try wish("m", [longest + "x"])] {
      #expect(throws: IssuerProblem.self) { try GrantWish(tooLong) }
    }
  }

  @Test(
    "The audit's limit is read as JavaScript reads it",
    arguments: [
      ("10abc", 10), ("1e3", 1), ("0x10", 1), (" +7", 7), ("-5", 1), ("", 200), ("abc", 200), ("5000", 1000),
      ("99999999999999999999999", 1000), ("\u{FEFF}\t12", 12), ("١", 200),
    ])
  func limits(text: String, expected: Int) throws {
    #expect(try AuditQuery(missionId: nil, limit: text).limit == expected)
  }

  @Test("A caller is who has an id that an account can have")
  func callers() {
    #expect(Caller(user: "anna") != nil && Caller(user: "é 😀") != nil)
    for user in ["", "a\u{0}", "a\nb", String(repeating: "x", count: 257)] { #expect(Caller(user: user) == nil) }
  }
}
