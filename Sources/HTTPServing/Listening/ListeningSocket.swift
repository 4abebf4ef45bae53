// The owner of a listening descriptor, and of a Unix socket's path: a stale socket is cleared away, a live server's or
// anything that is not a socket never.

import CLibevent

#if canImport(Glibc)
  import Glibc
#endif

/// `@unchecked Sendable`: made once, then used by the loop's thread alone.
final class ListeningSocket: @unchecked Sendable {
  let descriptor: Int32
  /// Where clients connect: a port that the kernel chose is filled in.
  let address: HTTPListener.Address
  private let lock: Int32
  private let identity: FileIdentity?

  private struct FileIdentity: Equatable {
    let device: dev_t
    let inode: ino_t
  }

  /// Connections that wait to be accepted; the kernel caps it at net.core.somaxconn.
  private static let backlog: Int32 = 1024

  init(_ wanted: HTTPListener.Address) throws(HTTPServingError) {
    switch wanted {
    case .tcp(let host, let port):
      (lock, identity) = (-1, nil)
      (descriptor, address) = try Self.listen(host: host, port: port)
    case .unix(let path, let access):
      lock = try Self.lock(path)
      do throws(HTTPServingError) {
        (descriptor, identity) = try Self.listen(path: path, access: access)
      } catch {
        close(lock)
        throw error
      }
      address = wanted
    }
  }

  deinit {
    close(descriptor)
    // Only while the path still leads to our socket; the lock goes last, so nobody has taken the path meanwhile.
    if case .unix(let path, _) = address, Self.identity(path) == identity { unsafe unlink(path) }
    if lock >= 0 { close(lock) }
  }

  // MARK: TCP

  private static func listen(host: String, port: UInt16) throws(HTTPServingError) -> (Int32, HTTPListener.Address) {
    guard let ip = IPAddress(host) else { throw .notAnAddress(host) }
    let descriptor = socket(ip.isIPv4 ? AF_INET : AF_INET6, streamKind, 0)
    guard descriptor >= 0 else { throw .cannotListen(address: host, errno: errno) }
    var (yes, size): (Int32, socklen_t) = (1, socklen_t(MemoryLayout<Int32>.size))
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, size)
    if !ip.isIPv4 { unsafe setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &yes, size) }
    var four = sockaddr_in()
    four.sin_family = sa_family_t(AF_INET)
    four.sin_port = port.bigEndian
    four.sin_addr.s_addr = ip.ipv4.bigEndian
    var six = sockaddr_in6()
    six.sin6_family = sa_family_t(AF_INET6)
    six.sin6_port = port.bigEndian
    six.sin6_addr = ip.ipv6
    let done = ip.isIPv4 ? bound(descriptor, &four) : bound(descriptor, &six)
    guard done, Glibc.listen(descriptor, backlog) == 0 else {
      let error = errno
      close(descriptor)
      throw .cannotListen(address: "\(host):\(port)", errno: error)
    }
    size = socklen_t(MemoryLayout<sockaddr_in6>.size)
    _ = unsafe withUnsafeMutablePointer(to: &six) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(descriptor, $0, &size) }
    }
    // The port lies at the same place in both families.
    return (descriptor, .tcp(host: host, port: UInt16(bigEndian: six.sin6_port)))
  }

  private static var streamKind: Int32 {
    Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
  }

  private static func bound<Address>(_ descriptor: Int32, _ address: inout Address) -> Bool {
    unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, socklen_t(MemoryLayout<Address>.size)) == 0
      }
    }
  }

  // MARK: Unix

  /// Two servers that start at once must not both find the other's socket dead: `bind` and `listen` are two steps. The
  /// lock is beside the socket and lives as long as the server.
  private static func lock(_ path: String) throws(HTTPServingError) -> Int32 {
    let lock = unsafe open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard lock >= 0 else { throw .cannotListen(address: path, errno: errno) }
    guard mandate_lock_file(lock) == 0 else {
      close(lock)
      throw .socketInUse(path: path)
    }
    return lock
  }

  private static func listen(
    path: String, access: HTTPListener.SocketAccess
  ) throws(HTTPServingError) -> (Int32, FileIdentity?) {
    guard var address = unixAddress(path) else { throw .notAnAddress(path) }
    try clear(path, &address)
    let descriptor = socket(AF_UNIX, streamKind, 0)
    guard descriptor >= 0 else { throw .cannotListen(address: path, errno: errno) }
    guard bound(descriptor, &address) else {
      let error = errno
      close(descriptor)
      throw .cannotListen(address: path, errno: error)
    }
    // Nobody can connect before `listen`, so nobody connects before the mode is right.
    guard unsafe chmod(path, access.rawValue) == 0, Glibc.listen(descriptor, backlog) == 0 else {
      let error = errno
      close(descriptor)
      unsafe unlink(path)
      throw .cannotListen(address: path, errno: error)
    }
    return (descriptor, identity(path))
  }

  /// Removes the socket of a server that ended without doing so.
  private static func clear(_ path: String, _ address: inout sockaddr_un) throws(HTTPServingError) {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path: path) }
    let probe = socket(AF_UNIX, streamKind, 0)
    guard probe >= 0 else { throw .cannotListen(address: path, errno: errno) }
    defer { close(probe) }
    let answer = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(probe, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    // Nothing but a refusal proves that nobody listens: a full backlog or a missing permission does not.
    guard answer != 0, errno == ECONNREFUSED else { throw .socketInUse(path: path) }
    guard unsafe unlink(path) == 0 else { throw .cannotListen(address: path, errno: errno) }
  }

  static func unixAddress(_ path: String) -> sockaddr_un? {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard !bytes.isEmpty, !bytes.contains(0) else { return nil }
    let fits = unsafe withUnsafeMutableBytes(of: &address.sun_path) { place in
      guard bytes.count < place.count else { return false }
      unsafe place.copyBytes(from: bytes)
      return true
    }
    return fits ? address : nil
  }

  private static func identity(_ path: String) -> FileIdentity? {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return nil }
    return FileIdentity(device: status.st_dev, inode: status.st_ino)
  }
}
