// A program that a test starts and ends. Foundation's Process waits on a run loop, which on the few cooperative threads
// of a test run waits for ever; here a wait is the kernel's.

import Glibc
import Synchronization

package struct ProgramFailed: Error {
  package let arguments: [String]
  package let words: String
}

package final class Child: Sendable {
  private let process: pid_t
  private let exitCode = Mutex<Int32?>(nil)
  private let output: Int32
  private let arguments: [String]

  /// Its errors go nowhere, or to the lines that are read.
  package init(_ arguments: [String], in folder: String = "/", readsErrors: Bool = false) throws {
    self.arguments = arguments
    var ends: [Int32] = [0, 0]
    guard unsafe pipe(&ends) == 0 else { throw ProgramFailed(arguments: arguments, words: "no pipe") }
    defer { close(ends[1]) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    if readsErrors {
      unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
    } else {
      unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    }
    let command = ["sh", "-c", "cd \"$0\" && exec \"$@\"", folder] + arguments
    var words = unsafe command.map { unsafe strdup($0) } + [nil]
    defer { unsafe words.forEach { unsafe free($0) } }
    var process: pid_t = 0
    let code = unsafe posix_spawn(&process, "/bin/sh", &actions, nil, &words, environ)
    guard code == 0 else {
      close(ends[0])
      throw ProgramFailed(arguments: arguments, words: "not started")
    }
    self.process = process
    output = ends[0]
  }

  deinit {
    signal(SIGKILL)
    end()
    close(output)
  }

  /// To the program, as long as it is there.
  package func signal(_ number: Int32) {
    exitCode.withLock { if $0 == nil { kill(process, number) } }
  }

  /// Waits for its end; the exit code as a shell tells it. A signal that comes while it waits must have been sent before.
  @discardableResult
  package func end() -> Int32 {
    exitCode.withLock { known in
      if let known { return known }
      var status: Int32 = 0
      while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
      let code = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
      known = code
      return code
    }
  }

  /// All that it says from now on.
  package func rest() -> String {
    var text = ""
    while let line = readLine() { text += line + "\n" }
    return text
  }

  /// One line without its end; nil when the program says no more.
  package func readLine() -> String? {
    var bytes: [UInt8] = []
    var byte: UInt8 = 0
    while unsafe read(output, &byte, 1) == 1 {
      if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(byte)
    }
    return nil
  }

  /// What a program says, and whether it did its work.
  @discardableResult
  static func run(_ arguments: [String], in folder: String) throws -> [String] {
    // The last line tells whether it did its work, without a second way to wait.
    let child = try Child(["sh", "-c", "\"$@\" && echo done", "run"] + arguments, in: folder)
    var lines: [String] = []
    while let line = child.readLine() { lines.append(line) }
    guard lines.popLast() == "done" else { throw ProgramFailed(arguments: arguments, words: "it failed") }
    return lines
  }
}

/// Programs that are not ours, as second implementations in tests.
package enum Program {
  package static func lines(_ arguments: String...) throws -> [String] { try Child.run(arguments, in: "/") }

  /// For checks that a machine may lack: true if the program runs and is content.
  package static func works(_ arguments: String...) -> Bool {
    do {
      try Child.run(arguments, in: "/")
      return true
    } catch {
      return false
    }
  }
}
