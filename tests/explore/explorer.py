# SPDX-License-Identifier: MIT
"""What the tests of ufutex-explore share: PROGRAM is the first argument."""

import json
import os
import subprocess
import sys

PROGRAM = os.path.abspath(sys.argv[1])
ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))

count = failed = 0


def check(good, name, detail=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name), flush=True)
    if not good:
        print("".join("# %s\n" % line for line in str(detail).splitlines()[-60:]), end="",
              flush=True)
    return good


def end():
    print("1..%d" % count)
    sys.exit(1 if failed or not count else 0)


def command(words):
    """(status, standard output, standard error)"""
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=200)
    return (done.returncode, done.stdout.decode(errors="replace"),
            done.stderr.decode(errors="replace"))


def explore(*words):
    return command([PROGRAM, *words])


def objects(text):
    return [json.loads(line) for line in text.splitlines()]


def pairs():
    """All of a scenario and a mode, as the program lists them."""
    scenarios = json.loads(explore("list")[1])
    return [(s["name"], mode) for s in scenarios for mode in s["modes"].split()]
