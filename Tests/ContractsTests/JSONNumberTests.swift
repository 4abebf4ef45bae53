// Numbers keep their text; JavaScript's spelling of them is ECMAScript's.

import Contracts
import Testing

@Suite("JSON numbers")
struct JSONNumberTests {
  @Test(
    "A number keeps the text it was written with",
    arguments: [
      "0", "-0", "1.0", "1e21", "1E+05", "0.10", "123456789012345678901234567890", "1e400", "-1e-400", "5e-324",
      "9007199254740993", "0.1e0", "100e-2", "-0.0",
    ])
  func textIsKept(text: String) throws {
    #expect(try json(text).number?.text == text)
    #expect(try json(text).compactText() == text)
    #expect(try json("[\(text),{\"a\":\(text)}]").compactText() == "[\(text),{\"a\":\(text)}]")
  }

  @Test(
    "JavaScript's spelling of a number is ECMAScript's",
    arguments: [
      ("0", "0"), ("-0", "0"), ("-0.0", "0"), ("0e99", "0"), ("1", "1"), ("1.0", "1"), ("-1.50", "-1.5"),
      ("100", "100"),
      ("1e0", "1"), ("1e1", "10"), ("1E5", "100000"), ("1e20", "100000000000000000000"), ("1e21", "1e+21"),
      ("1.5e21", "1.5e+21"), ("-1e21", "-1e+21"), ("999999999999999900000", "999999999999999900000"),
      ("123456789012345678901234567890", "1.2345678901234568e+29"), ("0.1", "0.1"), ("0.000001", "0.000001"),
      ("0.0000012", "0.0000012"), ("0.0000001", "1e-7"), ("1e-7", "1e-7"), ("1.25e-7", "1.25e-7"), ("-1e-7", "-1e-7"),
      ("123e-20", "1.23e-18"), ("5e-324", "5e-324"), ("4.9e-324", "5e-324"), ("2.4703282292062327e-324", "0"),
      ("2.4703282292062328e-324", "5e-324"), ("2.2250738585072014e-308", "2.2250738585072014e-308"),
      ("2.2250738585072011e-308", "2.225073858507201e-308"), ("1.7976931348623157e308", "1.7976931348623157e+308"),
      ("9007199254740992", "9007199254740992"), ("9007199254740993", "9007199254740992"),
      ("9007199254740995", "9007199254740996"), ("0.30000000000000004", "0.30000000000000004"), ("0.1e-6", "1e-7"),
      ("4.35", "4.35"), ("4.349999999999999999999", "4.35"), ("1.7976931348623158e308", "1.7976931348623157e+308"),
      ("123456.789", "123456.789"), ("12345678901234567", "12345678901234568"), ("1e23", "1e+23"), ("1.0e-10", "1e-10"),
      ("144115188075855870", "144115188075855870"), ("2e-323", "2e-323"), ("123.456e2", "12345.6"),
      ("1000000000000000128", "1000000000000000100"), ("0.00001", "0.00001"),
      ("295147905179352830000", "295147905179352830000"),
    ])
  func javaScriptSpelling(text: String, expected: String) throws {
    let number = try #require(try json(text).number)
    #expect(number.javaScriptText == expected)
    #expect(try json("[\(text)]").compactText(numbers: .javaScript) == "[\(expected)]")
    #expect(JSONNumber(number.double).text == expected)
    #expect(JSONNumber.javaScriptText(number.double) == expected)
  }

  @Test("What no double can hold is infinite, and JSON text says null of it, as JSON.stringify does")
  func tooLarge() throws {
    #expect(try json("1e400").number?.double == .infinity)
    #expect(try json("-1e999999999999999999999").number?.double == -.infinity)
    #expect(try json("1e-999999999999999999999").number?.double == 0)
    #expect(try json("1e400").number?.javaScriptText == "Infinity")
    #expect(try json("-1e400").number?.javaScriptText == "-Infinity")
    #expect(try json("1e400").compactText(numbers: .javaScript) == "null")
    #expect(JSONNumber.javaScriptText(.nan) == "NaN")
    #expect(try json("1.7976931348623159e308").number?.double == .infinity)
  }

  @Test("A number is an integer where it is written as one or JavaScript reads one")
  func integers() throws {
    let cases: [(String, Int?)] = [
      ("0", 0), ("-0", 0), ("7", 7), ("-7", -7), ("1.0", 1), ("1e3", 1000), ("1.5", nil), ("1e-1", nil),
      ("9223372036854775807", Int.max), ("-9223372036854775808", Int.min), ("9223372036854775808", nil), ("1e30", nil),
      ("1e400", nil), ("9007199254740993", 9_007_199_254_740_993),
    ]
    for (text, expected) in cases { #expect(try json(text).number?.integer == expected, "\(text)") }
  }

  @Test("Random doubles read back from JavaScript's spelling as the same double, and no shorter text does")
  func randomDoubles() throws {
    var random = SeededRandom(seed: 754)
    var looked = 0
    for round in 0..<4000 {
      let pattern = random.next()
      // Half of them anywhere, half near the sizes that people write.
      let value =
        round.isMultiple(of: 2)
        ? Double(bitPattern: pattern) : Double(Int64(bitPattern: pattern) >> Int64(pattern % 60)) / 1000
      guard value.isFinite else { continue }
      looked += 1
      let text = JSONNumber.javaScriptText(value)
      #expect(try json(text).number?.double == value)
      for shorter in oneDigitLess(text) { #expect(Double(shorter) != value.magnitude) }
    }
    #expect(looked > 3900)
  }

  /// The two numbers with one significant digit less that lie around the one in `text`, unsigned.
  private func oneDigitLess(_ text: String) -> [String] {
    let parts = text.drop { $0 == "-" }.split(separator: "e")
    let fraction = parts[0].split(separator: ".").dropFirst().first?.count ?? 0
    guard var digits = Int(parts[0].filter { $0 != "." }), digits > 0 else { return [] }
    var exponent = (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) - fraction
    while digits % 10 == 0 { (digits, exponent) = (digits / 10, exponent + 1) }
    return digits < 10 ? [] : [digits / 10, digits / 10 + 1].map { "\($0)e\(exponent + 1)" }
  }

  @Test("Integers are written plainly")
  func fromIntegers() {
    for value in [0, 1, -1, Int.max, Int.min] { #expect(JSONNumber(value).text == String(value)) }
  }
}
