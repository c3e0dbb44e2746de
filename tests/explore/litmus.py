#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The explorer's machine: what may happen on it is found, and what may not is in
no schedule at all; with weak memory and with sequential consistency.

usage: litmus.py UFUTEX-EXPLORE
"""

import json
import sys

sys.dont_write_bytecode = True
from explorer import check, end, explore, objects  # noqa: E402

# What the engine stands on, by name: a list that has lost one of them is wrong.
WEAK = ["mp-relaxed", "mp-release-only", "mp-acquire-only", "sb-relaxed", "sb-rmw",
        "sb-one-fence", "stale", "iriw-acquire", "woken", "release-sequence-end"]
NEVER = ["mp-release-acquire", "mp-fences", "sb-fences", "sb-membarrier", "coherence",
         "release-sequence", "iriw-fences", "stale-rmw", "published", "no-race-atomic"]
ALWAYS = ["race", "race-published-relaxed", "asleep", "freed", "freed-twice", "circles"]


def run(memory):
    status, out, err = explore("litmus", "--memory", memory)
    lines = {line["name"]: line for line in objects(out)}
    for line in lines.values():
        verdict = "possible" if line["expected"] else "impossible"
        check(line["ok"] and (line["found"] if line["expected"] else line["all"]),
              "%s memory, %s: %s is %s" % (memory, line["name"], line["what"], verdict),
              json.dumps(line))
    check(status == 0 and not err and len(lines) == len(out.splitlines()),
          "%s memory: status 0, names are unique" % memory, err)
    return {name: line["found"] for name, line in lines.items()}


weak, sc = run("weak"), run("sc")
check(all(weak[n] and not sc[n] for n in WEAK), "weak memory shows what the other does not",
      [n for n in WEAK if not weak[n] or sc[n]])
check(not any(weak[n] or sc[n] for n in NEVER), "neither shows what nothing may")
check(all(weak[n] and sc[n] for n in ALWAYS), "both show what has nothing to do with it")
end()
