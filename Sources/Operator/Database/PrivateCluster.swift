// A PostgreSQL cluster for one folder: made, started and stopped by PostgreSQL's own programs. It listens on a Unix
// socket in a folder that nobody else may enter, and asks everyone for a password (SCRAM): with `peer` and a map, one
// user of the machine could be every role.
//
// Starting may happen at any time and in any state: after a reboot, which empties /run; after the postmaster was
// killed, which leaves its pid file and for a moment its children; while another start is at work.

import Secrets
import ServiceRuntime

struct PrivateCluster: ~Copyable, Sendable {
  static let superuser = "postgres"

  let place: ClusterFolder
  private let programs: ServerPrograms
  private let user: ServerUser

  /// The lock of the folder is held by `place`.
  init(_ place: consuming ClusterFolder, settings: OperatorSettings) throws(CommandFailure) {
    let user = try ServerUser.current()
    let programs = try ServerPrograms.find(major: Self.major(of: place.home), only: settings.programs)
    (self.user, self.programs) = (user, programs)
    self.place = place
  }

  /// What PostgreSQL says in its data folder about itself; nil before there is one.
  private static func major(of home: String) -> Int? {
    do {
      let text = try PublicFile.read("\(home)/\(dataName)/PG_VERSION")
      var digits = ""
      for index in text.bytes.indices where text.bytes[index] >= 0x30 && text.bytes[index] <= 0x39 {
        digits.unicodeScalars.append(Unicode.Scalar(text.bytes[index]))
      }
      return Int(digits)
    } catch { return nil }
  }

  private static let dataName = "data"
  private static let newDataName = "data.unfinished"
  private static let passwordName = "password.unfinished"
  private static let orderName = "order.unfinished"

  var data: String { "\(place.home)/\(Self.dataName)" }
  var log: String { "\(place.home)/log" }

  // MARK: Its state

  enum State: String, Encodable, Sendable {
    case running
    case starting
    case stopped
  }

  func state() throws(CommandFailure) -> State {
    let answer = try user.run(
      "\(programs.folder)/pg_isready", ["-q", "-h", place.sockets, "-p", "\(ClusterPlace.port)", "-t", "5"],
      seconds: 15)
    return answer.code == 0 ? .running : answer.code == 1 ? .starting : .stopped
  }

  // MARK: Starting

  /// True where it was not running before.
  func start() async throws(CommandFailure) -> Bool {
    try makeFolders()
    try makeData()
    if try state() == .running { return false }
    try await clearRemains()
    let answer = try user.run(
      "\(programs.folder)/pg_ctl",
      ["start", "-D", data, "-l", log, "-w", "-t", "120", "-s", "-o", Self.options(sockets: place.sockets)],
      seconds: 150)
    guard answer.isDone else {
      throw .refused("PostgreSQL did not start: \(lastWords(answer.output)) (the whole log: \(Printable.name(log)))")
    }
    return true
  }

