// The gate alone, and the gate and evhttp together: however requests are cut, mutated and strung together, nothing of
// evhttp's own ever answers.

import Foundation
import HTTPServing
import Testing

/// SplitMix64: the same requests in every run.
private struct Dice {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func roll(_ sides: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((mixed ^ (mixed >> 31)) % UInt64(sides))
  }
}

@Suite("The gate and evhttp", .timeLimit(.minutes(3)))
struct GateTests {
  private static let samples = [
    "GET /ok HTTP/1.1\r\nHost: a\r\nUser-Agent: b c\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a:80\r\nContent-Length: 5\r\n\r\nhello",
    "POST /echo HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "HEAD /ok?a=b HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "PUT /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
    "OPTIONS /ok HTTP/1.1\r\nHost: a\r\n\r\n",
  ]
  private static let spice = Array("\r\n\t :;,0159afxX/%?#@[]\u{0}\u{7F}".utf8) + [0x80, 0xFF]

  @Test("2,000 mutated requests: every answer is ours, and an honest client is served throughout")
  func mutations() async throws {
    try await TestServer.blocking { test in
      let honest = try HonestClient(test)
      var dice = Dice(seed: 11)
      var answers = 0
      for round in 0..<2000 {
        var bytes = Array(Self.samples[dice.roll(Self.samples.count)].utf8)
        for _ in 0...dice.roll(3) {
          let place = dice.roll(bytes.count)
          switch dice.roll(4) {
          case 0: bytes[place] = Self.spice[dice.roll(Self.spice.count)]
          case 1: bytes.insert(Self.spice[dice.roll(Self.spice.count)], at: place)
          case 2: bytes.remove(at: place)
          default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + dice.roll(20))], at: place)
          }
        }
        let socket = try test.connect()
        // Cut anywhere, and followed by one that is sound.
        let cut = dice.roll(bytes.count)
        guard socket.trySend(Array(bytes[..<cut])),
          socket.trySend(bytes[cut...] + Array("GET /ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".utf8))
        else { continue }
        socket.endSending()
        let text = try socket.rest()
        answers += text.isEmpty ? 0 : 1
        let isOurs = text.range(of: "<html", options: .caseInsensitive) == nil
        #expect(isOurs, "round \(round): \(String(decoding: bytes, as: UTF8.self).debugDescription)")
        if round % 100 == 0 { try honest.ask() }
      }
      try honest.ask()
      #expect(honest.count == 21)
      // Some are cut off without an answer, because they end before it; most are not.
      #expect(answers > 500)
    }
  }
}
