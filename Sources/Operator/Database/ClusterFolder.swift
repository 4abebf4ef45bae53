// `.mandate/`: what a folder knows about its private cluster. An ordinary user's cluster lies in it. PostgreSQL refuses
// to run as root, and root's home is closed to everybody else, so root's cluster lies under /var/lib and /run, belongs
// to `postgres`, and is only pointed to from here.

internal import FoundationEssentials
import Postgres
import Secrets
import ServiceRuntime

struct ClusterFolder: ~Copyable, Sendable {
  static let name = ".mandate"
  private static let pointer = "cluster.json"

  let folder: Folder
  let cluster: ClusterPlace

  /// Nil where the folder has none.
  static func find(_ path: String) throws(CommandFailure) -> ClusterFolder? {
    let folder: Folder
    do throws(FileProblem) {
      folder = try Folder(opening: path).subfolder(opening: name)
    } catch .missing {
      return nil
    } catch { throw .refused("\(Printable.name(path))/\(name) \(error.sentence)") }
    guard let cluster = try read(folder) else { return nil }
    return ClusterFolder(folder: folder, cluster: cluster)
  }

  /// Makes what is missing, and keeps others out until this value ends.
  init(making path: String) throws(CommandFailure) {
    let folder = try Self.make(path)
    try about(folder.path) { () throws(FileProblem) in try folder.lock(attempts: 6_000) }
    let cluster = try Self.readOrMake(folder)
    guard cluster.user == ProcessStart.user else {
      throw .refused("the private cluster of this folder belongs to user \(cluster.user); run this as that user.")
    }
    self.init(folder: folder, cluster: cluster)
  }

  private static func readOrMake(_ folder: borrowing Folder) throws(CommandFailure) -> ClusterPlace {
    if let cluster = try read(folder) { return cluster }
    var random = SystemRandomNumberGenerator()
    let cluster = ClusterPlace(user: ProcessStart.user, using: &random)
    let text = Array(JSONText.of(cluster).utf8)
    try about(folder.path(of: pointer)) { () throws(FileProblem) in
      try folder.createWhole(pointer, mode: 0o600, text.span)
    }
    return cluster
  }

  private init(folder: consuming Folder, cluster: ClusterPlace) {
    self.folder = folder
    self.cluster = cluster
  }

  /// Also for passwords of roles on a server that is not ours.
  static func make(_ path: String) throws(CommandFailure) -> Folder {
    let outer = try about(path) { () throws(FileProblem) in try Folder(opening: path) }
    return try about(outer.path(of: name)) { () throws(FileProblem) in
      let folder = try outer.privateSubfolder(making: name)
      if let problem = try folder.status().secrecyProblem { throw problem }
      return folder
    }
  }

  private static func read(_ folder: borrowing Folder) throws(CommandFailure) -> ClusterPlace? {
    guard folder.status(of: pointer) != nil else { return nil }
    let bytes = try about(folder.path(of: pointer)) { () throws(FileProblem) in try folder.read(pointer) }
    var data = Data()
    for index in bytes.bytes.indices { data.append(bytes.bytes[index]) }
    do {
      let place = try JSONDecoder().decode(ClusterPlace.self, from: data)
      if place.isSound { return place }
    } catch {
      // Said below, in the same words for every way in which it can be broken.
    }
    throw .refused("\(Printable.name(folder.path(of: pointer))) is damaged; it says where the folder's cluster is.")
  }

  // MARK: Where things are

  var home: String { cluster.home(in: folder.absolutePath) }
  var sockets: String { cluster.sockets(in: folder.absolutePath) }

  static let database = "mandate"

  func configuration(
    as role: String, database: String = ClusterFolder.database
  ) throws(CommandFailure) -> ConnectionConfiguration {
    let passwords = PasswordFiles.path(in: folder.absolutePath, of: role)
    guard PasswordFiles.isThere(role, in: folder) else {
      throw .refused(
        "\(Printable.name(passwords)) is missing, so nobody can log in as \(role): mandate db bootstrap, or if it "
          + "was lost, mandate db renew-passwords")
    }
    return try DatabaseCommands.parse(url(as: role, database: database), "the private cluster")
  }

  /// No secret: the password is in the file that it names.
  func url(
    as role: String, database: String = ClusterFolder.database, _ generation: PasswordFiles.Generation = .current
  ) -> String {
    let passwords = URLText.encode(PasswordFiles.path(in: folder.absolutePath, of: role, generation))
    return "postgres://\(role)@/\(database)?host=\(URLText.encode(sockets))&port=\(ClusterPlace.port)"
      + "&passfile=\(passwords)"
  }
}

enum URLText {
  /// Everything but letters, digits and what a path is made of.
  static func encode(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"),
        UInt8(ascii: "_"):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      default: result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
    return result
  }
}

extension Folder {
  /// A file that is there whole or not at all. Whoever calls this holds the folder's lock.
  func createWhole(_ name: String, mode: UInt32, _ bytes: Span<UInt8>) throws(FileProblem) {
    let unfinished = name + ".unfinished"
    if status(of: unfinished) != nil { try remove(unfinished) }
    try create(unfinished, mode: mode, bytes)
    try rename(unfinished, to: name)
    try synchronise()
  }
}
