#!/usr/bin/env python3
"""Verifies exported audit chains with nothing but hashlib: an implementation of the formula that shares no code with
the database. Reads NDJSON on standard input, or is called with the objects: rows (all members of the formula, ts with six
digits), {"cut": …} and {"head": …} lines, in any order. Names the first thing that is wrong with a chain.
"""

import hashlib
import json
import struct
import sys


def frame(*parts):
    out = b""
    for part in parts:
        data = ("" if part is None else str(part)).encode()
        out += struct.pack(">I", len(data)) + data
    return out


def verify(objects):
    """Answers (chains, rows, problems)."""
    rows, cuts, heads = {}, {}, {}
    for o in objects:
        if "cut" in o:
            cuts[o["cut"]["user"]] = o["cut"]
        elif "head" in o:
            heads[o["head"]["user"]] = o["head"]
        else:
            rows.setdefault(o["user"], []).append(o)
    problems, count = [], 0
    for user in sorted(set(rows) | set(heads) | set(cuts)):
        seq, digest, ts = 0, bytes(32), ""
        if user in cuts:
            seq, digest = int(cuts[user]["seq"]), bytes.fromhex(cuts[user]["hash"])
        chain = sorted(rows.get(user, []), key=lambda r: int(r["seq"]))
        for row in chain:
            count += 1
            if int(row["seq"]) != seq + 1:
                problems.append(f"{user}: after {seq} comes {row['seq']}")
                break
            seq += 1
            digest = hashlib.sha256(digest + frame(
                "mandate/v2/audit", user, seq, row["ts"], row["mission"], row["grant"], row["iteration"], row["table"],
                row["record"], row["status"], row["reason"], row["purpose"], row["batch"], row["of_seq"])).digest()
            if digest.hex() != row["hash"]:
                problems.append(f"{user}: row {seq} is not what was hashed")
                break
            if row["ts"] < ts:
                problems.append(f"{user}: time runs backwards at row {seq}")
                break
            ts = row["ts"]
        else:
            head = heads.get(user)
            if head is None:
                problems.append(f"{user}: no head")
            elif int(head["seq"]) != seq or head["hash"] != digest.hex():
                problems.append(f"{user}: the rows end at {seq}, the head says {head['seq']}")
    return len(set(rows) | set(heads)), count, problems


EXPORT = """
SELECT json_build_object('user', a.user_id, 'seq', a.seq, 'ts', to_char(a.ts AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
  'mission', a.mission_id, 'grant', a.grant_id, 'iteration', a.iteration_id, 'table', a.table_name, 'record', a.record_id,
  'status', a.status, 'reason', a.reason, 'purpose', a.purpose, 'batch', a.batch, 'of_seq', a.of_seq,
  'hash', encode(a.hash, 'hex')) AS line
FROM mana_ai.decrypt_audit AS a WHERE a.seq IS NOT NULL
UNION ALL SELECT json_build_object('cut', json_build_object('user', c.user_id, 'seq', c.seq, 'hash', encode(c.hash, 'hex')))
FROM mana_ai.audit_cuts AS c
UNION ALL SELECT json_build_object('head', json_build_object('user', h.user_id, 'seq', h.seq, 'hash', encode(h.hash, 'hex')))
FROM mana_ai.audit_heads AS h
"""


def of_database(connection):
    """Verifies every chain of a database; the connection may be any role that reads all of them."""
    return verify(json.loads(r["line"]) for r in connection.run(EXPORT))


if __name__ == "__main__":
    chains, count, problems = verify(json.loads(line) for line in sys.stdin if line.strip())
    for problem in problems:
        print(problem)
    print(f"{chains} chains, {count} rows, {len(problems)} problems")
    sys.exit(1 if problems or not chains else 0)
