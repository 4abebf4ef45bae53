// A moment, in milliseconds since 1970 UTC: the resolution of everything that leaves us as JSON.

package struct Instant: Hashable, Comparable, Sendable {
  package let milliseconds: Int64

  package init(milliseconds: Int64) { self.milliseconds = milliseconds }

  package static func < (left: Instant, right: Instant) -> Bool { left.milliseconds < right.milliseconds }

  /// What `iso` can spell: years 0000 to 9999.
  package static let range = Instant(milliseconds: -62_167_219_200_000)...Instant(milliseconds: 253_402_300_799_999)

  /// `YYYY-MM-DDTHH:mm[:ss[.fraction]]` with `Z` or `±HH:mm`, a date that exists, fraction cut to milliseconds; nil
  /// otherwise (deviation 3 of the seeds' specification). `24:00` is the day's end, as in ISO 8601 and in every
  /// browser; leap seconds, lower-case letters and missing zones are not instants.
  package init?(iso text: String) {
    var reader = Reader(text)
    guard
      let year = reader.number(4), reader.skip("-"), let month = reader.number(2), reader.skip("-"),
      let day = reader.number(2), reader.skip("T"), let hour = reader.number(2), reader.skip(":"),
      let minute = reader.number(2)
    else { return nil }
    var (second, millisecond, hasFraction): (Int64, Int64, Bool) = (0, 0, false)
    if reader.skip(":") {
      guard let value = reader.number(2) else { return nil }
      second = value
      if reader.skip(".") {
        guard let fraction = reader.fraction() else { return nil }
        (millisecond, hasFraction) = fraction
      }
    }
    guard let offset = reader.zone(), reader.isAtEnd else { return nil }
    let endsDay = hour == 24 && minute == 0 && second == 0 && !hasFraction
    guard (1...12).contains(month), (1...Self.days(inMonth: month, of: year)).contains(day),
      hour < 24 || endsDay, minute < 60, second < 60
    else { return nil }
    let minutes = (Self.days(sinceEpoch: year, month, day) * 24 + hour) * 60 + minute - offset
    milliseconds = (minutes * 60 + second) * 1000 + millisecond
    guard Self.range.contains(self) else { return nil }  // An offset may lead out of the years 0000 to 9999.
  }

  /// Always `YYYY-MM-DDTHH:mm:ss.sssZ`.
  package var iso: String {
    precondition(Self.range.contains(self), "an instant outside the years 0000 to 9999 has no such form")
    let day = Self.floorDivide(milliseconds, 86_400_000)
    let (year, month, date) = Self.civil(day)
    let rest = milliseconds - day * 86_400_000
    var text: [UInt8] = []
    text.reserveCapacity(24)
    Self.append(year, digits: 4, "-", to: &text)
    Self.append(month, digits: 2, "-", to: &text)
    Self.append(date, digits: 2, "T", to: &text)
    Self.append(rest / 3_600_000, digits: 2, ":", to: &text)
    Self.append(rest / 60_000 % 60, digits: 2, ":", to: &text)
    Self.append(rest / 1000 % 60, digits: 2, ".", to: &text)
    Self.append(rest % 1000, digits: 3, "Z", to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  private static func append(_ value: Int64, digits: Int, _ after: Unicode.Scalar, to text: inout [UInt8]) {
    var divisor: Int64 = digits == 4 ? 1000 : digits == 3 ? 100 : 10
    while divisor > 0 {
      text.append(0x30 + UInt8(value / divisor % 10))
      divisor /= 10
    }
    text.append(UInt8(ascii: after))
  }

  // MARK: The proleptic Gregorian calendar, in eras of 400 years that begin in March

  private static func days(sinceEpoch year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = floorDivide(shifted, 400)
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let yearOfEra = shifted - era * 400
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private static func civil(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = day + 719_468
    let era = floorDivide(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let march = (5 * dayOfYear + 2) / 153
    let month = march < 10 ? march + 3 : march - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * march + 2) / 5 + 1)
  }

  private static func days(inMonth month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2: year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
  }
}

/// Takes the text apart from left to right.
private struct Reader {
  private let text: [UInt8]
  private var offset = 0

  init(_ text: String) { self.text = Array(text.utf8) }

  var isAtEnd: Bool { offset == text.count }

  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard offset < text.count, text[offset] == UInt8(ascii: character) else { return false }
    offset += 1
    return true
  }

  mutating func number(_ digits: Int) -> Int64? {
    var value: Int64 = 0
    for _ in 0..<digits {
      guard let digit = digit() else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  /// Milliseconds from one or more digits, and whether any digit was not zero.
  mutating func fraction() -> (milliseconds: Int64, isNotZero: Bool)? {
    guard var value = digit() else { return nil }
    var isNotZero = value != 0
    var count = 1
    while let next = digit() {
      isNotZero = isNotZero || next != 0
      count += 1
      if count <= 3 { value = value * 10 + next }
    }
    while count < 3 {
      value *= 10
      count += 1
    }
    return (value, isNotZero)
  }

  /// Minutes east of UTC.
  mutating func zone() -> Int64? {
    if skip("Z") { return 0 }
    let sign: Int64 = skip("+") ? 1 : skip("-") ? -1 : 0
    guard sign != 0, let hours = number(2), skip(":"), let minutes = number(2), hours < 24, minutes < 60 else {
      return nil
    }
    return sign * (hours * 60 + minutes)
  }

  private mutating func digit() -> Int64? {
    guard offset < text.count, case let digit = text[offset], digit >= 0x30, digit <= 0x39 else { return nil }
    offset += 1
    return Int64(digit - 0x30)
  }
}
