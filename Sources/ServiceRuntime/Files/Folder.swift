// A folder, held open: everything below it is reached through its descriptor, so that nobody can put another folder
// in its place between two steps. Files come into being whole or not at all, and are never overwritten.

import Glibc
package import Secrets

package struct Folder: ~Copyable, Sendable {
  private let descriptor: FileDescriptor
  /// For messages only.
  package let path: String

  /// More files than anybody keeps keys in; a listing of a wrong folder ends here.
  static let mostEntries = 10_000

  /// An existing folder that is not a symbolic link.
  package init(opening path: String) throws(FileProblem) {
    self = try Folder(path, in: nil, path: path)
  }

  /// The folder itself is made where it is missing; the one it stands in must exist.
  package init(making path: String) throws(FileProblem) {
    // Readable by all, as a folder of public keys should be; the process's umask may take more away.
    try Self.make(path, in: nil, mode: 0o755)
    self = try Folder(path, in: nil, path: path)
  }

  private init(_ name: String, in base: Int32?, path: String) throws(FileProblem) {
    do {
      descriptor = try FileDescriptor.open(name, in: base, .folder)
    } catch {
      // With O_DIRECTORY the kernel says "not a folder" of a symbolic link as well, so look which it was.
      guard error == .failed(SystemFailure(code: ENOTDIR)), let status = Self.status(of: name, in: base) else {
        throw error
      }
      throw status.kind == .link ? .link : .notFolder
    }
    self.path = path
  }

  private static func make(_ name: String, in base: Int32?, mode: UInt32) throws(FileProblem) {
    guard unsafe mkdirat(base ?? AT_FDCWD, name, mode) == 0 || errno == EEXIST else { throw FileProblem(.last) }
  }

  // MARK: Below it

  package func subfolder(opening name: String) throws(FileProblem) -> Folder {
    try Folder(checked(name), in: descriptor.number, path: path(of: name))
  }

  /// Made with mode 0700 where it is missing.
  package func privateSubfolder(making name: String) throws(FileProblem) -> Folder {
    try Self.make(checked(name), in: descriptor.number, mode: 0o700)
    return try subfolder(opening: name)
  }

  package func path(of name: String) -> String { path.hasSuffix("/") ? path + name : path + "/" + name }

  package func status() throws(FileProblem) -> FileStatus {
    try descriptor.status()
  }

  /// What stands under this name, links not followed; nil where nothing does.
  package func status(of name: String) -> FileStatus? { Self.status(of: checked(name), in: descriptor.number) }

  private static func status(of name: String, in base: Int32?) -> FileStatus? {
    var status = stat()
    guard unsafe fstatat(base ?? AT_FDCWD, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
    return FileStatus(status)
  }

  /// Every name in the folder but `.` and `..`, sorted by bytes.
  package func entries() throws(FileProblem) -> [String] {
    // A stream owns its descriptor and moves its position, so it gets one of its own.
    let number = unsafe openat(descriptor.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0 else { throw FileProblem(.last) }
    guard let stream = unsafe fdopendir(number) else {
      close(number)
      throw FileProblem(.last)
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        unsafe String(cString: UnsafeRawPointer(tuple).assumingMemoryBound(to: CChar.self))
      }
      if name != ".", name != ".." { names.append(name) }
      guard names.count <= Self.mostEntries else { throw .tooManyEntries(limit: Self.mostEntries) }
      errno = 0
    }
    guard errno == 0 else { throw FileProblem(.last) }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// The whole of a regular file, in memory that is wiped when it ends: it may hold what it should not.
  package func read(_ name: String, limit: Int) throws(FileProblem) -> WipedBytes {
    let file = try OpenedFile(checked(name), in: descriptor.number)
    guard file.status.size <= limit else { throw .tooLong(limit: limit) }
    var contents = WipedBytes()
    contents.resize(to: file.status.size)
    var bytes = contents.mutableBytes
    try file.fill(&bytes)
    return contents
  }

  // MARK: Changing it

  /// A new file, on the disk when this returns. What a failure leaves behind is removed.
  package func create(_ name: String, mode: UInt32, _ bytes: Span<UInt8>) throws(FileProblem) {
    let file = try FileDescriptor.open(checked(name), in: descriptor.number, .create)
    do throws(FileProblem) {
      try file.setMode(mode)
      let status = try file.status()
      guard status.mode == mode else { throw .modeNotKept(mode: status.octalMode) }
      try file.write(bytes)
      try file.synchronise()
    } catch {
      unsafe unlinkat(descriptor.number, name, 0)
      throw error
    }
  }

  /// Gives the file a second name, which must be free. That is one step for the file system: of two that try, one
  /// succeeds, and nobody ever sees half a file under the new name.
  package func link(_ name: String, as newName: String) throws(FileProblem) {
    let folder = descriptor.number
    guard unsafe linkat(folder, checked(name), folder, checked(newName), 0) == 0 else { throw FileProblem(.last) }
  }

  package func remove(_ name: String) throws(FileProblem) {
    guard unsafe unlinkat(descriptor.number, checked(name), 0) == 0 else { throw FileProblem(.last) }
  }

  /// Returns when the names in the folder are on the disk.
  package func synchronise() throws(FileProblem) {
    try descriptor.synchronise()
  }

  /// Keeps other processes that ask the same way out of the folder until this value ends. They hold it for a few
  /// milliseconds, so whoever still waits after `attempts` times 20 ms has met a process that hangs.
  package func lock(attempts: Int = 500) throws(FileProblem) {
    for _ in 0..<attempts {
      if flock(descriptor.number, LOCK_EX | LOCK_NB) == 0 { return }
      guard errno == EWOULDBLOCK || errno == EINTR else { throw FileProblem(.last) }
      usleep(20_000)
    }
    throw .busy
  }

  /// Names never lead out of the folder. They are made by our own code, so a slash is our own mistake.
  private func checked(_ name: String) -> String {
    precondition(!name.isEmpty && name != "." && name != ".." && !name.utf8.contains(UInt8(ascii: "/")), "not a name")
    precondition(!name.utf8.contains(0), "not a name")
    return name
  }
}
