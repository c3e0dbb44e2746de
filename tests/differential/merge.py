#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Shards and the merging of their results: what scripts/merge-results.py says of
good and bad files, and four shards of the differential, run by GNU parallel.

usage: merge.py DIFFERENTIAL
"""

import glob
import json
import os
import shutil
import subprocess
import sys

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
MERGE = os.path.join(ROOT, "scripts", "merge-results.py")
SHARDS = 4
PROGRAMS = 600

FINDING = {"kind": "finding", "tool": "t", "seed": 7, "what": "differs",
           "replay": "t --seed 7 --count 1"}

count = failed = 0


def check(good, name, output=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name), flush=True)
    if not good:
        print("".join("#   %s\n" % line for line in output.splitlines()), end="")


def summary(part, total, **changes):
    return {"kind": "summary", "tool": "t", "shard": "%d/%d" % (part, total), "seed": 1,
            "seconds": 1.5, "findings": 0, "counts": {"programs": 10}, **changes}


def merge(*files):
    """@files: each a list of records, or of lines as they are."""
    paths = []
    for number, lines in enumerate(files):
        paths.append("file-%d.jsonl" % number)
        with open(paths[-1], "w") as f:
            for line in lines:
                f.write(line if isinstance(line, str) else json.dumps(line) + "\n")
    return run([sys.executable, MERGE] + paths)


def run(command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return result.returncode, result.stdout.decode(errors="replace")


def expect(name, files, status, *words):
    got, output = merge(*files)
    check(got == status and all(word in output for word in words), name,
          "status %d\n%s" % (got, output))


def good_ones():
    expect("one shard", [[summary(1, 1)]], 0, "10 programs", "0 findings")
    expect("two shards are added", [[summary(1, 2)], [summary(2, 2)]], 0,
           "2 shards", "20 programs", "3 s in all")
    expect("tools apart", [[summary(1, 1)], [summary(1, 1, tool="u")]], 0,
           "t: 1 shards", "u: 1 shards")
    expect("counts that only one has", [
        [summary(1, 2, counts={"a": 1})], [summary(2, 2, counts={"b": 2})]], 0, "1 a", "2 b")


def bad_ones():
    found = [FINDING, summary(1, 2, findings=1)]
    expect("a finding, with its command", [found, [summary(2, 2)]], 1, "1 findings",
           "seed 7: differs", "t --seed 7 --count 1")
    expect("a shard is missing", [[summary(1, 4)], [summary(4, 4)]], 1,
           "t: missing of 4 shards: 2-3")
    expect("a shard is there twice", [[summary(1, 1)], [summary(1, 1)]], 1,
           "shard 1/1 is there 2 times")
    expect("shards of different runs", [[summary(1, 2)], [summary(2, 3)]], 1,
           "different runs: parts of 2, 3")
    expect("shards with different seeds", [[summary(1, 2)], [summary(2, 2, seed=2)]], 1,
           "different seeds")


def broken_ones():
    good = [summary(1, 1)]
    for name, lines, word in (
            ("a line that is no JSON", ["{\"kind\":\n"], "file-1.jsonl:1:"),
            ("a line that is no object", ["7\n"], "file-1.jsonl:1: not an object"),
            ("an unknown kind", [{"kind": "x"}], "file-1.jsonl:1: kind"),
            ("an empty file", [], "no summary"),
            ("no summary", [FINDING], "no summary"),
            ("two summaries", good * 2, "more than one summary"),
            ("a count that is no number", [summary(1, 1, counts={"a": "b"})], "'a'"),
            ("a part that is missing", [{"kind": "summary"}], "'tool' is missing"),
            ("a shard that is none", [summary(3, 2)], "'3/2' is not a shard"),
            ("a summary that counts wrong", [summary(1, 1, findings=1)], "says 1"),
            ("a second line that breaks off", [FINDING, "{\"ki"], "file-1.jsonl:2:")):
        expect("broken: " + name, [good, lines], 1, "merge-results: file-1.jsonl", word,
               "10 programs")
    status, output = run([sys.executable, MERGE, "absent.jsonl"])
    check(status == 1 and "absent.jsonl" in output, "a file that is not there", output)
    status, output = run([sys.executable, MERGE])
    check(status == 2 and "usage" in output, "no file: bad usage", output)


def shards(program):
    if not shutil.which("parallel"):
        check(True, "shards by GNU parallel # SKIP not installed: parallel")
        return
    if run([program, "--count", "1"])[0] == 77:
        check(True, "shards by GNU parallel # SKIP no futex_waitv here")
        return
    command = "%s --count %d --shard {}/%d --json part-{}.jsonl" % (
        program, PROGRAMS, SHARDS)
    status, output = run(["parallel", "--jobs", "2", command, ":::"] +
                         [str(i) for i in range(1, SHARDS + 1)])
    check(status == 0, "%d shards by GNU parallel" % SHARDS, output)
    files = sorted(glob.glob("part-*.jsonl"))
    status, output = run([sys.executable, MERGE] + files)
    check(status == 0 and "%d programs" % PROGRAMS in output, "... are merged", output)
    status, output = run([sys.executable, MERGE] + files[1:])
    check(status == 1 and "missing of %d shards: 1" % SHARDS in output,
          "... and one that is left out is missed", output)


def main():
    good_ones()
    bad_ones()
    broken_ones()
    shards(sys.argv[1])
    print("1..%d" % count)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
