// The operator's command. What it can do is in Operator.

import Operator

@main
struct Entry {
  nonisolated static func main() async { await Operator.main() }
}
