// `mandate db bootstrap`: roles, their password files, ownership.

import Postgres
import ServiceRuntime
import Store

enum DatabaseBootstrap {
  static let command = Command(
    group: "db", name: "bootstrap", summary: "Make the roles, their passwords and the schemas.",
    details: [
      "Needs a superuser, or a login with CREATEROLE that owns the database and the tables a former system left in it; "
        + "they change hands and keep their rows. May be run again: it checks what is there.",
      "Each new role gets a password of 256 bits in a file of its own, mode 0600, below `.mandate/passwords/`; the server "
        + "only ever sees its SCRAM verifier. A role that the server has already and that has no file here keeps the "
        + "password it has. Take each file to where its role's process runs, and nowhere else.",
      DatabaseCommands.whichDatabase,
    ],
    options: [DatabaseCommands.folder, DatabaseCommands.url],
    examples: [
      "mandate db bootstrap",
      "mandate db bootstrap --url 'postgres://postgres@localhost/mandate?passfile=/etc/mandate/admin.pgpass'",
    ],
    run: { invocation async throws(CommandFailure) in try await run(invocation) })

  private struct Answer: Encodable {
    struct Role: Encodable {
      let role: String
      let passwordFile: String?
    }
    let roles: [Role]
  }

  private static func run(_ invocation: Invocation) async throws(CommandFailure) -> Report {
    let configuration = try DatabaseCommands.configuration(invocation, as: PrivateCluster.superuser)
    let place = try ClusterFolder.make(DatabaseCommands.path(invocation))
    try about(place.path) { () throws(FileProblem) in try place.lock(attempts: 6_000) }
    let files = try PasswordFiles(making: place)
    try await DatabaseCommands.withPool(configuration) { pool throws(CommandFailure) in
      let bootstrap = Bootstrap(pool)
      let existing = try await DatabaseCommands.telling { () throws(PreparationError) in
        try await bootstrap.existingRoles()
      }
      // Files first: a run that ends in between has made files without roles, and the next one uses them.
      var random = SystemRandomNumberGenerator()
      var passwords: [StoreRole: DatabasePassword] = [:]
      for role in StoreRole.allCases {
        if !files.isThere(role.rawValue) {
          if existing.contains(role) { continue }
          try files.make(role.rawValue, using: &random)
        }
        passwords[role] = try files.password(role.rawValue)
      }
      try await DatabaseCommands.telling { () throws(PreparationError) in
        try await bootstrap.run(passwords: passwords)
      }
    }
    let folder = place.absolutePath
    let roles = StoreRole.allCases.map { role in
      Answer.Role(
        role: role.rawValue,
        passwordFile: files.isThere(role.rawValue) ? PasswordFiles.path(in: folder, of: role.rawValue) : nil)
    }
    return Report(text: text(roles), json: JSONText.of(Answer(roles: roles)))
  }

  private static func text(_ roles: [Answer.Role]) -> String {
    var table = TextTable(headings: ["ROLE", "PASSWORD FILE"])
    for role in roles {
      table.add([role.role, role.passwordFile.map(Printable.name) ?? "none here; it was not changed"])
    }
    return table.text
  }
}
