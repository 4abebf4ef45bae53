// One file per role, mode 0600, in the form that libpq and psql read (`host:port:database:role:password`), so that a
// process needs nothing but the path. Passwords are made here, live in locked memory, and are never shown.

import Postgres
import Secrets
import ServiceRuntime

struct PasswordFiles: ~Copyable, Sendable {
  private static let name = "passwords"
  private let folder: Folder

  /// `place` is `.mandate/`, and whoever calls this holds its lock.
  init(making place: borrowing Folder) throws(CommandFailure) {
    folder = try about(place.path(of: Self.name)) { () throws(FileProblem) in
      let folder = try place.privateSubfolder(making: Self.name)
      if let problem = try folder.status().secrecyProblem { throw problem }
      return folder
    }
  }

  enum Generation: String, CaseIterable, Sendable {
    case current = ""
    /// Made by a renewal and on its way: the server may know it already or not yet.
    case next = ".next"
  }

  private static func file(_ role: String, _ generation: Generation = .current) -> String {
    role + ".pgpass" + generation.rawValue
  }

  static func path(in place: String, of role: String, _ generation: Generation = .current) -> String {
    "\(place)/\(name)/\(file(role, generation))"
  }

  static func isThere(_ role: String, in place: borrowing Folder) -> Bool {
    do { return try place.subfolder(opening: name).status(of: file(role)) != nil } catch { return false }
  }

  func isThere(_ role: String, _ generation: Generation = .current) -> Bool {
    folder.status(of: Self.file(role, generation)) != nil
  }

  func path(of role: String, _ generation: Generation = .current) -> String {
    folder.path(of: Self.file(role, generation))
  }

  /// In one step the next password becomes the current one, and the former is gone.
  func acceptNext(_ role: String) throws(CommandFailure) {
    try about(path(of: role)) { () throws(FileProblem) in
      try folder.rename(Self.file(role, .next), to: Self.file(role))
      try folder.synchronise()
    }
  }

  /// 256 bits in hexadecimal, which needs no escaping anywhere.
  private static let words = 4

  func make(
    _ role: String, _ generation: Generation = .current, using random: inout some RandomNumberGenerator
  ) throws(CommandFailure) {
    let prefix = Self.prefix(role)
    try about(path(of: role, generation)) { () throws(FileProblem) in
      var line = try Self.room(prefix.count + Self.words * 16 + 1)
      var bytes = line.mutableBytes
      for index in prefix.indices { bytes[index] = prefix[index] }
      for word in 0..<Self.words {
        var value = UInt64.random(in: .min ... .max, using: &random)
        for digit in 0..<16 {
          let nibble = UInt8(value & 15)
          bytes[prefix.count + 16 * word + digit] = nibble < 10 ? 0x30 + nibble : 0x57 + nibble
          value >>= 4
        }
      }
      bytes[bytes.count - 1] = UInt8(ascii: "\n")
      try folder.createWhole(Self.file(role, generation), mode: 0o600, line.bytes)
    }
  }

  /// The password alone.
  func read(_ role: String, _ generation: Generation = .current) throws(CommandFailure) -> SecretBytes {
    let prefix = Self.prefix(role)
    let path = path(of: role, generation)
    let line = try about(path) { () throws(FileProblem) in
      let whole = try SecretFile.read(folder.absolutePath + "/" + Self.file(role, generation))
      do { return try whole.droppingTrailingNewline() } catch { throw FileProblem.noLockedMemory }
    }
    var isOurs = line.count > prefix.count
    for index in prefix.indices where isOurs && line.bytes[index] != prefix[index] { isOurs = false }
    for index in line.bytes.indices.dropFirst(prefix.count) where line.bytes[index] < 0x21 { isOurs = false }
    guard isOurs else { throw .refused("\(Printable.name(path)) does not hold the password of \(role).") }
    do { return try SecretBytes(copying: line.bytes.extracting(droppingFirst: prefix.count)) } catch {
      throw .refused("\(Printable.name(path)) \(FileProblem.noLockedMemory.sentence)")
    }
  }

  func password(_ role: String, _ generation: Generation = .current) throws(CommandFailure) -> DatabasePassword {
    let secret = try read(role, generation)
    let password: DatabasePassword?
    do { password = try DatabasePassword(copying: secret.bytes) } catch {
      throw .refused("\(Printable.name(path(of: role))) \(FileProblem.noLockedMemory.sentence)")
    }
    guard let password else { throw .refused("\(Printable.name(path(of: role))) holds no password.") }
    return password
  }

  private static func prefix(_ role: String) -> [UInt8] { Array("*:*:*:\(role):".utf8) }

  private static func room(_ count: Int) throws(FileProblem) -> SecretBytes {
    do { return try SecretBytes(zeroed: count) } catch { throw .noLockedMemory }
  }
}
