// A JSON number keeps the text it was written with; JavaScript's reading of it is computed on demand.

package struct JSONNumber: Hashable, Sendable {
  /// As written; the scanner has checked that it is a JSON number.
  package let text: String

  init(scanned text: String) { self.text = text }

  package init(_ value: Int) { text = String(value) }

  package init(_ value: Double) {
    precondition(value.isFinite, "JSON has no spelling for NaN and the infinities")
    text = Self.javaScriptText(value)
  }

  /// The nearest double, as JavaScript reads it; too large becomes infinite, too small zero.
  package var double: Double { Double(text) ?? .nan }

  /// The integer that is written, or that JavaScript reads: `1.0` and `1e3` are integers, and so is a fraction so
  /// close to one that its double is one.
  package var integer: Int? { Int(text) ?? Int(exactly: double) }

  /// What JavaScript's `String(value)` gives: `1.0` is `1`, `1e21` is `1e+21`, `-0` is `0`.
  package var javaScriptText: String { Self.javaScriptText(double) }

  package static func javaScriptText(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity" }
    guard value != 0 else { return "0" }
    let (digits, point) = shortestDigits(value.magnitude)
    return (value < 0 ? "-" : "") + layOut(digits, point)
  }

  /// The shortest digits that read back as `value`, and where the decimal point stands among them. Swift's own
  /// description finds the same digits that ECMAScript asks for and only lays them out differently.
  private static func shortestDigits(_ value: Double) -> (digits: String, point: Int) {
    let parts = value.description.split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    let fraction = mantissa.count > 1 ? String(mantissa[1]) : ""
    var digits = String(mantissa[0]) + fraction
    var point = mantissa[0].count + exponent
    while digits.hasPrefix("0") {
      digits.removeFirst()
      point -= 1
    }
    while digits.hasSuffix("0") { digits.removeLast() }
    return (digits, point)
  }

  /// ECMAScript's Number::toString, step by step.
  private static func layOut(_ digits: String, _ point: Int) -> String {
    let count = digits.count
    if count <= point, point <= 21 { return digits + String(repeating: "0", count: point - count) }
    if 0 < point, point <= 21 { return digits.prefix(point) + "." + digits.dropFirst(point) }
    if -6 < point, point <= 0 { return "0." + String(repeating: "0", count: -point) + digits }
    let exponent = point - 1
    let suffix = "e" + (exponent < 0 ? "-" : "+") + String(abs(exponent))
    return count == 1 ? digits + suffix : digits.prefix(1) + "." + digits.dropFirst() + suffix
  }
}
