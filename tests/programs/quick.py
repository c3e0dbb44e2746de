#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Real programs, bare and under `ufutex run`: the quick rows of programs/, without
speed. The whole of it is `make programs`.
"""

import os
import sys

sys.dont_write_bytecode = True
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "programs"))
import rows  # noqa: E402
import run  # noqa: E402

BUILD = os.path.abspath(os.environ.get("UFUTEX_BUILD", "build"))


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def say(self, what, wrong=None, skip=None):
        self.count += 1
        self.failed += bool(wrong)
        print("%sok %d - %s%s" % ("not " if wrong else "", self.count, what,
                                  " # SKIP " + skip if skip else ""))
        if wrong:
            print("# " + " ".join(wrong.split()))
        sys.stdout.flush()


def main():
    tap = Tap()
    config, uncounted = run.configuration(BUILD, stats=True)
    for one in rows.ROWS:
        if not one.quick:
            continue
        found, checks = run.compare(one, config)
        if found.skipped:
            tap.say(one.name, skip=found.skipped)
            continue
        for what, wrong in checks:
            tap.say("%s: %s" % (one.name, what), wrong)
    if uncounted:
        tap.say("futex calls counted by the kernel", skip=uncounted)
    print("1..%d" % tap.count)
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
