#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Every scenario in each of its modes: no schedule has a finding. Those with one
costly choice, or the first 2000 of them; of small scenarios those with two; and
some by chance.

usage: schedules.py UFUTEX-EXPLORE
"""

import re
import sys

sys.dont_write_bytecode = True
from explorer import check, end, explore, pairs  # noqa: E402

# Small enough for all their schedules with two costly choices.
SMALL = ["bucket-lock", "wait-wake", "prepare-wake", "mismatch-acquires", "wake-acquires",
         "first-table*", "teardown*", "replace-pinned", "ref-kill", "ref-switch"]
LIMIT = 20000
LINE = re.compile(r"^(\S+) +(\S+) +(search|chance) +(\d+) schedules, \d+ steps at most(.*)$",
                  re.M)


def run(words, expected, fewest, least):
    """
    A check for each line: @fewest schedules. @expected pairs must be there, and
    @least of the searches be complete.
    """
    status, out, err = explore("run", *words)
    found, complete = [], 0
    for name, mode, kind, number, how in LINE.findall(out):
        found.append((name, mode))
        complete += how == ", all"
        check(int(number) >= fewest, "%s %s: %s %s, %s schedules%s" % (
            name, mode, kind, " ".join(words[1:3]), number, how), out)
    good = check(status == 0 and "; 0 findings;" in out, "no finding", out + err)
    if good and expected is not None:
        check(sorted(found) == sorted(expected), "all pairs of a scenario and a mode were run",
              set(expected) ^ set(found))
    if least:
        check(complete >= least, "%d of %d searches are complete" % (complete, len(found)), out)


everything = pairs()
run(["--search", "--bound", "1", "--count", "2000"], everything, 10, len(everything) // 2)
run(["--search", "--bound", "2", "--count", str(LIMIT), *SMALL], None, 30, len(SMALL))
run(["--chance", "--count", "100", "--seed", "7", "--mode", "rseq"],
    [(name, mode) for name, mode in everything if mode == "rseq"], 10, 0)
end()
