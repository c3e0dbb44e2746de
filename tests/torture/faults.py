#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Which faults does torture find, and how soon?

faults.py                 a handful that it finds in a few seconds, as TAP
faults.py --all           the table of all, in the modes where each can be put in
          [--seconds N]   for each try (20)
          [--fault NAME]  of this one alone

A fault is found when a run of torture-poisoned with it ends with a finding, a
crash or a hang, and said so by itself.
"""

import argparse
import os
import re
import subprocess
import sys
import time

PROGRAM = os.path.join("build", "tests", "torture", "torture-poisoned")

# What `make test` asks for: found within a second or two, by a check. (A run
# that dies says less: with any fault freed tables are unmapped, which alone may
# kill a thread that is in a page fault within a section.)
HANDFUL = ["GET_FROM_ZERO", "NO_DRAIN", "ONE_CPU"]

# fault -> modes in which there is something to take away
MODES = {
    "PLAIN_BARRIER": ["rseq"],
    "NO_BARRIER": ["rseq"],
    "NO_DRAIN": ["rseq", "shared"],
    "NO_READERS_WAIT": ["membarrier", "fence"],
    "ONE_CPU": ["rseq", "membarrier", "fence"],
}


def command(fault, mode, way, seconds, seed):
    return [PROGRAM, "--fault", fault, "--refs", mode, "--replace", way, "--quiet",
            "--seconds", str(seconds), "--leg", str(min(seconds, 5)), "--patience", "2",
            "--seed", str(seed), "--without", "handler-forks"]


def attempt(fault, mode, way, seconds, seed):
    """(seconds until it was found, or None; what was found)"""
    start = time.monotonic()
    run = subprocess.run(command(fault, mode, way, seconds, seed), stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    took = time.monotonic() - start
    said = re.search(r"^FOUND .*?: (.*)$", run.stdout.decode(errors="replace"), re.M)
    if run.returncode not in (0, 1):
        sys.exit("%s: status %d: %s" % (fault, run.returncode, run.stderr.decode()[-300:]))
    return (took if run.returncode == 1 else None), said.group(1) if said else ""


def every_fault():
    out = subprocess.run([PROGRAM, "--faults"], stdout=subprocess.PIPE, check=True)
    return out.stdout.decode().split()


def table(faults, seconds, seed):
    print("%-18s %-11s %-8s %8s  %s" % ("fault", "mode", "replace", "seconds", "found"))
    for fault in faults:
        for mode in MODES.get(fault, ["rseq"]):
            for way in ("moving", "at-zero"):
                took, what = attempt(fault, mode, way, seconds, seed)
                print("%-18s %-11s %-8s %8s  %s" % (
                    fault, mode, way, "-" if took is None else "%.1f" % took, what), flush=True)
    return 0


def handful():
    failed = 0
    for number, fault in enumerate(HANDFUL, 1):
        took, what = attempt(fault, MODES.get(fault, ["rseq"])[0], "moving", 15, 1)
        failed += took is None
        print("%sok %d - torture finds %s" % ("not " if took is None else "", number, fault))
        if took is not None:
            print("#   after %.1f s: %s" % (took, what))
    print("1..%d" % len(HANDFUL))
    return 1 if failed else 0


def main():
    global PROGRAM
    parser = argparse.ArgumentParser(description="which faults torture finds")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fault", action="append")
    parser.add_argument("--programs", nargs=2, metavar="PROGRAM", default=["", PROGRAM],
                        help="torture and torture-poisoned")
    args = parser.parse_args()
    PROGRAM = os.path.abspath(args.programs[1])
    if args.all or args.fault:
        return table(args.fault or every_fault(), args.seconds, args.seed)
    return handful()


if __name__ == "__main__":
    sys.exit(main())
