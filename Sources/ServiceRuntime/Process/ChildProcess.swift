// Another program, run to its end: no shell, a small environment of its own, nothing of ours inherited but /dev/null and
// a pipe for what it says. Foundation's Process would bring ICU into every executable.
//
// It waits on the calling thread. Commands do nothing else meanwhile; services run no programs.

import Glibc

package enum ChildProcess {
  package struct Outcome: Sendable, Equatable {
    /// As a shell counts it: a signal is 128 and its number.
    package let code: Int32
    /// Standard output and standard error, as they came, up to `longestOutput`.
    package let output: String
    package var isDone: Bool { code == 0 }
  }

  /// More than any program says that we run; the rest is read and dropped.
  package static let longestOutput = 64 << 10

  private static let environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]

  /// `seconds` is how long it may take; then it is killed, which its outcome shows as code 137. It starts in `/`,
  /// because a program that drops to another user may not enter the folder that we are in.
  package static func run(
    _ program: String, _ arguments: [String] = [], seconds: Int
  ) throws(SystemFailure) -> Outcome {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { throw .last }
    let (reading, writing) = (ends[0], ends[1])
    defer { close(reading) }
    // The child gets the writing end under another number, and the reading end not at all.
    for end in ends where fcntl(end, F_SETFD, FD_CLOEXEC) != 0 { throw .last }
    keepInherited()
    let pid: pid_t
    do throws(SystemFailure) {
      pid = try spawn([env, "--chdir=/", program] + arguments, output: writing)
    } catch {
      close(writing)
      throw error
    }
    close(writing)
    let output = read(reading, until: now() + Int64(seconds) * 1_000) { kill(pid, SIGKILL) }
    return Outcome(code: wait(for: pid), output: output)
  }

  /// Whoever started us may have left descriptors open that are none of our business; a server that we start would
  /// hold them for ever, and somebody's pipe would never end. Ours close by themselves.
  private static func keepInherited() {
    for number in (STDERR_FILENO + 1)..<4_096 { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
  }

  /// The toolchain's module has no call that changes the child's folder; this program of coreutils does it.
  private static let env = "/usr/bin/env"

  private static func spawn(
    _ arguments: [String], output: Int32
  ) throws(SystemFailure) -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    guard unsafe posix_spawn_file_actions_init(&actions) == 0, unsafe posix_spawnattr_init(&attributes) == 0 else {
      throw .last
    }
    defer {
      unsafe posix_spawn_file_actions_destroy(&actions)
      unsafe posix_spawnattr_destroy(&attributes)
    }
    // A signal that we ignore would be ignored over there as well.
    var defaults = sigset_t()
    unsafe sigemptyset(&defaults)
    unsafe sigaddset(&defaults, SIGPIPE)
    let steps = unsafe [
      posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0),
      posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO),
      posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO),
      posix_spawnattr_setsigdefault(&attributes, &defaults),
      posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF)),
    ]
    if let failed = steps.first(where: { $0 != 0 }) { throw SystemFailure(code: failed) }
    var pid: pid_t = 0
    let code = unsafe withTexts(arguments) { argv in
      unsafe withTexts(environment) { envp in unsafe posix_spawn(&pid, env, &actions, &attributes, argv, envp) }
    }
    guard code == 0 else { throw SystemFailure(code: code) }
    return pid
  }

  /// A list of C strings that ends with a null pointer, for the length of the closure.
  private static func withTexts(
    _ texts: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32
  ) -> Int32 {
    let copies = unsafe texts.map { unsafe strdup($0) }
    defer { unsafe copies.forEach { text in unsafe free(text) } }
    guard unsafe copies.allSatisfy({ unsafe $0 != nil }) else { return ENOMEM }
    var list = unsafe copies + [nil]
    return unsafe list.withUnsafeMutableBufferPointer { buffer in
      guard let start = buffer.baseAddress else { return EINVAL }
      return unsafe body(start)
    }
  }

  /// Everything up to the end of the pipe, which comes when the program and all that it left behind have closed it.
  private static func read(_ descriptor: Int32, until deadline: Int64, late: () -> Void) -> String {
    var kept: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    var isLate = false
    while true {
      let rest = deadline - now()
      if rest <= 0, !isLate {
        isLate = true
        late()
      }
      var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      // A killed program's own children may hold the pipe; a second is enough to hear what it said last.
      let ready = unsafe poll(&request, 1, Int32(clamping: isLate ? 1_000 : rest))
      if ready == 0 {
        guard isLate else { continue }
        break
      }
      if ready < 0 {
        guard errno == EINTR else { break }
        continue
      }
      let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { break }
      kept += buffer.prefix(min(count, longestOutput - kept.count))
    }
    return String(decoding: kept, as: UTF8.self)
  }

  private static func wait(for pid: pid_t) -> Int32 {
    var status: Int32 = 0
    while unsafe waitpid(pid, &status, 0) < 0 {
      // It is our child and nobody else waits for it.
      precondition(errno == EINTR, "a child process was lost")
    }
    let signal = status & 0x7f
    return signal == 0 ? (status >> 8) & 0xff : 128 + signal
  }

  private static func now() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
  }
}
