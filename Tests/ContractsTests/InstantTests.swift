// Moments as text: the accepted forms, the refused ones, and every day of ten thousand years.

import Contracts
import Testing

@Suite("Instants")
struct InstantTests {
  /// 2026-04-15T10:20:30.456Z.
  private static let moment = 1_776_248_430_456 as Int64

  @Test("A moment is read from every form the specification allows, and written in the one form we write")
  func accepted() throws {
    let forms: [(String, Int64)] = [
      ("2026-04-15T10:20:30.456Z", Self.moment), ("2026-04-15T10:20:30.456+00:00", Self.moment),
      ("2026-04-15T10:20:30.456-00:00", Self.moment), ("2026-04-15T12:20:30.456+02:00", Self.moment),
      ("2026-04-15T04:50:30.456-05:30", Self.moment), ("2026-04-16T10:19:30.456+23:59", Self.moment),
      ("2026-04-14T10:21:30.456-23:59", Self.moment), ("2026-04-15T10:20:30Z", Self.moment - 456),
      ("2026-04-15T10:20Z", Self.moment - 30_456), ("2026-04-15T12:20+02:00", Self.moment - 30_456),
      ("2026-04-15T10:20:30.4Z", Self.moment - 56), ("2026-04-15T10:20:30.45Z", Self.moment - 6),
      ("2026-04-15T10:20:30.4560Z", Self.moment), ("2026-04-15T10:20:30.4569999999999999999999Z", Self.moment),
      ("1970-01-01T00:00:00.000Z", 0), ("1969-12-31T23:59:59.999Z", -1), ("1970-01-01T00:00+00:01", -60_000),
    ]
    for (text, expected) in forms {
      let instant = try #require(Instant(iso: text), "\(text)")
      #expect(instant.milliseconds == expected, "\(text)")
      #expect(Instant(iso: instant.iso) == instant)
    }
    #expect(Instant(milliseconds: Self.moment).iso == "2026-04-15T10:20:30.456Z")
    #expect(Instant(milliseconds: Self.moment - 456).iso == "2026-04-15T10:20:30.000Z")
  }

  @Test(
    "Anything else is no instant",
    arguments: [
      "", "Z", "2026", "2026-04", "2026-04-15", "2026-04-15Z", "2026-04-15T10Z", "2026-04-15T10:20",
      "2026-04-15T10:20:30",
      "2026-04-15T10:20:30.456", "2026-04-15 10:20:30Z", "2026-04-15t10:20:30Z", "2026-04-15T10:20:30z",
      "2026-04-15T10:20:30,456Z", "2026-04-15T10:20:30.Z", "2026-04-15T10:20.5Z", "2026-04-15T10:20:Z",
      "2026-04-15T10:20:30.456ZZ", "2026-04-15T10:20:30.456Z ", " 2026-04-15T10:20:30.456Z",
      "2026-04-15T10:20:30.456Z\n",
      "2026-04-15T10:20:30.456Z\u{0}", "2026-04-15T10:20:30.456Z\u{301}", "2026-04-15T10:20:30.456+02",
      "2026-04-15T10:20:30.456+0200", "2026-04-15T10:20:30.456+2:00", "2026-04-15T10:20:30.456+02:00:00",
      "2026-04-15T10:20:30.456+24:00", "2026-04-15T10:20:30.456+02:60", "2026-04-15T10:20:30.456+99:00",
      "2026-04-15T10:20:30.456 +02:00", "2026-04-15T10:20:30.456+02:00Z", "2026-04-15T10:20:30.456\u{2212}02:00",
      "2026-04-15T10:20:30.456UTC", "2026-04-15T10:20:30.456GMT", "26-04-15T10:20:30Z", "02026-04-15T10:20:30Z",
      "+002026-04-15T10:20:30Z", "-002026-04-15T10:20:30Z", "-2026-04-15T10:20:30Z", "2026-4-15T10:20:30Z",
      "2026-04-5T10:20:30Z", "2026-04-15T1:20:30Z", "2026-04-15T10:2:30Z", "2026-04-15T10:20:3Z", "20260415T102030Z",
      "2026-W16-3T10:20:30Z", "2026-105T10:20:30Z", "2026/04/15T10:20:30Z", "1776248430456", "1776248430.456",
      "Wed, 15 Apr 2026 10:20:30 GMT", "2026-00-15T10:20:30Z", "2026-13-15T10:20:30Z", "2026-04-00T10:20:30Z",
      "2026-04-31T10:20:30Z", "2026-02-29T10:20:30Z", "2026-02-30T10:20:30Z", "1900-02-29T00:00Z", "2100-02-29T00:00Z",
      "2026-04-15T25:00:00Z", "2026-04-15T10:60:00Z", "2026-04-15T10:20:60Z", "2016-12-31T23:59:60Z",
      "2026-04-15T24:01Z",
      "2026-04-15T24:00:01Z", "2026-04-15T24:00:00.001Z", "2026-04-15T24:00:00.0001Z", "２０２６-04-15T10:20:30Z",
      "2026-04-15T10:20:30.４Z", "null", "now", "Infinity", "2026-04-15T-1:20:30Z", "2026-04-15T10:20:30.-5Z",
      "2026-04-15T10:20:30.+5Z", "2026-04-15T10:20:30.4e1Z", "0x7E-04-15T10:20:30Z",
    ])
  func refused(text: String) {
    #expect(Instant(iso: text) == nil)
  }

