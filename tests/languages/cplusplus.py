#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
ufutex.hpp, and tests of the C functions that are C++ too, compiled as that, run.
Arguments: the test helpers' archive, and the engine's.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
TESTS = os.path.join(ROOT, "tests")
COMPILERS = ["g++", "clang++"]
RAII = "languages/raii.cc"
# With what they need beside; by the first compiler alone.
BOTH = [["nodes/phases.c"], ["nodes/storm.c"], ["ref/ref.c"], ["ref/counts.c"],
        ["abi/bitset.c"], ["abi/wake.c"], ["abi/wake_op.c"], ["futex/requeue.c"],
        ["futex/waitv.c"], ["slots/values.c", "slots/rows.c"]]
WARN = ["-Wall", "-Wextra", "-Werror", "-O1"]

count = failed = 0


def check(good, what, words=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, what))
    if not good:
        print("".join("#   %s\n" % line for line in words.splitlines()[:30]), end="")


def skip(what, why):
    global count
    count += 1
    print("ok %d - %s # SKIP %s" % (count, what, why))


def run(command):
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)
    return result.returncode, result.stdout.decode(errors="replace")


def built(compiler, options, sources, libraries, out):
    command = [compiler] + WARN + options + [
        "-I" + os.path.join(ROOT, "include"), "-I" + os.path.join(ROOT, "src"), "-I" + TESTS]
    files = [os.path.join(TESTS, s) for s in sources]
    status, words = run(command + ["-xc++"] + files + ["-xnone", "-o", out] + libraries
                        + ["-lpthread"])
    check(status == 0 and not words, "%s by %s %s" % (sources[0], compiler, options[0]), words)
    return status == 0


def runs(program, name):
    status, words = run([program])
    planned = re.search(r"^1\.\.(\d+)$", words, re.MULTILINE)
    made = len(re.findall(r"^ok ", words, re.MULTILINE))
    check(status == 0 and planned and made == int(planned.group(1)),
          "%s: runs, %d checks" % (name, made), words)


def main():
    libraries = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        program = os.path.join(directory, "program")
        for compiler in COMPILERS:
            if not shutil.which(compiler):
                skip(compiler, "not installed: " + compiler)
                continue
            if built(compiler, ["-std=c++17", "-pedantic"], [RAII], libraries, program):
                runs(program, RAII)
        if shutil.which(COMPILERS[0]):
            # C++ does not like a structure of which only some members are named.
            options = ["-std=gnu++17", "-D_GNU_SOURCE", "-Wno-missing-field-initializers"]
            for sources in BOTH:
                if built(COMPILERS[0], options, sources, libraries, program):
                    runs(program, sources[0])
    print("1..%d" % count)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
