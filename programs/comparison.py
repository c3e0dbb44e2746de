# SPDX-License-Identifier: MIT
"""One row on both sides: its results, its counts, its speed."""

import collections
import math
import os
import statistics
import time

import pairs
import sides
import statistics_file
from place import Place, Skip, Wrong

# What is asked for. counter: futexes.Counter or None; budget: seconds of pairs,
# None: speed is not measured; progress: tells a text
Config = collections.namedtuple(
    "Config", "ufutex options stats counter shared budget progress")

# One run on one side; error: None, or what was wrong; kept: its directory then.
Run = collections.namedtuple("Run", "result error calls statistics seconds rate kept")

PAIRS = 9      # of counts at most, where the first ones are not in order
CHANCE = 1e-4  # that two sides which are alike are taken for different

# Calls that a process makes beside its program's: to find out what the kernel
# can do, in the command and in the preload. So many each process is allowed.
OWN = 4
UNKNOWN = 16  # processes, where there are no statistics


class Comparison:
    """
    bare, under: Run; calls: [(bare, under)] for each counted pair, sums of both
    system calls; ratio, control: pairs.Ratio or None; skipped: why, or None.
    """

    def __init__(self, row):
        self.row = row
        self.bare = self.under = self.ratio = self.control = self.skipped = None
        self.calls = []
        self.allowed = 0
        self.again_error = None
        self.seconds = 0.0

    def errors(self):
        return [(side, run.error, run.kept) for side, run in (
            ("bare", self.bare), ("under run", self.under)) if run and run.error]


def once(row, side, shared, scale=1):
    place = Place(row.name, side, shared, scale)
    result = error = calls = sums = None
    try:
        result = row.run(place)
        calls = side.calls()
        sums = side.statistics()
    except (Wrong, statistics_file.Unreadable) as wrong:
        error = str(wrong)
    except (OSError, LookupError, ValueError) as wrong:
        error = "%s: %s" % (type(wrong).__name__, wrong)
    finally:
        kept = place.close(keep=error)
    return Run(result, error, calls, sums, place.seconds, place.rate, kept)


def tables():
    """How many objects' tables of sites have been kept."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    try:
        return len(os.listdir(os.path.join(cache, "ufutex", "sites")))
    except FileNotFoundError:
        return 0


def counted(row, config):
    """A pair of Runs: bare, under."""
    def under():
        return once(row, sides.under(config.ufutex, config.options, config.stats,
                                     config.counter), config.shared)

    bare, before = once(row, sides.bare(config.counter), config.shared), tables()
    run = under()
    if tables() != before and not run.error:
        run = under()  # the command that searched unknown objects was counted, too
    return bare, run


def by_chance(smaller, larger):
    """
    The chance that, both being alike, @larger beats @smaller in as many of all
    their pairs as it does, or in more (the rank-sum test, exactly).
    """
    beaten = sum((a < b) + 0.5 * (a == b) for a in smaller for b in larger)
    n, m = len(smaller), len(larger)
    ways = [[collections.Counter({0: 1})] * (m + 1) for _ in range(n + 1)]
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            # The largest of all is one of either side.
            ways[i][j] = collections.Counter(ways[i - 1][j])
            ways[i][j].update({k + i: c for k, c in ways[i][j - 1].items()})
    return sum(c for k, c in ways[n][m].items() if k >= beaten) / math.comb(n + m, n)


def more_calls(calls, allowed):
    """
    Are there more system calls under run, beyond those @allowed? The medians
    say so, and, once there are many pairs, chance alone would not.
    """
    if not calls:
        return False
    bare = [pair[0] for pair in calls]
    under = [pair[1] - allowed for pair in calls]
    if statistics.median(under) <= statistics.median(bare):
        return False
    return len(calls) < PAIRS or by_chance(bare, under) < CHANCE


def count_again(found, config):
    """Pairs of counts: one if that is in order, else more until they are."""
    if not found.bare.calls or not found.under.calls or not found.row.fixed:
        return
    sums = found.under.statistics
    found.allowed = OWN * (sums.processes if sums else UNKNOWN)
    found.calls.append((found.bare.calls.made, found.under.calls.made))
    while more_calls(found.calls, found.allowed) and len(found.calls) < PAIRS:
        config.progress("calls counted again")
        pair = counted(found.row, config)
        if None in (pair[0].calls, pair[1].calls):
            found.again_error = next(run.error for run in pair if run.error)
            return
        found.calls.append((pair[0].calls.made, pair[1].calls.made))


def speed(row, side, shared):
    run = once(row, side(), shared, row.scale)
    if run.error:
        raise Wrong("%s: %s (%s)" % (side().name, run.error, run.kept))
    return run.rate or 1 / run.seconds


def measure_speed(found, config):
    functions = {
        "bare": lambda: speed(found.row, sides.bare, config.shared),
        "under": lambda: speed(
            found.row, lambda: sides.under(config.ufutex, config.options), config.shared)}
    try:
        found.ratio, found.control = pairs.measure(functions, config.budget, config.progress)
    except Wrong as wrong:
        found.again_error = str(wrong)


def compare(row, config):
    found = Comparison(row)
    start = time.monotonic()
    try:
        config.progress("counted")
        found.bare, found.under = counted(row, config)
        if not found.errors():
            count_again(found, config)
            if row.scale and config.budget is not None:
                measure_speed(found, config)
    except Skip as skip:
        found.skipped = str(skip)
    found.seconds = time.monotonic() - start
    return found
