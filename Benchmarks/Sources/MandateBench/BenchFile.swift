// A file for a yardstick to read, in the server's folder, so that it goes when the server goes.

import Glibc

enum BenchFile {
  static func write(_ text: String, to path: String) throws(YardstickProblem) -> String {
    guard let file = unsafe fopen(path, "w") else { throw YardstickProblem(why: "cannot write \(path)") }
    let bytes = Array(text.utf8)
    let written = unsafe bytes.withUnsafeBytes { unsafe fwrite($0.baseAddress, 1, $0.count, file) }
    guard unsafe fclose(file) == 0, written == bytes.count else { throw YardstickProblem(why: "cannot write \(path)") }
    return path
  }
}
