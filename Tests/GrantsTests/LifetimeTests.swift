// How long a grant lives.

import Contracts
import Testing

@testable import Grants

@Suite struct LifetimeTests {
  private let start = instant("2026-11-20T07:00:00.123Z")

  @Test(
    "A lifetime is cut to between one hour and thirty days and to whole milliseconds",
    arguments: [
      (nil, 604_800_000), (3_600_000, 3_600_000), (3_599_999.9, 3_600_000), (1, 3_600_000), (0, 3_600_000),
      (-1e308, 3_600_000), (2_592_000_000, 2_592_000_000), (2_592_000_000.5, 2_592_000_000), (1e308, 2_592_000_000),
      (Double.infinity, 2_592_000_000), (-Double.infinity, 3_600_000), (Double.nan, 3_600_000),
      (7_200_000.75, 7_200_000), (7_200_000.000_1, 7_200_000), (.leastNonzeroMagnitude, 3_600_000),
    ] as [(Double?, Int64)])
  func cut(wanted: Double?, milliseconds: Int64) {
    #expect(GrantLifetime.expiry(issuedAt: start, wanted: wanted).milliseconds - start.milliseconds == milliseconds)
  }

  @Test("Before 1970 the end is cut downwards too")
  func negative() {
    let early = Instant(milliseconds: -3_600_000_001)
    #expect(GrantLifetime.expiry(issuedAt: early, wanted: 3_600_000.5).milliseconds == -3_596_400_001)
  }
}
