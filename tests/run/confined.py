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

# How; served all the same.
CASES = ["nothing", "mdwe", "no-rseq", "no-membarrier", "no-rseq-membarrier", "small-stack"]


def cannot(confine, how):
    """Why it cannot be had, or None."""
    done = subprocess.run([confine, how, "true"], stderr=subprocess.PIPE)
    return done.stderr.decode().strip() if done.returncode == 77 else None


def without_proc(confine, answer):
    """Nothing can be replaced, nor counted; one line says so."""
    drive.context = "no-proc: "
    why_not = cannot(confine, "no-proc")
    if why_not:
        drive.skip("a confined program", why_not)
        return
    ended = drive.run([drive.UFUTEX, "run", "--", confine, "no-proc", answer, "inside"])
    drive.check(ended.status == 3, "it ends as bare", ended.said())
    said = [line for line in ended.err.splitlines() if "runs on the kernel: /proc" in line]
    drive.check(len(said) == 1, "one line says that it runs on the kernel", ended.said())


def main():
    confine, answer = (os.path.abspath(path) for path in sys.argv[1:])
    for how in CASES:
        drive.context = how + ": "
        why_not = cannot(confine, how)
        if why_not:
            drive.skip("a confined program", why_not)
            continue
        # The program becomes confined later, so that its parent is not.
        drive.drive(drive.parsed(["--judge", answer, "--status", "3", "--",
                                  confine, how, answer, "inside"]))
        drive.context = how + ", the command too: "
        drive.drive(drive.parsed(["--before", "%s %s" % (confine, how),
                                  "--status", "3", "--", answer, "outside"]))
    without_proc(confine, answer)
    return drive.end()


if __name__ == "__main__":
    sys.exit(main())
