#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Checks the models: models/run.py quick|full [PATTERN...]

Each models/*.pml is verified exhaustively by spin, and once more for each rule
that it can leave out (a negative), which must give a counterexample. Prints
TAP. What a model's first comment says is read:

  // stands for: src/ref/idle.c: begin, end; ...
  // rules: R3 R4
  // quick: -DREADERS=2         flags of a run; several lines, several runs
  // full: -DREADERS=3          the same for `full`
  // check: progress            looks for non-progress cycles too (weak fairness)
  // compile: -DNOREDUCE        more flags for the verifier
  // reached: label ...         must be reached in some run, else it says nothing
  // negative: NO_BIAS [-DREADERS=1] R4 the counter starts at zero
                                macro, flags (else those of the first quick
                                line), rules or -, words

Not only assertions: a state in which nobody can go on is an error too. PATTERNs
(as in the shell) select models. A run that is cut short by a bound of depth,
memory or time is a failure.
"""

import argparse
import collections
import concurrent.futures
import fnmatch
import glob
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import time

CC = os.environ.get("CC", "gcc")
HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = {"quick": 60, "full": 900}  # of the CPU, for one search
WIDTH = {"quick": "-w22", "full": "-w26"}  # 2^n places for hashes
DEPTH = {"quick": 100000, "full": 1000000}
MEMORY = 3000  # MB

Model = collections.namedtuple(
    "Model", "name path stands_for rules quick full progress compile reached negatives")
Negative = collections.namedtuple("Negative", "macro flags rules words")
Run = collections.namedtuple("Run", "model flags negative")
Search = collections.namedtuple("Search", "error cut states depth memory known unreached")
NOTHING = Search("", "", 0, 0, 0, set(), set())


# ---- headers -----------------------------------------------------------------

def header(path):
    """The (key, value) pairs of the comment that @path begins with."""
    pairs = []
    with open(path) as source:
        for line in source:
            match = re.match(r"//\s?(.*)$", line)
            field = match and re.match(
                r"(stands for|rules|quick|full|check|compile|reached|negative):\s*(.*)$",
                match.group(1))
            if field:
                pairs.append((field.group(1), field.group(2).strip()))
            elif match and pairs and match.group(1).startswith(" "):
                key, value = pairs.pop()  # the value goes on
                pairs.append((key, value + " " + match.group(1).strip()))
            elif not match and not line.startswith("/*"):
                break
    return pairs


def negative(text, default):
    words = text.split()
    flags, rules = [], []
    macro = words.pop(0)
    while words and words[0].startswith("-D"):
        flags.append(words.pop(0))
    while words and re.match(r"(R\d+|-)$", words[0]):
        rules.append(words.pop(0).replace("-", ""))
    return Negative(macro, " ".join(flags) or default,
                    [r for r in rules if r], " ".join(words))


def read_model(path):
    fields = collections.defaultdict(list)
    for key, value in header(path):
        fields[key].append(value)
    name = os.path.basename(path)[:-len(".pml")]
    for key in ("stands for", "rules", "quick", "reached", "negative"):
        if not fields[key]:
            sys.exit("%s: its first comment has no '%s:'" % (path, key))
    quick = fields["quick"]
    return Model(name, path, " ".join(fields["stands for"]),
                 " ".join(fields["rules"]).split(), quick, fields["full"] or quick,
                 "progress" in fields["check"], " ".join(fields["compile"]),
                 " ".join(fields["reached"]).split(),
                 [negative(n, quick[0]) for n in fields["negative"]])


def models(patterns, shard=(1, 1)):
    paths = sorted(glob.glob(os.path.join(HERE, "*.pml")))
    chosen = [read_model(p) for p in paths]
    if patterns:
        chosen = [m for m in chosen
                  if any(fnmatch.fnmatch(m.name, p) for p in patterns)]
    return chosen[shard[0] - 1::shard[1]]


# ---- one search --------------------------------------------------------------

def command(words, where):
    return subprocess.run(words, cwd=where, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding="utf-8", errors="replace")


def must(words, where):
    result = command(words, where)
    if result.returncode:
        raise RuntimeError("%s: %s" % (" ".join(words[:3]), result.stdout.strip()))


def number(pattern, text):
    match = re.search(pattern, text, re.MULTILINE)
    return float(match.group(1)) if match else 0


def parse(text):
    """What pan printed, as a Search."""
    error = re.search(r"^pan:\s*\d+: (.*?)(?: \(at depth (\d+)\))?$", text, re.MULTILINE)
    wrong = re.search(r"max search depth too small|Search not completed|out of memory|"
                      r"reached -DMEMLIM|Bit statespace|Hash-Compact|[Tt]runcated",
                      text)
    cut = "" if error or not wrong else wrong.group(0)
    if not error and not re.search(r"errors: 0\s*$", text, re.MULTILINE):
        cut = cut or "no result: " + " ".join(text.split()[-20:])
    unreached = re.findall(r"^\t(\S+):(\d+), state \d+, (.*)$", text, re.MULTILINE)
    return Search(error.group(1) + (", after %s steps" % error.group(2)
                                    if error.group(2) else "") if error else "",
                  cut, int(number(r"([\d.e+]+) states, stored", text)),
                  int(number(r"depth reached (\d+)", text)),
                  number(r"([\d.]+)\s+(?:total actual )?memory usage", text),
                  set(), {(os.path.basename(f), int(n)) for f, n, _ in unreached})


def compile_verifier(run, level, progress, where):
    """
    Optimised for long searches only: else it takes longer than the search, and
    tcc, where there is one, a twentieth of gcc's time.
    """
    shutil.rmtree(where, ignore_errors=True)
    os.makedirs(where)
    flags = run.flags.split() + (["-D" + run.negative.macro] if run.negative else [])
    must(["spin"] + flags + ["-a", run.model.path], where)
    long = level == "full" and not run.negative
    short = [shutil.which("tcc")] if shutil.which("tcc") else [CC, "-O0"]
    must([*([CC, "-O2", "-DCOLLAPSE"] if long else short), "-w",
          "-DMEMLIM=%d" % MEMORY, "-DVECTORSZ=2048", "-DNFAIR=3",
          "-DNP" if progress else "-DSAFETY", *run.model.compile.split(),
          "-o", "pan", "pan.c"], where)


def lines_with_steps(where):
    steps = re.findall(r"(\S+):(\d+) => ", command(["./pan", "-d"], where).stdout)
    return {(os.path.basename(file), int(line)) for file, line in steps}


def as_known(model, unreached):
    """Names included lines as `pan -d` does: see lines_of."""
    with open(model.path) as source:
        last = len(source.readlines())
    main = os.path.basename(model.path)
    return {(main if f.endswith(".inc") and n > last else f, n) for f, n in unreached}


def search(run, level, options, where):
    size = ["-m50000", "-w19"] if run.negative else ["-m%d" % DEPTH[level], WIDTH[level]]
    known = set() if run.negative else lines_with_steps(where)
    result = command(["sh", "-c", 'ulimit -t "$0" && exec ./pan "$@"',
                      str(SECONDS[level]), *size, *options], where)
    if result.returncode == -signal.SIGXCPU or result.returncode == -signal.SIGKILL:
        return NOTHING._replace(cut="lasts longer than %d s" % SECONDS[level])
    found = parse(result.stdout)
    return found._replace(known=known, unreached=as_known(run.model, found.unreached))


def trail(run, where):
    """The counterexample in words."""
    flags = run.flags.split() + (["-D" + run.negative.macro] if run.negative else [])
    name = os.path.basename(run.model.path)
    result = command(["spin"] + flags + ["-t", "-p", "-g", "-l", "-k", name + ".trail",
                                         run.model.path], where)
    return result.stdout


# ---- results -----------------------------------------------------------------

class Output:
    """TAP to standard output, findings and a summary to a file."""

    def __init__(self, args):
        self.args, self.number, self.failed, self.lines = args, 0, 0, []
        self.counts = collections.Counter()
        self.start = time.monotonic()

    def comment(self, text):
        for line in text.splitlines():
            print("# " + line)

    def check(self, ok, what, model, why=""):
        self.number += 1
        self.counts["checks"] += 1
        print("%sok %d - %s" % ("" if ok else "not ", self.number, what), flush=True)
        if ok:
            return
        self.failed += 1
        self.comment(why)
        self.lines.append({"kind": "finding", "tool": "models", "seed": 0,
                           "what": what + ": " + why,
                           "replay": "models/run.py %s %s" % (self.args.level, model.name)})

    def summary(self):
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = time.monotonic() - self.start
        self.comment("%.0f s, and %.0f s of the CPU" % (
            seconds, used.ru_utime + used.ru_stime))
        self.lines.append({
            "kind": "summary", "tool": "models", "shard": "%d/%d" % self.args.shard,
            "seed": 0, "seconds": round(seconds, 1),
            "findings": self.failed, "counts": dict(self.counts)})
        if not self.args.json:
            return
        text = "".join(json.dumps(line) + "\n" for line in self.lines)
        if self.args.json == "-":
            sys.stdout.write(text)
        else:
            os.makedirs(os.path.dirname(os.path.abspath(self.args.json)), exist_ok=True)
            with open(self.args.json, "w") as file:
                file.write(text)


def runs_of(model, level):
    flags = model.quick if level == "quick" else model.full
    return ([Run(model, f, None) for f in flags] +
            [Run(model, n.flags, n) for n in model.negatives])


def searches(run, args, where):
    """[Search], up to the first that finds something."""
    found = []
    for progress in (False, True) if run.model.progress else (False,):
        compile_verifier(run, args.level, progress, where)
        found.append(search(run, args.level, ["-l", "-f"] if progress else [], where))
        if found[-1].error or found[-1].cut:
            return found
    return found


def report_positive(run, found, out):
    last = found[-1]
    name = ("%s %s" % (run.model.name, run.flags)).strip()
    ok = not last.error and not last.cut
    out.check(ok, name + ": " + " ".join(run.model.rules), run.model,
              last.error or last.cut)
    for kind, s in zip(("", "progress: "), found):
        out.counts["states"] += s.states
        out.comment("%s%d states, depth %d, %.0f MB" % (kind, s.states, s.depth, s.memory))


def report_negative(run, found, out):
    n, error = run.negative, found[-1].error
    name = "%s must fail with %s: %s %s" % (
        run.model.name, n.macro, " ".join(n.rules), n.words)
    out.check(bool(error), name, run.model, found[-1].cut or "no counterexample")
    out.comment(error)


def lines_of(path):
    """
    {label: (file, line)} and {(file, line): text}. Spin calls an included line by
    the model's name: a label in an .inc must be behind the model's last line.
    """
    labels, lines, file, more = {}, {}, os.path.basename(path), []
    with open(path) as source:
        text = source.read().splitlines()
    for name in re.findall(r'^#include "(.*)"', "\n".join(text), re.MULTILINE):
        with open(os.path.join(os.path.dirname(path), name)) as source:
            more = source.read().splitlines()
    for i, line in enumerate(text + more[len(text):], 1):
        lines[file, i] = line.strip()
        match = re.match(r"\s*(?:::\s*)?(\w+):(?!:)", line)
        if match and not line.startswith("//"):
            labels[match.group(1)] = (file, i)
    return labels, lines


def report_reached(model, known, never, out):
    """@known: all (file, line) with a step; @never: those that no run takes."""
    labels, lines = lines_of(model.path)
    missing = [n for n in model.reached
               if labels.get(n) not in known or labels[n] in never]
    out.check(not missing, "%s reaches %s" % (model.name, " ".join(model.reached)),
              model, "never reached: " + " ".join(missing))
    for at in sorted(a for a in never if re.search(r"\w", lines.get(a, ""))):
        out.comment("line %d is never reached: %s" % (at[1], lines[at]))


def check_model(model, args, out, pool):
    where = os.path.join(args.build, "models", model.name)
    runs = runs_of(model, args.level)
    futures = [pool.submit(searches, run, args, "%s-%d" % (where, i))
               for i, run in enumerate(runs)]
    known, reached = set(), set()
    for i, (run, future) in enumerate(zip(runs, futures)):
        found = future.result()
        if run.negative:
            report_negative(run, found, out)
        else:
            report_positive(run, found, out)
            reached |= found[0].known - found[0].unreached
            known |= found[0].known
        if args.trail and found[-1].error:
            out.comment(trail(run, "%s-%d" % (where, i)))
    report_reached(model, known, known - reached, out)


def checks(chosen, level):
    return sum(len(runs_of(m, level)) + 1 for m in chosen)


# ---- arguments ---------------------------------------------------------------

def list_models(chosen, as_json):
    table = [{"model": m.name, "stands for": m.stands_for, "rules": m.rules,
              "negatives": [{"macro": n.macro, "rules": n.rules, "what": n.words}
                            for n in m.negatives]} for m in chosen]
    if as_json:
        print(json.dumps(table, indent=1))
        return
    for m in chosen:
        print("%s: %s\n  stands for %s" % (m.name, " ".join(m.rules), m.stands_for))
        for n in m.negatives:
            print("  %-22s %-6s %s" % (n.macro, " ".join(n.rules), n.words))


def list_as_rst(chosen):
    """The table of docs/models.rst."""
    rows = [("model", "stands for", "rules", "negatives")]
    for m in chosen:
        files = sorted(set(re.findall(r"(?:src|include)/(\S+\.[ch])", m.stands_for)))
        first, *more = textwrap.wrap(", ".join(files), 40)
        rows.append(("``%s``" % m.name, first, " ".join(m.rules), str(len(m.negatives))))
        rows.extend(("", part, "", "") for part in more)
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    line = " ".join("=" * w for w in widths)
    text = [" ".join(c.ljust(w) for c, w in zip(row, widths)).rstrip() for row in rows]
    print("\n".join([line, text[0], line, *text[1:], line]))


def shard(text):
    match = re.match(r"(\d+)/(\d+)$", text)
    if not match or not 1 <= int(match.group(1)) <= int(match.group(2)):
        raise argparse.ArgumentTypeError("want i/N with i from 1 to N, not '%s'" % text)
    return int(match.group(1)), int(match.group(2))


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("level", choices=("quick", "full"), nargs="?", default="quick")
    parser.add_argument("patterns", nargs="*", metavar="PATTERN")
    parser.add_argument("--shard", type=shard, default=(1, 1), metavar="i/N",
                        help="only the models i, i + N, ...")
    parser.add_argument("--json", metavar="FILE", help="findings and a summary")
    parser.add_argument("--list", action="store_true",
                        help="only list; with --json as one array")
    parser.add_argument("--rst", action="store_true",
                        help="with --list: as the table in docs/models.rst")
    parser.add_argument("--trail", action="store_true",
                        help="print counterexamples in full")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--build", default=os.environ.get(
        "UFUTEX_BUILD", os.path.join(os.path.dirname(HERE), "build")),
                        help="temporary files go to models/ in it")
    return parser.parse_intermixed_args()


def missing_program():
    for name, what in (("spin", "spin"), (CC, "a C compiler")):
        if not shutil.which(name):
            return what + " is not installed (./setup models)"
    return None


def main():
    args = arguments()
    chosen = models(args.patterns, args.shard)
    if not chosen and not (args.shard[1] > 1 and models(args.patterns)):
        sys.exit("no model is called " + " ".join(args.patterns))
    if args.list and args.rst:
        list_as_rst(chosen)
        return 0
    if args.list:
        list_models(chosen, args.json)
        return 0
    if missing_program():
        print("1..0 # skip " + missing_program())
        return 77
    args.build = os.path.abspath(args.build)
    out = Output(args)
    print("1..%d" % checks(chosen, args.level))
    with concurrent.futures.ThreadPoolExecutor(max(1, args.jobs)) as pool:
        for model in chosen:
            check_model(model, args, out, pool)
            print("models: %s done, %d failed so far" % (model.name, out.failed),
                  file=sys.stderr, flush=True)
    out.summary()
    return 1 if out.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, RuntimeError) as error:
        sys.exit("models: %s" % error)
