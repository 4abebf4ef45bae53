// Where PostgreSQL's programs are, and who runs them.

import ServiceRuntime

struct ServerPrograms: Sendable {
  let folder: String
  let major: Int

  static let oldest = 15
  private static let needed = ["initdb", "pg_ctl", "pg_isready", "postgres"]

  /// The version that made the data where there is some, else the newest. `only` is the operator's own choice.
  static func find(major: Int?, only: String?) throws(CommandFailure) -> ServerPrograms {
    let found = (only.map { [$0] } ?? usual()).compactMap(look).filter { $0.major >= oldest }
    let wanted = major.map { number in found.filter { $0.major == number } } ?? found
    guard let best = wanted.max(by: { $0.major < $1.major }) else { throw .refused(advice(major ?? oldest, only)) }
    return best
  }

  private static func advice(_ major: Int, _ only: String?) -> String {
    let place = only.map { " in \(Printable.name($0)), which MANDATE_POSTGRES_PROGRAMS names" } ?? ""
    return "PostgreSQL's server programs (version \(major)) are not installed\(place). On Debian: "
      + "apt-get install postgresql-\(major) (first write `create_main_cluster = false` into a file in "
      + "/etc/postgresql-common/createcluster.d/, or another server starts on port 5432). Elsewhere: install "
      + "PostgreSQL \(oldest) or newer and set MANDATE_POSTGRES_PROGRAMS to the folder with initdb and pg_ctl. "
      + "A server that runs already is used with --url."
  }

  /// Debian has a folder per version, others have one of the usual places.
  private static func usual() -> [String] {
    let debian = "/usr/lib/postgresql"
    var folders: [String] = []
    do {
      folders = try Folder(opening: debian).entries().map { "\(debian)/\($0)/bin" }
    } catch {
      // It is not Debian, or nothing is installed.
    }
    return folders + ["/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"]
  }

  private static func look(_ path: String) -> ServerPrograms? {
    do {
      let folder = try Folder(opening: path)
      guard needed.allSatisfy({ folder.status(of: $0) != nil }) else { return nil }
      // "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"
      let words = try ChildProcess.run("\(path)/postgres", ["--version"], seconds: 10).output.split(separator: " ")
      guard words.count >= 3, let major = Int(words[2].prefix { $0.isNumber }) else { return nil }
      return ServerPrograms(folder: path, major: major)
    } catch { return nil }
  }
}

/// Who runs the server: we, or `postgres` where we are root.
struct ServerUser: Sendable {
  let account: UserAccount?

  static func current() throws(CommandFailure) -> ServerUser {
    guard ProcessStart.user == 0 else { return ServerUser(account: nil) }
    guard let account = UserAccount(named: "postgres") else {
      throw .refused(
        "PostgreSQL does not run as root, and there is no user `postgres` to run it; Debian's postgresql-15 makes one.")
    }
    return ServerUser(account: account)
  }

  /// Both programs are part of util-linux; the first does not open a session.
  private var prefix: [String] {
    guard let account else { return [] }
    do {
      if try Folder(opening: "/usr/bin").status(of: "setpriv") != nil {
        return ["setpriv", "--reuid=\(account.name)", "--regid=\(account.name)", "--init-groups", "--"]
      }
    } catch {
      // Then the other one.
    }
    return ["runuser", "-u", account.name, "--"]
  }

  func run(_ program: String, _ arguments: [String], seconds: Int) throws(CommandFailure) -> ChildProcess.Outcome {
    let words = prefix + [program] + arguments
    do { return try ChildProcess.run(words[0], Array(words.dropFirst()), seconds: seconds) } catch {
      throw .refused("\(Printable.name(program)) cannot be run: \(error.words).")
    }
  }

  func give(_ name: String, in folder: borrowing Folder) throws(CommandFailure) {
    guard let account else { return }
    try about(folder.path(of: name)) { () throws(FileProblem) in try folder.give(name, to: account) }
  }
}
