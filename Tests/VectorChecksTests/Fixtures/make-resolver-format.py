#!/usr/bin/env python3
"""Writes seeds-resolver-format.json with rules and an AES that are not ours (PyPI's cryptography for the latter).

A second run writes the same bytes:  python3 make-resolver-format.py
"""

import base64
import hashlib
import json
import pathlib

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

here = pathlib.Path(__file__).parent
SPACES = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200b)))
UNTITLED = "(ohne Titel)"


def compact(value):
    """As JSON.stringify: our values hold no numbers that Python spells otherwise, and no odd orders of keys."""
    if isinstance(value, dict):
        value = {key: value[key] for key in sorted((k for k in value if k.isdigit()), key=int)} | value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def text(value):
    """As String(value)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join("" if part is None else text(part) for part in value)
    if isinstance(value, dict):
        return "[object Object]"
    return value if isinstance(value, str) else compact(value)


def filled(value):
    return isinstance(value, str) and value != ""


def cut(value, count):
    units = value.encode("utf-16-be")
    return units if len(units) <= 2 * count else units[:2 * count] + "…".encode("utf-16-be")


def line(record, parts):
    title = record.get("title")
    out = []
    for name, pattern in parts:
        value = record.get(name) if name != "title" else title if isinstance(title, str) else UNTITLED
        if filled(value):
            out.append(pattern.replace("*", value))
    return " ".join(out)


def profile(record):
    out = []
    for name in ["about", "interests", "routine", "nutrition", "goals", "social", "freeform"]:
        value = record.get(name)
        if isinstance(value, str) and value.strip(SPACES):
            out.append(value.strip(SPACES))
        elif isinstance(value, (list, dict)):
            out.append(compact(value))
    return "\n".join(out)


def goals(record):
    def of(value, instead):
        return instead if value is None else text(value)
    target = record.get("target")
    value = target.get("value") if isinstance(target, dict) else None
    return (f"Fortschritt: {of(record.get('currentValue'), '0')} / {of(value, '?')} "
            f"({of(record.get('period'), 'unbekannt')})")


def any_content(record):
    value = record.get("content")
    return '""' if value is None else value if isinstance(value, str) else compact(value)


def titled(label):
    return lambda record: record["title"] if isinstance(record.get("title"), str) else label


task = (titled("Task"), lambda r: line(r, [("status", "[*]"), ("title", "*"), ("description", "— *"),
                                           ("dueDate", "(faellig: *)")]), 500)
MODULES = {
    "notes": ("notes", "notes", titled("Notiz"), any_content, 500),
    "tasks": ("todo", "tasks", *task), "todo": ("todo", "tasks", *task),
    "calendar": ("calendar", "events", titled("Termin"),
                 lambda r: line(r, [("title", "*"), ("startDate", "@ *"), ("location", "in *")]), 500),
    "journal": ("journal", "journalEntries", titled("Journal-Eintrag"),
                lambda r: r["content"] if isinstance(r.get("content"), str) else "", 500),
    "kontext": ("kontext", "kontextDoc", lambda r: "Mana-Kontext", any_content, 1500),
    "profile": ("profile", "userContext", lambda r: "Nutzerprofil", profile, 2000),
    "goals": ("companion", "companionGoals", lambda r: "Goal" if r.get("title") is None else r["title"], goals, 10**6),
}


def shown(module, record):
    title, units = MODULES[module][2](record), cut(MODULES[module][3](record), MODULES[module][4])
    made = {"title": title} | ({"titleIsString": False} if not isinstance(title, str)
                               else {"titleUtf16Length": len(title.encode("utf-16-be")) // 2})
    made["contentUtf16Length"] = len(units) // 2
    try:
        return made | {"content": units.decode("utf-16-be")}
    except UnicodeDecodeError:
        # A half in front of the ellipsis.
        whole = units[:-4].decode("utf-16-be") + "\ufffd…"
        return made | {"contentLossy": whole, "contentUtf16be": units.hex()}


def fmt(comment, module, record, tags=()):
    made = {"kind": "format", "comment": comment, "tags": list(tags),
            "ref": {"module": module, "table": MODULES[module][1], "id": "rec"}, "appId": MODULES[module][0]}
    if record is None or record.get("deletedAt"):
        return made | ({} if record is None else {"record": record}) | {"expected": {"result": None}}
    return made | {"record": record, "expected": shown(module, {"id": "rec"} | record)}


KEY = hashlib.sha256(b"resolver-format fixture").digest()


def sealed(value, key=KEY):
    plain = json.dumps(value, ensure_ascii=False).encode()
    iv = hashlib.sha256(plain).digest()[:12]
    return ("enc:1:" + base64.b64encode(iv).decode() + "."
            + base64.b64encode(AESGCM(key).encrypt(iv, plain, None)).decode())


def resolve(comment, record, opened=None, reason=None, status="failed", module="notes", table=None, read=True,
            key=KEY, allowed=("notes:n1",), rows=None):
    table = table or (MODULES[module][1] if module in MODULES else module)
    if rows is None:
        rows = [] if reason is None and opened is None else [{
            "userId": "u", "missionId": "m", "iterationId": None, "tableName": table, "recordId": "n1",
            "status": "ok" if opened is not None else status, "reason": reason}]
    out = shown(module, opened) if opened is not None else {"result": None}
    made = {"kind": "resolve", "comment": comment, "tags": [], "mdkHex": key and key.hex(),
            "allowlist": allowed and list(allowed), "missionId": "m", "userId": "u",
            "ref": {"module": module, "table": table, "id": "n1"}, "appId": "x",
            "expected": out | {"auditRows": rows, "readRecord": read}}
    return made if record is None else made | {"record": record}


cases = [
    fmt("title and content", "notes", {"title": "T", "content": "a\r\n\tb "}),
    fmt("neither", "notes", {}), fmt("empty title", "notes", {"title": "", "content": ""}),
    fmt("content is null", "notes", {"title": 1, "content": None}),
    fmt("content is JSON", "kontext", {"title": "x", "content": {"b": [1, None, "\u0001\"\\/\u2028ä"], "2": 1, "1": {}}}),
    fmt("500 units", "notes", {"content": "é" * 500}), fmt("501 units", "notes", {"content": "é" * 501}),
    fmt("500 units in pairs", "notes", {"content": "😀" * 250}),
    fmt("half a pair at the cut", "notes", {"content": "a" + "😀" * 250}),
    fmt("half a pair at the cut of JSON", "kontext", {"content": ["x" * 1496 + "😀" * 9]}),
    fmt("a long title is not cut", "journal", {"title": "😀" * 900, "content": "x" * 501}),
    fmt("a journal without text", "journal", {"content": {"a": 1}}),
    fmt("a whole task", "todo", {"title": "T", "status": "open", "description": "d", "dueDate": "2026"}),
    fmt("an empty title is no part", "tasks", {"title": "", "status": "", "description": "d", "dueDate": 5}),
    fmt("no title", "tasks", {"title": None}), fmt("a cut task", "tasks", {"status": "s" * 480, "title": "t" * 40}),
    fmt("an event", "calendar", {"title": "T", "startDate": "2026", "location": "X"}),
    fmt("an event without title", "calendar", {"location": "X"}),
    fmt("a profile", "profile", {"about": "\ufeff a\u200b\u3000", "interests": [], "routine": {}, "nutrition": 0,
                                "goals": True, "social": "\u00a0", "freeform": ["x", {"y": None}], "leisure": "no"}),
    fmt("a profile cut", "profile", {"about": "a" * 1999, "interests": "b"}),
    fmt("a goal", "goals", {"title": "G", "currentValue": 1.5, "target": {"value": 10}, "period": "week"}),
    fmt("a goal with nothing", "goals", {"title": None, "target": 3}),
    fmt("odd values", "goals", {"currentValue": [1, None, [2, {}]], "target": {"value": False}, "period": {}}),
    fmt("numbers", "goals", {"currentValue": -0.25, "target": {"value": 12345678901234567000}, "period": 100}),
    fmt("a title that is no text", "goals", {"title": 5}),
    fmt("deleted", "notes", {"deletedAt": "x"}), fmt("absent", "notes", None),
    resolve("opened", {"title": sealed("T"), "content": sealed({"a": [1]})}, {"title": "T", "content": {"a": [1]}}),
    resolve("nothing was sealed", {"content": "x"}, {"content": "x"}),
    resolve("sealed for another key", {"content": sealed("x", bytes(32))}, reason="ciphertext-tampered-or-wrong-key"),
    resolve("the same in other words", {"content": sealed("x", bytes(32))}, reason="decrypt-failed"),
    resolve("any field counts", {"zzz": "enc:1:nodot"}, reason="ciphertext-malformed"),
    resolve("no key", {}, key=None, read=False), resolve("no list", {}, allowed=None, read=False),
    resolve("not on the list", {}, allowed=("n1", "tasks:n1"), read=False, status="scope-violation",
            reason="record-not-in-grant-allowlist"),
    resolve("absent", None), resolve("no such module", {}, module="Notes", read=False),
    resolve("a goal needs nothing", {"title": "enc:1:nodot"}, {"title": "enc:1:nodot"}, module="goals", key=None,
            allowed=None, rows=[]),
    resolve("another module's table", {"title": "T"}, {"title": "T"}, module="calendar", table="notes"),
]
for number, made in enumerate(cases, 1):
    made["id"] = f"resolver-format-{number:04}"
(here / "seeds-resolver-format.json").write_text(json.dumps({
    "description": "What a planner is shown of a record",
    "reference": "services/mana-ai/src/db/resolvers/encrypted.ts, goals.ts and more",
    "cases": cases}, ensure_ascii=False, indent=1) + "\n")
print("written:", len(cases), "cases")
