#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Some tests under valgrind, which has no restartable sequences: the library must
find that out by itself, and touch no memory that it should not. (Tests that
offer bad addresses on purpose would only fill the screen.)
"""

import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import builds  # noqa: E402

BUILD = os.path.abspath(os.environ.get("UFUTEX_BUILD", "build"))
TESTS = ["abi-bitset", "abi-fifo", "abi-wake", "abi-wake_op"]
COMMAND = ["valgrind", "-q", "--error-exitcode=9", "--fair-sched=yes"]


def main():
    if not shutil.which("valgrind"):
        print("1..0 # SKIP valgrind is not installed")
        return 77
    count = failed = 0
    for test in builds.introspect(BUILD):
        if test["name"] not in TESTS:
            continue
        result = subprocess.run(COMMAND + test["cmd"], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        good = result.returncode in (0, 77)
        count += 1
        failed += not good
        print("%sok %d - %s" % ("" if good else "not ", count, test["name"]))
        if not good:
            text = result.stdout.decode(errors="replace")
            print("# status %d" % result.returncode)
            print("".join("# %s\n" % line for line in text.splitlines()), end="")
    print("1..%d" % count)
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
