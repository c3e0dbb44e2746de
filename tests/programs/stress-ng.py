#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""stress-ng, unmodified, under `ufutex run`: it checks itself (--verify)."""

import os
import shutil
import subprocess
import sys

UFUTEX = os.path.join(os.path.abspath(os.environ.get("UFUTEX_BUILD", "build")), "ufutex")
STRESSORS = ["futex", "mutex", "sem", "pthread"]
REFS = ["rseq", "membarrier", "fence"]


def main():
    if not shutil.which("stress-ng"):
        print("1..0 # SKIP stress-ng is not installed")
        return 77
    count = failed = 0
    for stressor in STRESSORS:
        # Only futex is worth a look in each mode: the others use no syscall().
        for refs in REFS if stressor == "futex" else REFS[:1]:
            command = [UFUTEX, "run", "--refs", refs, "--", "stress-ng", "--" + stressor, "2",
                       "--timeout", "2", "--verify", "--metrics-brief"]
            result = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=40,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            text = result.stdout.decode(errors="replace")
            good = result.returncode == 0 and "successful run" in text
            count += 1
            failed += not good
            print("%sok %d - stress-ng --%s, refs %s: successful run"
                  % ("" if good else "not ", count, stressor, refs))
            if not good:
                print("".join("# %s\n" % line for line in text.splitlines()), end="")
    print("1..%d" % count)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
