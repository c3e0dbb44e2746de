# SPDX-License-Identifier: MIT
"""
Counts futex system calls by the kernel's own tracepoints, through `perf stat`,
in a command and all that it starts.
"""

import collections
import shutil
import subprocess

EVENTS = ["syscalls:sys_enter_futex", "syscalls:sys_enter_futex_waitv",
          "syscalls:sys_exit_futex", "syscalls:sys_exit_futex_waitv"]

# ERESTARTSYS: a signal came. If its handler has SA_RESTART, the kernel makes the
# call once more, and counts it again.
AGAIN = "ret == -512"


class Calls(collections.namedtuple("Calls", "futex waitv futex_again waitv_again")):
    __slots__ = ()
    made = property(lambda self: self.futex + self.waitv)


def total(counts):
    return Calls(*(sum(numbers) for numbers in zip(*counts)) if counts else (0, 0, 0, 0))


class NotCounted(Exception):
    """Why nothing can be counted on this machine."""


class Counter:
    """How to count here; raises NotCounted."""

    def __init__(self):
        self.perf = shutil.which("perf")
        if not self.perf:
            raise NotCounted("perf is not installed (Debian: linux-perf)")
        result = subprocess.run(self.command("/dev/stdout") + ["true"],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)
        text = result.stdout.decode(errors="replace")
        if result.returncode or None in parse(text):
            words = [line for line in text.splitlines() if line.strip()]
            raise NotCounted("perf cannot count %s: %s" % (
                " and ".join(EVENTS), words[0] if words else "it says nothing"))

    def command(self, path):
        """What goes in front of a command; the counts go to @path."""
        events = [word for event in EVENTS for word in ["-e", event] + (
            ["--filter", AGAIN] if "exit" in event else [])]
        return [self.perf, "stat", "-x,", "-o", path] + events + ["--"]

    def read(self, path):
        """Calls, or None if perf has not counted."""
        try:
            with open(path, encoding="utf-8", errors="replace") as f:
                counts = parse(f.read())
        except FileNotFoundError:
            return None
        return None if None in counts else Calls(*counts)


def parse(text):
    """[number of calls, or None] for each of EVENTS."""
    fields = [line.split(",") for line in text.splitlines()]
    found = {f[2]: int(f[0]) for f in fields if len(f) > 2 and f[0].isdigit()}
    return [found.get(event) for event in EVENTS]
