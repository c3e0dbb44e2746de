#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""perf bench futex, unmodified, under `ufutex run`."""

import os
import re
import shutil
import subprocess
import sys

UFUTEX = os.path.join(os.path.abspath(os.environ.get("UFUTEX_BUILD", "build")), "ufutex")
BENCHES = [
    (["hash", "-t", "2", "-r", "1", "-f", "64"], r"operations/sec"),
    (["wake", "-t", "16"], r"Wokeup 16 of 16 threads"),
    (["wake-parallel", "-t", "16", "-w", "2"], r"waking"),
    (["requeue", "-t", "16"], r"Requeued 16 of 16 threads"),
    (["lock-pi", "-t", "2", "-r", "1"], r"operations/sec"),
]


def works():
    """perf is often a script that looks for one that fits the kernel."""
    return shutil.which("perf") and subprocess.run(
        ["perf", "--version"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL).returncode == 0


def main():
    failed = 0
    if not works():
        print("1..0 # SKIP perf is not installed")
        return 77
    for number, (arguments, expected) in enumerate(BENCHES, 1):
        done = subprocess.run([UFUTEX, "run", "--", "perf", "bench", "futex"] + arguments,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=30)
        text = done.stdout.decode(errors="replace")
        good = done.returncode == 0 and re.search(expected, text)
        failed += not good
        print("%sok %d - perf bench futex %s" % ("" if good else "not ", number,
                                                 " ".join(arguments)))
        if not good:
            print("".join("# %s\n" % line for line in text.splitlines()), end="")
    print("1..%d" % len(BENCHES))
    return 1 if failed else 0


sys.exit(main())
