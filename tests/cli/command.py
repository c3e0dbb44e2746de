#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The ufutex command itself, and bad options of its subcommands."""

import re
import sys

sys.dont_write_bytecode = True
from cli import check, end, refused, ufutex  # noqa: E402

for words, expected in ((["--help"], "check"), (["-h"], "bench"), (["help"], "run"),
                        (["run", "--help"], "NOT|[Nn]ot served"),
                        (["check", "--help"], "UFUTEX_REFS"),
                        (["--version"], r"^ufutex \d+\.\d+\.\d+\n$")):
    status, out, err = ufutex(*words)
    check(status == 0 and re.search(expected, out) and not err,
          "ufutex %s" % " ".join(words), "%d %r %r" % (status, out, err))

refused(2, "a command is missing")
refused(2, "unknown command 'frobnicate'", "frobnicate")
refused(2, "unknown option '--frobnicate'", "--frobnicate")
refused(2, "unknown argument '--frobnicate'", "check", "--frobnicate")
refused(2, "a program to run is missing", "run")
refused(2, "a program to run is missing", "run", "--")
refused(2, "a program to run is missing", "run", "--refs", "fence")
refused(2, "unknown option '--frobnicate'", "run", "--frobnicate", "--", "true")
refused(2, "unknown mode 'frobnicate'", "run", "--refs", "frobnicate", "--", "true")
refused(2, "unknown mode 'none'", "run", "--refs=none", "--", "true")
refused(2, "a value is missing", "run", "--refs")
refused(2, "unknown way of replacing 'slowly'", "run", "--replace", "slowly", "true")
for slots in ("1", "3", "-2", "33554432", "99999999999999999999", "16x", "x", "0x10", " 16"):
    refused(2, "not '%s'" % slots, "run", "--slots", slots, "--", "true")
for spin in ("on", "-1", "1000001", "99999999999999999999", "5us", " 5", "0x10"):
    refused(2, "not '%s'" % spin, "run", "--spin", spin, "--", "true")
refused(2, "a value is missing", "run", "--spin=", "--", "true")
refused(2, "a value is missing", "run", "--spin")
refused(2, "not 'x'", "run", "true", env={"UFUTEX_SPIN": "x"})
refused(2, "unknown mode 'x'", "run", "true", env={"UFUTEX_REFS": "x"})
refused(2, "not 'x'", "run", "true", env={"UFUTEX_SLOTS": "x"})
refused(2, "replacing 'x'", "run", "true", env={"UFUTEX_REPLACE": "x"})
status, out, err = ufutex("run", "--replace", "moving", "true", env={"UFUTEX_REPLACE": "x"})
check(status == 0 and not err, "an option comes before its variable", out + err)
end()
