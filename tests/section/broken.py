#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does check_sections.py find what is wrong? Sequences broken on purpose."""

import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
INCLUDE = os.path.join(HERE, "..", "..", "include")
CASES = [
    (0, "nothing is wrong", None),
    (1, "two stores", "a store before the commit"),
    (2, "a call", "inside"),
    (3, "the commit is not the last instruction", "neither stores nor loads"),
    (4, "nothing is committed", "neither stores nor loads"),
    (5, "the abort address lies inside", "the abort address lies inside"),
    (6, "another signature", "no signature"),
    (7, "a jump from outside", "a jump from outside"),
    (8, "an abort leaves the function", "an abort goes to another function"),
]


def check(compiler, number):
    """Returns (status, output) of the check of broken.c in version @number."""
    name = "broken%d.so" % number
    subprocess.run([compiler, "-std=gnu11", "-O2", "-fPIC", "-shared", "-I", INCLUDE,
                    "-DBROKEN=%d" % number, "-o", name, os.path.join(HERE, "broken.c")],
                   check=True)
    result = subprocess.run([sys.executable, os.path.join(HERE, "check_sections.py"), name],
                            stdout=subprocess.PIPE)
    return result.returncode, result.stdout.decode()


def main():
    count = failed = 0
    for compiler in ("cc", "aarch64-linux-gnu-gcc"):
        for number, what, expected in CASES:
            count += 1
            name = "%d - %s: %s" % (count, compiler, what)
            if not shutil.which(compiler):
                print("ok %s # SKIP %s is not installed" % (name, compiler))
                continue
            status, output = check(compiler, number)
            good = status == 0 if expected is None else status == 1 and expected in output
            failed += not good
            print(("ok " if good else "not ok ") + name)
            if not good:
                print("".join("# " + line + "\n" for line in output.splitlines()), end="")
    print("1..%d" % count)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