  @Test("The first character that is cut off or changed makes a moment unreadable or another one, never the same")
  func everyPosition() throws {
    let text = "2026-04-15T10:20:30.456Z"
    let instant = try #require(Instant(iso: text))
    for length in 0..<text.utf8.count { #expect(Instant(iso: String(text.prefix(length))) == nil) }
    for position in 0..<text.utf8.count {
      for byte in UInt8(0x20)...0x7E {
        var bytes = Array(text.utf8)
        guard bytes[position] != byte else { continue }
        bytes[position] = byte
        #expect(Instant(iso: String(decoding: bytes, as: UTF8.self)) != instant)
      }
    }
  }

  @Test("24:00 is the end of its day, and only when nothing follows it")
  func endOfDay() {
    let midnight = Instant(iso: "2026-04-16T00:00:00.000Z")
    #expect(midnight != nil)
    for text in ["2026-04-15T24:00Z", "2026-04-15T24:00:00Z", "2026-04-15T24:00:00.0000Z", "2026-04-16T02:00+02:00"] {
      #expect(Instant(iso: text) == midnight)
    }
    #expect(Instant(iso: "2024-02-29T24:00Z")?.iso == "2024-03-01T00:00:00.000Z")
  }

  @Test("Digits behind the millisecond are cut off, before 1970 too, and never rounded up")
  func truncation() {
    #expect(Instant(iso: "1970-01-01T00:00:00.0009999Z")?.milliseconds == 0)
    #expect(Instant(iso: "1970-01-01T00:00:00.9999999Z")?.milliseconds == 999)
    #expect(Instant(iso: "1969-12-31T23:59:59.9999Z")?.milliseconds == -1)
    #expect(Instant(iso: "1969-12-31T23:59:59.0009Z")?.milliseconds == -1000)
    let long = "1970-01-01T00:00:00.123" + String(repeating: "9", count: 100_000) + "Z"
    #expect(Instant(iso: long)?.milliseconds == 123)
  }

  @Test("Years 0000 to 9999 can be written; an offset that leads out of them is refused")
  func rangeEdges() {
    #expect(Instant.range.lowerBound.iso == "0000-01-01T00:00:00.000Z")
    #expect(Instant.range.upperBound.iso == "9999-12-31T23:59:59.999Z")
    #expect(Instant(iso: "0000-01-01T00:00Z") == Instant.range.lowerBound)
    #expect(Instant(iso: "9999-12-31T23:59:59.9999Z") == Instant.range.upperBound)
    #expect(Instant(iso: "0000-01-01T00:00+00:01") == nil)
    #expect(Instant(iso: "0000-01-01T00:01+00:01") == Instant.range.lowerBound)
    #expect(Instant(iso: "9999-12-31T23:59-00:01") == nil)
    #expect(Instant(iso: "9999-12-31T23:58:59.999-00:01") == Instant.range.upperBound)
    #expect(Instant(iso: "9999-12-31T24:00Z") == nil)
  }

  @Test("Instants order as their milliseconds do")
  func order() {
    #expect(Instant(milliseconds: -1) < Instant(milliseconds: 0))
    #expect(Instant(milliseconds: 0) == Instant(milliseconds: 0))
    #expect(Instant(milliseconds: 2) > Instant(milliseconds: 1))
  }

  @Test("Random moments read back as they were written, at any offset")
  func randomMoments() {
    var random = SeededRandom(seed: 1970)
    let range = Instant.range.lowerBound.milliseconds...Instant.range.upperBound.milliseconds
    for _ in 0..<5000 {
      let instant = Instant(milliseconds: Int64.random(in: range, using: &random))
      #expect(Instant(iso: instant.iso) == instant)
      let minutes = Int64.random(in: -1439...1439, using: &random)
      let shifted = Instant(milliseconds: instant.milliseconds + minutes * 60_000)
      guard Instant.range.contains(shifted) else { continue }
      let zone = (minutes < 0 ? "-" : "+") + twoDigits(abs(minutes) / 60) + ":" + twoDigits(abs(minutes) % 60)
      #expect(Instant(iso: shifted.iso.dropLast() + zone) == instant)
    }
  }
}

@Suite("The calendar of instants")
struct InstantCalendarTests {
  @Test("Every day of the years 0000 to 9999 is where counting day by day puts it", arguments: 0..<4)
  func everyDay(quarter: Int) {
    // Day 0 of the year 0 lies 719,528 days before 1970: 1970 years of 365 days and 478 leap days.
    var day = -719_528 as Int64
    var (looked, wrong) = (0, 0)
    for year in 0...9999 {
      let isLeap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)
      if year / 2500 != quarter {
        day += isLeap ? 366 : 365
        continue
      }
      for (month, length) in [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].enumerated() {
        let prefix = "\(fourDigits(year))-\(twoDigits(Int64(month + 1)))-"
        for date in 1...length {
          let text = prefix + twoDigits(Int64(date)) + "T00:00:00.000Z"
          let instant = Instant(milliseconds: day * 86_400_000)
          if instant.iso != text || Instant(iso: text) != instant { wrong += 1 }
          looked += 1
          day += 1
        }
        if Instant(iso: prefix + twoDigits(Int64(length + 1)) + "T00:00Z") != nil { wrong += 1 }
      }
    }
    #expect(wrong == 0)
    #expect(looked == [913_107, 913_106, 913_106, 913_106][quarter])
    #expect(day == Instant.range.upperBound.milliseconds / 86_400_000 + 1)
  }

  @Test("Every minute of a day is written and read")
  func everyMinute() {
    for minute in 0..<1440 as Range<Int64> {
      let text = "2026-04-15T\(twoDigits(minute / 60)):\(twoDigits(minute % 60)):00.000Z"
      let instant = Instant(milliseconds: 1_776_211_200_000 + minute * 60_000)
      #expect(instant.iso == text)
      #expect(Instant(iso: text) == instant)
    }
  }
}

private func twoDigits(_ value: Int64) -> String { (value < 10 ? "0" : "") + String(value) }
private func fourDigits(_ value: Int) -> String { String(String(10_000 + value).dropFirst()) }
