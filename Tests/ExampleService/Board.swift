// Who waits, and what is told to all of them.

actor Board {
  private var waiting: [AsyncStream<String>.Continuation] = []

  /// Nil when the one who asked went away, or took too long: a handler heeds its cancellation.
  func next() async -> String? {
    let (messages, continuation) = AsyncStream.makeStream(of: String.self)
    waiting.append(continuation)
    for await message in messages { return message }
    return nil
  }

  func tell(_ message: String) {
    for continuation in waiting {
      continuation.yield(message)
      continuation.finish()
    }
    waiting = []
  }
}
