// What a process does first. Each test does it in a process of its own, since there is no way back.

import Glibc
import Testing

@testable import ServiceRuntime

@Suite struct ProcessStartTests {
  @Test("A hardened process writes no core, keeps its files to itself and outlives a closed connection")
  func hardened() async {
    await #expect(processExitsWith: .exitCode(0)) {
      try ProcessStart.harden()
      var limit = rlimit(rlim_cur: 1, rlim_max: 1)
      let asked = unsafe getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
      try #require(asked == 0 && limit.rlim_cur == 0 && limit.rlim_max == 0)
      try #require(umask(0) == 0o077)
      var ends: [Int32] = [0, 0]
      try #require(unsafe pipe(&ends) == 0)
      close(ends[0])
      let written = unsafe write(ends[1], "x", 1)
      try #require(written == -1 && errno == EPIPE)
    }
  }

  @Test("Where standard streams are closed, no file that is opened later takes their place")
  func standardStreams() async {
    await #expect(processExitsWith: .exitCode(0)) {
      for number in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] { close(number) }
      try ProcessStart.harden()
      let next = unsafe open("/dev/null", O_RDONLY)
      try #require(next > STDERR_FILENO)
    }
  }
}
