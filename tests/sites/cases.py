#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Small functions, each with one reason to be found, left out or refused."""

import os
import re
import tempfile

from sites import HERE, assemble, check, end, search

EXPECT = re.compile(r"/\* expect: (\w+) (\w+) (\d+) (\d+) (\d+|-) (.+) \*/")


def expected(source):
    """[(function, kind, length, syscall, relocation, reason)]"""
    with open(os.path.join(HERE, source)) as f:
        return [m.groups() for m in map(EXPECT.search, f) if m]


def answer(site):
    relocation = site["relocation"]
    return (site["function"].split("+")[0], site["kind"], str(site["length"]),
            str(site["syscall"]), "-" if relocation is None else str(relocation),
            site["refused"] or "usable")


def agree(got, wanted):
    return (len(got) == len(wanted) and
            all(g[:-1] == w[:-1] and g[-1].startswith(w[-1]) for g, w in zip(got, wanted)))


def judge(source, directory, *options):
    wanted = expected(source)
    sites = search(assemble(source, directory + "/object.so", *options))["sites"]
    got = [answer(site) for site in sites]
    for name in sorted({w[0] for w in wanted} | {g[0] for g in got}):
        mine = [g for g in got if g[0] == name]
        theirs = [w for w in wanted if w[0] == name]
        check(agree(mine, theirs), "%s: %s" % (source, name),
              "found %s\nexpected %s" % (mine, theirs))
    check(bool(wanted) and all(bytes.fromhex(s["bytes"])[s["syscall"]:][:2] == b"\x0f\x05"
                               for s in sites), "%s: all are system calls" % source)


with tempfile.TemporaryDirectory() as temporary:
    for name in ("numbers.S", "flow.S", "windows.S", "branches.S", "targets.S", "strange.S",
                 "gaps.S", "huge.S", "doubts.S"):
        judge(name, temporary)
    # Constants in the executable segment.
    judge("strange.S", temporary, "-Wl,-z,noseparate-code")
end()
