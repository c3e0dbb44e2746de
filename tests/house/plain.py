#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The engine needs no build system: each source compiles by a plain `cc -c`, and
each public header alone, without a warning; none for a machine of 32 bits. And the
build lists every source.
"""

import glob
import os
import subprocess
import sys

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
LAYERS = ["host", "grace", "ref", "table", "futex", "abi", "faces", "portable", "posix"]
OTHER_HOSTS = ["portable", "posix"]
FLAGS = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Iinclude", "-Isrc"]


def compiles(arguments, text=None):
    result = subprocess.run(["cc"] + FLAGS + arguments, cwd=ROOT, input=text,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return result.returncode == 0, result.stdout.decode(errors="replace")


def refuses_32_bits():
    narrow = ["-ffreestanding", "-U__UINTPTR_MAX__", "-D__UINTPTR_MAX__=0xffffffffu"]
    good, words = compiles(narrow + ["-fsyntax-only", "-x", "c", "-"],
                           b"#include <ufutex/base.h>\n")
    return not good and "64-bit machines" in words


def unlisted():
    """Sources that src/meson.build does not name."""
    with open(os.path.join(ROOT, "src", "meson.build")) as f:
        text = f.read()
    paths = [p for pattern in ("src/*/*.[cS]", "bench/*.c")
             for p in sorted(glob.glob(os.path.join(ROOT, pattern)))]
    names = [os.path.relpath(p, os.path.join(ROOT, "src")) for p in paths]
    return [name for name in names if "'%s'" % name not in text]


def main():
    sources = [f for layer in LAYERS
               for f in sorted(glob.glob(os.path.join(ROOT, "src", layer, "*.c")))]
    headers = [h for h in sorted(glob.glob(os.path.join(ROOT, "include", "ufutex", "*.h")))
               if not os.path.basename(h).startswith("section-")]
    count = failed = 0
    for path in sources + headers:
        if path in sources:
            layer = os.path.basename(os.path.dirname(path))
            portable = ["-DUFX_PORTABLE=1"] if layer in OTHER_HOSTS else []
            good, words = compiles(portable + ["-fsyntax-only", path])
        else:
            text = b"#include <ufutex/%s>\n" % os.path.basename(path).encode()
            good, words = compiles(["-fsyntax-only", "-x", "c", "-"], text)
        count += 1
        failed += not good
        print("%sok %d - %s" % ("" if good else "not ", count, os.path.relpath(path, ROOT)))
        print("".join("#   %s\n" % line for line in words.splitlines()), end="")
    count += 1
    refused = refuses_32_bits()
    failed += not refused
    print("%sok %d - 32 bits are refused" % ("" if refused else "not ", count))
    missing = unlisted()
    count += 1
    failed += bool(missing)
    print("%sok %d - src/meson.build names every source" % ("not " if missing else "", count))
    print("".join("#   not %s\n" % name for name in missing), end="")
    print("1..%d" % count)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
