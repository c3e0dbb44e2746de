#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Does programs/ notice? Rows that go wrong in each way, under a command that says
what it is told to, are compared; so are numbers, by the rules for them.
"""

import json
import os
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "programs"))
import comparison  # noqa: E402
import futexes  # noqa: E402
import pairs  # noqa: E402
import rows  # noqa: E402
import verdict  # noqa: E402
from place import Wrong  # noqa: E402

FAKE = """#!/bin/sh
shift
stats=
case $1 in --stats=json:*) stats=${1#--stats=json:}; shift ;; esac
shift
"$@"
status=$?
[ ! -e "$0.json" ] || cat "$0.json" >"$stats"
exit $status
"""

OPERATIONS = {"wait": {"served": 5, "passed": 0}, "wake": {"served": 2, "passed": 1}}
PROCESS = {"pid": 1, "program": "/bin/true", "tier": "patch", "reason": None,
           "sites": [{"object": "/libc", "futex": 3, "tested": 1, "handler": 1, "refused": 0}],
           "operations": OPERATIONS, "served": 7, "passed": 1, "futex_calls": 0,
           "waitv_calls": 0, "watchdog": 0}

# A row's program, on both sides or on one.
FUTEX = ("import ctypes; c = ctypes.CDLL(None); w = ctypes.c_int(0)\n"
         "for i in range(%d): c.syscall(202, ctypes.byref(w), 129, 1, 0, 0, 0)")


def runs(bare, under):
    def run(place):
        return place.program(["sh", "-c", under if place.side.ufutex else bare]).out.strip()
    return run


def calls(bare, under):
    """Rows that make so many futex calls."""
    def run(place):
        place.program([sys.executable, "-c", FUTEX % (under if place.side.ufutex else bare)])
        return "made"
    return run


def row(run, **more):
    row = rows.Row("a row", "does nothing", run, [], False, True, None, True, None)
    return row._replace(**more)


class Harness:
    def __init__(self, directory):
        self.count = self.failed = 0
        self.fake = os.path.join(directory, "ufutex")
        with open(self.fake, "w", encoding="utf-8") as f:
            f.write(FAKE)
        os.chmod(self.fake, 0o755)
        os.mkdir(os.path.join(directory, "kept"))
        self.config = comparison.Config(self.fake, "", True, None, directory, None,
                                        lambda text: None)
        try:
            self.counter = futexes.Counter()
        except futexes.NotCounted as why:
            self.counter, self.why = None, str(why)

    def say(self, what, good, words=""):
        self.count += 1
        self.failed += not good
        print("%sok %d - %s" % ("" if good else "not ", self.count, what))
        if not good:
            print("# %s" % words)

    def expect(self, what, wrong, one, process=PROCESS, counted=False, **more):
        """The check named @wrong fails, and no other; None: none does."""
        if counted and not self.counter:
            self.count += 1
            print("ok %d - %s # SKIP %s" % (self.count, what, self.why))
            return
        text = process if isinstance(process, str) else json.dumps(
            {"version": 1, "command": ["x"], "processes": [dict(process, **more)]})
        with open(self.fake + ".json", "w", encoding="utf-8") as f:
            f.write(text)
        config = self.config._replace(counter=self.counter if counted else None)
        checks = verdict.checks(comparison.compare(one, config), config.stats)
        bad = [name for name, sentence in checks if sentence]
        self.say(what, bad == ([wrong] if wrong else []), checks)


def results(h):
    same = row(runs("echo a", "echo a"))
    h.expect("nothing wrong", None, same)
    h.expect("another result", "same result", row(runs("echo a", "echo b")))
    h.expect("a status", "right result", row(runs("true", "exit 3")))
    h.expect("a signal", "right result", row(runs("true", "kill -SEGV $$")))
    h.expect("wrong bare", "right result", row(runs("exit 3", "true")))

    def wrong(place):
        raise Wrong("as said")
    h.expect("a row that says so", "right result", row(wrong))


def statistics(h):
    same = row(runs("echo a", "echo a"))
    h.expect("watchdog", "watchdog 0", same, watchdog=1)
    h.expect("no JSON", "right result", same, process="")
    h.expect("another version", "right result", same, process='{"version": 2}')
    h.expect("no process", "right result", same, process='{"version": 1, "processes": []}')
    h.expect("no operations", "right result", same, process=json.dumps(
        {"version": 1, "processes": [{"tier": "patch", "served": 7}]}))
    h.expect("operations that do not add up", "right result", same, served=8)
    h.expect("nothing served", "served as expected", same, served=0, passed=0, operations={})
    h.expect("served, not to be", "served as expected", same._replace(served=False),
             served=99, passed=0, operations={"wait": {"served": 99, "passed": 0}})
    h.expect("nothing passed", "served as expected", same._replace(passed=True),
             passed=0, operations={"wait": {"served": 7, "passed": 0}})
    h.expect("tier observe", "served as expected", same, tier="observe", reason="no")


def counts(h):
    h.expect("as many calls", None, row(calls(60, 60)), counted=True, futex_calls=60)
    h.expect("fewer calls", None, row(calls(60, 0)), counted=True, futex_calls=1)
    h.expect("more calls", "no more futex calls", row(calls(60, 70)), counted=True,
             futex_calls=70)
    h.expect("more calls, of work that is not fixed", None,
             row(calls(60, 70), fixed=False), counted=True, futex_calls=70)
    h.expect("sums that do not agree", "sums agree", row(calls(60, 60)), counted=True,
             futex_calls=40)
    h.expect("futex_waitv calls that were none", "sums agree", row(calls(60, 60)),
             counted=True, futex_calls=60, waitv_calls=9)


def numbers(h):
    several = [(b, b + 9) for b in range(100, 109)]
    h.say("more by chance", not comparison.more_calls(several[:5] + several[:4][::-1], 9))
    h.say("few pairs: count again", comparison.more_calls([(100, 110)], 4))
    h.say("beyond what is allowed", comparison.more_calls([(b, b + 20) for b, _ in several], 4))
    h.say("ranges that overlap", not comparison.more_calls([(b, b + 8) for b, _ in several], 4))
    h.say("3 beaten by 3: 1 in 20", comparison.by_chance([1, 2, 3], [4, 5, 6]) == 0.05)
    low, high = pairs.interval(range(1, 22))
    h.say("interval of 21", (low, high) == (6, 16), (low, high))
    h.say("no interval of 5", pairs.interval([1] * 5)[1] == float("inf"))
    slow, wide = pairs.Ratio([0.9 + i / 1000 for i in range(21)]), pairs.Ratio([.5, 1] * 9)
    h.say("slower", verdict.speed_verdict(slow))
    h.say("perhaps not slower", not verdict.speed_verdict(wide))
    speeds = {"bare": lambda: 2.0, "under": lambda: 1.0}
    ratio, control = pairs.measure(speeds, 60, lambda text: None)
    h.say("half as fast, control 1", (ratio.median, control.median, ratio.count) == (.5, 1, 6),
          vars(ratio))


def main():
    with tempfile.TemporaryDirectory() as directory:
        h = Harness(directory)
        results(h)
        statistics(h)
        counts(h)
        numbers(h)
    print("1..%d" % h.count)
    return 1 if h.failed else 0


if __name__ == "__main__":
    sys.exit(main())
