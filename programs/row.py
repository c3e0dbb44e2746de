# SPDX-License-Identifier: MIT
"""What a row is, how one is declared, and what most of them need (rows.py)."""

import collections
import os
import re
import shutil

from place import Wrong

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sources")

Row = collections.namedtuple("Row", "name does run needs quick fixed scale served passed")
ROWS = []


def row(name, does, needs, quick=False, fixed=True, scale=None, served=True, passed=None):
    """
    Declares a row. @needs: "program" or "program:package" or "/file:package"
    each; @quick: in `make test`, too; @scale: how much more work where time is
    measured, None: it is not. @served, @passed: must there be calls that are
    served, passed (True), none or next to none (False), or is either well (None)?
    """
    def declare(run):
        ROWS.append(Row(name, does, run, needs.split(), quick, fixed, scale, served, passed))
        return run
    return declare


def missing(one):
    """The package that @one lacks, or None."""
    for need in one.needs:
        program, _, package = need.partition(":")
        there = os.path.exists(program) if program[0] == "/" else shutil.which(program)
        if not there:
            return package or program
    return None


def found(pattern, text, what):
    match = re.search(pattern, text)
    if not match:
        raise Wrong("%s: not found in: %s" % (what, text.strip()[-200:]))
    return match.group(1)


def compiled(place, source, *flags):
    """The program made of a file in sources/, once."""
    path = os.path.join(SOURCES, source)
    program = os.path.join(place.shared, source.partition(".")[0])
    if not os.path.exists(program) or os.path.getmtime(program) < os.path.getmtime(path):
        compiler = "g++" if source.endswith(".cc") else "gcc"
        place.tool([compiler, "-O2", path, "-o", program + ".new"] + list(flags))
        os.replace(program + ".new", program)
    return program


def times(place):
    return str(place.scale)
