# SPDX-License-Identifier: MIT
"""The table that people read, and the JSON that programs do."""

import math

WIDTHS = [24, 45, 32, 32, 5, 9, 9, 4, 9, 9, 21, 21]
TITLE = ["program", "what was done", "result bare", "under run", "sites", "served",
         "passed", "dog", "calls", "under run", "speed (95 %)", "bare/bare"]
LEFT = 4  # so many columns of words


def line(fields):
    words = [str(f).ljust(w) if i < LEFT else str(f).rjust(w)
             for i, (f, w) in enumerate(zip(fields, WIDTHS))]
    return "  ".join(words).rstrip()


def ratio_words(ratio):
    if not ratio:
        return "-"
    if math.isinf(ratio.high):
        return "%.2f (?)" % ratio.median
    return "%.2f (%.2f..%.2f)" % (ratio.median, ratio.low, ratio.high)


def middle(numbers):
    return sorted(numbers)[len(numbers) // 2]


def calls(found):
    """(bare, under run); of several pairs the medians, with a mark."""
    if len(found.calls) > 1:
        return tuple("~%d" % middle(side) for side in zip(*found.calls))
    return tuple("-" if run.calls is None else str(run.calls.made)
                 for run in (found.bare, found.under))


def fields(found):
    if found.skipped:
        return [found.row.name, found.row.does, "skipped: " + found.skipped]
    sums = found.under.statistics
    same = found.under.result is not None and found.under.result == found.bare.result
    return [
        found.row.name, found.row.does, found.bare.result or "WRONG",
        "the same" if same else found.under.result or "WRONG"] + (
        [sums.sites, sums.served, sums.passed, sums.watchdog]
        if sums and sums.processes else ["-"] * 4) + [
        *calls(found), ratio_words(found.ratio), ratio_words(found.control)]


def print_title():
    print(line(TITLE))


def print_row(found, checks):
    print(line(fields(found)))
    for what, wrong in checks:
        if wrong:
            print("    FAILED, %s: %s" % (what, wrong))


def print_end(tally, reason):
    print("\ncalls: futex and futex_waitv system calls, by the kernel's tracepoints"
          " (~: medians of several runs)."
          "\nspeed: under run over bare; bare/bare is its control. dog: watchdog.")
    if reason:
        print("Not counted: %s." % reason)
    print("%d passed, %d failed, %d skipped" % tally)


def ratio_json(ratio):
    if not ratio:
        return None
    ends = [None if math.isinf(x) else x for x in (ratio.low, ratio.high)]
    return {"median": ratio.median, "low": ends[0], "high": ends[1], "pairs": ratio.count}


def run_json(run):
    sums = run.statistics
    return {
        "result": run.result, "error": run.error,
        "calls": run.calls and run.calls._asdict(),
        "statistics": sums and dict(
            {name: getattr(sums, name) for name in sums.COUNTS}, sites=sums.sites,
            refused=sums.refused, processes=sums.processes,
            tiers={tier: sorted(reasons) for tier, reasons in sums.tiers.items()})}


def json_row(found, checks):
    row = {"program": found.row.name, "what": found.row.does, "skipped": found.skipped,
           "seconds": round(found.seconds, 1)}
    if found.skipped:
        return row
    return dict(row, bare=run_json(found.bare), under_run=run_json(found.under),
                calls=[{"bare": b, "under_run": u} for b, u in found.calls],
                speed=ratio_json(found.ratio), control=ratio_json(found.control),
                failed=["%s: %s" % check for check in checks if check[1]])
