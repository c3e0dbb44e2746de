#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Torture for some seconds: every mode, way of replacing, and both programs."""

import argparse
import json
import os
import subprocess
import sys
import tempfile

# What must have happened at all, or the run says nothing.
HAPPENED = ["tokens_got", "collected", "consumed", "threads_requeued", "replacements",
            "waiters_moved", "timeouts", "interrupted", "forks", "forks_nested", "vforks",
            "clones", "handlers_inside", "handlers_clear", "forks_in_handlers",
            "migrations", "callbacks", "objects_released", "refs_killed", "tables_freed",
            "tables_reused", "age_read_1", "age_idle_1", "age_table_1"]


def run(program):
    with tempfile.NamedTemporaryFile("r") as results:
        done = subprocess.run(
            [program, "--both", "--refs", "all", "--replace", "all", "--quiet", "--leg",
             "0.6", "--count", "20", "--json", results.name],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done, [json.loads(line) for line in results]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", nargs=2, required=True)
    done, lines = run(os.path.abspath(parser.parse_args().programs[0]))
    findings = [line for line in lines if line["kind"] == "finding"]
    counts = [line["counts"] for line in lines if line["kind"] == "summary"]
    good = done.returncode == 0 and not findings and len(counts) == 1
    print("%sok 1 - nothing is found" % ("" if good else "not "))
    if not good:
        for line in findings:
            print("#   %(what)s; again by: %(replay)s" % line)
        for line in done.stdout.decode(errors="replace").splitlines()[:200]:
            print("#   " + line)
    absent = [name for name in HAPPENED if not (counts and counts[0][name])]
    print("%sok 2 - all that it counts has happened%s" % (
        "not " if absent else "", ": not " + ", ".join(absent) if absent else ""))
    print("1..2")
    return 0 if good and not absent else 1


if __name__ == "__main__":
    sys.exit(main())
