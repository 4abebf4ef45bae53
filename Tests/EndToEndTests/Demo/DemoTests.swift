// `make demo` and `make demo-stop` as a reader runs them, in a folder of their own.

import Contracts
import Foundation
import Glibc
import HTTPSupport
import Testing

@Suite("make demo") struct DemoTests {
  @Test("The demo tells its story without a surprise, leaves everything running, and demo-stop leaves nothing behind")
  func story() async throws {
    try await Demo.with { demo in
      let told = try await demo.run()
      #expect(told.code == 0 && told.errors.isEmpty, "\(told.output.suffix(2_000))\(told.errors)")
      #expect(!told.output.contains("SURPRISE") && !told.output.contains("\u{1B}"))
      // The last line counts what stands above it.
      let lines = told.output.split(separator: "\n").map(String.init)
      let worked = lines.count { $0.hasPrefix("  worked: ") }
      let refused = lines.count { $0.hasPrefix("  refused: ") || $0.hasPrefix("  without effect: ") }
      #expect(worked >= 15 && refused >= 15)
      #expect(lines.contains("  \(worked) worked, \(refused) refused or without effect, 0 surprises"), "\(lines)")
      // What a reader is told to type works as it stands.
      let command = try #require(lines.first { $0.contains("$ISSUER/api/v1/me/ai-audit") && $0.hasPrefix("  curl") })
      let typed = try await demo.type(command)
      let rows = try JSONValue(parsing: typed.output)["rows"]?.array
      #expect(typed.code == 0 && (rows?.count ?? 0) > 10, "\(typed)")

      let traces = try demo.traces()
      #expect(traces.processes.count == 4 && traces.processes.allSatisfy { Demo.isRunning($0) })
      #expect(try demo.sharedMemory(of: traces.postmaster) > 0, "there is nothing to find again")
      let stopped = try await demo.run("stop")
      #expect(stopped.code == 0 && stopped.output.isEmpty && stopped.errors.isEmpty, "\(stopped)")
      #expect(traces.processes.allSatisfy { !Demo.isRunning($0) })
      #expect(try demo.sharedMemory(of: traces.postmaster) == 0)
      #expect(traces.places.allSatisfy { !FileManager.default.fileExists(atPath: $0) }, "\(traces.places)")
      #expect(try await demo.run("stop").code == 0, "there is nothing to stop, which is no mistake")
    }
  }

  @Test("An answer that is not as it should be is a surprise and ends with 1; the next demo stops the former first")
  func surprise() async throws {
    try await Demo.with { demo in
      let spoilt = try demo.spoiltScripts(
        attempt: "another_user", expectation: #""grant":"unknown-grant""#, other: #""grant":"ok""#)
      let told = try await demo.run(scripts: spoilt)
      #expect(told.code == 1)
      let lines = told.output.split(separator: "\n").map(String.init)
      #expect(lines.filter { $0.contains("SURPRISE") } == ["  SURPRISE: her grant is none of his"])
      #expect(lines.contains { $0.hasSuffix(" refused or without effect, 1 surprises") })
      // A demo that is interrupted over the house of the former one has stopped that, and can be stopped itself.
      let former = try demo.traces()
      let next = try Child(
        Demo.inGroup + [Demo.script, "--folder", demo.folder, "--bin", Demo.products], readsErrors: true)
      let group = try #require(next.readLine().flatMap { Int32($0) })
      while let line = next.readLine(), !line.contains("mandate-issuer") {}
      let traces = try demo.traces(isWhole: false)
      #expect(former.processes.allSatisfy { !Demo.isRunning($0) } && !traces.processes.isEmpty)
      kill(-group, SIGINT)
      #expect(next.rest().contains("interrupted; make demo-stop clears up") && next.end() == 130)
      #expect(try await demo.run("stop").code == 0)
      #expect(traces.processes.allSatisfy { !Demo.isRunning($0) })
      #expect((former.places + traces.places).allSatisfy { !FileManager.default.fileExists(atPath: $0) })
    }
  }

  @Test("A folder that no demo made is neither used nor removed")
  func foreignFolder() async throws {
    try await Demo.with { demo in
      try FileManager.default.createDirectory(atPath: demo.folder, withIntermediateDirectories: true)
      try "mine".write(toFile: demo.folder + "/letter", atomically: true, encoding: .utf8)
      for order in [[], ["stop"]] {
        let refused = try await demo.run(order)
        #expect(refused.code == 1 && refused.errors.contains("is not a demo's"), "\(refused)")
      }
      #expect(try String(contentsOfFile: demo.folder + "/letter", encoding: .utf8) == "mine")
    }
  }
}
