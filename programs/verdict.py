# SPDX-License-Identifier: MIT
"""What is wrong with a comparison: each of the checks has a name."""

import comparison

SLOW = 0.97


def checks(found, stats):
    """
    [(what, None or the sentence that says what is wrong)], of what could be
    looked at; @stats: have statistics been asked for?
    """
    bad = ["%s: %s (kept: %s)" % error for error in found.errors()]
    made = [("right result", "; ".join(bad) or None)]
    if bad:
        return made
    made.append(("same result", None if found.bare.result == found.under.result else
                 "bare '%s', under run '%s'" % (found.bare.result, found.under.result)))
    if found.calls:
        made.append(("no more futex calls", calls_verdict(found.calls, found.allowed)))
    if stats and found.under.statistics.processes:
        made += statistics_checks(found)
    if found.ratio:
        made.append(("not slower", speed_verdict(found.ratio)))
    if found.again_error:
        made.append(("the same again", found.again_error))
    return made


def calls_verdict(calls, allowed):
    if not comparison.more_calls(calls, allowed):
        return None
    return "more than %d more futex system calls under run than bare, in %d pairs: %s" % (
        allowed, len(calls), ", ".join("%d/%d" % (under, bare) for bare, under in calls))


def speed_verdict(ratio):
    if ratio.high >= SLOW:
        return None
    return "slower: %.3f (%.3f..%.3f) of %d pairs" % (
        ratio.median, ratio.low, ratio.high, ratio.count)


def statistics_checks(found):
    sums = found.under.statistics
    made = [("watchdog 0", "watchdog %d" % sums.watchdog if sums.watchdog else None)]
    if found.under.calls:
        made.append(("sums agree", sums_verdict(found.under.calls, sums)))
    made.append(("served as expected", served_verdict(found.row, sums)))
    return made


def sums_verdict(calls, sums):
    """
    Calls before the preload is in force, and after its last words, it cannot
    know; nor those that the kernel itself makes once more.
    """
    unknown = comparison.OWN * sums.processes
    wrong = ["%s: we say %d, the kernel %d, of these again %d at most" % (name, ours, all_, again)
             for name, ours, all_, again in (
                 ("futex", sums.futex_calls, calls.futex, calls.futex_again),
                 ("futex_waitv", sums.waitv_calls, calls.waitv, calls.waitv_again))
             if not all_ - again - unknown <= ours <= all_ + unknown]
    return "; ".join(wrong) or None


def next_to_none(number, other):
    return number <= max(10, other // 100)


def served_verdict(row, sums):
    wrong = []
    if row.served is not None and "observe" in sums.tiers:
        wrong.append("tier " + sums.words())
    if row.served is not None and "patch" not in sums.tiers:
        wrong.append("no process in tier patch")
    if row.served and not sums.served:
        wrong.append("nothing served")
    if row.served is False and not next_to_none(sums.served, sums.passed):
        wrong.append("%d served, not next to none" % sums.served)
    if row.passed and not sums.passed:
        wrong.append("nothing passed")
    return "; ".join(wrong) or None
