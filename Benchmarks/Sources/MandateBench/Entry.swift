// `mandate-bench`: runs every row, prints one table, or JSON with --json.

import Cryptography
import Glibc
import PostgresSupport

@main
enum Entry {
  static func main() async {
    let options: Options
    do { options = try Options(CommandLine.arguments.dropFirst()) } catch {
      fail("mandate-bench: \(error.why)\n\n" + Options.usage, code: 2)
    }
    if options.help { return print(Options.usage) }
    do {
      try Cryptography.prepare()
      if options.life { return print(try await Life.tell()) }
      var results: [RowResult] = []
      var unmeasured: [Unmeasured] = []
      for row in Rows.all where options.wants(row) {
        if !options.json { Table.announce(row) }
        // A yardstick that is not there must not cost the rows that were measured.
        do {
          results.append(try await row.run())
        } catch let error as YardstickProblem {
          unmeasured.append(Unmeasured(row: row, why: error.why))
        } catch let error as SupportError {
          unmeasured.append(Unmeasured(row: row, why: "\(error)"))
        }
      }
      if !results.isEmpty { print(options.json ? Table.json(results) : Table.text(results, unmeasured)) }
      guard unmeasured.isEmpty else { fail(unmeasured.map(\.sentence).joined(separator: "\n"), code: 1) }
      guard !results.isEmpty else { fail("mandate-bench: no such row; see --help", code: 2) }
    } catch {
      fail("mandate-bench: \(error)", code: 1)
    }
  }

  private static func fail(_ sentence: String, code: Int32) -> Never {
    StandardError.write(sentence + "\n")
    exit(code)
  }
}
