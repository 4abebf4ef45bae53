// A process that holds keys gives no core dump and cannot be looked into. Each test has a process of its own, because
// none of this can be undone.

import CLinux
import Glibc
import Testing

@testable import Secrets

@Suite struct ProcessHardeningTests {
  @Test("After hardening there is no core dump and nobody may attach")
  func hardened() async {
    await #expect(processExitsWith: .success) {
      guard mandate_get_dumpable() == 1 else { exit(2) }
      try ProcessHardening.apply()
      var core = rlimit(rlim_cur: 1, rlim_max: 1)
      guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &core) == 0 else { exit(3) }
      exit(core.rlim_cur == 0 && core.rlim_max == 0 && mandate_get_dumpable() == 0 ? EXIT_SUCCESS : EXIT_FAILURE)
    }
  }

  @Test("A hardened process that crashes dies of its signal all the same")
  func crashes() async {
    await #expect(processExitsWith: .signal(SIGSEGV)) {
      try ProcessHardening.apply()
      signal(SIGSEGV, SIG_DFL)
      raise(SIGSEGV)
    }
  }
}
