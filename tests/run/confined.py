#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Programs that may not do everything: what the command does under the same
limits, and what it does for a program that becomes confined later, by exec.

usage: confined.py CONFINE ANSWER (the programs of these names)
"""

import os
import subprocess
import sys

sys.dont_write_bytecode = True
import drive  # noqa: E402

# How, and why nothing is served; None: it is served all the same.
CASES = [
    ("nothing", None),
    ("mdwe", None),
    ("no-rseq", None),
    ("no-membarrier", None),
    ("no-rseq-membarrier", None),
    ("small-stack", None),
    ("no-proc", "/proc"),
]


def cannot(confine, how):
    """Why it cannot be had, or None."""
    done = subprocess.run([confine, how, "true"], stderr=subprocess.PIPE)
    return done.stderr.decode().strip() if done.returncode == 77 else None


def main():
    confine, answer = (os.path.abspath(path) for path in sys.argv[1:])
    for how, reason in CASES:
        drive.context = how + ": "
        why_not = cannot(confine, how)
        if why_not:
            drive.skip("a confined program", why_not)
            continue
        observe = ["--observe", reason] if reason else []
        # The program becomes confined later, so that its parent is not.
        drive.drive(drive.parsed(observe + ["--judge", answer, "--status", "3", "--",
                                            confine, how, answer, "inside"]))
        if how == "no-proc":
            continue  # the command finds its library by /proc
        drive.context = how + ", the command too: "
        drive.drive(drive.parsed(observe + ["--before", "%s %s" % (confine, how),
                                            "--status", "3", "--", answer, "outside"]))
    return drive.end()


if __name__ == "__main__":
    sys.exit(main())
