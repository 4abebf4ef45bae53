// `mandate audit` against a real database: what a superuser does to the log is found and named, what leaves verifies
// without the database and without Swift, and what was pruned leaves chains that hold.

import Contracts
import FolderSupport
import Foundation
import Postgres
import PostgresSupport
import Store
import StoreSupport
import Testing

@testable import Operator

@Suite struct AuditCommandTests {
  /// Three users with twelve receipts each, four of them failed later.
  private func withLog(_ body: (PreparedDatabase, AuditReading, PostgresPool) async throws -> Void) async throws {
    let database = try await PreparedDatabase.make()
    let users = ["a", "é", "z"]
    try await database.withPool(as: .resolver) { pool in
      let receipts = Receipts(pool) { UUID().uuidString.lowercased() }
      for user in users {
        let wishes = (1...12).map { number in
          MissionOpening.Wish(
            RecordAddress(app: Identifier("notes"), table: Identifier("notes"), record: Identifier("n\(number)")))
        }
        let opening = MissionOpening(
          scope: try UserScope(Identifier(user)), mission: Identifier("m"), authority: .none, wishes: wishes)
        var ids: [ReceiptID] = []
        for unit in try ReceiptUnit.units(of: [opening]) {
          var released = await receipts.release(unit)
          while var mission = released.next() {
            while let record = mission.next() {
              if case .released(let receipt, _, copies: _) = consume record { ids.append(receipt.id) }
            }
          }
        }
        let failed = try await receipts.fail(ids.prefix(4).map { ReceiptFailure($0, .recordMissing) }).get()
        #expect(ids.count == 12 && failed.count == 4)
      }
    }
    try await database.withPool(as: .operator) { pool in try await body(database, AuditReading(pool), pool) }
  }

  private func findings(_ reading: AuditReading, _ exported: [Identifier: [ChainHead]] = [:]) async throws -> [String] {
    try await AuditVerify.verify(reading, only: nil, exported).findings.map { "\($0.user): \($0.sentence)" }
  }

  private func lines(_ reading: AuditReading, rows: Bool = true) async throws -> String {
    let text = Collected()
    try await AuditExport.export(reading, only: nil, rows: rows) { text.text += $0 }
    return text.text
  }

  private final class Collected { var text = "" }

  /// What the independent verifier says about exported lines.
  private func independent(_ files: String...) throws -> (output: String, code: Int32) {
    let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Independent/verify_audit.py")
    let place = try TemporaryFolder()
    var paths: [String] = []
    for (index, text) in files.enumerated() {
      let path = "\(place.path)/\(index).ndjson"
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      paths.append(path)
    }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", script.path()] + paths
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (text, process.terminationStatus)
  }

  /// What only a superuser can do, who switches the guard off.
  private func tamper(_ database: PreparedDatabase, _ sql: String) async throws {
    try await database.script(
      """
      ALTER TABLE mana_ai.decrypt_audit DISABLE TRIGGER decrypt_audit_guard; \(sql);
      ALTER TABLE mana_ai.decrypt_audit ENABLE ALWAYS TRIGGER decrypt_audit_guard
      """)
  }

  @Test("A sound log verifies, and what is exported verifies by an implementation that shares no code with us")
  func sound() async throws {
    try await withLog { _, reading, _ in
      let answer = try await AuditVerify.verify(reading, only: nil, [:])
      #expect(answer.chains == 3 && answer.rows == 48 && answer.findings.isEmpty)
      let exported = try await lines(reading)
      #expect(exported.split(separator: "\n").count == 51)
      let offline = try independent(exported, try await lines(reading, rows: false))
      #expect(offline.code == 0 && offline.output == "3 chains, 48 rows, 0 problems\n", "\(offline.output)")
      let one = try await AuditVerify.verify(reading, only: try UserScope(Identifier("é")), [:])
      #expect(one.chains == 1 && one.rows == 16)
      let cut = try independent(exported.split(separator: "\n").dropFirst(3).joined(separator: "\n"))
      #expect(cut.code == 1 && cut.output.hasPrefix("a: rows 1 to 3 are missing"))
      #expect(try independent("").code == 2)
    }
  }

  @Test("Each column that is changed in the database is found, and the row is named")
  func changed() async throws {
    try await withLog { database, reading, _ in
      let changes = [
        "record_id = 'other'", "mission_id = 'other'", "table_name = 'other'", "ts = ts + interval '1 microsecond'",
        "grant_id = 'g'", "iteration_id = 'i'", "purpose = 'p'", "batch = gen_random_uuid()", "of_seq = 99",
        "status = 'failed', reason = 'expired'", "hash = sha256('x')",
      ]
      for change in changes {
        try await tamper(
          database,
          """
          CREATE TABLE public.kept AS SELECT * FROM mana_ai.decrypt_audit WHERE user_id = 'é' AND seq = 5;
          UPDATE mana_ai.decrypt_audit SET \(change) WHERE user_id = 'é' AND seq = 5
          """)
        let found = try await findings(reading)
        #expect(found.first?.hasPrefix("é: row 5 was changed") == true, "\(change): \(found)")
        let offline = try independent(try await lines(reading))
        #expect(offline.code == 1 && offline.output.contains("é: row 5 is not what was hashed"), "\(change)")
        try await tamper(
          database,
          """
          DELETE FROM mana_ai.decrypt_audit WHERE user_id = 'é' AND seq = 5;
          INSERT INTO mana_ai.decrypt_audit SELECT * FROM public.kept; DROP TABLE public.kept
          """)
        #expect(try await findings(reading).isEmpty)
      }
    }
  }

