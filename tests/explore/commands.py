#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The command itself: help, lists, bad usage, shards, results.

usage: commands.py UFUTEX-EXPLORE
"""

import json
import os
import re
import sys

sys.dont_write_bytecode = True
from explorer import PROGRAM, ROOT, check, command, end, explore, objects, pairs  # noqa: E402

MODES = {"rseq", "membarrier", "fence", "shared"}
QUICK = ["--search", "--bound", "0"]
SHARDS = 3
MERGE = os.path.join(ROOT, "scripts", "merge-results.py")

BAD = [  # arguments, and what the message names
    ([], "which command"), (["nonsense"], "nonsense"), (["run", "no-such"], "no-such"),
    (["run", "wait-wake", "no-such-*"], "no-such-*"), (["--nonsense"], "nonsense"),
    (["run", "--mode", "none"], "none"), (["run", "--memory", "strong"], "strong"),
    (["run", "--mode", "shared", "handler-twice"], "shared"),
    (["run", "--bound", "x"], "x"), (["run", "--bound", "-1"], "-1"),
    (["run", "--bound", "nan"], "nan"), (["run", "--count", "0"], "0"),
    (["run", "--count", "5x"], "5x"), (["run", "--seconds", "-1"], "-1"),
    (["run", "--seed", ""], "number"), (["run", "--shard", "3/2"], "3/2"),
    (["run", "--shard", "0/2"], "0/2"), (["run", "--shard", "1"], "'1'"),
    (["run", "--shard", "1/2/3"], "1/2/3"), (["run", "--count"], "count"),
    (["run", "--json", "/nowhere/file"], "/nowhere/file"),
    (["hunt", "--mutant", "NO_SUCH"], "NO_SUCH"), (["hunt", "--mutant", "0x1;"], "0x1;"),
    (["run"] + ["wait-wake"] * 17, "too many"),
    (["replay", "wait-wake"], "--choices"), (["replay", "--choices", "1:1"], "scenario"),
    (["replay", "wake-*", "--choices", "1:1"], "scenario"),
    (["replay", "wait-wake", "--choices", "x"], "'x'"),
    (["replay", "wait-wake", "--choices", "1:1,"], "1:1,"),
    (["replay", "wait-wake", "--choices", "1:1;2:1"], "1:1;2:1"),
]


def usage():
    for words, word in BAD:
        status, out, err = explore(*words)
        check(status == 2 and word in err and not out,
              "bad usage: %s" % " ".join(words)[:60], (status, out[:200], err))
    status, out, err = explore("--help")
    check(status == 0 and not err and out.startswith("usage: ufutex-explore"), "--help", err)
    for name in ("run", "replay", "hunt", "list", "sites", "faults", "litmus"):
        check(re.search(r"^  %s +\S" % name, out, re.M), "--help has the command " + name, out)


def lists():
    scenarios = json.loads(explore("list")[1])
    names = [s["name"] for s in scenarios]
    check(len(names) > 50 and len(names) == len(set(names)), "scenarios have names of their own",
          names)
    check(all(s["what"] and s["rules"] for s in scenarios), "each says what it does, and for "
          "which rules", [s for s in scenarios if not s["what"] or not s["rules"]])
    check(all(s["modes"] and set(s["modes"].split()) <= MODES for s in scenarios),
          "modes are known ones")
    some = json.loads(explore("list", "replace-*")[1])
    check([s["name"] for s in some] == [n for n in names if n.startswith("replace-")],
          "list takes patterns", some)
    faults = json.loads(explore("faults")[1])
    check(faults and all(f["name"] and f["rules"] and f["text"] for f in faults),
          "faults have names, and rules that they break", faults)


def run_of(out):
    return re.findall(r"^(\S+) +(\S+) +search ", out, re.M)


def shards():
    """Together all pairs, each once; and what is merged of their results is whole."""
    files, parts, statuses = [], [], []
    for part in range(1, SHARDS + 1):
        files.append("explore-%d.jsonl" % part)
        status, out, err = explore("run", *QUICK, "--count", "50", "--shard",
                                   "%d/%d" % (part, SHARDS), "--json", files[-1])
        statuses.append(status)
        parts.append(run_of(out))
    check(statuses == [0] * SHARDS, "shards find nothing", statuses)
    check(sorted(sum(parts, [])) == sorted(pairs()), "shards are all pairs, each once", parts)
    check(max(map(len, parts)) - min(map(len, parts)) <= 1, "shards are of one size")
    status, out, err = command([sys.executable, MERGE, *files])
    check(status == 0, "their results are merged", out + err)
    status, out, err = command([sys.executable, MERGE, *files[1:]])
    check(status == 1, "a missing one is noticed", out + err)


def results():
    words = ["run", "--search", "--seed", "5", "--mutant", "ONE_CPU", "slot-publish",
             "--mode", "rseq", "--json", "found.jsonl"]
    status, out, err = explore(*words)
    with open("found.jsonl") as lines:
        finding, summary = objects(lines.read())
    check(status == 1 and set(finding) == {"kind", "tool", "seed", "what", "replay"},
          "a finding in the results", finding)
    check(finding["kind"] == "finding" and finding["tool"] == "explore" and finding["what"] and
          finding["seed"] == 5, "... says what it is", finding)
    check(set(summary) == {"kind", "tool", "shard", "seed", "seconds", "findings", "counts"} and
          summary["kind"] == "summary" and summary["shard"] == "1/1" and
          summary["seed"] == 5 and summary["findings"] == 1 and
          summary["counts"]["schedules"] >= 1, "a summary ends them", summary)
    status, out, err = command(["sh", "-c", finding["replay"]])
    check(status == 1 and out.endswith(finding["what"] + "\n"),
          "the replay command is one for the shell, and shows it again", out + err)
    check(PROGRAM in finding["replay"], "... of this program", finding["replay"])


def replay_of_nothing():
    status, out, err = explore("replay", "wait-wake", "--choices", "0:0")
    check(status == 0 and out.endswith("nothing found\n"), "a schedule without a finding", out)


usage()
lists()
shards()
results()
replay_of_nothing()
end()
