// How far a run of ordinary bytes goes. All of a record's plaintext passes through here, so long runs are looked at 64
// bytes at a time without an early exit, which the compiler turns into vector code, then eight at a time in one
// register; a loop that stops at each byte is ten times slower.

enum ByteRuns {
  /// The first byte from `start` on that is not ASCII.
  static func ascii(_ bytes: Span<UInt8>, from start: Int) -> Int {
    end(of: bytes, from: start, byte: { $0 & 0x80 }, word: { $0 })
  }

  /// The first byte from `start` on that a JSON string cannot hold as it is: a quote, a backslash, a control.
  static func plainUTF8(_ bytes: Span<UInt8>, from start: Int) -> Int {
    end(of: bytes, from: start, byte: endsPlain, word: { endsPlain($0) & ~$0 })
  }

  /// Both at once.
  static func plainASCII(_ bytes: Span<UInt8>, from start: Int) -> Int {
    end(of: bytes, from: start, byte: { endsPlain($0) | $0 & 0x80 }, word: { endsPlain($0) | $0 })
  }

  @inline(__always)
  private static func endsPlain(_ byte: UInt8) -> UInt8 {
    (byte == 0x22 ? 1 : 0) | (byte == 0x5C ? 1 : 0) | (byte < 0x20 ? 1 : 0)
  }

  /// The same for eight bytes: the high bit of each is set where an ASCII byte is a quote, a backslash or a control.
  /// A borrow can set it one byte too far, which only sends the run to the loop that looks at single bytes.
  @inline(__always)
  private static func endsPlain(_ word: UInt64) -> UInt64 {
    (word &- ones &* 0x20) | ((word ^ ones &* 0x22) &- ones) | ((word ^ ones &* 0x5C) &- ones)
  }

  /// `byte` is not zero for a byte that ends the run; `word` has a high bit where one of its eight bytes may.
  @inline(__always)
  private static func end(
    of bytes: Span<UInt8>, from start: Int, byte stops: (UInt8) -> UInt8, word mayStop: (UInt64) -> UInt64
  ) -> Int {
    var index = start
    while index &+ 64 <= bytes.count {
      let block = bytes.extracting(index..<(index &+ 64))
      var found: UInt8 = 0
      for position in 0..<64 { found |= stops(block[position]) }
      guard found == 0 else { break }
      index &+= 64
    }
    while index &+ 8 <= bytes.count, mayStop(word(bytes, at: index)) & highBits == 0 { index &+= 8 }
    while index < bytes.count, stops(bytes[index]) == 0 { index &+= 1 }
    return index
  }

  /// Eight bytes as one number; the compiler makes one load of it.
  @inline(__always)
  private static func word(_ bytes: Span<UInt8>, at index: Int) -> UInt64 {
    let part = bytes.extracting(index..<(index &+ 8))
    let low = UInt64(part[0]) | UInt64(part[1]) &<< 8 | UInt64(part[2]) &<< 16 | UInt64(part[3]) &<< 24
    let high = UInt64(part[4]) &<< 32 | UInt64(part[5]) &<< 40 | UInt64(part[6]) &<< 48 | UInt64(part[7]) &<< 56
    return low | high
  }

  private static let ones: UInt64 = 0x0101_0101_0101_0101
  private static let highBits: UInt64 = 0x8080_8080_8080_8080
}
