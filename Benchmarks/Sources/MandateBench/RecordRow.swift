// Row `record`: a record of five fields of 1 KiB, opened and parsed, against node's WebCrypto doing the same.

import Contracts
import Cryptography
import Grants
import Secrets

enum RecordRow {
  static let row = Row(name: "record", unit: "records/s", mark: 25) {
    let sample = try SampleRecord(fields: 5, plaintextBytes: 1024)
    var codec = try FieldCodec()
    let ours = try Stopwatch.rate(seconds: 0.5, batch: 500) { batch in
      for _ in 0..<batch {
        let record = try codec.openRecord2(
          sample.sealed, fields: sample.fields, key: sample.key.key, user: sample.user, name: sample.name)
        guard record.openedCount == 5 else { throw YardstickProblem(why: "a field stayed sealed") }
      }
    }
    let printed = try Subprocess.output(["node", "Benchmarks/Yardsticks/record.mjs", "0.5"])
    guard let theirs = Double(printed.split(separator: "\n").last ?? "") else {
      throw YardstickProblem(why: "node did not print a rate")
    }
    return Row.Pair(ours: ours, yardstick: theirs)
  }
}
