// The row of a user's vault: the master key as it is wrapped, the pair by which its owner can recover it, and whether
// the wrap is gone because the owner alone shall have the key. It is also the user's lock: whoever issues, closes,
// rotates or changes the mode takes it first, in every transaction.

import Contracts
package import Postgres

package struct VaultRow: Sendable {
  /// Base64 of what is wrapped and of its IV; nil in zero-knowledge mode.
  package let wrap: (key: String, iv: String)?
  package let formatVersion: Int
  package let kekId: String
  package let recovery: (key: String, iv: String)?
  package let recoveryFormatVersion: Int
  package let recoverySetAt: PostgresTimestamp?
  package let isZeroKnowledge: Bool
  package let keyCheck: [UInt8]?
}

/// Statements, to be sent behind the user's scope and in its transaction.
package enum VaultRows {
  /// Waits for the user's lock and reads what is there then; no row where there is no vault.
  package static func lock(_ scope: UserScope) -> BoundStatement { locking.bind(.utf8(scope.user.utf8)) }

  /// Without the lock, for whoever only tells what there is.
  package static func read(_ scope: UserScope) -> BoundStatement { reading.bind(.utf8(scope.user.utf8)) }

  package static func decode(_ rows: Rows) throws(PostgresError) -> VaultRow? {
    guard let row = try rows.first() else { return nil }
    return VaultRow(
      wrap: try pair(row, 0), formatVersion: Int(try row.get(2, as: Int64.self)), kekId: try row.get(3),
      recovery: try pair(row, 4), recoveryFormatVersion: Int(try row.get(6, as: Int64.self)),
      recoverySetAt: try row.get(7), isZeroKnowledge: try row.get(8), keyCheck: try row.get(9))
  }

  /// The tables' checks keep half a pair out.
  private static func pair(_ row: Row, _ column: Int) throws(PostgresError) -> (key: String, iv: String)? {
    guard let key: String = try row.get(column), let iv: String = try row.get(column + 1) else { return nil }
    return (key, iv)
  }

  /// A user's row in the table of users, where others do not keep it. The look comes first: such a table may ask for
  /// more columns than the id, and would refuse even a row that is there.
  package static func addUser(_ scope: UserScope) -> BoundStatement { addingUser.bind(.utf8(scope.user.utf8)) }

  /// Affects no row where a vault was made meanwhile.
  package static func insert(
    _ scope: UserScope, wrap: (key: String, iv: String), kekId: String, check: [UInt8]
  ) -> BoundStatement {
    inserting.bind(.utf8(scope.user.utf8), .text(wrap.key), .text(wrap.iv), .text(kekId), .bytes(check))
  }

  /// A new master key. What could recover the former one goes with it.
  package static func replace(
    _ scope: UserScope, wrap: (key: String, iv: String), kekId: String, check: [UInt8]
  ) -> BoundStatement {
    replacing.bind(.utf8(scope.user.utf8), .text(wrap.key), .text(wrap.iv), .text(kekId), .bytes(check))
  }

  package static func setRecovery(_ scope: UserScope, key: String, iv: String) -> BoundStatement {
    settingRecovery.bind(.utf8(scope.user.utf8), .text(key), .text(iv))
  }

  package static func clearRecovery(_ scope: UserScope) -> BoundStatement {
    clearingRecovery.bind(.utf8(scope.user.utf8))
  }

  /// The wrap goes; by the check value its key will be known again.
  package static func enterZeroKnowledge(_ scope: UserScope, check: [UInt8]) -> BoundStatement {
    entering.bind(.utf8(scope.user.utf8), .bytes(check))
  }

  package static func leaveZeroKnowledge(
    _ scope: UserScope, wrap: (key: String, iv: String), kekId: String
  ) -> BoundStatement {
    leaving.bind(.utf8(scope.user.utf8), .text(wrap.key), .text(wrap.iv), .text(kekId))
  }
}

extension VaultRows {
  private static let columns = """
    v.wrapped_mk, v.wrap_iv, v.format_version, v.kek_id, v.recovery_wrapped_mk, v.recovery_iv,
      v.recovery_format_version, v.recovery_set_at, v.zero_knowledge, v.key_check
    """
  private static let reading = Statement(
    "SELECT \(columns) FROM auth.encryption_vaults AS v WHERE v.user_id = $1", .text)
  private static let locking = Statement(
    "SELECT \(columns) FROM auth.encryption_vaults AS v WHERE v.user_id = $1 FOR UPDATE", .text)
  private static let addingUser = Statement(
    """
    INSERT INTO auth.users (id) SELECT $1 WHERE NOT EXISTS (SELECT FROM auth.users AS u WHERE u.id = $1)
    ON CONFLICT DO NOTHING
    """, .text)
  private static let inserting = Statement(
    """
    INSERT INTO auth.encryption_vaults (user_id, wrapped_mk, wrap_iv, kek_id, key_check) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT DO NOTHING
    """, .text, .text, .text, .text, .bytea)
  private static let replacing = Statement(
    """
    UPDATE auth.encryption_vaults AS v
    SET wrapped_mk = $2, wrap_iv = $3, kek_id = $4, key_check = $5, rotated_at = clock_timestamp(),
      recovery_wrapped_mk = NULL, recovery_iv = NULL, recovery_set_at = NULL
    WHERE v.user_id = $1
    """, .text, .text, .text, .text, .bytea)
  private static let settingRecovery = Statement(
    """
    UPDATE auth.encryption_vaults AS v
    SET recovery_wrapped_mk = $2, recovery_iv = $3, recovery_format_version = 1, recovery_set_at = clock_timestamp()
    WHERE v.user_id = $1
    """, .text, .text, .text)
  private static let clearingRecovery = Statement(
    """
    UPDATE auth.encryption_vaults AS v
    SET recovery_wrapped_mk = NULL, recovery_iv = NULL, recovery_set_at = NULL WHERE v.user_id = $1
    """, .text)
  private static let entering = Statement(
    """
    UPDATE auth.encryption_vaults AS v
    SET zero_knowledge = true, wrapped_mk = NULL, wrap_iv = NULL, key_check = $2 WHERE v.user_id = $1
    """, .text, .bytea)
  private static let leaving = Statement(
    """
    UPDATE auth.encryption_vaults AS v
    SET zero_knowledge = false, wrapped_mk = $2, wrap_iv = $3, kek_id = $4 WHERE v.user_id = $1
    """, .text, .text, .text, .text)
}
