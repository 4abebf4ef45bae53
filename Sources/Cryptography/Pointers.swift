// The way from a Span to what C takes. Pointers live inside these closures and nowhere else.

import COpenSSL

extension Span where Element == UInt8 {
  /// Never a null pointer: to OpenSSL that would mean "absent", which is not the same as "empty".
  @inline(__always)
  func withPointer<Result: ~Copyable, Failure: Error>(
    _ body: (UnsafePointer<UInt8>, Int) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try unsafe withUnsafeBufferPointer { buffer throws(Failure) in
      guard let start = buffer.baseAddress else {
        var none: UInt8 = 0
        return try unsafe withUnsafePointer(to: &none) { pointer throws(Failure) in try unsafe body(pointer, 0) }
      }
      return try unsafe body(start, buffer.count)
    }
  }
}

extension MutableSpan where Element == UInt8 {
  @inline(__always)
  mutating func withPointer<Result: ~Copyable, Failure: Error>(
    _ body: (UnsafeMutablePointer<UInt8>, Int) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try unsafe withUnsafeMutableBufferPointer { buffer throws(Failure) in
      guard let start = buffer.baseAddress else {
        var none: UInt8 = 0
        return try unsafe withUnsafeMutablePointer(to: &none) { pointer throws(Failure) in
          try unsafe body(pointer, 0)
        }
      }
      return try unsafe body(start, buffer.count)
    }
  }

  /// Overwrites what is here so that no compiler may leave it out.
  mutating func wipe() {
    unsafe withPointer { start, count in unsafe OPENSSL_cleanse(start, count) }
  }
}

/// OpenSSL takes most lengths as `int`: checked here, before C sees them.
func int32(_ count: Int) throws(CryptographyError) -> Int32 {
  guard let narrow = Int32(exactly: count) else { throw .tooLong }
  return narrow
}
