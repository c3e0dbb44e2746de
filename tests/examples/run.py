#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs each example ten times: it ends well, and in time. Status 77 skips it."""

import os
import subprocess
import sys

TIMES = 10
SECONDS = 20


def once(program):
    """Its status, or None if it took too long; and what it said."""
    try:
        done = subprocess.run([program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=SECONDS)
    except subprocess.TimeoutExpired as late:
        return None, late.stdout or b""
    return done.returncode, done.stdout


def reason(words):
    return (words.decode(errors="replace").splitlines() or ["it says not why"])[-1]


def main(programs):
    failed = 0
    for number, program in enumerate(programs, 1):
        for _ in range(TIMES):
            status, words = once(program)
            if status != 0:
                break
        skipped = status == 77
        failed += status != 0 and not skipped
        print("%sok %d - %s%s" % ("" if status == 0 or skipped else "not ", number,
                                  os.path.basename(program), " # SKIP " + reason(words)
                                  if skipped else ""))
        print("".join("#   %s\n" % line
                      for line in words.decode(errors="replace").splitlines()), end="")
        if status != 0 and not skipped:
            print("#   %s" % ("too long" if status is None else "status %d" % status))
    print("1..%d" % len(programs))
    return 1 if failed or not programs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
