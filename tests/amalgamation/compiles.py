#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The amalgamation compiles by `cc -O2 -c`, silently, with each compiler that is
here; what it shows to others is what was asked for; it has no constructor.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
PLUS = {"gcc": "g++", "clang": "clang++"}
WARN = ["-Wall", "-Wextra"]
PLAIN, PREFIX, STATIC = "plain", "with a prefix", "static"
WAYS = {
    PLAIN: WARN,
    PREFIX: WARN + ["-std=gnu11", "-fPIC", "-DUFX_PREFIX=foo_"],
    STATIC: WARN + ["-std=gnu11", "-fPIC", "-DUFX_STATIC"],
}
# The other ways come by copies.c, in the build of each compiler.
COMPILERS = {
    "gcc": [PLAIN, STATIC],
    "clang": [PLAIN, PREFIX],
    "aarch64-linux-gnu-gcc": [PLAIN],
}
# A program of which the engine becomes a part may call its own things so.
PROGRAM = """
#include "ufutex.c"

static int push = 1, start = 2, lock = 3, wait_on = 4;
struct free { int slots; };
#define CHUNK 1
enum { BELLS, IDLE };

int main(void)
{
	struct free f = { CHUNK + BELLS + IDLE };

	return push + start + lock + wait_on + f.slots + (int)ufx_domain_purge(ufx_domain_default(), 0, 8);
}
"""

count = failed = 0


def check(good, what, words=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, what))
    if not good:
        print("".join("#   %s\n" % line for line in str(words).splitlines()[:20]), end="")


def skip(what, why):
    global count
    count += 1
    print("ok %d - %s # SKIP %s" % (count, what, why))


def run(*command, cwd=None, text=None):
    """(status, what it printed)"""
    result = subprocess.run(command, cwd=cwd, input=text, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)
    return result.returncode, result.stdout.decode(errors="replace")


def defined(directory, path):
    """{name: (binding, visibility)} of what is defined there."""
    _, out = run("readelf", "-sW", path, cwd=directory)
    fields = [line.split() for line in out.splitlines()]
    return {f[7]: (f[4], f[5]) for f in fields
            if len(f) == 8 and f[3] in ("FUNC", "OBJECT", "TLS") and f[6] != "UND"}


def constructors(directory, path):
    _, out = run("readelf", "-SW", path, cwd=directory)
    return re.findall(r"\.(?:init_array|fini_array|ctors|dtors)\S*", out)


def dynamic_tls(directory, path):
    """Thread-local words that are reached by a call, which may allocate."""
    _, out = run("readelf", "-rW", path, cwd=directory)
    return re.findall(r"\S*(?:TLSGD|TLSLD|TLSDESC)\S*", out)


def shows(directory, path, way):
    """What it shows to the linker is as it should be."""
    symbols = defined(directory, path)
    seen = {n for n, (binding, _) in symbols.items() if binding != "LOCAL"} - {"main"}
    check(len(symbols) > 50, "%s: there are functions" % path, len(symbols))
    if way == STATIC:
        names = [n for n in symbols if re.fullmatch(r"\w+", n)] # not the compiler's
        strange = [n for n in names if "ufx_" not in n and
                   n not in ("main", "push", "start", "lock", "wait_on")]
        check(not seen, "%s: none is shown" % path, sorted(seen))
        check(not strange, "%s: each name is the engine's" % path, strange)
    else:
        start = "foo_ufx_" if way == PREFIX else "ufx_"
        check("%sdomain_create" % start in seen, "%s: functions are shown" % path)
        strange = [n for n in seen if not n.startswith(start)]
        check(not strange, "%s: each begins with %s" % (path, start), strange)
        exported = [n for n in seen if symbols[n][1] != "HIDDEN"]
        check(not exported, "%s: and would not leave a shared object" % path, exported)


def compiles(compiler, way, directory):
    out = "%s-%s.o" % (compiler, way.replace(" ", "-"))
    source = "program.c" if way == STATIC else "ufutex.c"
    status, words = run(compiler, "-O2", "-c", *WAYS[way], source, "-o", out, cwd=directory)
    check(status == 0 and not words, "%s: %s" % (compiler, way), words)
    if status:
        return
    shows(directory, out, way)
    check(not constructors(directory, out), "%s: nothing runs before main" % out,
          constructors(directory, out))
    check(not dynamic_tls(directory, out), "%s: thread-local words without a call" % out,
          dynamic_tls(directory, out)[:3])


def header(compiler, directory):
    for command, name in (([compiler, "-std=c11", "-xc"], "ufutex.h"),
                          ([PLUS[compiler], "-std=c++17", "-xc++"], "ufutex.h"),
                          ([PLUS[compiler], "-std=c++17", "-xc++"], "ufutex.hpp")):
        text = b'#include "%s"\nint main(void) { return 0; }\n' % name.encode()
        if not shutil.which(command[0]):
            skip("%s by %s" % (name, command[0]), "not installed: " + command[0])
            continue
        status, words = run(*command, *WARN, "-pedantic", "-I.", "-fsyntax-only", "-",
                            cwd=directory, text=text)
        check(status == 0 and not words, "%s by %s %s" % (name, *command[:2]), words)


def prefixed(directory):
    """A prefix that is written in, and one that is given by whoever compiles."""
    made = os.path.join(directory, "bar")
    status, words = run(sys.executable, os.path.join(ROOT, "scripts", "amalgamate.py"),
                        "--output", made, "--prefix", "bar_")
    check(status == 0 and not words, "it is made with a prefix", words)
    run("cc", "-c", "ufutex.c", cwd=made)
    check("bar_ufx_domain_create" in defined(made, "ufutex.o"), "which is in its names")
    status, words = run(sys.executable, os.path.join(ROOT, "scripts", "amalgamate.py"),
                        "--output", made, "--prefix", "1+1")
    check(status == 2 and "prefix" in words, "1+1 is no prefix", words)


def main():
    with tempfile.TemporaryDirectory() as directory:
        status, words = run(sys.executable, os.path.join(ROOT, "scripts", "amalgamate.py"),
                            "--output", directory)
        check(status == 0 and not words, "it is made", words)
        with open(os.path.join(directory, "program.c"), "w") as f:
            f.write(PROGRAM)
        for compiler, ways in COMPILERS.items():
            if not shutil.which(compiler):
                skip(compiler, "not installed: " + compiler)
                continue
            for way in ways:
                compiles(compiler, way, directory)
            if compiler in PLUS:
                header(compiler, directory)
        status, words = run("cc", "-fsyntax-only", "-xc", "-", cwd=directory,
                            text=b'#include <stdio.h>\n#include "ufutex.c"\n')
        check(status and "before the system's headers" in words, "a late one is refused", words)
        prefixed(directory)
    print("1..%d" % count)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
