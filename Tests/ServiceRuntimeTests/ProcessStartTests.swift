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

  @Test("Of descriptors a process takes what it needs and is allowed, and says when that is not enough")
  func descriptors() async {
    await #expect(processExitsWith: .exitCode(0)) {
      let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
      func now() -> rlim_t {
        var limit = rlimit()
        _ = unsafe getrlimit(kind, &limit)
        return limit.rlim_cur
      }
      var narrow = rlimit(rlim_cur: 64, rlim_max: 512)
      try #require(unsafe setrlimit(kind, &narrow) == 0)
      try #require(ProcessStart.allowDescriptors(64) && now() == 64)
      try #require(ProcessStart.allowDescriptors(512) && now() == 512)
      try #require(!ProcessStart.allowDescriptors(513) && now() == 512)
      // More than are wanted stay.
      try #require(ProcessStart.allowDescriptors(100) && now() == 512)
    }
  }
}
