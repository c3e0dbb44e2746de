#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Merges the results files of long runs: what each tool counted, what was found
with the command that shows it again, and which shards are missing.

usage: merge-results.py FILE...

Exit status: 0 all shards are there and found nothing; 1 something was found, a
shard is missing, there twice, or of other seeds, or a file is broken; 2 bad usage.
"""

import argparse
import collections
import json
import re
import sys

FINDING = {"kind": str, "tool": str, "seed": int, "what": str, "replay": str}
SUMMARY = {"kind": str, "tool": str, "shard": str, "seed": int,
           "seconds": (int, float), "findings": int, "counts": dict}
SHARD = re.compile(r"^([1-9]\d*)/([1-9]\d*)$")


class Broken(Exception):
    """A file that cannot be read, or a line of it."""


def is_a(value, types):
    return isinstance(value, types) and not isinstance(value, bool)


def check_record(record):
    if not isinstance(record, dict):
        raise Broken("not an object")
    kinds = {"finding": FINDING, "summary": SUMMARY}
    if record.get("kind") not in kinds:
        raise Broken("kind is neither finding nor summary")
    for name, types in kinds[record["kind"]].items():
        if not is_a(record.get(name), types):
            raise Broken("'%s' is missing or not what it should be" % name)
    for name, number in record.get("counts", {}).items():
        if not is_a(number, (int, float)):
            raise Broken("the count '%s' is not a number" % name)
    if record["kind"] == "summary":
        part_of(record)


def part_of(summary):
    """(i, N) of shard "i/N"."""
    match = SHARD.match(summary["shard"])
    if not match or int(match.group(1)) > int(match.group(2)):
        raise Broken("'%s' is not a shard" % summary["shard"])
    return int(match.group(1)), int(match.group(2))


def read(path):
    """Returns (findings, summary) of one file."""
    records = []
    try:
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                try:
                    record = json.loads(line)
                    check_record(record)
                except (ValueError, Broken) as error:
                    raise Broken("%s:%d: %s" % (path, number, error)) from None
                records.append(record)
    except (OSError, UnicodeDecodeError) as error:
        raise Broken("%s: %s" % (path, error)) from None
    return split(path, records)


def split(path, records):
    *findings, summary = records or [None]
    if not summary or summary["kind"] != "summary":
        raise Broken("%s: no summary at its end: the run was not finished" % path)
    if any(record["kind"] != "finding" for record in findings):
        raise Broken("%s: more than one summary" % path)
    if len(findings) != summary["findings"]:
        raise Broken("%s: %d findings, its summary says %d" % (
            path, len(findings), summary["findings"]))
    if any(record["tool"] != summary["tool"] for record in findings):
        raise Broken("%s: findings of another tool" % path)
    return findings, summary


def wrong_shards(summaries):
    """What is wrong with the shards of one tool, a sentence each."""
    parts = [part_of(s) for s in summaries]
    totals = {total for _, total in parts}
    if len(totals) > 1:
        return ["shards of different runs: parts of %s" %
                ", ".join(map(str, sorted(totals)))]
    total = totals.pop()
    times = collections.Counter(part for part, _ in parts)
    wrong = []
    missing = [str(i) for i in range(1, total + 1) if i not in times]
    if missing:
        wrong.append("missing of %d shards: %s" % (total, ranges(missing)))
    for part, n in sorted(times.items()):
        if n > 1:
            wrong.append("shard %d/%d is there %d times" % (part, total, n))
    if len({s["seed"] for s in summaries}) > 1:
        wrong.append("shards with different seeds")
    return wrong


def ranges(numbers):
    """1 2 3 7 as 1-3, 7"""
    runs = []
    for n in map(int, numbers):
        if runs and runs[-1][1] == n - 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return ", ".join("%d-%d" % (a, b) if a != b else str(a) for a, b in runs)


def print_tool(tool, summaries, findings):
    """Returns whether all is well."""
    counts = collections.Counter()
    for summary in summaries:
        counts.update(summary["counts"])
    print("%s: %d shards, seed %d, %.0f s in all" % (
        tool, len(summaries), summaries[0]["seed"],
        sum(s["seconds"] for s in summaries)))
    for name, number in counts.items():
        print("  %14s %s" % ("%.15g" % number, name))
    print("  %14d findings" % len(findings))
    for finding in findings:
        print("\n  seed %d: %s\n    %s" % (finding["seed"], finding["what"],
                                         finding["replay"]))
    wrong = wrong_shards(summaries)
    for sentence in wrong:
        print("  %s: %s" % (tool, sentence))
    return not findings and not wrong


def main():
    parser = argparse.ArgumentParser(description="merges the results files of long runs")
    parser.add_argument("files", nargs="+", metavar="FILE")
    summaries, findings = collections.defaultdict(list), collections.defaultdict(list)
    broken = []
    for path in parser.parse_args().files:
        try:
            found, summary = read(path)
        except Broken as error:
            broken.append(str(error))
            continue
        summaries[summary["tool"]].append(summary)
        findings[summary["tool"]] += found
    good = [print_tool(tool, summaries[tool], findings[tool]) for tool in sorted(summaries)]
    sys.stdout.flush()
    for error in broken:
        print("merge-results: " + error, file=sys.stderr)
    return 0 if all(good) and not broken else 1


if __name__ == "__main__":
    sys.exit(main())
