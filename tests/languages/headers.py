#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each public header, alone, is C11 and C++17, for each compiler, without a word."""

import glob
import os
import shutil
import subprocess
import sys

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
INCLUDE = os.path.join(ROOT, "include")
WAYS = [(["-xc", "-std=c11"], ("gcc", "clang")), (["-xc++", "-std=c++17"], ("g++", "clang++"))]
WARN = ["-Wall", "-Wextra", "-pedantic"]


def headers(kind):
    """Those of sections come by section.h alone."""
    names = sorted(os.path.basename(p) for p in
                   glob.glob(os.path.join(INCLUDE, "ufutex", "*." + kind)))
    return [name for name in names if not name.startswith("section-")]


def compiles(command, name):
    # Twice: it has a guard. And a use, for what is only wrong once it is used.
    text = "#include <ufutex/%s>\n#include <ufutex/%s>\nint main(void) { return 0; }\n"
    result = subprocess.run(command + WARN + ["-I" + INCLUDE, "-fsyntax-only", "-"],
                            input=(text % (name, name)).encode(),
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    words = result.stdout.decode(errors="replace")
    return result.returncode == 0 and not words, words


def cases():
    for options, compilers in WAYS:
        for compiler in compilers:
            for name in headers("h") + (headers("hpp") if "-xc++" in options else []):
                yield compiler, options, name


def main():
    count = failed = 0
    for compiler, options, name in cases():
        count += 1
        what = "%s by %s %s" % (name, compiler, options[1])
        if not shutil.which(compiler):
            print("ok %d - %s # SKIP not installed: %s" % (count, what, compiler))
            continue
        good, words = compiles([compiler] + options, name)
        failed += not good
        print("%sok %d - %s" % ("" if good else "not ", count, what))
        print("".join("#   %s\n" % line for line in words.splitlines()[:20]), end="")
    print("1..%d" % count)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