  @Test("Removed, inserted and reordered rows are named, and so is a chain without an end")
  func restructured() async throws {
    try await withLog { database, reading, _ in
      try await tamper(
        database,
        """
        DELETE FROM mana_ai.decrypt_audit WHERE user_id = 'a' AND seq BETWEEN 3 AND 4;
        UPDATE mana_ai.decrypt_audit SET seq = 99 WHERE user_id = 'é' AND seq = 7;
        UPDATE mana_ai.decrypt_audit SET seq = 7 WHERE user_id = 'é' AND seq = 8;
        UPDATE mana_ai.decrypt_audit SET seq = 8 WHERE user_id = 'é' AND seq = 99;
        INSERT INTO mana_ai.decrypt_audit (user_id, mission_id, table_name, record_id, status, seq, hash, batch, xid)
        SELECT 'z', 'm', 'notes', 'forged', 'ok', 17, sha256('x'), gen_random_uuid(), pg_current_xact_id();
        INSERT INTO mana_ai.decrypt_audit (user_id, mission_id, table_name, record_id, status, seq, hash, batch, xid)
        SELECT 'zz', 'm', 'notes', 'forged', 'ok', 1, sha256('x'), gen_random_uuid(), pg_current_xact_id()
        """)
      let found = try await findings(reading)
      #expect(found.contains("a: rows 3 to 4 were removed"))
      #expect(found.contains("z: row 17 was inserted"))
      #expect(found.contains("é: row 7 was written as row 8: rows were reordered"))
      #expect(found.contains("zz: there are rows up to 1, but the chain has no end"))
      let offline = try independent(try await lines(reading))
      #expect(offline.code == 1)
    }
  }

  @Test("Pruning leaves a cut from which the rest verifies, here and offline, and leaves a broken chain whole")
  func pruned() async throws {
    try await withLog { database, reading, pool in
      let before = try await lines(reading, rows: false)
      var exported: [Identifier: [ChainHead]] = [:]
      for line in before.utf8.split(separator: UInt8(ascii: "\n")) {
        let bytes = Array(line)
        let head = try #require(try AuditLines.readHead(bytes.span))
        exported[head.user] = [head.end]
      }
      // Half a log that is two hours old, as the database would have written it then.
      try await tamper(
        database,
        """
        DO $$ DECLARE v_row record; v_hash bytea; v_user text := ''; BEGIN
          FOR v_row IN SELECT * FROM mana_ai.decrypt_audit ORDER BY user_id, seq LOOP
            IF v_row.user_id <> v_user THEN v_user := v_row.user_id; v_hash := decode(repeat('00', 32), 'hex'); END IF;
            v_row.ts := v_row.ts - CASE WHEN v_row.seq <= 6 THEN interval '2 hours' ELSE interval '0' END;
            v_hash := mana_ai.audit_hash(v_hash, v_row.user_id, v_row.seq, v_row.ts, v_row.mission_id, v_row.grant_id,
              v_row.iteration_id, v_row.table_name, v_row.record_id, v_row.status, v_row.reason, v_row.purpose,
              v_row.batch, v_row.of_seq);
            UPDATE mana_ai.decrypt_audit SET ts = v_row.ts, hash = v_hash WHERE id = v_row.id;
            UPDATE mana_ai.audit_heads SET hash = v_hash WHERE user_id = v_row.user_id;
          END LOOP;
        END $$;
        UPDATE mana_ai.decrypt_audit SET record_id = 'other' WHERE user_id = 'z' AND seq = 2
        """)
      // The owner can rewrite a chain so that it verifies; the ends that were exported say that he did.
      let rewritten = try await findings(reading, exported)
      #expect(rewritten.contains("a: row 16 is not the one whose hash was exported: the chain was rewritten"))
      let hourAgo = try #require(
        PostgresTimestamp(unixMicroseconds: Int64(Date().timeIntervalSince1970 * 1_000_000) - 3_700_000_000))
      let answer = try await AuditPrune.prune(AuditPruning(pool), before: hourAgo)
      #expect(answer.chains == 3 && answer.removed == 12 && answer.broken == ["z"])
      #expect(try await findings(reading) == ["z: row 2 was changed: it is not what was hashed behind row 1"])
      let verified = try await AuditVerify.verify(reading, only: try UserScope(Identifier("a")), [:])
      #expect(verified.rows == 10 && verified.findings.isEmpty)
      let kept = try await lines(reading)
      #expect(kept.contains(#"{"cut":{"user":"a","seq":6"#))
      let offline = try independent(kept)
      #expect(
        offline.output.hasPrefix("z: row 2 is not what was hashed") && offline.output.hasSuffix("36 rows, 1 problems\n")
      )
      do {
        let now = try #require(PostgresTimestamp(unixMicroseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)))
        _ = try await AuditPrune.prune(AuditPruning(pool), before: now)
        Issue.record("rows of this hour were pruned")
      } catch let failure as CommandFailure {
        #expect(failure.sentence == "only rows that are older than an hour can be pruned.")
      }
    }
  }
}
