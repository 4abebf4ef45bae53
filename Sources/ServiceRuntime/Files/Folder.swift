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

  /// The folder itself is made where it is missing, for all to read; the one it stands in must exist.
  package static func make(_ path: String) throws(FileProblem) -> Folder {
    try make(path, in: nil, path: path, mode: 0o755)
  }

  private static func make(
    _ name: String, in base: Int32?, path: String, mode: UInt32
  ) throws(FileProblem) -> Folder {
    let isNew = unsafe mkdirat(base ?? AT_FDCWD, name, 0o700) == 0
    guard isNew || errno == EEXIST else { throw FileProblem(.last) }
    let folder = try Folder(name, in: base, path: path)
    // A folder that was there before keeps what its owner gave it.
    guard isNew else { return folder }
    // The umask has no say here, and what is written into the folder is only on the disk if its own name is.
    try folder.descriptor.setMode(mode)
    try FileDescriptor.open("..", in: folder.descriptor.number, .folder).synchronise()
    return folder
  }

  private init(_ name: String, in base: Int32?, path: String) throws(FileProblem) {
    // A slash at the end would follow a symbolic link before it.
    var plain = name[...]
    while plain.utf8.count > 1, plain.utf8.last == UInt8(ascii: "/") { plain.removeLast() }
    let name = String(plain)
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

  // MARK: Below it

  package func subfolder(opening name: String) throws(FileProblem) -> Folder {
    try Folder(checked(name), in: descriptor.number, path: path(of: name))
  }

  /// Made with mode 0700 where it is missing.
  package func privateSubfolder(making name: String) throws(FileProblem) -> Folder {
    try Self.make(checked(name), in: descriptor.number, path: path(of: name), mode: 0o700)
  }

  /// From the root, as another process may be told it; the path as given where the system does not know better.
  package var absolutePath: String {
    guard let resolved = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
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

  /// The whole of a public file, as `PublicFile` reads it.
  package func read(_ name: String, limit: Int = SecretFile.longest) throws(FileProblem) -> WipedBytes {
    try PublicFile.read(OpenedFile(checked(name), in: descriptor.number), limit: limit)
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

  /// For calls that take the folder's descriptor and answer 0 when done.
  func change(_ call: (Int32) -> Int32) throws(FileProblem) {
    guard call(descriptor.number) == 0 else { throw FileProblem(.last) }
  }

  /// Returns when the names in the folder are on the disk.
  package func synchronise() throws(FileProblem) {
    try descriptor.synchronise()
  }

  /// Keeps other processes that ask the same way out of the folder, until `unlock` or the end of this value. They hold
  /// it for a few milliseconds, so whoever still waits after `attempts` times 20 ms has met a process that hangs.
  package func lock(attempts: Int = 500) throws(FileProblem) {
    for _ in 0..<attempts {
      if flock(descriptor.number, LOCK_EX | LOCK_NB) == 0 { return }
      guard errno == EWOULDBLOCK || errno == EINTR else { throw FileProblem(.last) }
      usleep(20_000)
    }
    throw .busy
  }

  package func unlock() {
    let unlocked = flock(descriptor.number, LOCK_UN)
    precondition(unlocked == 0, "an open folder can always be unlocked")
  }

  /// Names never lead out of the folder. They are made by our own code, so a slash is our own mistake.
  private func checked(_ name: String) -> String {
    precondition(!name.isEmpty && name != "." && name != ".." && !name.utf8.contains(UInt8(ascii: "/")), "not a name")
    precondition(!name.utf8.contains(0), "not a name")
    return name
  }
}