  /// Said at every start, so that no edited file decides them. pg_ctl hands this to a shell.
  static func options(sockets: String) -> String {
    let settings = [
      ("listen_addresses", ""), ("port", "\(ClusterPlace.port)"),
      // A list of folders, in which this one is quoted.
      ("unix_socket_directories", "\"\(sockets.replacing("\"", with: "\"\""))\""),
      ("unix_socket_permissions", "0700"), ("fsync", "on"), ("password_encryption", "scram-sha-256"),
    ]
    return settings.map { "-c '\($0)=\($1.replacing("'", with: "'\\''"))'" }.joined(separator: " ")
  }

  private func makeFolders() throws(CommandFailure) {
    if place.cluster.isRoots {
      for parent in [ClusterPlace.rootsHomes, ClusterPlace.rootsSockets] {
        let folder = try about(parent) { () throws(FileProblem) in try Folder.make(parent) }
        try makePrivate(place.cluster.id, in: folder)
      }
    } else {
      try makePrivate(ClusterPlace.ownHome, in: place.folder)
      if place.cluster.needsShortPlace(in: place.folder.absolutePath) {
        let folder = try about(ClusterPlace.shortPlace) { () throws(FileProblem) in
          try Folder(opening: ClusterPlace.shortPlace)
        }
        try makePrivate(place.cluster.shortName, in: folder)
      } else {
        try makePrivate(ClusterPlace.ownSockets, in: place.folder)
      }
    }
  }

  /// A folder of the server's user alone. One that somebody else made first is refused.
  private func makePrivate(_ name: String, in folder: borrowing Folder) throws(CommandFailure) {
    let owner = user.account?.user ?? ProcessStart.user
    try about(folder.path(of: name)) { () throws(FileProblem) in
      let status = try folder.privateSubfolder(making: name).status()
      guard status.mode & 0o077 == 0 else { throw .openToOthers(mode: status.octalMode) }
      guard status.owner == owner || status.owner == ProcessStart.user else { throw .foreign(owner: status.owner) }
    }
    try user.give(name, in: folder)
  }

  /// The cluster is made under another name and renamed when it is whole, so that an interrupted start leaves nothing
  /// that looks like one.
  private func makeData() throws(CommandFailure) {
    let home = try about(place.home) { () throws(FileProblem) in try Folder(opening: place.home) }
    try remove(Self.orderName, in: home)
    guard home.status(of: Self.dataName) == nil else { return }
    Progress.note("Making a PostgreSQL cluster in \(Printable.name(place.home)).")
    try remove(Self.newDataName, in: home)
    try writePassword(in: home)
    let answer = try user.run(
      "\(programs.folder)/initdb",
      [
        "--pgdata=\(place.home)/\(Self.newDataName)", "--username=\(Self.superuser)",
        "--pwfile=\(place.home)/\(Self.passwordName)", "--auth-local=scram-sha-256", "--auth-host=scram-sha-256",
        "--encoding=UTF8", "--locale=C", "--data-checksums", "--no-instructions",
      ], seconds: 300)
    try about(home.path(of: Self.passwordName)) { () throws(FileProblem) in try home.remove(Self.passwordName) }
    guard answer.isDone else { throw .refused("initdb failed: \(lastWords(answer.output))") }
    try about(home.path) { () throws(FileProblem) in
      try home.rename(Self.newDataName, to: Self.dataName)
      try home.synchronise()
    }
  }

  /// For initdb alone; gone when it has ended, or at the next start.
  private func writePassword(in home: borrowing Folder) throws(CommandFailure) {
    let files = try PasswordFiles(making: place.folder)
    var random = SystemRandomNumberGenerator()
    if !files.isThere(Self.superuser) { try files.make(Self.superuser, using: &random) }
    let password = try files.read(Self.superuser)
    try remove(Self.passwordName, in: home)
    try about(home.path(of: Self.passwordName)) { () throws(FileProblem) in
      try home.create(Self.passwordName, mode: 0o600, password.bytes)
    }
    try user.give(Self.passwordName, in: home)
  }

  private func remove(_ name: String, in home: borrowing Folder) throws(CommandFailure) {
    guard home.status(of: name) != nil else { return }
    let answer = try user.run("rm", ["-rf", "--", "\(place.home)/\(name)"], seconds: 60)
    guard answer.isDone else { throw .refused(lastWords(answer.output)) }
  }

  // MARK: What a killed server leaves

  /// Children of a killed postmaster notice its end, but not at once. They all work in the data folder, which is how
  /// they are found: process numbers are used again.
  private static let findUsers =
    "for p in /proc/[0-9]*; do [ \"$(readlink \"$p/cwd\" 2>/dev/null)\" = \"$0\" ] && exit 1; done; exit 0"
  private static let attempts = 100
  private static let pause = Duration.milliseconds(200)

  private func clearRemains() async throws(CommandFailure) {
    let home = try about(data) { () throws(FileProblem) in try Folder(opening: data) }
    guard home.status(of: Self.pidFile) != nil else { return }
    for _ in 0..<Self.attempts {
      if try user.run("/bin/sh", ["-c", Self.findUsers, home.absolutePath], seconds: 30).isDone {
        return try dropPidFile(home)
      }
      // It recovers, or its remains are about to end.
      if try state() == .running { return }
      do { try await Task.sleep(for: Self.pause) } catch { throw .refused("interrupted while waiting for the server.") }
    }
    throw .refused("another server seems to work in \(Printable.name(data)), and it does not answer.")
  }

  private static let pidFile = "postmaster.pid"

  /// PostgreSQL tells by itself that a pid file is stale, unless some other process has that number now, which after a
  /// reboot is likely. Nobody works in the data folder, so then the file can go, and the one beside the socket.
  private func dropPidFile(_ home: borrowing Folder) throws(CommandFailure) {
    let number: String
    do {
      let text = try home.read(Self.pidFile)
      var digits = ""
      for index in text.bytes.indices {
        guard text.bytes[index] >= 0x30, text.bytes[index] <= 0x39 else { break }
        digits.unicodeScalars.append(Unicode.Scalar(text.bytes[index]))
      }
      number = digits
    } catch .empty {
      number = ""
    } catch .missing {
      return  // Whoever left it has just ended in good order.
    } catch { throw .refused("\(Printable.name(home.path(of: Self.pidFile))) \(error.sentence)") }
    try about(home.path(of: Self.pidFile)) { () throws(FileProblem) in
      if !number.isEmpty, try Folder(opening: "/proc").status(of: number) == nil { return }
      do throws(FileProblem) { try home.remove(Self.pidFile) } catch .missing { return }
    }
    let sockets = try about(place.sockets) { () throws(FileProblem) in try Folder(opening: place.sockets) }
    let lock = ".s.PGSQL.\(ClusterPlace.port).lock"
    guard sockets.status(of: lock) != nil else { return }
    try about(sockets.path(of: lock)) { () throws(FileProblem) in try sockets.remove(lock) }
  }

  // MARK: A superuser whose password nobody has

  /// The server's own program, alone with the data and listening to nobody, asks for none. What it is told stands in a
  /// 0600 file for that moment, since it reads an order in the clear; its answer, which might quote it, is shown nowhere.
  private static let alone =
    "exec \"$0\" --single -D \"$1\" -c exit_on_error=on -c password_encryption=scram-sha-256 -c log_statement=none "
    + "-c log_min_error_statement=panic -c fsync=on postgres <\"$2\""

  /// Sessions are ended: the server stops for it and is started again.
  func setPasswordAlone(_ password: borrowing SecretBytes) async throws(CommandFailure) {
    _ = try stop()
    let home = try about(place.home) { () throws(FileProblem) in try Folder(opening: place.home) }
    let order = try Self.order(password)
    try about(home.path(of: Self.orderName)) { () throws(FileProblem) in
      try home.create(Self.orderName, mode: 0o600, order.bytes)
    }
    try user.give(Self.orderName, in: home)
    let answer = try user.run(
      "/bin/sh", ["-c", Self.alone, "\(programs.folder)/postgres", data, "\(place.home)/\(Self.orderName)"],
      seconds: 120)
    try remove(Self.orderName, in: home)
    guard answer.isDone else {
      throw .refused("the password of \(Self.superuser) could not be set: postgres ended with \(answer.code).")
    }
    _ = try await start()
  }

  /// The password is hexadecimal, as ours are, so nothing in it ends the literal.
  private static func order(_ password: borrowing SecretBytes) throws(CommandFailure) -> SecretBytes {
    let (before, after) = (Array("ALTER ROLE \(superuser) PASSWORD '".utf8), Array("'\n".utf8))
    for index in password.bytes.indices where !isHexadecimal(password.bytes[index]) {
      throw .refused("the new password of \(superuser) is not one that was made here.")
    }
    var order: SecretBytes
    do { order = try SecretBytes(zeroed: before.count + password.count + after.count) } catch {
      throw .refused("the new password of \(superuser) \(FileProblem.noLockedMemory.sentence)")
    }
    var bytes = order.mutableBytes
    for index in before.indices { bytes[index] = before[index] }
    for index in password.bytes.indices { bytes[before.count + index] = password.bytes[index] }
    for index in after.indices { bytes[before.count + password.count + index] = after[index] }
    return order
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
  }

  // MARK: Stopping

  /// True where it was running before. Sessions are ended, and what they have not committed is rolled back.
  func stop() throws(CommandFailure) -> Bool {
    guard try state() != .stopped else { return false }
    let answer = try user.run(
      "\(programs.folder)/pg_ctl", ["stop", "-D", data, "-m", "fast", "-w", "-t", "120", "-s"], seconds: 150)
    guard answer.isDone else { throw .refused("PostgreSQL did not stop: \(lastWords(answer.output))") }
    return true
  }

  /// The end of what a program said, or of the server's log where it said nothing of use.
  private func lastWords(_ output: String) -> String {
    var text = output
    do {
      let tail = try user.run("tail", ["-n", "3", log], seconds: 10)
      if tail.isDone { text += tail.output }
    } catch {
      // Then what the program said must do.
    }
    return text.split(separator: "\n").suffix(3).map { Printable.name(String($0)) }.joined(separator: "; ")
  }
}
