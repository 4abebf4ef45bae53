"""What a planner is shown of a record, by docs/formats.md: the map of modules, the rule of each, the cut in UTF-16 units.

JavaScript's ways with JSON, numbers and white space are spelled out here; planner_input.mjs has them from the engine.
"""

import json
import re
from decimal import Decimal

TASK = [("status", "[%s]"), ("title", "%s"), ("description", "— %s"), ("dueDate", "(faellig: %s)")]
EVENT = [("title", "%s"), ("startDate", "@ %s"), ("location", "in %s")]
PROFILE = ["about", "interests", "routine", "nutrition", "goals", "social", "freeform"]
# app, table, title, the fields that are read, limit
MODULES = {
    "notes": ("notes", "notes", "Notiz", ["title", "content"], 500),
    "tasks": ("todo", "tasks", "Task", ["title", "status", "description", "dueDate"], 500),
    "todo": ("todo", "tasks", "Task", ["title", "status", "description", "dueDate"], 500),
    "calendar": ("calendar", "events", "Termin", ["title", "startDate", "location"], 500),
    "journal": ("journal", "journalEntries", "Journal-Eintrag", ["title", "content"], 500),
    "kontext": ("kontext", "kontextDoc", "Mana-Kontext", ["content"], 1500),
    "profile": ("profile", "userContext", "Nutzerprofil", PROFILE, 2000),
    "goals": ("companion", "companionGoals", "Goal", ["title", "currentValue", "target", "period"], None),
}
SPACES = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200B)))


def input_module(module, table):
    """None where the table is not the module's."""
    if module not in MODULES or MODULES[module][1] != table:
        return None
    app, _, _, fields, units = MODULES[module]
    return {"app": app, "consent": module != "goals", "fields": fields, "units": units}


def planner_input(module, fields):
    record = {field["name"]: parse(field["json"]) for field in fields}
    if len(record) != len(fields):
        raise ValueError("a field stands twice")
    content = cut(content_of(module, record), MODULES[module][4])
    return {"title": title_of(module, record.get("title")), "content": content, "units": units_of(content)}


def title_of(module, title):
    words = MODULES[module][2]
    if module in ("kontext", "profile"):
        return words
    if module == "goals":
        return words if title is None else as_text(title)
    return title if isinstance(title, str) else words


def content_of(module, record):
    content = record.get("content")
    if module in ("notes", "kontext"):
        return '""' if content is None else content if isinstance(content, str) else as_json(content)
    if module == "journal":
        return content if isinstance(content, str) else ""
    if module in ("tasks", "todo"):
        return line(record, TASK)
    if module == "calendar":
        return line(record, EVENT)
    if module == "profile":
        lines = [profile_line(record.get(name)) for name in PROFILE]
        return "\n".join(text for text in lines if text is not None)
    target = record.get("target")
    value = target.get("value") if isinstance(target, dict) else None
    said = [(record.get("currentValue"), "0"), (value, "?"), (record.get("period"), "unbekannt")]
    return "Fortschritt: %s / %s (%s)" % tuple(words if found is None else as_text(found) for found, words in said)


def line(record, parts):
    texts = []
    for name, pattern in parts:
        value = record.get(name)
        if name == "title" and not isinstance(value, str):
            value = "(ohne Titel)"
        if isinstance(value, str) and value:
            texts.append(pattern % value)
    return " ".join(texts)


def profile_line(value):
    if isinstance(value, str):
        return value.strip(SPACES) or None
    return as_json(value) if isinstance(value, (dict, list)) else None


# UTF-16


def units_of(text):
    return len(text.encode("utf-16-le")) // 2


def cut(text, units):
    if units is None or units_of(text) <= units:
        return text
    # A half of a pair at the end is no UTF-16 and is left out.
    return text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", errors="ignore") + "…"


# JSON as JavaScript reads and writes it


class Number:
    """A number by its text."""

    def __init__(self, text):
        self.text = text


def parse(text):
    def refuse(word):
        raise ValueError(f"{word} is no JSON")

    return ordered(json.loads(text, parse_int=Number, parse_float=Number, parse_constant=refuse))


def ordered(value):
    if isinstance(value, list):
        return [ordered(element) for element in value]
    if isinstance(value, dict):
        # Of two equal keys dict keeps the first one's place and the last one's value, as JavaScript does.
        indices = sorted((key for key in value if is_index(key)), key=int)
        return {key: ordered(value[key]) for key in indices + [key for key in value if not is_index(key)]}
    return value


def is_index(key):
    return re.fullmatch(r"0|[1-9][0-9]{0,9}", key) is not None and int(key) < 2**32 - 1


def as_json(value):
    if isinstance(value, Number):
        text = spelled(value.text)
        return "null" if text.endswith("Infinity") else text
    if isinstance(value, list):
        return "[" + ",".join(map(as_json, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{as_json(key)}:{as_json(value[key])}" for key in value) + "}"
    return json.dumps(value, ensure_ascii=False)


def as_text(value):
    if isinstance(value, Number):
        return spelled(value.text)
    if isinstance(value, list):
        return ",".join("" if element is None else as_text(element) for element in value)
    if isinstance(value, dict):
        return "[object Object]"
    return value if isinstance(value, str) else {True: "true", False: "false"}[value]


def spelled(text):
    sign, digits, exponent = Decimal(text).as_tuple()
    digits = "".join(map(str, digits)).lstrip("0")
    exponent += len(digits) - len(digits.rstrip("0"))
    digits = digits.rstrip("0")
    point = len(digits) + exponent
    if not digits or point < -323:
        return "0"
    return ("-" if sign else "") + ("Infinity" if point > 309 else positional(digits, point))


def positional(digits, point):
    if not -6 < point <= 21:
        mantissa = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
        return f"{mantissa}e{point - 1:+d}"
    if point <= 0:
        return "0." + "0" * -point + digits
    if point >= len(digits):
        return digits.ljust(point, "0")
    return f"{digits[:point]}.{digits[point:]}"
