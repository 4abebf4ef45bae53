"""The negative control: every file is damaged in many ways, one at a time, and each damage must be noticed.

A check that cannot fail is none. What is damaged: each member of a test and of a group, one byte of it; the frame
around the tests; the files themselves.
"""

import copy
import json
import os
import shutil
import tempfile

from check_vectors import FILES, check_file, check_folder_quietly, read
import schema

# One byte of these may change without another outcome: now may be any time within a grant's life, a stranger's name
# remains a stranger's, and what an invalid case holds may be wrong in another way with the same reason.
FREE = {("GrantV1Opening", "now"), ("GrantV2Opening", "now")}
WORDS = {"comment", "warning", "name"}


def selftest(folder):
    noticed, missed = 0, []
    for name in FILES:
        text, rules = read(folder, f"{name}.json"), read(folder, f"schemas/{name}.json")
        if check_file(text, rules, name)[1]:
            print(f"FAILED {name}: it is damaged before anything was done to it")
            return False
        before = noticed
        for what, damaged, group in damages(schema.load(text)):
            if check_file(damaged, rules, name, only=group)[1]:
                noticed += 1
            else:
                missed.append(f"{name}: {what}")
        print(f"{noticed - before:5} damages noticed  {name}.json")
    for what, wrong in damaged_folders(folder):
        noticed, missed = (noticed + 1, missed) if wrong else (noticed, missed + [what])
    for what in missed:
        print(f"FAILED {what} was not noticed")
    print(f"self-test: {noticed} damages noticed, {len(missed)} missed")
    return not missed and noticed > 0


def damages(file):
    """(what was done, the damaged text, the group to look at): bytes in the first valid and the first invalid test of
    each group, and more."""
    for number, group in enumerate(file["testGroups"]):
        for path, value in leaves(group, [member for member in group if member != "tests"]):
            yield from flips(file, ["testGroups", number] + path, value, group["type"])
        for result in ("valid", "invalid"):
            place = next((index for index, test in enumerate(group["tests"]) if test["result"] == result), None)
            if place is None:
                continue
            test = group["tests"][place]
            checked = [member for member in test if member not in ("tcId", "flags")]
            if result == "invalid":
                # Most bytes of a case that fails may change; what it says about itself may not.
                checked = list(test)[list(test).index("result") :]
            for path, value in leaves(test, checked):
                yield from flips(file, ["testGroups", number, "tests", place] + path, value, group["type"])
    for what, damaged in structures(file):
        yield what, damaged, None


def leaves(value, members=None, path=()):
    if isinstance(value, dict):
        for name in members if members is not None else value:
            yield from leaves(value[name], None, path + (name,))
    elif isinstance(value, list):
        for index, element in enumerate(value[:2]):
            yield from leaves(element, None, path + (index,))
    else:
        yield list(path), value


def flips(file, path, value, group):
    name = next(step for step in reversed(path) if isinstance(step, str))
    if name in WORDS - {"warning"} or (group, name) in FREE:
        return
    if isinstance(value, bool):
        yield changed(file, path, not value) + (path[1],)
    elif isinstance(value, (int, float)):
        yield changed(file, path, value + 1 if name != "wantedMs" else value + 3_600_000) + (path[1],)
    elif isinstance(value, str) and value:
        # Loading an RSA key is slow, so it is damaged in one place only.
        places = {0, len(value) // 2, len(value) - 1} if name != "privateKeyPkcs8" else {len(value) // 2}
        for place in sorted(places):
            yield changed(file, path, value[:place] + other(value[place]) + value[place + 1 :]) + (path[1],)


def other(character):
    """Another character of the same kind, so that the damage is not merely one of form."""
    if character in "0123456789":
        return str((int(character) + 1) % 10)
    if character in "abcdef":
        return "bcdefa"["abcdef".index(character)]
    return "y" if character == "x" else "x"


def changed(file, path, value):
    """What was done, and the text of the file with another value at the end of that path."""
    damaged = copy.copy(file)
    inner = damaged
    for step in path[:-1]:
        inner[step] = copy.copy(inner[step])
        inner = inner[step]
    inner[path[-1]] = value
    return f"{path} changed", json.dumps(damaged)


def structures(file):
    text = json.dumps(file)
    yield "an unknown member of the file", json.dumps({**file, "more": 1})
    for place in (["testGroups", 0], ["testGroups", 0, "tests", 0], ["notes"]):
        yield changed(file, place + ["more"], "x")
    yield "a member that stands twice", text.replace('{"algorithm"', '{"numberOfTests": 1, "algorithm"', 1)
    yield "a missing member", json.dumps({name: file[name] for name in file if name != "header"})
    yield changed(file, ["numberOfTests"], file["numberOfTests"] + 1)
    yield changed(file, ["algorithm"], file["algorithm"] + " ")
    yield changed(file, ["testGroups", 0, "tests"], file["testGroups"][0]["tests"][1:])
    yield changed(file, ["testGroups", 0, "tests", 0, "flags"], ["Unheard"])
    yield changed(file, ["testGroups", 0, "type"], "Unheard")
    yield "a file that ends too early", text[:-2]


def damaged_folders(folder):
    """(what was done, whether it was noticed)"""
    name = FILES[0]
    deeds = {
        "an unknown file": lambda copied: shutil.copy(f"{copied}/{name}.json", f"{copied}/another.json"),
        "a missing file": lambda copied: os.remove(f"{copied}/{name}.json"),
        "a missing schema": lambda copied: os.remove(f"{copied}/schemas/{name}.json"),
        "an open schema": lambda copied: replace(f"{copied}/schemas/{name}.json", "false", "true"),
        "a schema with a rule that nobody knows": lambda copied: replace(f"{copied}/schemas/{name}.json", "minItems", "x"),
    }
    for what, deed in deeds.items():
        with tempfile.TemporaryDirectory() as copied:
            shutil.copytree(folder, copied, dirs_exist_ok=True)
            deed(copied)
            yield what, check_folder_quietly(copied, [name])


def replace(path, old, new):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))
