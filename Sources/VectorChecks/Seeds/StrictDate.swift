// The strict spelling of an expiry (deviation 3), written a second time: the check may not ask our own parser whether
// our own parser was right to refuse.

enum StrictDate {
  /// `YYYY-MM-DDTHH:mm[:ss[.fraction]]` with `Z` or `±HH:mm` and a date that exists; 24:00 is the end of a day. In UTC
  /// it lies in the years 0000 to 9999, which are all that the written form can spell.
  static func isStrict(_ text: String) -> Bool {
    let shapes = ["dddd-dd-ddTdd:dd", "dddd-dd-ddTdd:dd:dd"]
    let (moment, zone) = splitZone(text)
    guard zone == "Z" || matches(zone, "+dd:dd") || matches(zone, "-dd:dd") else { return false }
    let parts = moment.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let clock = parts.first, shapes.contains(where: { matches(clock, $0) }) else { return false }
    let fraction = parts.count > 1 ? parts[1] : "0"
    guard !fraction.isEmpty, fraction.utf8.allSatisfy(isDigit) else { return false }
    guard parts.count == 1 || matches(clock, shapes[1]) else { return false }
    let (local, offset) = (numbers(in: clock), numbers(in: zone))
    return exists(local, isWhole: fraction.utf8.allSatisfy { $0 == 0x30 }) && zoneExists(offset)
      && staysInYears(local, isWest: zone.first == "-", offset)
  }

  private static func splitZone(_ text: String) -> (Substring, Substring) {
    if text.utf8.last == UInt8(ascii: "Z") { return (text.dropLast(), text.suffix(1)) }
    return (text.dropLast(6), text.suffix(6))
  }

  /// `d` stands for a digit, anything else for itself.
  private static func matches(_ text: Substring, _ shape: String) -> Bool {
    text.utf8.count == shape.utf8.count
      && zip(text.utf8, shape.utf8).allSatisfy { $1 == UInt8(ascii: "d") ? isDigit($0) : $0 == $1 }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  private static func numbers(in text: Substring) -> [Int] {
    text.utf8.split { !isDigit($0) }.compactMap { Int(String(decoding: Array($0), as: UTF8.self)) }
  }

  private static func exists(_ parts: [Int], isWhole: Bool) -> Bool {
    let (year, month, day, hour, minute) = (parts[0], parts[1], parts[2], parts[3], parts[4])
    let second = parts.count > 5 ? parts[5] : 0
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard (1...12).contains(month), (1...days[month - 1]).contains(day), minute < 60, second < 60 else { return false }
    return hour < 24 || (hour == 24 && minute == 0 && second == 0 && isWhole)
  }

  /// Only the first and the last day can leave the four digits of a year, the one to the east and the other to the west.
  private static func staysInYears(_ parts: [Int], isWest: Bool, _ zone: [Int]) -> Bool {
    let east = zone.isEmpty ? 0 : (zone[0] * 60 + zone[1]) * (isWest ? -1 : 1)
    let minute = parts[3] * 60 + parts[4] - east
    switch (parts[0], parts[1], parts[2]) {
    case (0, 1, 1): return minute >= 0
    case (9999, 12, 31): return minute < 24 * 60
    default: return true
    }
  }

  private static func zoneExists(_ parts: [Int]) -> Bool { parts.isEmpty || (parts[0] < 24 && parts[1] < 60) }
}
