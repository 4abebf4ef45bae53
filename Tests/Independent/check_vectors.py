#!/usr/bin/env python3
"""Re-derives every value in our vector files with an implementation that is not ours.

    check_vectors.py FOLDER              checks every file; exit 1 on any difference and on any file it does not know
    check_vectors.py --selftest FOLDER   damages copies of the files in many ways and expects each to be noticed

Needs Python 3.9 and the package cryptography, 38.0 or newer. jsonschema is used beside our own small validator where
it is installed.
"""

import os
import sys
import time

import schema
from checks import CHECKS, Test
from formats import Refused

try:
    from jsonschema import Draft202012Validator
except ImportError:
    Draft202012Validator = None

FILES = (
    "audit-chain-v2.1 field-v1.1 field-v2.1 frame-v2.1 grant-v1.1 grant-v2.1 key-id-v2.1 keyring-v2.1 mission-key-v1.1 "
    "mission-key-v2.1 planner-input-v2.1 record-key-v2.1 scope-v2.1 sealed-copy-v2.1 vault-v2.1"
).split()


def check_folder(folder):
    """Prints a line per file; true if all is right."""
    passed, failures, started = 0, unknown_files(folder), time.monotonic()
    for name in FILES:
        tests, wrong = check_file(read(folder, f"{name}.json"), read(folder, f"schemas/{name}.json"), name)
        print(f"{tests - min(tests, len(wrong)):5} of {tests:3} cases  {name}.json")
        passed += tests - min(tests, len(wrong))
        failures += wrong
    for failure in failures:
        print(f"FAILED {failure}")
    used = "and jsonschema" if Draft202012Validator else "(jsonschema is not installed; our own validator alone)"
    print(f"python with cryptography, hashlib {used}: {time.monotonic() - started:.1f} s")
    print(f"{passed} passed, {len(failures)} failed")
    return not failures and passed > 0


def check_folder_quietly(folder, names):
    """What is wrong with the folder and with these of its files."""
    wrong = unknown_files(folder)
    for name in names:
        wrong += check_file(read(folder, f"{name}.json"), read(folder, f"schemas/{name}.json"), name)[1]
    return wrong


def unknown_files(folder):
    expected = {f"{name}.json" for name in FILES} | {f"schemas/{name}.json" for name in FILES}
    found = set()
    for directory, _, names in os.walk(folder):
        found |= {os.path.relpath(os.path.join(directory, name), folder) for name in names}
    unknown = sorted(name for name in found - expected if not name.endswith(".md"))
    return [f"{name}: a file that this check does not know" for name in unknown]


def read(folder, name):
    try:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        return error


def check_file(text, schema_text, name, only=None):
    """How many cases the file holds and what is wrong with it; with `only`, the first wrong thing of that group."""
    try:
        if isinstance(text, OSError) or isinstance(schema_text, OSError):
            raise ValueError("the file or its schema cannot be read")
        file, rules = schema.load(text), schema.load(schema_text)
        check_shape(file, rules, name, only)
    except (ValueError, AssertionError) as error:
        return 0, [f"{name}: {error}"]
    failures, tests = [], 0
    for group in file["testGroups"] if only is None else [file["testGroups"][only]]:
        for members in group["tests"]:
            tests += 1
            wrong = check_test(group, members)
            if wrong:
                failures.append(f"{name} tcId {members['tcId']} ({members['comment']}): {wrong}")
                if only is not None:
                    return tests, failures
    return tests, failures + collisions(file)


def check_shape(file, rules, name, only):
    if rules.get("$id") != f"urn:mandate:vectors:{name}" or not schema.is_closed(rules):
        raise AssertionError("the schema has another name, or objects in it are open")
    looked_at = file if only is None else {**file, "testGroups": [file["testGroups"][only]]}
    wrong = schema.problems(looked_at, rules)
    if wrong:
        raise AssertionError(wrong[0])
    if Draft202012Validator and only is None:
        Draft202012Validator.check_schema(rules)
        if not Draft202012Validator(rules).is_valid(file):
            raise AssertionError("jsonschema refuses what our own validator accepts")
    tests = [test for group in file["testGroups"] for test in group["tests"]]
    if file["schema"] != f"schemas/{name}.json" or file["numberOfTests"] != len(tests):
        raise AssertionError("the name of the schema or numberOfTests is wrong")
    if [test["tcId"] for test in tests] != list(range(1, len(tests) + 1)):
        raise AssertionError("the tcIds do not count the tests")
    if len({test["comment"] for test in tests}) != len(tests):
        raise AssertionError("two tests have one comment")
    if {flag for test in tests for flag in test["flags"]} != set(file["notes"]):
        raise AssertionError("the notes are not those of the flags")


def check_test(group, members):
    """What is wrong with the test, or None."""
    test = Test(members)
    try:
        wanted = {**CHECKS[group["type"]](group, test), "result": "valid"}
    except Refused as refusal:
        wanted = {"result": "invalid"} if refusal.reason is None else {"result": "invalid", "reason": refusal.reason}
    except (AssertionError, ValueError, KeyError, TypeError) as error:
        return f"{type(error).__name__}: {error}"
    for name, value in wanted.items():
        if name not in members:
            return f"{name} should be {value!r} and is not there"
        if members[name] != value:
            return f"{name} should be {str(value)[:80]!r}"
    unseen = set(members) - test.seen - set(wanted)
    # A refusal may come before the last input has been looked at; what follows from inputs must always be derived.
    if unseen and wanted["result"] == "valid":
        return f"nobody looked at {sorted(unseen)}"
    return None


def collisions(file):
    """Whoever claims to share a key with another must do so."""
    tests = [test for group in file["testGroups"] for test in group["tests"] if "Collision" in test["flags"]]
    keys = [test["key"] for test in tests]
    return [f"tcId {test['tcId']}: no other scope has this key" for test in tests if keys.count(test["key"]) < 2]


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if len(arguments) == 1 and not arguments[0].startswith("-"):
        sys.exit(0 if check_folder(arguments[0]) else 1)
    if len(arguments) == 2 and arguments[0] == "--selftest":
        from selftest import selftest

        sys.exit(0 if selftest(arguments[1]) else 1)
    print(__doc__, file=sys.stderr)
    sys.exit(2)
