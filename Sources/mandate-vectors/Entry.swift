// The executable: arguments in, exit code out. Everything else is in VectorChecks.

import Glibc
import VectorChecks

@main
struct Entry {
  static func main() async {
    let code = await VectorsCommand.run(Array(CommandLine.arguments.dropFirst()))
    exit(code.rawValue)
  }
}
