// One open file. The only place that closes it is this owner's end.

import Glibc

struct FileDescriptor: ~Copyable, Sendable {
  enum Purpose {
    case read
    case folder
    /// A file that did not exist before, usable by its owner alone until somebody decides otherwise.
    case create

    var flags: Int32 {
      switch self {
      case .read: O_RDONLY | O_NONBLOCK | O_NOCTTY
      case .folder: O_RDONLY | O_DIRECTORY
      case .create: O_WRONLY | O_CREAT | O_EXCL
      }
    }
  }

  let number: Int32

  private init(owning number: Int32) { self.number = number }

  deinit { close(number) }

  /// Opens `path`, relative to the folder `base` where one is given: never through a symbolic link in the last place,
  /// never waiting for the other end of a pipe, never inherited by a child process.
  static func open(_ path: String, in base: Int32?, _ purpose: Purpose) throws(FileProblem) -> FileDescriptor {
    while true {
      let number = unsafe openat(base ?? AT_FDCWD, path, purpose.flags | O_NOFOLLOW | O_CLOEXEC, 0o600)
      if number >= 0 { return FileDescriptor(owning: number) }
      if errno != EINTR { throw FileProblem(.last) }
    }
  }

  func status() throws(FileProblem) -> FileStatus {
    var status = stat()
    guard unsafe fstat(number, &status) == 0 else { throw FileProblem(.last) }
    return FileStatus(status)
  }

  /// All of `bytes`, or an error.
  func write(_ bytes: Span<UInt8>) throws(FileProblem) {
    var offset = 0
    while offset < bytes.count {
      let written = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(number, buffer.baseAddress.map { unsafe $0 + offset }, buffer.count - offset)
      }
      if written > 0 {
        offset += written
      } else if errno != EINTR {
        throw FileProblem(.last)
      }
    }
  }

  /// Fills `target` from `offset` on; returns how many bytes there were, 0 at the end of the file.
  func read(into target: inout MutableSpan<UInt8>, from offset: Int) throws(FileProblem) -> Int {
    while true {
      let count = unsafe target.withUnsafeMutableBytes { buffer in
        unsafe Glibc.read(number, buffer.baseAddress.map { unsafe $0 + offset }, buffer.count - offset)
      }
      if count >= 0 { return count }
      if errno != EINTR { throw FileProblem(.last) }
    }
  }

  func setMode(_ mode: UInt32) throws(FileProblem) {
    guard fchmod(number, mode) == 0 else { throw FileProblem(.last) }
  }

  /// Returns when the bytes, or the names in a folder, are on the disk.
  func synchronise() throws(FileProblem) {
    guard fsync(number) == 0 else { throw FileProblem(.last) }
  }
}

/// Why the kernel said no.
package struct SystemFailure: Error, Equatable, Sendable {
  package let code: Int32

  package init(code: Int32) { self.code = code }

  static var last: SystemFailure { SystemFailure(code: errno) }

  var isMissing: Bool { code == ENOENT }
  var exists: Bool { code == EEXIST }
  /// With O_NOFOLLOW: the last place is a symbolic link.
  var isLink: Bool { code == ELOOP }

  /// In the words of the system, lower case: "permission denied". glibc keeps this text per thread.
  package var words: String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text).lowercased()
  }
}

/// The facts about a file that decide whether it may be trusted.
package struct FileStatus: Sendable, Equatable {
  package enum Kind: Sendable { case regular, folder, link, other }

  package let kind: Kind
  /// The permission bits alone.
  package let mode: UInt32
  package let owner: UInt32
  package let size: Int

  package init(kind: Kind, mode: UInt32, owner: UInt32, size: Int) {
    (self.kind, self.mode, self.owner, self.size) = (kind, mode, owner, size)
  }

  init(_ status: stat) {
    let kind: Kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .regular
      case S_IFDIR: .folder
      case S_IFLNK: .link
      default: .other
      }
    self.init(kind: kind, mode: status.st_mode & 0o7777, owner: status.st_uid, size: Int(status.st_size))
  }

  /// As `chmod` takes it, with four digits: 0600.
  package var octalMode: String {
    let digits = String(mode, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  /// Why this is no home for a secret, judged by kind and mode; nil where it is one. Others than the owner may do
  /// nothing, except that root may let a group read.
  package var secrecyProblem: FileProblem? {
    let groupMay: UInt32 = kind == .folder ? 0o050 : 0o040
    let allowed = 0o700 | (owner == 0 ? groupMay : 0)
    return mode & 0o777 & ~allowed == 0 ? nil : .openToOthers(mode: octalMode)
  }
}
