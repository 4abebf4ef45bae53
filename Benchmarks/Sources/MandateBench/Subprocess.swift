// Runs a yardstick that is a program of its own and gives back what it printed.

import Glibc

enum Subprocess {
  static func output(_ command: [String]) throws(YardstickProblem) -> String {
    // The words are ours, never a user's; single quotes keep the shell from reading them.
    let line = command.map { "'" + $0 + "'" }.joined(separator: " ") + " 2>/dev/null"
    guard let pipe = unsafe popen(line, "r") else { throw YardstickProblem(why: "cannot run \(command[0])") }
    var bytes: [UInt8] = []
    while case let byte = unsafe fgetc(pipe), byte != EOF { bytes.append(UInt8(truncatingIfNeeded: byte)) }
    guard unsafe pclose(pipe) == 0 else {
      throw YardstickProblem(why: "\(command[0]) is needed as a yardstick and did not run")
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
