#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
gdb on a program whose threads wait: under `ufutex run` their stacks name every
function that they name bare, and the program goes on.

usage: debugger.py WAITS
"""

import os
import re
import shutil
import sys

sys.dont_write_bytecode = True
import drive  # noqa: E402

# Names that the C library has without its debug information, too.
EXPECTED = [("waits_for_cond", ".*pthread_cond_wait.*"),
            ("waits_for_sem", ".*sem_wait.*"),
            ("waits_for_mutex", ".*pthread_mutex_lock.*")]


def stacks(prefix, program):
    """Of each thread: the names of its frames, from the inside."""
    command = ["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off",
               "-ex", "set pagination off", "-ex", "break all_wait", "-ex", "run",
               "-ex", "thread apply all bt", "-ex", "continue"]
    for one in prefix:
        command += ["-iex", "set exec-wrapper " + one]
    ended = drive.run(command + [program])
    threads = [re.findall(r"^#\d+\s+(?:0x[0-9a-f]+ in )?([\w?@.]+)", part, re.M)
               for part in re.split(r"^Thread \d+ ", ended.out, flags=re.M)[1:]]
    return threads, ended


def inside(threads, caller):
    """The frames further in than @caller, from the inside."""
    mine = [names for names in threads if caller in names]
    return mine[0][:mine[0].index(caller)] if mine else []


def judge(how, prefix, program):
    """Returns, for each of EXPECTED, the frames."""
    threads, ended = stacks(prefix, program)
    for caller, call in EXPECTED:
        drive.check(any(re.fullmatch(call, name) for name in inside(threads, caller)),
                    "%s: the stack of %s names the call" % (how, caller),
                    "%s\n%s" % (threads, ended.said()))
        drive.check(any(caller in names and "blocked_thread" in names for names in threads),
                    "%s: and the thread's function" % how, threads)
    drive.check("exited normally" in ended.out, "%s: it goes on" % how, ended.said())
    return [inside(threads, caller) for caller, _ in EXPECTED]


def main():
    program = os.path.abspath(sys.argv[1])
    if not shutil.which("gdb"):
        drive.skip("stacks in a debugger", "gdb is not installed")
        return drive.end()
    bare = judge("bare", [], program)
    under = judge("run", ["%s run --" % drive.UFUTEX], program)
    for (caller, _), there, here in zip(EXPECTED, bare, under):
        drive.check(set(there) <= set(here), "run: no name is missing above " + caller,
                    "%s\n%s" % (there, here))
    return drive.end()


if __name__ == "__main__":
    sys.exit(main())
