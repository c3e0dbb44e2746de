#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ufutex check: its answers, and that its tests notice what is wrong."""

import re
import sys

sys.dont_write_bytecode = True
from cli import check, end, ufutex  # noqa: E402

NO_RSEQ = {"GLIBC_TUNABLES": "glibc.pthread.rseq=0"}
MODES = ("rseq", "membarrier", "fence", "shared")


def line(out, start):
    found = re.search(r"^\s*%s\b\s*(.*)$" % re.escape(start), out, re.M)
    return found.group(1) if found else ""


status, out, err = ufutex("check")
check(status == 0 and not err and out.endswith("all is well\n"), "all is well", out + err)
best = line(out, "mode")
check(best in MODES, "it names the mode in use", out)
for mode in MODES:
    check(re.match(r"yes|no: \S", line(out, mode)), "%s: yes, or why not" % mode, out)
    available = line(out, mode).startswith("yes")
    status, text, err = ufutex("check", env={"UFUTEX_REFS": mode})
    check(status == (0 if available else 1) and (not available or line(text, "mode") == mode),
          "UFUTEX_REFS=%s" % mode, text + err)
check(out.count(" good (") + out.count(" not here (") == 5, "five tests", out)

status, out, err = ufutex("check", env=NO_RSEQ)
check(status == 0 and line(out, "mode") != "rseq" and
      "glibc.pthread.rseq=0" in line(out, "rseq"), "without rseq: why, and another mode", out)
status, out, err = ufutex("check", env={**NO_RSEQ, "UFUTEX_REFS": "rseq"})
check(status == 1, "a mode that cannot be had: status 1", out)
end()
