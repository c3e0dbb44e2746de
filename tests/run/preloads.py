#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
What users preload themselves: other allocators, one of them with threads of
its own before main; and programs with a sanitizer, which must be first.

usage: preloads.py ALLOCS
"""

import glob
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import drive  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = {"libjemalloc.so.2": "libjemalloc2", "libtcmalloc_minimal.so.4": "libtcmalloc-minimal4"}

ALLOCATORS = [
    ("jemalloc", "libjemalloc.so.2", []),
    ("jemalloc with threads", "libjemalloc.so.2", ["MALLOC_CONF=background_thread:true"]),
    ("tcmalloc", "libtcmalloc_minimal.so.4", []),
]


def allocators(allocs):
    for name, library, environment in ALLOCATORS:
        drive.context = name + ": "
        if not glob.glob("/usr/lib/*/" + library):
            drive.skip("an allocator", "%s is not installed" % PACKAGE[library])
            continue
        arguments = [x for pair in ["LD_PRELOAD=" + library] + environment
                     for x in ("--env", pair)]
        drive.drive(drive.parsed(arguments + ["--", allocs, library]))


def sanitized(directory):
    """allocs.c with a sanitizer of each compiler."""
    for name, compiler, options in (("gcc's", "gcc", []), ("clang's", "clang", []),
                                    ("clang's, shared", "clang", ["-shared-libasan"])):
        drive.context = "%s address sanitizer: " % name
        program = os.path.join(directory, compiler + str(len(options)))
        if not shutil.which(compiler):
            drive.skip("a program", "%s is not installed" % compiler)
            continue
        # Its runtime is not on the loader's path.
        paths = subprocess.run([compiler, "-print-runtime-dir"], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL).stdout.decode().strip()
        done = subprocess.run(
            [compiler, "-fsanitize=address", "-g", "-O1", "-D_GNU_SOURCE", "-pthread",
             "-I" + os.path.dirname(HERE), *options, "-o", program,
             os.path.join(HERE, "allocs.c"), os.path.join(HERE, "..", "blocked.c")]
            + (["-Wl,-rpath," + paths] if options else []),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            drive.skip("a program", "cannot be built: "
                       + done.stdout.decode().strip().splitlines()[-1])
            continue
        drive.drive(drive.parsed(["--", program]))


def main():
    allocators(os.path.abspath(sys.argv[1]))
    with tempfile.TemporaryDirectory() as directory:
        sanitized(directory)
    return drive.end()


if __name__ == "__main__":
    sys.exit(main())
