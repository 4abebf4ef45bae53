#!/usr/bin/env python3
"""Verifies an exported audit with hashlib and nothing of ours: no database, no Swift.

    mandate audit export | python3 Tests/Independent/verify_audit.py
    python3 Tests/Independent/verify_audit.py audit.ndjson [heads.ndjson ...]

Lines are rows, {"cut": …} and {"head": …}, in any order. Heads of further files are ends that were exported earlier; each
must be found again in its chain. Prints one line for each thing that is wrong; ends with 1 if there is any, with 2 if
there was nothing to verify.
"""

import hashlib
import json
import sys

PARTS = ("ts", "mission", "grant", "iteration", "table", "record", "status", "reason", "purpose", "batch", "of_seq")


def part(value):
    data = (b"" if value is None else str(value).encode())
    return len(data).to_bytes(4, "big") + data


def row_hash(previous, row):
    """SHA-256(previous || frame("mandate/v2/audit", user, seq, ts, …)), each part behind its length."""
    digest = hashlib.sha256(previous + part("mandate/v2/audit") + part(row["user"]) + part(row["seq"]))
    for name in PARTS:
        digest.update(part(row[name]))
    return digest.digest()


class Chain:
    def __init__(self):
        self.rows, self.cut, self.head = [], None, None

    def verify(self, earlier):
        """Yields what is wrong; earlier are (seq, hash) of ends that were exported before."""
        seq, previous, time = 0, bytes(32), ""
        known = {}
        if self.cut:
            seq, previous = self.cut["seq"], bytes.fromhex(self.cut["hash"])
            known[seq] = previous.hex()
        for row in sorted(self.rows, key=lambda r: r["seq"]):
            if row["seq"] <= seq:
                yield f"row {row['seq']} is there twice, or lies before the cut"
                continue
            if row["seq"] > seq + 1:
                yield f"rows {seq + 1} to {row['seq'] - 1} are missing"
            elif row_hash(previous, row).hex() != row["hash"]:
                yield f"row {row['seq']} is not what was hashed behind row {seq}"
            if row["ts"] < time:
                yield f"row {row['seq']} is earlier than the row before it"
            seq, previous, time = row["seq"], bytes.fromhex(row["hash"]), row["ts"]
            known[seq] = row["hash"]
        if self.head is None:
            yield "the chain has no end"
        elif (self.head["seq"], self.head["hash"]) != (seq, previous.hex()):
            yield f"the rows end at {seq}, the chain at {self.head['seq']}"
        first = self.cut["seq"] if self.cut else 1
        for number, digest in earlier:
            if number >= first and known.get(number) != digest:
                yield f"row {number} is not the one whose hash was exported"


def read(lines, chains):
    for line in lines:
        if not line.strip():
            continue
        value = json.loads(line)
        if "head" in value or "cut" in value:
            kind = "head" if "head" in value else "cut"
            setattr(chains.setdefault(value[kind]["user"], Chain()), kind, value[kind])
        else:
            chains.setdefault(value["user"], Chain()).rows.append(value)


def main(paths):
    chains, earlier = {}, {}
    if paths:
        with open(paths[0], encoding="utf-8") as file:
            read(file, chains)
    else:
        read(sys.stdin, chains)
    for path in paths[1:]:
        with open(path, encoding="utf-8") as file:
            for line in file:
                head = json.loads(line).get("head") if line.strip() else None
                if head:
                    earlier.setdefault(head["user"], []).append((head["seq"], head["hash"]))
    problems = 0
    for user in sorted(chains.keys() | earlier.keys()):
        for problem in chains.get(user, Chain()).verify(earlier.get(user, [])):
            problems += 1
            print(f"{user}: {problem}")
    rows = sum(len(chain.rows) for chain in chains.values())
    print(f"{len(chains)} chains, {rows} rows, {problems} problems")
    return 1 if problems else 0 if chains else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
