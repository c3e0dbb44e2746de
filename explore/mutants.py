#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Takes one thing at a time out of the engine and looks which scenario notices:
explore/mutants.py BUILD [PATTERN...]

Mutants are the faults of src/host/fault.h, and every access or fence of the
engine that orders anything, weakened to one that does not: found in the
program itself, one for each source line. PATTERNs (as in the shell) select by
label. Results go to BUILD/results/mutants.json.

decisions.txt here lists those that nothing has to catch: the file and the line
of source, and why. One that is not caught and not listed is an error. (One that
is listed may be caught: the same line may stand twice, or luck helped.)
"""

import argparse
import concurrent.futures
import fnmatch
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
ORDERS = ["relaxed", "consume", "acquire", "release", "acq_rel", "seq_cst"]


def ask(program, *args):
    done = subprocess.run([program, *args], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == 2:
        sys.exit(done.returncode)
    return json.loads(done.stdout)


# ---- the list ----------------------------------------------------------------

def faults(program):
    return [{"label": f["name"], "argument": f["name"], "rules": f["rules"],
             "what": f["text"]} for f in ask(program, "faults")]


def places(program, sites):
    """For each site its chain of inlined (function, file, line), innermost first."""
    addresses = "\n".join(hex(s["pc"] - 1) for s in sites)
    out = subprocess.run(["addr2line", "-a", "-i", "-f", "-e", program], input=addresses,
                         stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    chains, lines = [], iter(out)
    for line in lines:
        if line.startswith("0x"):
            chains.append([])
            continue
        path, _, number = next(lines).split(" ")[0].rpartition(":")
        chains[-1].append((line, os.path.normpath(path), number))
    return chains


def line_of(path, number):
    """A statement may begin on an earlier line than the call stands on."""
    with open(path) as source:
        return source.read().splitlines()[int(number) - 1].strip()


def name_of(chain):
    """The source line that asks for the order, not the wrapper that it uses."""
    for function, path, number in chain:
        if not path.endswith(("host/atomic.h", "host/lock.c")) or len(chain) == 1:
            if "/explore/scenarios/" in path or path.endswith("/schedule.c"):
                return None
            return os.path.relpath(path, ROOT), number, function
    return None


def orders(program):
    """One mutant for each line and order; all copies of it at once."""
    found = {}
    sites = ask(program, "sites", "--count", "300", "--bound", "1")
    for site, chain in zip(sites, places(program, sites)):
        name = name_of(chain)
        if name:
            key = (*name, ORDERS[site["order"]])
            found.setdefault(key, []).append(hex(site["pc"]))
    return [{"label": f"{path}:{number} {order}", "argument": ",".join(pcs), "rules": "",
             "what": f"{function}: {line_of(os.path.join(ROOT, path), number)}",
             "text": line_of(os.path.join(ROOT, path), number), "file": path}
            for (path, number, function, order), pcs in sorted(found.items())]


def decisions():
    """{(file, line of source): reason}"""
    reasons, path = {}, os.path.join(HERE, "decisions.txt")
    with open(path) as lines:
        blocks = lines.read().split("\n\n")
    for block in blocks:
        rows = [r for r in block.splitlines() if not r.startswith("#")]
        if rows:
            where, _, text = rows[0].partition(": ")
            reasons[where, text.strip()] = " ".join(r.strip() for r in rows[1:])
    return reasons


# ---- the hunt ----------------------------------------------------------------

def hunt(program, mutant, count):
    done = subprocess.run([program, "hunt", "--mutant", mutant["argument"],
                           "--count", str(count)],
                          stdout=subprocess.PIPE, text=True, check=False)
    lines = done.stdout.splitlines()
    return json.loads(lines[-1]) if lines else {"scenario": None, "schedules": 0,
                                                "what": f"status {done.returncode}"}


def verdict(mutant, result, reasons):
    listed = (mutant.get("file"), mutant.get("text")) in reasons
    return "" if result["scenario"] or listed else "NOT CAUGHT"


def show(mutant, result, wrong):
    who = result["scenario"] or "-"
    mode = result.get("mode", "")
    print(f"{mutant['label']:44.44} {who:24} {mode:10} {result['schedules']:>9}  {wrong}",
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("patterns", nargs="*")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--count", type=int, default=20000,
                        help="schedules at most of a scenario, mode and kind of search")
    args = parser.parse_args()
    program = os.path.join(args.build, "ufutex-explore")
    reasons = decisions()
    wanted = [m for m in faults(program) + orders(program) if not args.patterns or
              any(fnmatch.fnmatch(m["label"], p) for p in args.patterns)]
    print(f"{'mutant':44} {'caught by':24} {'mode':10} {'schedules':>9}")
    wrong, caught = 0, 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for mutant, result in zip(wanted,
                                  pool.map(lambda m: hunt(program, m, args.count), wanted)):
            mutant.update(result=result, verdict=verdict(mutant, result, reasons),
                          reason=reasons.get((mutant.get("file"), mutant.get("text")), ""))
            wrong += bool(mutant["verdict"])
            caught += bool(result["scenario"])
            show(mutant, result, mutant["verdict"] or mutant["reason"][:60])
    os.makedirs(os.path.join(args.build, "results"), exist_ok=True)
    with open(os.path.join(args.build, "results", "mutants.json"), "w") as out:
        json.dump(wanted, out, indent=1)
    print(f"{len(wanted)} mutants, {caught} caught, {len(wanted) - caught - wrong} need not "
          f"be, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
