#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Runs a program bare and under `ufutex run`; both must end alike and print the
same, and what the command counted must be as expected.

The program prints TAP. Its standard error may differ and is shown when
something fails.
"""

import argparse
import difflib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile

BUILD = os.path.abspath(os.environ.get("UFUTEX_BUILD", "build"))
UFUTEX = os.path.join(BUILD, "ufutex")
KINDS = ["wait", "wake", "requeue", "wake_op", "waitv", "pi", "other"]

count = failed = skipped = 0
context = ""  # in front of each check's name


# ---- checks ------------------------------------------------------------------

def check(good, name, detail=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, context + name))
    if not good:
        comment(detail)
    return good


def skip(name, reason):
    global count, skipped
    count += 1
    skipped += 1
    print("ok %d - %s # SKIP %s" % (count, context + name, reason))


def comment(text):
    for line in str(text).splitlines():
        print("#   " + line)


def end():
    print("1..%d" % count)
    return 1 if failed or not count else 77 if skipped == count else 0


# ---- running -----------------------------------------------------------------

class Ended:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def said(self):
        how = "exit status %d" % self.status
        if self.status is not None and self.status < 0:
            how = "died by signal %d" % -self.status
        return "\n".join([how, self.out[-2000:], self.err[-2000:]])


def end_group(process):
    """Nothing of what was started stays behind."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run(command, env=None, seconds=25):
    """A process in a group of its own; its output is what was said until its end."""
    environment = {**os.environ, **(env or {})}
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True, env=environment)
    try:
        out, err = process.communicate(timeout=140 if command[-1] == "long" else seconds)
    except subprocess.TimeoutExpired:
        end_group(process)
        out, err = process.communicate()
        err += b"\nlasted too long, was killed"
    finally:
        end_group(process)
    return Ended(process.returncode, out.decode(errors="replace"),
                 err.decode(errors="replace"))


def difference(bare, under):
    return "\n".join(difflib.unified_diff(
        bare.splitlines(), under.splitlines(), "bare", "run", lineterm=""))


# ---- what the command counted --------------------------------------------------

def total(processes, name):
    return sum(p[name] for p in processes)


def check_sums(processes):
    """The counts of kinds come to the sums beside them."""
    bad = []
    for p in processes:
        for what in ("served", "passed"):
            kinds = sum(p["operations"][kind][what] for kind in KINDS)
            if kinds != p[what]:
                bad.append("pid %d: %s %d, by kind %d" % (p["pid"], what, p[what], kinds))
    check(not bad, "stats: the kinds come to the sums", "\n".join(bad))


def check_tier(processes, options):
    found = sorted({(p["tier"], p["reason"]) for p in processes}, key=str)
    if options.observe:
        good = all(tier == "observe" and re.search(options.observe, reason or "")
                   for tier, reason in found)
        check(good, "stats: tier observe, with the reason", found)
        check(total(processes, "served") == 0, "stats: nothing served")
        return
    check(all(tier == "patch" and reason is None for tier, reason in found),
          "stats: tier patch", found)
    refused = [s for p in processes for s in p["sites"] if s["refused"]]
    check(not refused, "stats: no site refused", refused)
    if options.futex != "none":
        check(total(processes, "served") > 0, "stats: calls were served")
    if options.futex == "both":
        check(total(processes, "passed") > 0, "stats: others were passed on")


def check_stats(text, options):
    try:
        stats = json.loads(text)
    except ValueError as error:
        check(False, "stats: a JSON object", "%s\n%s" % (error, text[:500]))
        return
    check(stats["version"] == 1, "stats: version 1", stats["version"])
    check(stats["command"] == options.command, "stats: the command", stats["command"])
    ours = os.path.realpath(options.judge or options.command[0])
    everybody = stats["processes"]
    own = [p for p in everybody if os.path.realpath(p["program"]) == ours]
    processes = own if options.own else everybody
    if check(bool(own), "stats: the program is among the processes",
             [p["program"] for p in everybody]):
        check_tier(processes, options)
        check_sums(everybody)
        check(total(everybody, "watchdog") == 0, "stats: watchdog 0",
              [(p["program"], p["watchdog"]) for p in everybody])


# ---- one program ---------------------------------------------------------------

def compare(bare, under, stats, options):
    check(under.status == bare.status, "under run it ends as bare", under.said())
    if not check(under.out == bare.out, "under run it prints the same",
                 difference(bare.out, under.out)):
        comment(under.err[-2000:])
    check_stats(stats, options)


def drive(options):
    bare = run(options.before + options.command, options.env)
    if bare.status == 77:
        skip("all of it", bare.out.strip().splitlines()[-2:])
        return
    for line in bare.out.splitlines():
        if "# SKIP" in line:
            skip("bare: " + line.split(" - ", 1)[-1].split(" # SKIP")[0],
                 line.split("# SKIP ", 1)[1])
    check(bare.status == options.status, "bare it ends with %d" % options.status, bare.said())
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "stats")
        prefix = options.before + [UFUTEX, "run", "--stats=json:" + path]
        under = run(prefix + options.run_option + ["--"] + options.command,
                    options.env)
        stats = open(path).read() if os.path.exists(path) else ""
    compare(bare, under, stats, options)


def parser():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--futex", choices=("private", "both", "none"), default="private",
                   help="which futex calls does it make?")
    p.add_argument("--observe", metavar="REGEX", help="tier observe, for this reason")
    p.add_argument("--own", action="store_true",
                   help="the tier of other programs that it starts does not matter")
    p.add_argument("--judge", metavar="PROGRAM",
                   help="the program whose tier matters, if not the one that is started")
    p.add_argument("--before", metavar="PROGRAM ARGUMENT",
                   help="starts the program, or ufutex run")
    p.add_argument("--status", type=int, default=0, help="how it ends (-SIGNAL)")
    p.add_argument("--absent", metavar="REASON", help="why the program could not be built")
    p.add_argument("--run-option", action="append", default=[], metavar="OPTION")
    p.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    p.add_argument("command", nargs=argparse.REMAINDER)
    return p


def completed(options):
    """Ready for drive(): no dashes before the command; the environment; lists."""
    if options.command and options.command[0] == "--":
        del options.command[0]
    options.before = options.before.split() if options.before else []
    options.own = options.own or bool(options.judge)
    options.env = dict(pair.split("=", 1) for pair in options.env)
    return options


def parsed(arguments):
    return completed(parser().parse_args(arguments))


def main():
    options = parsed(sys.argv[1:])
    if options.absent:
        skip("all of it", options.absent)
    elif options.command:
        drive(options)
    else:
        parser().error("which program?")
    return end()


if __name__ == "__main__":
    sys.exit(main())
