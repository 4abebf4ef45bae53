// What a process that holds keys does before it reads the first one.

import CLinux
import Glibc

package enum ProcessHardening {
  package enum Failure: Error, Equatable {
    case coreLimit(errno: Int32)
    case dumpable(errno: Int32)
  }

  /// No core dump, and no other process of the same user may attach to this one or read its memory through /proc.
  package static func apply() throws(Failure) {
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0 else {
      throw .coreLimit(errno: errno)
    }
    guard mandate_set_dumpable(0) == 0 else { throw .dumpable(errno: errno) }
  }
}
