// The executable `mandate-dev`; all it does is in `Development`.

import Development

@main
enum Entry {
  static func main() async { await Development.main() }
}
