// `mandate db renew-passwords`: new passwords for roles that are there, because a file was lost, seen or is old.
//
// Role by role: the next password is written whole beside the current one, the server is told, and the file takes the
// current one's place. Whatever ends this in between leaves a next file; the server knows the current password or that
// one, and the same call again tells the server once more and puts the file in its place.

import Postgres
import Secrets
import ServiceRuntime
import Store

enum DatabaseRenewPasswords {
  private static let role = Option(
    name: "role", placeholder: "ROLE", fallback: nil, reason: "One role alone; without it, all that are there."
  ) { roles.contains($0) ? nil : "one of " + roles.joined(separator: ", ") }

  private static let roles = StoreRole.allCases.map(\.rawValue) + [PrivateCluster.superuser]

  static let command = Command(
    group: "db", name: "renew-passwords", summary: "Make new passwords for roles, also where the old ones were lost.",
    details: [
      "Writes each role's new password into its file below `.mandate/passwords/` and tells the server, in this order and "
        + "role by role; if it is interrupted, run it again. Sessions that are open stay open. Take each file to where "
        + "its role's process runs: its next login needs it.",
      "On a private cluster this needs no password: if the superuser's was lost as well, the server stops for a moment "
        + "and its own program sets a new one. Elsewhere it logs in as a superuser or another login that may alter these "
        + "roles, whose own password is not kept here and not changed.",
      DatabaseCommands.whichDatabase,
    ],
    options: [role, DatabaseCommands.folder, DatabaseCommands.url],
    examples: [
      "mandate db renew-passwords", "mandate db renew-passwords --role mandate_runner",
      "mandate db renew-passwords --url 'postgres://postgres@localhost/mandate?passfile=/etc/mandate/admin.pgpass'",
    ],
    run: { invocation async throws(CommandFailure) in try await run(invocation) })

  private struct Answer: Encodable {
    struct Role: Encodable {
      let role: String
      let passwordFile: String
    }
    let roles: [Role]
  }

  private static func run(_ invocation: Invocation) async throws(CommandFailure) -> Report {
    let path = DatabaseCommands.path(invocation)
    let wanted = invocation[role]
    guard invocation[DatabaseCommands.url] == nil, invocation.settings.database == nil else {
      if wanted == PrivateCluster.superuser { throw .refused("only a private cluster's superuser has a file here.") }
      let configuration = try DatabaseCommands.configuration(invocation, as: PrivateCluster.superuser)
      let place = try ClusterFolder.make(path)
      try about(place.path) { () throws(FileProblem) in try place.lock(attempts: 6_000) }
      let renewed = try await renew(try PasswordFiles(making: place), configuration, only: wanted, superuser: false)
      return report(renewed, in: place.absolutePath)
    }
    let found = try ClusterFolder.find(path)
    guard found != nil else {
      throw .refused("no database is named, and this folder has none of its own: mandate db start, or give --url.")
    }
    let cluster = try PrivateCluster(try ClusterFolder(making: path), settings: invocation.settings)
    let files = try PasswordFiles(making: cluster.place.folder)
    _ = try await cluster.start()
    try await regainSuperuser(cluster, files)
    let configuration = try cluster.place.configuration(as: PrivateCluster.superuser, database: "postgres")
    let renewed = try await renew(files, configuration, only: wanted, superuser: true)
    return report(renewed, in: cluster.place.folder.absolutePath)
  }

  /// Afterwards the superuser's current file is the right one, whatever was before.
  private static func regainSuperuser(
    _ cluster: borrowing PrivateCluster, _ files: borrowing PasswordFiles
  ) async throws(CommandFailure) {
    let superuser = PrivateCluster.superuser
    for generation in PasswordFiles.Generation.allCases where files.isThere(superuser, generation) {
      let url = cluster.place.url(as: superuser, database: "postgres", generation)
      guard try await DatabaseCommands.isLetIn(try DatabaseCommands.parse(url, "the private cluster")) else { continue }
      if generation == .next { try files.acceptNext(superuser) }
      return
    }
    Progress.note("Nobody can log in as \(superuser); the server stops for a moment.")
    try makeNext(superuser, files)
    let password = try files.read(superuser, .next)
    try await cluster.setPasswordAlone(password)
    try files.acceptNext(superuser)
  }

  private static func renew(
    _ files: borrowing PasswordFiles, _ configuration: ConnectionConfiguration, only wanted: String?, superuser: Bool
  ) async throws(CommandFailure) -> [String] {
    // Locked memory is not captured: the passwords are read role by role, inside.
    let pool = PostgresPool(configuration, limits: PoolLimits(minimum: 0, maximum: 2))
    let result: Result<[String], CommandFailure>
    do throws(CommandFailure) {
      let existing = try await DatabaseCommands.telling { () throws(PreparationError) in
        try await Bootstrap(pool).existingRoles()
      }
      let roles =
        StoreRole.allCases.filter { existing.contains($0) }.map(\.rawValue)
        + (superuser ? [PrivateCluster.superuser] : [])
      let chosen = roles.filter { wanted == nil || wanted == $0 }
      if chosen.isEmpty { throw .refused("the server has no role \(wanted ?? "of ours") yet: mandate db bootstrap") }
      for role in chosen {
        try makeNext(role, files)
        let password = try files.password(role, .next)
        try await DatabaseCommands.telling { () throws(PreparationError) in
          try await PasswordRenewal(pool).set(password, of: role)
        }
        try files.acceptNext(role)
      }
      result = .success(chosen)
    } catch { result = .failure(error) }
    _ = await pool.drain(deadline: .after(.seconds(5)))
    return try result.get()
  }

  /// One that an interrupted renewal left is used: the server may know it already.
  private static func makeNext(_ role: String, _ files: borrowing PasswordFiles) throws(CommandFailure) {
    var random = SystemRandomNumberGenerator()
    if !files.isThere(role, .next) { try files.make(role, .next, using: &random) }
  }

  private static func report(_ roles: [String], in folder: String) -> Report {
    let files = roles.map { Answer.Role(role: $0, passwordFile: PasswordFiles.path(in: folder, of: $0)) }
    var table = TextTable(headings: ["ROLE", "NEW PASSWORD IN"])
    for file in files { table.add([file.role, Printable.name(file.passwordFile)]) }
    return Report(text: table.text, json: JSONText.of(Answer(roles: files)))
  }
}
