// The rules about suites and about spans of temporaries: fixtures that break each, then the house itself.

import Testing

@Suite("The suites and what they lend")
struct SuiteTests {
  private func file(_ path: String, _ text: String) -> [SourceFile] { [SourceFile(path: path, text: text)] }

  private func suite(_ attribute: String, _ signature: String, _ body: String = "try await f(road)") -> Verdict {
    SuiteRules.storeTestsGoBothRoads(
      file("Tests/StoreTests/A.swift", "@Suite struct A { @Test(\(attribute)) func a(\(signature) { \(body) } }"))
  }

  @Test("A test of the store that leaves a road out is caught")
  func roads() {
    let signature = "road: Road) async throws"
    expectPassed(suite("\"a\", arguments: Road.allCases", signature))
    expectPassed(suite("\"a\", arguments: [(1, 2)], Road.allCases", "what: (Int, Int), road: Road) async throws"))
    expectCaught(suite("\"a\"", ") async throws", "try await f()"), naming: "A.swift:1", "a does not go")
    expectCaught(suite("\"a\", arguments: [Road.direct]", signature), naming: "A.swift:1")
    expectCaught(suite("\"a\", arguments: Road.allCases.filter { $0 == .direct }", signature), naming: "A.swift:1")
    expectCaught(suite("\"a\", arguments: Road.allCases.prefix(1)", signature), naming: "A.swift:1")
    expectCaught(suite("\"a\", arguments: Road.allCases", signature, "try await f()"), naming: "A.swift:1")
    expectCaught(suite("\"a\", .disabled(), arguments: Road.allCases", signature), naming: "switches")
    #expect(suite("\"a\"", ") throws", "try f()").problems == [], "it can't ask a database")
  }

  @Test(
    "The span of a temporary as an argument of a throwing call is caught",
    arguments: [
      "try f(g(x).span)", "let a = try f(1, g(x).bytes)", "try f(\n  g(x)\n    .span)",
      "return try h.f(of: (a ?? b).span)",
      "try f(g(x).key.bytes)", "try f([1, 2].span)", "try f(\"abc\".utf8.span)", "#expect(try f(Array(a).span) == b)",
      "try a.b(c(d), to: e(f).mutableSpan).g()", "let a = try i(f(g(x).span))", "try X(g(x).span)",
    ])
  func spans(text: String) {
    let source = "func a() throws {\n  b()\n  \(text)\n}"
    expectCaught(
      SpanRules.temporariesLendNoSpanToThrowingCalls(file("Sources/A/A.swift", source)), naming: "A.swift", "temporary")
  }

  @Test(
    "What has a name may lend its span, and so may a temporary to what can't throw",
    arguments: [
      "let y = g(x)\n  try f(y.span)", "f(g(x).span)", "try a()\n  f(g(x).span)", "try f(keys[0].span)",
      "let s = try g(x).span", "try f { h(g(x).span) }", "try f(self.key.bytes)", "try f(x.bytes)\n  h(g(x).span)",
      "try f(g(x).span(of: 1))", "let a = try b()\n  for c in d(e).bytes {}",
    ])
  func lending(text: String) {
    let source = "func a() throws {\n  b()\n  \(text)\n}"
    expectPassed(SpanRules.temporariesLendNoSpanToThrowingCalls(file("Sources/A/A.swift", source)))
  }

  @Test("The house keeps both rules")
  func house() throws {
    let files = try House.sources()
    expectKept("store tests go both roads", SuiteRules.storeTestsGoBothRoads(files))
    expectKept(
      "temporaries lend no span to throwing calls",
      SpanRules.temporariesLendNoSpanToThrowingCalls(files))
  }
}
