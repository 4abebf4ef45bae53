"""Promises: small tests with a name that reads like one, counted, run in order, on one database per file."""

import inspect
import time
import traceback

from pq import Refused

_files = {}
looked = 0  # single things looked at, over all promises


def promise(words):
    def keep(function):
        _files.setdefault(inspect.getmodule(function).__name__, []).append((words, function))
        return function
    return keep


def same(found, wanted, what=""):
    global looked
    looked += 1
    assert found == wanted, f"{what}: found {found!r}, wanted {wanted!r}"


def holds(truth, what=""):
    global looked
    looked += 1
    assert truth, what


def refused(states, action, what=""):
    """The server must refuse the action with one of these SQLSTATEs."""
    global looked
    looked += 1
    states = {states} if isinstance(states, str) else set(states)
    try:
        found = action()
    except Refused as error:
        assert error.state in states, f"{what}: refused with {error}, wanted {sorted(states)}"
        return error
    raise AssertionError(f"{what}: was not refused, answered {found!r}")


def wait_until(condition, what, seconds=20):
    """Waits for a state of the server, which is the signal; the bound only ends a broken test."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError(f"never came true: {what}")


def run(modules):
    global looked
    kept, broken = 0, []
    for module in modules:
        database = module.prepare()
        for words, function in _files.get(module.__name__, []):
            before, start = looked, time.monotonic()
            try:
                said = function(database)
                holds(looked > before, "a promise that looks at nothing")
                kept += 1
                print(f"  kept    {words} ({looked - before - 1} looked at{', ' + said if said else ''}, "
                      f"{time.monotonic() - start:.1f} s)", flush=True)
            except Exception:  # noqa: BLE001 - whatever goes wrong breaks the promise
                broken.append(words)
                print(f"  BROKEN  {words}\n{traceback.format_exc()}", flush=True)
    print(f"{kept} promises kept, {len(broken)} broken, {looked} things looked at")
    for words in broken:
        print(f"  broken: {words}")
    return not broken
