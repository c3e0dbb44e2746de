#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The crate ufutex-sys: its own tests, linked as a shared library and as an
archive; its structures are the headers'; it names each function of theirs.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BUILD = os.path.abspath(os.environ.get("UFUTEX_BUILD", os.path.join(ROOT, "build")))
CRATE = os.path.join(ROOT, "bindings", "rust", "ufutex-sys")
# What the crate is to have; faces are small and written for C.
HEADERS = ["caps", "futex", "domain", "wait", "wake", "grace", "ref"]

count = failed = 0


def check(good, what, words=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, what))
    if not good:
        print("".join("#   %s\n" % line for line in str(words).splitlines()[-30:]), end="")


def cargo(directory, crate, *arguments, **environment):
    """(status, output) of cargo, which keeps what it makes in @directory."""
    env = {**os.environ, "CARGO_TARGET_DIR": os.path.join(directory, "target"),
           "LD_LIBRARY_PATH": BUILD, **environment}
    result = subprocess.run(["cargo", *arguments, "--offline", "--quiet"], cwd=crate, env=env,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)
    return result.returncode, result.stdout.decode(errors="replace")


def tested(directory, crate, what, **environment):
    status, words = cargo(directory, crate, "test", "--tests", UFUTEX_LIB_DIR=BUILD,
                          **environment)
    check(status == 0 and "4 passed" in words, "cargo test, " + what, words)


def c_layouts(directory, names):
    lines = "".join('printf("%s %%zu %%zu\\n", sizeof(struct %s), _Alignof(struct %s));'
                    % (n, n, n) for n in names)
    text = "#include <stdio.h>\n" + "".join("#include <ufutex/%s.h>\n" % h for h in HEADERS)
    out = os.path.join(directory, "layouts")
    subprocess.run(["cc", "-I" + os.path.join(ROOT, "include"), "-xc", "-", "-o", out],
                   input=("%sint main(void) { %s }" % (text, lines)).encode(), check=True)
    return subprocess.run([out], stdout=subprocess.PIPE).stdout.decode()


def layouts(directory, crate):
    status, ours = cargo(directory, crate, "run", "--example", "layouts", UFUTEX_LIB_DIR=BUILD)
    check(status == 0, "the crate's layouts", ours)
    names = [line.split()[0] for line in ours.splitlines()]
    check(len(names) == 20 and ours == c_layouts(directory, names),
          "are the headers'", ours)


def names(crate):
    """Each function of the headers is declared."""
    with open(os.path.join(crate, "src", "lib.rs")) as f:
        ours = set(re.findall(r"pub fn (ufx_\w+)", f.read()))
    theirs = set()
    for header in HEADERS:
        with open(os.path.join(ROOT, "include", "ufutex", header + ".h")) as f:
            text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.DOTALL)
        theirs.update(re.findall(r"^UFX_API [^;(]*?(ufx_\w+)\(", text, re.MULTILINE))
    check(len(theirs) > 50 and ours == theirs, "it has each function, and no other",
          sorted(ours ^ theirs))


def pkg_config(directory, crate):
    """Found as an installed library is; and not found, it says what to do."""
    pc = os.path.join(directory, "ufutex.pc")
    with open(pc, "w") as f:
        f.write("Name: ufutex\nDescription: -\nVersion: 0\nLibs: -L%s -lufutex\n" % BUILD)
    status, words = cargo(directory, crate, "test", "--tests", "--no-run",
                          PKG_CONFIG_PATH=directory)
    check(status == 0, "found by pkg-config, and linked", words)
    status, words = cargo(directory, crate, "build", PKG_CONFIG_PATH="/nowhere",
                          PKG_CONFIG_LIBDIR="/nowhere")
    check(status and "UFUTEX_LIB_DIR" in words, "not found, it says what helps", words)


def main():
    if not shutil.which("cargo") or subprocess.run(["cargo", "--version"],
                                                   stdout=subprocess.DEVNULL).returncode:
        print("1..0 # SKIP not installed: cargo")
        return 77
    with tempfile.TemporaryDirectory() as directory:
        crate = os.path.join(directory, "crate")
        shutil.copytree(CRATE, crate, ignore=shutil.ignore_patterns("target", "Cargo.lock"))
        tested(directory, crate, "with the shared library")
        tested(directory, crate, "with the archive", UFUTEX_STATIC="1", LD_LIBRARY_PATH="")
        layouts(directory, crate)
        names(crate)
        if shutil.which("pkg-config"):
            pkg_config(directory, crate)
    print("1..%d" % count)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
