#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Unmodified `perf bench futex` on the kernel and on `ufutex run`, in turn, then
the replacing of a table by `ufutex bench resize`, as one table.

usage: compare.py [--rounds N] [BUILD]
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time

# What is run; what perf says; how one operation's time in ns follows from the
# figure; how many system calls the kernel needs for what is timed.
PERF = [
    ("hash -t 1 -r 1", r"Averaged (\d+) operations/sec", lambda x: 1e9 / x, 1),
    ("hash -t 2 -r 1", r"Averaged (\d+) operations/sec", lambda x: 1e9 / x, 1),
    ("wake -t 64", r"Wokeup 64 of 64 threads in ([\d.]+) ms \(", lambda x: x * 1e6, 64),
    ("wake-parallel -t 64 -w 2", r"Avg per-thread latency .* in ([\d.]+) ms \(",
     lambda x: x * 1e6, 1),
    ("requeue -t 64", r"Requeued 64 of 64 threads in ([\d.]+) ms \(", lambda x: x * 1e6, 64),
]
RESIZE = [
    ("resize, idle, 16 <-> 64 slots", []),
    ("resize, 1000 sleepers, 16 <-> 4096", ["--sleepers", "1000"]),
]


class Failure(Exception):
    pass


class Progress:
    """One line that changes on a terminal, else a line for each step."""

    def __init__(self, steps):
        self.steps, self.step = steps, 0
        self.start = time.monotonic()
        self.tty = sys.stderr.isatty()

    def show(self, text):
        spent = time.monotonic() - self.start
        left = ""
        if self.step > 4:
            left = ", about %d s left" % (spent / self.step * (self.steps - self.step))
        self.step += 1
        text = "[%d/%d%s] %s" % (self.step, self.steps, left, text)
        print("\r\033[K" + text[:110] if self.tty else text,
              end="" if self.tty else "\n", file=sys.stderr, flush=True)

    def end(self):
        if self.tty:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


class Row:
    """One comparison: pairs of ns on the kernel and here, or a ready ratio."""

    def __init__(self, name, calls):
        self.name, self.calls = name, calls
        self.kernel, self.ufutex, self.ratio, self.error = [], [], None, None

    def ratios(self):
        """(median, lowest, highest)"""
        if self.ratio:
            return self.ratio
        pairs = [k / u for k, u in zip(self.kernel, self.ufutex)]
        return statistics.median(pairs), min(pairs), max(pairs)


def duration(ns):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return "%.3g %s" % (ns / size, unit)
    return "%.3g ns" % ns


def times(ratio):
    return "%.*f" % (2 if ratio < 10 else 1 if ratio < 1000 else 0, ratio)


def run(command):
    """Standard output; Failure with the last words if it does not end well."""
    try:
        result = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=120,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError as error:
        raise Failure("%s: %s" % (command[0], error.strerror))
    except subprocess.TimeoutExpired:
        raise Failure("does not end: " + " ".join(command))
    if result.returncode:
        words = (result.stderr or result.stdout).decode(errors="replace").strip()
        raise Failure("%s: status %d: %s" % (
            " ".join(command), result.returncode, words.splitlines()[-1:] or "silent"))
    return result.stdout.decode(errors="replace")


def perf_once(prefix, what, pattern, to_ns):
    text = run(prefix + ["perf", "bench", "futex"] + what.split())
    found = re.findall(pattern, text)
    if not found:
        raise Failure("not understood: " + (text.strip().splitlines() or ["silent"])[-1])
    return to_ns(float(found[-1]))


def perf_rows(ufutex, rounds, progress):
    rows = [Row("perf bench futex " + what.replace(" -r 1", ""), calls)
            for what, _, _, calls in PERF]
    sides = [("kernel", []), ("ufutex", [ufutex, "run", "--"])]
    for number in range(rounds):
        for row, (what, pattern, to_ns, _) in zip(rows, PERF):
            for side, prefix in sides:
                progress.show("round %d of %d: perf bench futex %s, on %s"
                              % (number + 1, rounds, what, side))
                if row.error:
                    continue
                try:
                    getattr(row, side).append(perf_once(prefix, what, pattern, to_ns))
                except Failure as failure:
                    row.error = str(failure)
    return rows


def bench(ufutex, arguments):
    return json.loads(run([ufutex, "bench"] + arguments + ["--json"]))


def resize_row(ufutex, name, arguments, progress):
    progress.show("ufutex bench resize " + " ".join(arguments))
    row = Row(name, 1)
    try:
        answer = bench(ufutex, ["resize", "--against", "kernel"] + arguments)
        results = {r["subject"]: r for r in answer["results"]}
        kernel, here = results["kernel"], results["ufutex"]
        if kernel.get("missing"):
            raise Failure("not on this kernel: " + kernel["missing"])
        row.kernel, row.ufutex = [kernel["ns_per_op"]], [here["ns_per_op"]]
        row.ratio = next((c["ratio"], c["low"], c["high"]) for c in answer["ratios"]
                         if (c["of"], c["against"]) == ("ufutex", "kernel"))
    except (Failure, ValueError, LookupError, StopIteration) as failure:
        row.error = str(failure)
    return row


def line(row, syscall_ns):
    if row.error:
        return "%-39s %s" % (row.name, row.error)
    median, low, high = row.ratios()
    bare = "?"
    if syscall_ns:
        bare = duration(syscall_ns * row.calls)
        bare += " (%d calls)" % row.calls if row.calls > 1 else ""
    return "%-39s %9s %9s %8s  %-16s %s" % (
        row.name, duration(statistics.median(row.kernel)),
        duration(statistics.median(row.ufutex)), times(median),
        "(%s..%s)" % (times(low), times(high)), bare)


def print_table(rows, syscall_ns, rounds):
    print("%-39s %9s %9s %8s  %-16s %s" % (
        "what", "kernel", "ufutex", "times", "from..to", "bare system call"))
    print("%-39s %9s %9s %8s" % ("", "", "", "faster"))
    for row in rows:
        print(line(row, syscall_ns))
    print("\nTimes of one operation of one thread (hash), of waking or requeueing all 64\n"
          "threads one call each (wake, requeue), of one call that wakes 32\n"
          "(wake-parallel), of one replacement (resize). perf: medians of %d runs in turn\n"
          "on the kernel and on `ufutex run`, and of the ratios of neighbours." % rounds)


def main():
    parser = argparse.ArgumentParser(description="perf bench on the kernel and on ufutex")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("build", nargs="?", default="build")
    args = parser.parse_args()
    ufutex = os.path.join(args.build, "ufutex")
    rows = []
    steps = 1 + len(RESIZE)
    with_perf = shutil.which("perf")
    if with_perf:
        steps += args.rounds * len(PERF) * 2
    progress = Progress(steps)
    if with_perf:
        rows += perf_rows(ufutex, args.rounds, progress)
    for name, arguments in RESIZE:
        rows.append(resize_row(ufutex, name, arguments, progress))
    progress.show("a bare system call")
    try:
        syscall_ns = bench(ufutex, ["hash", "--seconds", "2"])["syscall_ns"]
    except (Failure, ValueError, KeyError):
        syscall_ns = None
    progress.end()
    if not with_perf:
        print("perf is not installed (Debian: linux-perf), so only what needs none:\n")
    print_table(rows, syscall_ns, args.rounds)
    return 1 if any(row.error for row in rows) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted")
