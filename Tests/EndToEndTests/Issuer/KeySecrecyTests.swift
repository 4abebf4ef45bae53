// Where a user's key is not, after the issuer has made it, handed it out, taken it back and used it: not in the log, and
// not in the memory of the process, which is looked at from outside, as somebody with a debugger would.

import Contracts
import Foundation
import HTTPFetching
import MemoryInspection
import Testing

@Suite struct KeySecrecyTests {
  @Test("No key, token or setting that is secret appears in the most talkative log")
  func log() async throws {
    try await IssuerProcess.with(["MANDATE_LOG_LEVEL": "debug"]) { issuer in
      let day = try await Day(issuer)
      // An error has to be told at length: this row can't be opened, and its owner asks for it.
      try await issuer.script(
        "UPDATE auth.encryption_vaults SET wrap_iv = 'AAAAAAAAAAAAAAAA', zero_knowledge = false WHERE user_id = 'anna'")
      #expect(try await issuer.ask(.get, HostileRow.vault + "/key", as: "anna").status == 500)
      issuer.signal(SIGTERM)
      #expect(await issuer.end() == 0)
      let lines = await issuer.restOfLog()
      let text = lines.joined(separator: "\n")
      #expect(lines.count > day.calls, "the log tells of each call, or it was not looked at")
      #expect(text.contains("A request could not be served."))
      var secrets = day.keys + [issuer.kek, IssuerProcess.serviceKey, "Bearer", day.wrap]
      secrets += day.keys.compactMap(Self.hex)
      #expect(secrets.count == 4 + 2 * 2)
      for secret in secrets {
        #expect(!text.contains(secret), "a secret of \(secret.utf8.count) characters stands in the log")
      }
    }
  }

  @Test(
    "After the answers no key is left in the issuer's memory, neither its bytes nor its base64",
    .enabled(if: Sanitizer.isAbsent && Debugger.isAllowed, "the issuer can't be dumped; this needs CAP_SYS_PTRACE"))
  func memory() async throws {
    try await IssuerProcess.with { issuer in
      // What must be there is found, or the search below would find nothing for another reason.
      let held = try #require(Self.scans(issuer.kek).last)
      #expect(try held.places(in: issuer.identifier).contains { $0.flags.contains("lo") })
      let day = try await Day(issuer)
      #expect(day.keys.count == 2)
      for key in day.keys {
        for scan in try Self.scans(key) {
          // An answer may be read a moment before the task that wrote it has let go of it; each round asks once more.
          var places = try scan.places(in: issuer.identifier)
          for _ in 0..<50 where !places.isEmpty {
            #expect(try await issuer.ask(.get, HostileRow.vault + "/status", as: "anna").status == 200)
            places = try scan.places(in: issuer.identifier)
          }
          #expect(places.isEmpty, "\(scan.count) bytes lie in \(places.map { ($0.range, $0.flags.contains("lo")) })")
        }
      }
    }
  }

  /// The base64 text and the bytes that it stands for.
  private static func scans(_ key: String) throws -> [MemoryScan] {
    let text = Array(key.utf8)
    guard let bytes = Base64.decodeStrict(text.span) else { throw NotBase64() }
    return [text, bytes].map { MemoryScan(masked: $0.map { $0 ^ 0x5A }) }
  }

  private static func hex(_ key: String) -> String? {
    let text = Array(key.utf8)
    return Base64.decodeStrict(text.span).map { Hex.encode($0) }
  }
}

private struct NotBase64: Error {}

/// Everything that is done with a key in its life: made, fetched, used for a grant, changed, taken away, brought back in
/// vain and in earnest, and used again.
private struct Day {
  /// In base64: the first one, and the one after the rotation.
  let keys: [String]
  let wrap = "cmVjb3Zlcnktd3JhcC1vZi1hbm5h"
  private(set) var calls = 0

  init(_ issuer: IssuerProcess) async throws {
    try await issuer.script(
      """
      INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, client_id)
      VALUES ('notes', 'notes', 'n1', 'anna', 'insert', '{}', 'device')
      """)
    var calls = 0
    func ask(_ path: String, _ body: String?, _ status: Int) async throws -> JSONValue {
      calls += 1
      let answer = try await issuer.ask(body == nil ? .get : .post, path, body, as: "anna")
      #expect(answer.status == status, "\(path): \(answer.body.prefix(200))")
      return answer.json
    }
    let vault = HostileRow.vault
    let wish = #"{"missionId":"m","tables":["notes"],"recordIds":["notes:n1"]}"#
    let first = try #require(try await ask(vault + "/init", "", 200)["masterKey"]?.text)
    for _ in 0..<3 { #expect(try await ask(vault + "/key", nil, 200)["masterKey"]?.text == first) }
    _ = try await ask(HostileRow.issue, wish, 200)
    let second = try #require(try await ask(vault + "/rotate", "", 200)["masterKey"]?.text)
    _ = try await ask(vault + "/recovery-wrap", #"{"recoveryWrappedMk":"\#(wrap)","recoveryIv":"aXY="}"#, 200)
    _ = try await ask(vault + "/zero-knowledge", #"{"enable":true}"#, 200)
    _ = try await ask(vault + "/zero-knowledge", #"{"enable":false,"masterKey":"\#(first)"}"#, 400)
    _ = try await ask(vault + "/zero-knowledge", #"{"masterKey":"\#(second)","enable":"no"}"#, 400)
    _ = try await ask(vault + "/zero-knowledge", #"{"enable":false,"masterKey":"\#(second)"}"#, 200)
    #expect(try await ask(vault + "/key", nil, 200)["masterKey"]?.text == second)
    _ = try await ask(HostileRow.issue, wish, 200)
    keys = [first, second]
    self.calls = calls
  }
}
