// What a process that holds keys does before it reads the first one.

import CLinux
import Glibc

package enum ProcessHardening {
  package enum Failure: Error, Equatable {
    case coreLimit(errno: Int32)
    case dumpable(errno: Int32)
  }

  /// No core dump, no report of a crash, and no other process of the same user may attach to this one or read its memory
  /// through /proc.
  package static func apply() throws(Failure) {
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0 else {
      throw .coreLimit(errno: errno)
    }
    guard mandate_set_dumpable(0) == 0 else { throw .dumpable(errno: errno) }
    leaveCrashesToTheKernel()
  }

  /// Where its helper is installed, Swift's runtime reports a crash to standard error, and so into the journal: each
  /// register, and sixteen bytes of the memory that it points to. That is half a key. The setting for it
  /// (SWIFT_BACKTRACE) is read before we are, so what counts is that its handlers go.
  private static func leaveCrashesToTheKernel() {
    for number in [SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP] {
      // Fails for no signal that exists. One that whoever started us ignores is reported by nobody.
      var action = sigaction()
      guard unsafe sigaction(number, nil, &action) == 0, action.sa_flags & SA_SIGINFO != 0 else { continue }
      signal(number, SIG_DFL)
    }
  }
}
