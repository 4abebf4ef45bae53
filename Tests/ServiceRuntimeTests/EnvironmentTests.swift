// What is taken from the environment, and what is left behind in it.

import Glibc
import Secrets
import Testing

@testable import ServiceRuntime

@Suite struct EnvironmentTests {
  @Test("A name that begins as ours do and means nothing is reported, other people's names are not")
  func unknownNames() {
    let environment = Environment([
      "MANDATE_LOG_LEVEL": "info", "MANDATE_LOG_LEVL": "info", "MANDATE_": "x", "HOME": "/", "LOG_LEVEL": "x",
    ])
    #expect(environment.unknownNames == ["MANDATE_", "MANDATE_LOG_LEVL"])
  }

  @Test("A file variable exists only for values that may come from a file")
  func fileVariables() {
    let environment = Environment(["MANDATE_DATABASE_URL_FILE": "/x", "MANDATE_LOG_LEVEL_FILE": "/x"])
    #expect(environment.unknownNames == ["MANDATE_LOG_LEVEL_FILE"])
  }

  @Test("Every listed name means one thing")
  func namesAreUnique() {
    var names: [String] = []
    for variable in KnownVariable.allCases {
      #expect(!variable.purpose.isEmpty)
      for name in variable.names {
        names.append(name)
        if variable.form != .text { names.append(KnownVariable.fileName(for: name)) }
      }
    }
    #expect(names.count > KnownVariable.allCases.count)
    #expect(Set(names).count == names.count)
  }

  @Test("Only listed names are kept")
  func othersAreNotCopied() {
    #expect(Environment(["HOME": "/root"]).value(of: "HOME") == nil)
  }

  @Test("A secret leaves the process's environment and arrives in locked memory")
  func secretsAreMoved() {
    unsafe withBlock(["A=b", "MANDATE_DATABASE_URL=postgres://u:hunter2@h/d", "MANDATE_LOG_LEVEL=debug"]) { block in
      let environment = unsafe Environment(block: block)
      let left = unsafe block[1].map { unsafe String(cString: $0) }
      #expect(left == "MANDATE_DATABASE_URL=")
      let other = unsafe block[2].map { unsafe String(cString: $0) }
      #expect(other == "MANDATE_LOG_LEVEL=debug")
      guard case .secret(let slot) = environment.value(of: "MANDATE_DATABASE_URL") else {
        Issue.record("the secret was not kept as one")
        return
      }
      let secret = slot.take()
      let isWhole = secret.equals(Array("postgres://u:hunter2@h/d".utf8).span)
      #expect(isWhole)
    }
  }

  @Test("A name that is there twice is not believed either way, and neither value stays")
  func repeatedNames() {
    unsafe withBlock(["DATABASE_URL=one", "DATABASE_URL=two"]) { block in
      let environment = unsafe Environment(block: block)
      guard case .repeated = environment.value(of: "DATABASE_URL") else {
        Issue.record("one of the two was believed")
        return
      }
      for index in 0..<2 {
        let left = unsafe block[index].map { unsafe String(cString: $0) }
        #expect(left == "DATABASE_URL=")
      }
    }
  }

  @Test("An entry without an equals sign, an empty one and an empty value are nothing")
  func oddEntries() {
    unsafe withBlock(["MANDATE_LOG_LEVEL", "", "=x", "MANDATE_VECTORS="]) { block in
      let environment = unsafe Environment(block: block)
      #expect(environment.unknownNames.isEmpty)
      #expect(environment.value(of: "MANDATE_LOG_LEVEL") == nil)
      #expect(environment.value(of: "MANDATE_VECTORS") == nil)
    }
  }

  @Test("Bytes that are not UTF-8 are not repaired into a setting")
  func notText() {
    unsafe withBlock(["MANDATE_VECTORS=a\u{1}b"]) { block in
      unsafe block[0]?[17] = CChar(bitPattern: 0xff)
      guard case .notText = unsafe Environment(block: block).value(of: "MANDATE_VECTORS") else {
        Issue.record("it was taken as text")
        return
      }
    }
  }

  @Test("A value longer than any setting is not taken")
  func tooLong() {
    let environment = Environment(["MANDATE_VECTORS": String(repeating: "x", count: Environment.longestValue + 1)])
    guard case .tooLong = environment.value(of: "MANDATE_VECTORS") else {
      Issue.record("it was taken")
      return
    }
  }

  private func withBlock(
    _ entries: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Void
  ) {
    let block = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: entries.count + 1)
    for index in entries.indices { unsafe block[index] = strdup(entries[index]) }
    unsafe block[entries.count] = nil
    unsafe body(block)
    for index in entries.indices { unsafe free(block[index]) }
    unsafe block.deallocate()
  }
}
