#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Random programs on the kernel and on the engine, in all modes and ways of
replacing; and faults, which must be found.

usage: differential.py DIFFERENTIAL DIFFERENTIAL-WITH-FAULTS
"""

import json
import os
import subprocess
import sys

PROGRAMS = 10000
SECONDS = 90  # on a machine that has no time for us, fewer will do
FEWEST = 500
SKIPPED = 77
FAULTS = ["DISORDER", "ANY_BIT", "NO_RESTART", "UNWATCHED", "ONE_MORE", "EARLY"]
COUNTS = ["programs", "steps", "calls", "sleeps", "signals", "expiries"]

count = failed = 0


def check(good, name, output=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name), flush=True)
    if not good:
        print("".join("#   %s\n" % line for line in output.splitlines()), end="", flush=True)


def run(command, fault=""):
    env = {k: v for k, v in os.environ.items() if not k.startswith("UFUTEX_")}
    env["UFX_TEST_FAULT"] = fault
    result = subprocess.run(command, env=env, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)
    return result.returncode, result.stdout.decode(errors="replace")


def read(path):
    with open(path) as f:
        return [json.loads(line) for line in f]


def same(program):
    """No difference; and the programs did what they are for."""
    status, output = run([program, "--count", str(PROGRAMS), "--seconds", str(SECONDS),
                          "--json", "same.jsonl"])
    summary = read("same.jsonl")[-1]
    counts = summary["counts"]
    programs = counts["programs"]
    check(status == 0, "%d programs: no difference" % programs, output)
    print("# " + ", ".join("%d %s" % (counts[name], name) for name in COUNTS))
    check(programs == PROGRAMS or (summary["seconds"] >= SECONDS and programs >= FEWEST),
          "all were run, or time was up", output)
    # A program has 23 steps, 6 sleeps, 1.5 signals and 0.06 timeouts that come.
    check(counts["sleeps"] > 4 * programs, "many calls sleep")
    check(counts["signals"] > programs, "many sleepers get signals")
    check(counts["expiries"] > programs // 50, "many timeouts come")
    check(counts["late"] < programs // 20, "few deadlines come too soon", output)


def finds(program, fault):
    status, output = run([program, "--count", "100", "--seconds", "20",
                          "--json", "fault.jsonl"], fault)
    *findings, summary = read("fault.jsonl")
    check(status == 1 and findings and summary["findings"] == len(findings),
          "finds the fault " + fault, output)
    if not findings:
        return
    first = findings[0]
    status, output = run(["sh", "-c", first["replay"]])
    check(status == 1 and "***" in output and
          "finding: seed %d: %s" % (first["seed"], first["what"]) in output,
          "... and again by its replay command", output)
    smallest = output.split("the smallest program that differs:")[-1]
    check(smallest.count("kernel:") < 12, "... as a small program", output)


def usage(program):
    for arguments, word in ((["--seed", "x"], "--seed"), (["--count", "0"], "--count"),
                            (["--shard", "3/2"], "--shard"), (["--nonsense"], "nonsense"),
                            (["--shard", "0/2"], "--shard"), (["--refs", "no"], "no such"),
                            (["--seconds", "-1"], "--seconds"), (["more"], "more"),
                            (["--json", "/nowhere/file"], "/nowhere/file")):
        status, output = run([program] + arguments)
        check(status == 2 and word in output, "bad usage: " + " ".join(arguments), output)
    status, output = run([program, "--help"])
    check(status == 0 and output.startswith("usage:"), "--help", output)


def main():
    program, faulty = sys.argv[1:]
    status, output = run([program, "--count", "1"])
    if status == SKIPPED:
        print("1..0 # SKIP " + output.strip())
        return SKIPPED
    same(program)
    status, output = run([faulty, "--count", "300"])
    check(status == 0, "no difference in a build for faults without one", output)
    for fault in FAULTS:
        finds(faulty, fault)
    usage(program)
    print("1..%d" % count)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
