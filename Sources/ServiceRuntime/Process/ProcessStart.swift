// What every process of ours does first, before it reads a setting or a key.

import Glibc
package import Secrets

package enum ProcessStart {
  package enum Failure: Error, Equatable, Sendable {
    case hardening(ProcessHardening.Failure)
    case standardStreams(SystemFailure)
    case lockedMemory

    package var sentence: String {
      switch self {
      case .hardening(.coreLimit(let code)):
        "core dumps cannot be switched off (\(SystemFailure(code: code).words)), and a core dump would hold keys."
      case .hardening(.dumpable(let code)):
        "the process cannot be closed to others of its user (\(SystemFailure(code: code).words))."
      case .standardStreams(let failure): "/dev/null cannot be opened (\(failure.words))."
      case .lockedMemory:
        "the kernel refuses to lock \(SecretArena.smallestBytes >> 10) KiB of memory for keys; raise the limit: "
          + "ulimit -l 8192 (in a systemd unit: LimitMEMLOCK=8M)."
      }
    }
  }

  /// No core dump and no other process looking in (see ProcessHardening); a closed connection is an error of that
  /// connection and no end of the process; new files belong to their owner alone unless a mode is set on purpose;
  /// and descriptors 0 to 2 are open, since otherwise the next file that is opened, a key perhaps, would be standard
  /// error, and log lines would be written into it.
  package static func harden() throws(Failure) {
    try openStandardStreams()
    do { try ProcessHardening.apply() } catch { throw .hardening(error) }
    // Fails for no signal that exists.
    signal(SIGPIPE, SIG_IGN)
    umask(0o077)
  }

  /// For processes that may hold secrets: takes the locked memory that they will live in, or says what to do. Without
  /// this the first secret would end a process that has none with a trap.
  package static func requireLockedMemory() throws(Failure) {
    do {
      // Once on trial and released, because the process's own arena has no way to fail.
      _ = try SecretArena(bytes: SecretArena.smallestBytes).capacity
    } catch {
      throw .lockedMemory
    }
    precondition(SecretArena.process.capacity >= SecretArena.smallestBytes, "the arena of the process is too small")
  }

  /// Shells and supervisors hand out 1,024 descriptors and allow far more: whoever opens a thousand connections would
  /// take the last one from the database, the files that SIGHUP reads, and the listener that says how we are. False
  /// where so many are not allowed; then it has as many as are.
  package static func allowDescriptors(_ wanted: Int) -> Bool {
    let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    guard unsafe getrlimit(kind, &limit) == 0 else { return false }
    let wanted = rlim_t(wanted)
    if limit.rlim_cur >= wanted { return true }
    limit.rlim_cur = min(wanted, limit.rlim_max)
    return unsafe setrlimit(kind, &limit) == 0 && limit.rlim_cur == wanted
  }

  private static func openStandardStreams() throws(Failure) {
    while true {
      let number = unsafe Glibc.open("/dev/null", O_RDWR)
      guard number >= 0 else { throw .standardStreams(.last) }
      if number > STDERR_FILENO {
        close(number)
        return
      }
    }
  }

  /// The user whose rights the process has.
  package static var user: UInt32 { geteuid() }
}
