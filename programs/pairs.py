# SPDX-License-Identifier: MIT
"""
Speed under run over speed bare, by pairs measured in turn until the interval of
the median is narrow, beside a control: bare over bare, from the same rounds.
"""

import math
import statistics
import time

WIDTH = 0.03   # of the interval, to either side
FEWEST = 6     # pairs: with less, there is no interval of 95 %


class Ratio:
    """The median of ratios, and the interval in which the true one lies with 95 %."""

    def __init__(self, ratios):
        self.count = len(ratios)
        self.median = statistics.median(ratios)
        self.low, self.high = interval(ratios)

    def narrow(self):
        return self.high - self.low < 2 * WIDTH * self.median


def interval(ratios):
    """By the order of the values alone: no distribution is taken for granted."""
    ordered, n = sorted(ratios), len(ratios)
    tail, k = 0.0, 0
    while True:
        tail += math.comb(n, k) * 0.5 ** n
        if tail > 0.025:
            break
        k += 1
    if not k:
        return -math.inf, math.inf
    return ordered[k - 1], ordered[n - k]


def measure(speeds, budget, progress):
    """
    @speeds: {"bare": f, "under": f}, functions that do the work once and return
    its speed. Returns (Ratio under/bare, Ratio bare/bare) after @budget seconds
    at the latest, but not before FEWEST pairs.
    """
    end = time.monotonic() + budget
    order = ["bare", "under", "again"]
    functions = dict(speeds, again=speeds["bare"])
    ratios, control = [], []
    while True:
        speed = {which: functions[which]() for which in order}
        order = order[1:] + order[:1]
        ratios.append(speed["under"] / speed["bare"])
        control.append(speed["again"] / speed["bare"])
        answer = Ratio(ratios), Ratio(control)
        progress("pair %d: %.3f" % (len(ratios), answer[0].median))
        if len(ratios) >= FEWEST and (answer[0].narrow() or time.monotonic() > end):
            return answer
