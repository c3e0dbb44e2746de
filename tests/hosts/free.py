#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The objects of the core need the functions of ufutex/host.h and mem*, no more."""

import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from needed import names, needed, report  # noqa: E402

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
MEMORY = {"memcpy", "memset", "memmove", "memcmp"}


def read(*path):
    with open(os.path.join(ROOT, *path)) as f:
        return f.read()


def declared():
    """The host's functions: those of the header that are not the library's."""
    text = re.sub(r"/\*.*?\*/", "", read("include", "ufutex", "host.h"), flags=re.S)
    return {name for line in re.findall(r"[^;{}]+;", text)
            for name in re.findall(r"\b(ufx_host_\w+)\(", line) if "UFX_API" not in line}


def main():
    host, got = declared(), needed(sys.argv[1])
    documented = set(re.findall(r"``(ufx_host_\w+)``", read("docs", "hosts.rst")))
    return report([
        ("the core needs nothing but its host and mem*", got - host - MEMORY),
        ("it needs all of the host", (host - got) or (not host and {"none declared"})),
        ("programs with restartable sequences in them do not link with it",
         names(sys.argv[1], "--defined-only") & {"ufx_section_env"}),
        ("docs/hosts.rst has them all", host - documented),
    ])


if __name__ == "__main__":
    sys.exit(main())
