#!/usr/bin/env python3
"""Writes seeds-record-replay.json with a fold of change rows that is not ours; needs nothing but Python.

A second run writes the same bytes:  python3 make-record-replay.py
"""

import json
import pathlib

here = pathlib.Path(__file__).parent


def order(stamp):
    return stamp.encode("utf-16-be")


def fold(record_id, rows):
    """The record and its stamps, or None."""
    if not rows or any(row["op"] == "delete" for row in rows):
        return None
    record, stamps = {"id": record_id} | (rows[0]["data"] or {}), dict(rows[0]["field_meta"] or {})
    for row in rows[1:]:
        for name, value in (row["data"] or {}).items():
            stamp = (row["field_meta"] or {}).get(name)
            if stamp is None:
                stamp = row["created_at"][:23] + "Z"
            if order(stamp) >= order(stamps.get(name) or ""):
                record[name], stamps[name] = value, stamp
    return record, stamps


def case(comment, rows, split=None, tags=(), expected=None):
    folded = fold("rec", rows)
    snapshot = folded and folded[0] | {"__fieldMeta": folded[1]}
    hidden = folded is None or bool(folded[0].get("deletedAt")) or folded[0].get("deletedAt") in ([], {})
    made = {
        "comment": comment, "tags": list(tags), "recordId": "rec", "rows": rows,
        "expected": expected or {"replay": None if hidden else folded[0], "agents": None if hidden else snapshot,
                                 "snapshot": snapshot},
        "differences": [] if folded is None else
        ["snapshot keeps a record that replay and agents drop (deletedAt)" if hidden else "agents adds __fieldMeta"]}
    return made if split is None else made | {"incremental": {"splitAt": split, "snapshot": snapshot}}


def row(at, op, data=None, field_meta=None):
    return {"op": op, "data": data, "field_meta": field_meta, "created_at": f"2026-04-15T10:00:{at}Z"}


insert = row("00.000", "insert", {"title": "a", "n": 1}, {})
cases = [
    case("no rows", []),
    case("one row", [insert]),
    case("nothing in the first row", [row("00.000", "insert")]),
    case("a newer stamp, an older one and a tie", [
        row("00.000", "insert", {"a": 1, "b": 1, "c": 1}, {"a": "1", "b": "3", "c": "2"}),
        row("01.000", "update", {"a": 2, "b": 2, "c": 2}, {"a": "2", "b": "2", "c": "2"})], split=1),
    case("no stamp on the insert: whatever comes later wins", [
        insert, row("01.000", "update", {"title": "b"}, {"title": ""})], split=1),
    case("no stamp on the update: its own time, cut to milliseconds", [
        row("00.000", "insert", {"a": 1, "b": 1},
            {"a": "2026-04-15T10:00:01.000Z", "b": "2026-04-15T10:00:01.001Z"}),
        row("01.000999", "update", {"a": 2, "b": 2})], split=1, tags=["microseconds"]),
    case("rows of one millisecond", [
        row("01.000001", "insert", {"a": 1}), row("01.000001", "update", {"a": 2}),
        row("01.000002", "update", {"a": 3}, {"a": "2026-04-15T10:00:01.000Z"})], split=2, tags=["microseconds"]),
    case("stamps are text: no fraction, an offset, an astral character", [
        row("00.000", "insert", {"a": 1, "b": 1, "c": 1},
            {"a": "2026-04-15T10:00:00Z", "b": "2026-04-15T12:00:00+02:00", "c": "\ue000"}),
        row("01.000", "update", {"a": 2, "b": 2, "c": 2},
            {"a": "2026-04-15T10:00:00.999Z", "b": "2026-04-15T10:30:00Z", "c": "\U0001f600"})]),
    case("a null stamp is none, and is carried", [
        row("00.000", "insert", {"a": 1, "b": 1}, {"a": None, "b": None}),
        row("01.000", "update", {"a": 2}, {"a": None})], split=1, tags=["null-stamp"]),
    case("a stamp that waits for its field", [
        row("00.000", "insert", {"a": 1}, {"ghost": "5"}), row("01.000", "update", {"ghost": "old"}, {"ghost": "4"}),
        row("02.000", "update", {"b": 1}, {"b": "1", "a": "9"}), row("03.000", "update", {"ghost": 1}, {"ghost": "6"})],
        split=2),
    case("null data, a cleared field, a nested value, an odd operation", [
        row("00.000", "insert", {"a": {"x": 1, "y": 2}, "b": 1}), row("01.000", "update", None, {"b": "9"}),
        row("02.000", "upsert", {"a": {"x": [1, None]}, "b": None})], split=1),
    case("names: canonical equivalents, the empty one, an integer", [
        row("00.000", "insert", {"\u00e9": 1, "": 1, "10": 1}, {"\u00e9": "5"}),
        row("01.000", "update", {"e\u0301": 2, "": 2, "9": 2}, {"e\u0301": "1"})], split=1),
    case("an id in the data", [
        row("00.000", "insert", {"id": "other"}), row("01.000", "update", {"id": None})], tags=["id"]),
    case("a delete, and an insert after it", [
        insert, row("01.000", "delete", {"deletedAt": "x"}, {}), row("02.000", "insert", {"title": "b"}, {})],
        split=2, tags=["delete"]),
    *[case(f"deletedAt is {value!r}", [insert, row("01.000", "update", {"deletedAt": value})], split=1,
           tags=["deletedAt"]) for value in ("x", "", None, True, False, 0, 1, [], {})],
    case("deletedAt is cleared again", [
        insert, row("01.000", "update", {"deletedAt": "x"}), row("02.000", "update", {"deletedAt": None})],
        split=2, tags=["deletedAt"]),
    # What JavaScript makes of it, written down by hand: without an own stamp it finds the inherited function.
    case("a name that every JavaScript object has", [
        row("00.000", "insert", {"valueOf": "a"}, {}), row("01.000", "update", {"valueOf": "b"}),
        row("02.000", "update", {"valueOf": "c"}, {"valueOf": "2026"})], tags=["js-artifact"],
        expected={"replay": {"id": "rec", "valueOf": "b"},
                  "agents": {"id": "rec", "valueOf": "b", "__fieldMeta": {}},
                  "snapshot": {"id": "rec", "valueOf": "b", "__fieldMeta": {}}}),
    case("such a name with stamps from the start", [
        row("00.000", "insert", {"toString": "a"}, {"toString": "1"}),
        row("01.000", "update", {"toString": "b"}, {"toString": "2"})], tags=["js-artifact"]),
]
for number, made in enumerate(cases, 1):
    made["id"] = f"record-replay-{number:04}"
(here / "seeds-record-replay.json").write_text(json.dumps({
    "description": "Folds of change rows",
    "reference": "services/mana-ai/src/db/resolvers/record-replay.ts (replay) and more",
    "cases": cases}, ensure_ascii=False, indent=1) + "\n")
print("written:", len(cases), "cases")
