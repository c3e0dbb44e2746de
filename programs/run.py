#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Real programs, bare and under `ufutex run`, as one table (docs/programs.rst)."""

import argparse
import fnmatch
import json
import os
import re
import sys

sys.dont_write_bytecode = True
import comparison  # noqa: E402
import futexes  # noqa: E402
import rows  # noqa: E402
import table  # noqa: E402
import verdict  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Progress:
    """One line on a terminal, else nothing: rows are printed as they are done."""

    def __init__(self):
        self.row = ""
        self.tty = sys.stderr.isatty()

    def __call__(self, text):
        if self.tty:
            print("\r\033[K%s: %s" % (self.row, text), end="", file=sys.stderr, flush=True)

    def clear(self):
        if self.tty:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def shard(text):
    match = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", text)
    if not match or int(match.group(1)) > int(match.group(2)):
        raise argparse.ArgumentTypeError("'%s' is not i/N with i from 1 to N" % text)
    return int(match.group(1)), int(match.group(2))


def seconds(text):
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value < 1e6:
        raise argparse.ArgumentTypeError("'%s' is no number of seconds" % text)
    return value


def arguments():
    parser = argparse.ArgumentParser(
        description="Runs real programs bare and under `ufutex run`, and compares.",
        epilog="Exit status: 0 all is well (rows may be skipped, their packages are named); "
               "1 something is not; 2 bad usage.")
    parser.add_argument("--list", action="store_true", help="only list the rows")
    parser.add_argument("--only", metavar="PATTERN", action="append",
                        help="rows of such names, as in the shell; may be given again")
    parser.add_argument("--quick", action="store_true", help="the rows of `make test`")
    parser.add_argument("--rows", metavar="i/N", type=shard, default=(1, 1),
                        help="only the i-th of N parts of the rows")
    parser.add_argument("--no-throughput", action="store_true", help="measure no speed")
    parser.add_argument("--budget", metavar="SECONDS", type=seconds, default=180,
                        help="to measure the speed of a program in (default 180)")
    parser.add_argument("--run-options", metavar="OPTIONS", default="",
                        help="for `ufutex run`, in one word: '--spin off'")
    parser.add_argument("--without-stats", action="store_true",
                        help="do not ask `ufutex run` for statistics, check none")
    parser.add_argument("--json", metavar="FILE", help="all of it, for programs")
    parser.add_argument("--build", metavar="DIR", default=os.path.join(ROOT, "build"),
                        help="where the ufutex command is")
    return parser, parser.parse_args()


def selected(args):
    wanted = [r for r in rows.ROWS if (r.quick or not args.quick) and (
        not args.only or any(fnmatch.fnmatch(r.name, p) for p in args.only))]
    part, parts = args.rows
    return wanted[part - 1::parts]


def print_list(wanted):
    for one in wanted:
        lacks = rows.missing(one)
        marks = ["quick"] * one.quick + ["speed"] * bool(one.scale)
        print("%-26s %-46s %-12s%s" % (one.name, one.does, " ".join(marks),
                                       " (not installed: %s)" % lacks if lacks else ""))


def configuration(build, options="", stats=True, budget=None, progress=lambda text: None):
    """Returns comparison.Config, and why nothing is counted or None."""
    shared = os.path.join(build, "programs")
    os.makedirs(os.path.join(shared, "kept"), exist_ok=True)
    os.environ.setdefault("XDG_CACHE_HOME", os.path.join(shared, "cache"))
    counter = reason = None
    try:
        counter = futexes.Counter()
    except futexes.NotCounted as why:
        reason = str(why)
    return comparison.Config(os.path.join(build, "ufutex"), options, stats, counter, shared,
                             budget, progress), reason


def compare(one, config):
    """(Comparison, its checks)"""
    lacks = rows.missing(one)
    if lacks:
        found = comparison.Comparison(one)
        found.skipped = "package %s is not there" % lacks
    else:
        found = comparison.compare(one, config)
    return found, [] if found.skipped else verdict.checks(found, config.stats)


def write_json(path, config, reason, done, tally):
    record = {"version": 1, "not_counted": reason, "options": config.options,
              "passed": tally[0], "failed": tally[1], "skipped": tally[2],
              "rows": [table.json_row(*one) for one in done]}
    with open(path, "w", encoding="utf-8") as f:
        json.dump(record, f, indent=1)
        f.write("\n")


def main():
    parser, args = arguments()
    wanted = selected(args)
    if not wanted:
        parser.error("there is no such row; --list lists them")
    if args.list:
        print_list(wanted)
        return 0
    progress = Progress()
    config, reason = configuration(
        os.path.abspath(args.build), args.run_options, not args.without_stats,
        None if args.no_throughput else args.budget, progress)
    if not os.access(config.ufutex, os.X_OK):
        parser.error("%s is missing: make" % config.ufutex)
    done = []
    table.print_title()
    for one in wanted:
        progress.row = one.name
        done.append(compare(one, config))
        progress.clear()
        table.print_row(*done[-1])
        sys.stdout.flush()
    failed = sum(any(wrong for _, wrong in checks) for _, checks in done)
    skipped = sum(bool(found.skipped) for found, _ in done)
    tally = (len(done) - failed - skipped, failed, skipped)
    table.print_end(tally, reason)
    if args.json:
        write_json(args.json, config, reason, done, tally)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted")
