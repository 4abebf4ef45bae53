// The resolver's service. What it does is in InputResolver.

import InputResolver

@main
struct Entry {
  nonisolated static func main() async { await ResolverService.main() }
}
