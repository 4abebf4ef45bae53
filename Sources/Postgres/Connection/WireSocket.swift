// The two questions that are asked of a socket directly.

#if canImport(Glibc)
  import Glibc
#endif

enum WireSocket {
  /// True when a read would not wait: there is data, or the other side has closed.
  static func isReadable(_ socket: Int32) -> Bool { ready(socket, for: Int16(POLLIN), until: .now) }

  /// Waits on a thread of its own. False when the deadline passed first.
  static func ready(_ socket: Int32, for events: Int16, until deadline: Deadline) -> Bool {
    var descriptor = pollfd(fd: socket, events: events, revents: 0)
    while true {
      let count = unsafe poll(&descriptor, 1, deadline.milliseconds(from: .now))
      if count > 0 { return true }
      if count == 0 || errno != EINTR { return false }
    }
  }
}
