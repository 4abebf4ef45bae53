// The metrics page: its form, its closed label sets, and what Prometheus' own linter says of it.

import Foundation
import Testing

@testable import ServiceRuntime

@Suite struct MetricsTests {
  private enum Outcome: String, CaseIterable { case kept, refused }
  private enum Method: String, CaseIterable { case get = "GET", post = "POST" }

  private let metrics = MetricRegistry(service: "mandate-test")

  private func samples() -> [String] { metrics.page().split(separator: "\n").map(String.init) }

  @Test("A page says what each metric is, in order, with the service on every series")
  func page() {
    let served = metrics.counter("mandate_served_total", "Things served.")
    let waiting = metrics.gauge("mandate_a_waiting", "Things that wait.")
    served.add()
    served.add(2.5)
    waiting.set(7)
    waiting.add(-2)
    #expect(
      metrics.page() == """
        # HELP mandate_a_waiting Things that wait.
        # TYPE mandate_a_waiting gauge
        mandate_a_waiting{service="mandate-test"} 5
        # HELP mandate_served_total Things served.
        # TYPE mandate_served_total counter
        mandate_served_total{service="mandate-test"} 3.5

        """)
  }

  @Test("A counter stands at nothing from the start, for each value of its label")
  func untouched() {
    let outcomes = metrics.counter("mandate_outcomes_total", "x", LabelSet("outcome", of: Outcome.self))
    outcomes.add(1, .refused)
    #expect(samples().contains(#"mandate_outcomes_total{service="mandate-test",outcome="kept"} 0"#))
    #expect(samples().contains(#"mandate_outcomes_total{service="mandate-test",outcome="refused"} 1"#))
  }

  @Test("A counter does not fall, and takes nothing that is no number")
  func falling() {
    let served = metrics.counter("mandate_served_total", "x")
    served.add(3)
    for wrong: Double in [-1, -.infinity, .infinity, .nan] { served.add(wrong) }
    #expect(samples().last == #"mandate_served_total{service="mandate-test"} 3"#)
  }

  @Test("A value from outside the closed set makes no series of its own")
  func strangers() {
    let paths = LabelSet("path", fixed: ["/health", "/ready", "/health"])
    let requests = metrics.counter("mandate_requests_total", "x", LabelSet("method", of: Method.self), paths)
    requests.add(1, .get, "/health")
    for number in 0..<1_000 { requests.add(1, .post, "/\(number)\"\n") }
    let series = samples().filter { !$0.hasPrefix("#") }
    #expect(series.count == 6)
    #expect(series.contains(#"mandate_requests_total{service="mandate-test",method="POST",path="other"} 1000"#))
    #expect(series.contains(#"mandate_requests_total{service="mandate-test",method="GET",path="/health"} 1"#))
  }

  @Test("A large family shows only what happened")
  func large() {
    let many = LabelSet("path", fixed: (0..<100).map { "/\($0)" })
    let requests = metrics.counter("mandate_requests_total", "x", many)
    requests.add(1, "/17")
    #expect(
      samples().filter { !$0.hasPrefix("#") } == [
        #"mandate_requests_total{service="mandate-test",path="/17"} 1"#
      ])
  }

  @Test("A histogram counts what is at or below each bound, and all of it")
  func histogram() {
    let took = metrics.histogram("mandate_took_seconds", "x", LabelSet("outcome", of: Outcome.self), bounds: [0.1, 1])
    for value in [0.1, 0.05, 0.5, 3] { took.observe(value, .kept) }
    took.observe(.milliseconds(1_000), .kept)
    took.observe(.nan, .kept)
    let kept = samples().filter { $0.contains("kept") }
    #expect(
      kept == [
        #"mandate_took_seconds_bucket{service="mandate-test",outcome="kept",le="0.1"} 2"#,
        #"mandate_took_seconds_bucket{service="mandate-test",outcome="kept",le="1"} 4"#,
        #"mandate_took_seconds_bucket{service="mandate-test",outcome="kept",le="+Inf"} 5"#,
        #"mandate_took_seconds_sum{service="mandate-test",outcome="kept"} 4.65"#,
        #"mandate_took_seconds_count{service="mandate-test",outcome="kept"} 5"#,
      ])
  }

  @Test("Counting from many threads loses nothing")
  func concurrent() async {
    let served = metrics.counter("mandate_served_total", "x", LabelSet("outcome", of: Outcome.self))
    await withDiscardingTaskGroup { group in
      for _ in 0..<8 { group.addTask { for _ in 0..<1_000 { served.add(1, .kept) } } }
    }
    #expect(samples().contains(#"mandate_served_total{service="mandate-test",outcome="kept"} 8000"#))
  }

  @Test("Help and values are written so that a line stays a line")
  func escaping() {
    _ = metrics.counter("mandate_x_total", "a \\ b\nc", LabelSet("path", fixed: ["a\"b\\c\nd"]))
    #expect(metrics.page().contains("# HELP mandate_x_total a \\\\ b\\nc\n"))
    #expect(metrics.page().contains(#"path="a\"b\\c\nd"} 0"#))
  }

  @Test("Numbers are written as Prometheus reads them")
  func numbers() {
    #expect(MetricPage.number(0) == "0" && MetricPage.number(-3) == "-3" && MetricPage.number(0.25) == "0.25")
    #expect(MetricPage.number(.infinity) == "+Inf" && MetricPage.number(-.infinity) == "-Inf")
    #expect(MetricPage.number(.nan) == "NaN" && Double(MetricPage.number(1e300)) == 1e300)
  }

  @Test("A name twice, a bad name, a label twice or buckets that fall stop the program")
  func mistakes() async {
    await #expect(processExitsWith: .failure) {
      let metrics = MetricRegistry(service: "x")
      metrics.gauge("mandate_x", "x") { 1 }
      metrics.gauge("mandate_x", "x") { 1 }
    }
    await #expect(processExitsWith: .failure) { _ = MetricRegistry(service: "x").counter("Mandate_total", "x") }
    await #expect(processExitsWith: .failure) { _ = MetricRegistry(service: "x").counter("mandate_served", "x") }
    await #expect(processExitsWith: .failure) {
      let label = LabelSet("path", fixed: ["a"])
      _ = MetricRegistry(service: "x").counter("mandate_x_total", "x", label, label)
    }
    await #expect(processExitsWith: .failure) {
      _ = MetricRegistry(service: "x").histogram("mandate_x", "x", bounds: [1, 1])
    }
    await #expect(processExitsWith: .failure) { _ = LabelSet("le", fixed: ["a"]) }
    await #expect(processExitsWith: .failure) { _ = LabelSet("path", fixed: (0..<300).map { "\($0)" }) }
  }

  @Test("A process tells its time, memory, descriptors and start")
  func process() throws {
    let log = Log(program: "mandate-test", to: -1)
    metrics.addProcessMetrics(log: log, startedAt: Moment(microseconds: 1_500_000))
    log.error("Nobody can read this.")
    let page = samples()
    func value(_ name: String) throws -> Double {
      let line = try #require(page.first { $0.hasPrefix(name + "{") })
      let number = try #require(line.split(separator: " ").last)
      return try #require(Double(number))
    }
    #expect(try value("process_cpu_seconds_total") > 0)
    #expect(try value("process_resident_memory_bytes") > 1_000_000)
    #expect(try value("process_start_time_seconds") == 1.5)
    #expect(try value("mandate_log_lines_lost_total") == 1)
    let open = try value("process_open_fds")
    let most = try value("process_max_fds")
    #expect(open >= 3 && open <= most)
    let held = (0..<50).map { _ in dup(0) }
    defer { for number in held { close(number) } }
    let now = try #require(ProcessFigures.openDescriptors)
    #expect(now >= 50)
  }

  @Test("The runner's process metrics have the names that its dashboards know")
  func formerNames() {
    metrics.addProcessMetrics(log: Log(program: "x", to: -1), startedAt: Moment(microseconds: 0), prefix: .manaAI)
    #expect(samples().contains { $0.hasPrefix("mana_ai_process_cpu_seconds_total{") })
  }

  @Test(
    "Prometheus' own linter has nothing to say",
    .enabled(if: FileManager.default.isExecutableFile(atPath: promtool), "promtool is not installed"))
  func linter() throws {
    metrics.addProcessMetrics(log: Log(program: "x", to: -1), startedAt: Moment(microseconds: 0))
    metrics.counter("mandate_outcomes_total", "Outcomes.", LabelSet("outcome", of: Outcome.self)).add(1, .kept)
    metrics.histogram("mandate_took_seconds", "Time.", LabelSet("path", fixed: ["/a\"\\"]), bounds: Buckets.http)
      .observe(0.2, "/a\"\\")
    let linter = Process()
    let (input, output) = (Pipe(), Pipe())
    linter.executableURL = URL(filePath: promtool)
    linter.arguments = ["check", "metrics"]
    linter.standardInput = input
    linter.standardOutput = output
    linter.standardError = output
    try linter.run()
    try input.fileHandleForWriting.write(contentsOf: Data(metrics.page().utf8))
    try input.fileHandleForWriting.close()
    let said = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    linter.waitUntilExit()
    #expect(linter.terminationStatus == 0 && said.isEmpty, "\(said)")
  }
}

private let promtool = "/usr/bin/promtool"
