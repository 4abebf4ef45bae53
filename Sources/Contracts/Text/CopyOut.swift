// Bytes that need not be wiped, copied out of a Span.

extension [UInt8] {
  package init(copying span: Span<UInt8>) {
    self = []
    reserveCapacity(span.count)
    for index in span.indices { append(span[index]) }
  }
}
