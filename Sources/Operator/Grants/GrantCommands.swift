// The commands that deal with grants: how many there are, and ending them.

import Contracts
import Store

enum GrantCommands {
  static let group = CommandGroup(name: "grants", summary: "Count the grants of all users, and end some of them.")
  static let all = [GrantsCensus.command, GrantsRevoke.command]
}

/// Whom a command is about. Ids are bytes that accounts were given elsewhere, so nothing is trimmed or folded.
enum UserOperand {
  static let operand = Operand(placeholder: "USER", reason: "The user's id.")

  static func scope(_ invocation: Invocation) throws(CommandFailure) -> UserScope {
    do { return try UserScope(Identifier(checking: invocation.operands.first ?? "")) } catch {
      throw .wrongUsage("USER must have 1 to \(Identifier.maximumBytes) bytes and no control characters.", help: nil)
    }
  }
}
