"""As much of JSON Schema (draft 2020-12) as our schemas use, and a reader that refuses doubled members.

A keyword that is not known here is an error: a rule that nobody looks at is no rule.
"""

import json
import re

TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
}
KEYWORDS = {
    "$schema", "$id", "title", "type", "properties", "required", "additionalProperties", "items", "minItems", "pattern",
    "minimum", "const", "enum", "oneOf", "anyOf",
}  # fmt: skip


def load(text):
    def pairs(members):
        if len({name for name, _ in members}) != len(members):
            raise ValueError("a member stands twice")
        return dict(members)

    return json.loads(text, object_pairs_hook=pairs)


def is_closed(schema):
    """True when no object in it may have members that it does not name."""
    if isinstance(schema, list):
        return all(map(is_closed, schema))
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object":
        closed = schema.get("additionalProperties") is False
        if not closed or sorted(schema.get("properties", {})) != sorted(schema.get("required", [])):
            return False
    return all(map(is_closed, schema.values()))


def problems(value, schema, path="file"):
    """What is wrong with the value, in words; nothing if it is right."""
    if schema == {"type": "string"}:  # By far the most.
        return [] if isinstance(value, str) else [f"{path} is no string"]
    unknown = set(schema) - KEYWORDS
    if unknown:
        return [f"{path}: the schema has unknown keywords {sorted(unknown)}"]
    found = []
    if "type" in schema and not TYPES[schema["type"]](value):
        return [f"{path} is no {schema['type']}"]
    if "const" in schema and value != schema["const"]:
        found.append(f"{path} is not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{path} is none of {schema['enum']}")
    if "pattern" in schema and re.search(schema["pattern"].replace("$", r"\Z"), value) is None:
        found.append(f"{path} does not match {schema['pattern']}")
    if "minimum" in schema and value < schema["minimum"]:
        found.append(f"{path} is below {schema['minimum']}")
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            found.append(f"{path} has too few elements")
        if "items" in schema:
            for index, element in enumerate(value):
                found += problems(element, schema["items"], f"{path}[{index}]")
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        found += [f"{path} lacks {name}" for name in schema.get("required", []) if name not in value]
        if schema.get("additionalProperties") is False:
            found += [f"{path} has an unknown member {name}" for name in value if name not in known]
        for name in value:
            if name in known:
                found += problems(value[name], known[name], f"{path}.{name}")
    for keyword, wanted in (("oneOf", 1), ("anyOf", None)):
        if keyword in schema:
            answers = [problems(value, choice, path) for choice in schema[keyword]]
            fitting = sum(1 for answer in answers if not answer)
            if fitting == 0 or wanted is not None and fitting != wanted:
                closest = min(answers, key=len)
                found.append(f"{path} fits {fitting} of {len(answers)} choices: {'; '.join(closest[:3])}")
    return found
