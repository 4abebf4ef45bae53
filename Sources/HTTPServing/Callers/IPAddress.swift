// An address of either family as one value, and the networks it may lie in.

#if canImport(Glibc)
  import Glibc
#endif

/// IPv4 as IPv6's mapped form, so that one rule compares both.
package struct IPAddress: Sendable, Hashable, CustomStringConvertible {
  private let high: UInt64
  private let low: UInt64

  package var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }

  init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }

  init(ipv4: UInt32) { self.init(high: 0, low: 0xFFFF << 32 | UInt64(ipv4)) }

  /// A literal, without port, brackets, zone or blanks.
  package init?(_ text: String) {
    guard text.utf8.count < 46, !text.utf8.contains(0) else { return nil }
    var four = in_addr()
    if unsafe inet_pton(AF_INET, text, &four) == 1 {
      self.init(ipv4: UInt32(bigEndian: four.s_addr))
      return
    }
    var six = in6_addr()
    guard unsafe inet_pton(AF_INET6, text, &six) == 1 else { return nil }
    self.init(six)
  }

  init(_ six: in6_addr) {
    var (high, low): (UInt64, UInt64) = (0, 0)
    unsafe withUnsafeBytes(of: six) { bytes in
      for index in 0..<8 {
        unsafe high = high << 8 | UInt64(bytes[index])
        unsafe low = low << 8 | UInt64(bytes[index + 8])
      }
    }
    self.init(high: high, low: low)
  }

  var ipv4: UInt32 { UInt32(truncatingIfNeeded: low) }

  var ipv6: in6_addr {
    var six = in6_addr()
    unsafe withUnsafeMutableBytes(of: &six) { bytes in
      for index in 0..<8 {
        unsafe bytes[index] = UInt8(truncatingIfNeeded: high >> UInt64(56 - 8 * index))
        unsafe bytes[index + 8] = UInt8(truncatingIfNeeded: low >> UInt64(56 - 8 * index))
      }
    }
    return six
  }

  /// The first `count` bits of the 128.
  func prefix(_ count: Int) -> IPAddress {
    func mask(_ bits: Int) -> UInt64 { bits <= 0 ? 0 : bits >= 64 ? .max : .max << UInt64(64 - bits) }
    return IPAddress(high: high & mask(count), low: low & mask(count - 64))
  }

  package var description: String {
    var text = [CChar](repeating: 0, count: 64)
    var (four, six) = (in_addr(s_addr: ipv4.bigEndian), ipv6)
    let size = socklen_t(text.count)
    let done =
      isIPv4
      ? unsafe inet_ntop(AF_INET, &four, &text, size) != nil : unsafe inet_ntop(AF_INET6, &six, &text, size) != nil
    guard done else { return "" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// `10.0.0.0/8`, `fd00::/8`, or an address alone.
package struct IPNetwork: Sendable, Hashable {
  private let base: IPAddress
  private let bits: Int

  /// Nil also when bits beyond the mask are set: the writer meant something else than what they wrote.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, let first = parts.first, let base = IPAddress(String(first)) else { return nil }
    var bits = 128
    if parts.count == 2 {
      let digits = parts[1]
      guard (1...3).contains(digits.utf8.count), digits.utf8.allSatisfy(RequestBytes.isDigit), let given = Int(digits),
        given <= (base.isIPv4 ? 32 : 128)
      else { return nil }
      bits = base.isIPv4 ? given + 96 : given
    }
    guard base.prefix(bits) == base else { return nil }
    (self.base, self.bits) = (base, bits)
  }

  package func contains(_ address: IPAddress) -> Bool { address.prefix(bits) == base }
}
