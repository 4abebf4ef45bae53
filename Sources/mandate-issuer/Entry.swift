// The issuer's service. What it does is in GrantIssuer.

import GrantIssuer

@main
struct Entry {
  nonisolated static func main() async { await GrantIssuer.main() }
}
