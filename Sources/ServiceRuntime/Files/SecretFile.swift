// A file that holds a secret: checked on the open descriptor, so that nothing can be exchanged between the check and
// the reading, and read straight into locked memory.
//
// Who may read it decides whether it is a secret at all. Allowed are
//   - files that nobody but their owner may use (0600, 0400), owned by this process's user or by root, and
//   - files owned by root that a group may read but not write (0640, 0440), as systemd's credentials and Docker's
//     secrets are: the administrator chose that group.
// A process that runs as root may read another user's file, provided nobody else can.

package import Secrets

package enum SecretFile {
  /// A key of 4096 bits in PEM is 3.3 KiB; whatever is larger than this is not a secret but a wrong path.
  package static let longest = 64 << 10

  package static func read(_ path: String) throws(FileProblem) -> SecretBytes {
    let file = try OpenedFile(path)
    try judge(file.status, user: ProcessStart.user)
    guard file.status.size <= longest else { throw .tooLong(limit: longest) }
    var secret = try room(for: file.status.size)
    var bytes = secret.mutableBytes
    try file.fill(&bytes)
    return secret
  }

  /// The rule above, apart from the file system, so that a test can ask about any owner.
  static func judge(_ status: FileStatus, user: UInt32) throws(FileProblem) {
    if let problem = status.secrecyProblem { throw problem }
    guard status.owner == user || status.owner == 0 || user == 0 else { throw .foreign(owner: status.owner) }
  }

  private static func room(for count: Int) throws(FileProblem) -> SecretBytes {
    do {
      return try SecretBytes(zeroed: count)
    } catch {
      throw .noLockedMemory
    }
  }
}

/// A file whose contents anybody may know, but not change: whoever exchanges a public key reads what is sealed for it.
package enum PublicFile {
  /// In memory that is wiped when it ends: by mistake the path may be a private key's.
  package static func read(_ path: String, limit: Int = SecretFile.longest) throws(FileProblem) -> WipedBytes {
    try read(OpenedFile(path), limit: limit)
  }

  static func read(_ file: borrowing OpenedFile, limit: Int) throws(FileProblem) -> WipedBytes {
    guard file.status.mode & 0o002 == 0 else { throw .writableByOthers(mode: file.status.octalMode) }
    guard file.status.size <= limit else { throw .tooLong(limit: limit) }
    var contents = WipedBytes()
    contents.resize(to: file.status.size)
    var bytes = contents.mutableBytes
    try file.fill(&bytes)
    return contents
  }
}

/// A regular file, open for reading, with what the kernel says about this very file.
struct OpenedFile: ~Copyable {
  private let descriptor: FileDescriptor
  let status: FileStatus

  init(_ path: String, in base: Int32? = nil) throws(FileProblem) {
    let descriptor = try FileDescriptor.open(path, in: base, .read)
    let status = try descriptor.status()
    guard status.kind == .regular else { throw .notRegular }
    guard status.size > 0 else { throw .empty }
    self.status = status
    self.descriptor = descriptor
  }

  /// The file must hold exactly as many bytes as it did when it was opened.
  func fill(_ target: inout MutableSpan<UInt8>) throws(FileProblem) {
    var offset = 0
    while offset < target.count {
      let count = try descriptor.read(into: &target, from: offset)
      if count == 0 { break }
      offset += count
    }
    guard offset == target.count, try descriptor.status().size == target.count else { throw .changed }
  }
}

extension SecretBytes {
  /// Without one `\n` or `\r\n` at the end.
  package consuming func droppingTrailingNewline() throws(SecretError) -> SecretBytes {
    guard count > 0, bytes[count - 1] == UInt8(ascii: "\n") else { return self }
    let hasReturn = count > 1 && bytes[count - 2] == UInt8(ascii: "\r")
    return try SecretBytes(copying: bytes.extracting(first: count - (hasReturn ? 2 : 1)))
  }
}
