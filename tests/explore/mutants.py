#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The explorer finds what is wrong: faults, and accesses that order nothing any
more. What it finds it shows again, with the lines of the source.

usage: mutants.py UFUTEX-EXPLORE
"""

import importlib.util
import json
import os
import re
import sys

sys.dont_write_bytecode = True
from explorer import PROGRAM, ROOT, check, end, explore  # noqa: E402

FAULTS = ["NO_SETTLE", "MARK_LOCK_ONCE", "NO_BIAS", "ONE_CPU", "PREV_EARLY", "WAITV_FORGETS",
          "LOOK_BEFORE_CLEAR", "COOKIE_RUNNING", "GONE_UNSEEN", "NO_READERS_WAIT",
          "COUNT_AFTER_LOAD", "NO_WAKE_FENCE", "FOLD_TWICE", "PLAIN_BARRIER", "WAKE_CHASES"]

# Weakened: a function that the access is in, its order, a scenario that has it.
ACCESSES = [("ufx_wake", "seq_cst", "wait-wake"), ("ufx_section_lock", "acq_rel", "signal-wake"),
            ("release_threads", "release", "wake-chase"),
            ("sweep", "seq_cst", "node-cancel"),
            ("release_guests", "release", "node-wake")]
STEP = re.compile(r"^ *T[1-6]  \S.*\b[a-z_]+\.[ch]:\d+ \w+", re.M)


def tool():
    """explore/mutants.py, which knows how to find an access by its source."""
    path = os.path.join(ROOT, "explore", "mutants.py")
    spec = importlib.util.spec_from_file_location("explore_mutants", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def addresses(function, order, scenario):
    tools = tool()
    sites = json.loads(explore("sites", "--count", "200", "--bound", "1", scenario)[1])
    sites = [s for s in sites if tools.ORDERS[s["order"]] == order]
    return ",".join(hex(site["pc"]) for site, chain in zip(sites, tools.places(PROGRAM, sites))
                    if any(function == name for name, _, _ in chain))


def replays(found, mutant):
    """Twice the same, and readable."""
    words = ["replay", found["scenario"], "--mode", found["mode"], "--mutant", mutant,
             "--choices", found["choices"]]
    status, out, err = explore(*words)
    check(status == 1 and not err and out.endswith("\n%s\n" % found["what"]),
          "... and again by its choices", out + err)
    check(len(STEP.findall(out)) >= 5, "... as steps that name lines of the source", out)
    check(explore(*words)[1] == out, "... always the same")


def caught(name, mutant, *words):
    status, out, err = explore("hunt", "--mutant", mutant, *words)
    lines = out.splitlines()
    found = json.loads(lines[-1]) if lines else {}
    if check(status == 1 and found.get("scenario") and found["what"] and not err,
             "%s is caught: %s, %s schedules" % (name, found.get("scenario"),
                                                 found.get("schedules")), out + err):
        replays(found, mutant)


for fault in FAULTS:
    caught(fault, fault)
for function, order, scenario in ACCESSES:
    mutant = addresses(function, order, scenario)
    if check(mutant, "there is %s in %s" % (order, function)):
        caught("%s without its %s" % (function, order), mutant, scenario)
status, out, err = explore("hunt", "teardown", "ref-kill", "--mode", "rseq", "--mutant",
                           "WAKE_CHASES")
check(status == 0 and json.loads(out)["scenario"] is None,
      "a scenario without the mutant finds nothing", out + err)
end()
