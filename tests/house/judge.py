#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does the runner count right? Outputs and statuses, and what they come to."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import run  # noqa: E402

# what, status, output, (passed, failed, skipped)
CASES = [
    ("two passed", 0, "ok 1 - a\nok 2 - b\n1..2\n", (2, 0, 0)),
    ("one failed", 1, "ok 1 - a\nnot ok 2 - b\n1..2\n", (1, 1, 0)),
    ("one skipped", 0, "ok 1 - a\nok 2 - b # SKIP no\n1..2\n", (1, 0, 1)),
    ("all skipped", 77, "ok 1 - b # SKIP no\n1..1\n", (0, 0, 1)),
    ("skipped without a line", 77, "# no such thing here\n", (0, 0, 1)),
    ("skipped by the plan", 77, "1..0 # SKIP no\n", (0, 0, 1)),
    ("a failure and status 77", 77, "not ok 1 - b\n1..1\n", (0, 1, 0)),
    ("died", -11, "ok 1 - a\n", (1, 1, 0)),
    ("died after its plan", -6, "ok 1 - a\n1..1\n", (1, 1, 0)),
    ("lasted too long", None, "ok 1 - a\n", (1, 1, 0)),
    ("status 1, no failed check", 1, "ok 1 - a\n1..1\n", (1, 1, 0)),
    ("status 0, a failed check", 0, "not ok 1 - a\n1..1\n", (0, 2, 0)),
    ("no plan", 0, "ok 1 - a\n", (1, 1, 0)),
    ("fewer checks than planned", 0, "ok 1 - a\n1..2\n", (1, 1, 0)),
    ("no output", 0, "", (0, 1, 0)),
    ("words that begin with ok", 0, "okay\nok 1 - a\n1..1\n", (1, 0, 0)),
]


def main():
    failed = 0
    for number, (what, status, text, expected) in enumerate(CASES, 1):
        passed, bad, skips, _ = run.judge(status, text)
        got = (passed, bad, len(skips))
        failed += got != expected
        print("%sok %d - %s" % ("" if got == expected else "not ", number, what))
        if got != expected:
            print("#   got %s, expected %s" % (got, expected))
    print("1..%d" % len(CASES))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
