#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
A fault that lets a replacement of the table wait for ever: the process that
hangs is a finding, with its program.

usage: hang.py DIFFERENTIAL-WITH-FAULTS
"""

import os
import subprocess
import sys


def main():
    result = subprocess.run(
        [sys.argv[1], "--refs", "rseq", "--replace", "at-zero", "--count", "1"],
        env={**os.environ, "UFX_TEST_FAULT": "FOLD_TWICE"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = result.stdout.decode(errors="replace")
    good = (result.returncode == 1 and "SET_SLOTS" in output and
            "finding: seed 1: the process hangs" in output)
    print("%sok 1 - finds the fault FOLD_TWICE as a process that hangs" %
          ("" if good else "not "))
    print("".join("#   %s\n" % line for line in output.splitlines()), end="")
    print("1..1")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
