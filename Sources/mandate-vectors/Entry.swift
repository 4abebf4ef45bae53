// The executable: arguments in, exit code out. Everything else is in VectorChecks.

import VectorChecks

@main
struct Entry {
  static func main() async { await VectorsCommand.main() }
}
