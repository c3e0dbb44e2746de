# SPDX-License-Identifier: MIT
"""
The two sides of a comparison: a program bare, and under `ufutex run`. A side
says which command line that is, and gathers what the kernel counted and what
the command's own statistics say.
"""

import os
import shlex

import futexes
import statistics_file

# Runs its arguments; leaves the process id of the program, which a signal can
# be sent to although perf stands between, and its status, which perf forgets if
# it is a signal.
NOTE = r"""sh -c 'echo $$ >"$0"; exec "$@"' "$0.pid" "$@"
status=$?
echo $status >"$0.status"
exit $status"""


class Side:
    """
    What one row does on one side. @ufutex: the command, None for bare;
    @options: its own options; @stats: ask it for statistics; @counter: a
    futexes.Counter, None if the kernel is not asked to count.
    """

    def __init__(self, ufutex=None, options="", stats=False, counter=None):
        self.ufutex = ufutex
        self.options = shlex.split(options)
        self.stats = stats and bool(ufutex)
        self.counter = counter
        self.bases = []

    name = property(lambda self: "under run" if self.ufutex else "bare")

    def command(self, argv, base, inside=None):
        """
        The command line for @argv. @base begins the names of files that are
        written on the way; @inside: a chroot (trixie.py) in which it runs.
        """
        self.bases.append(base)
        run = []
        if self.ufutex:
            run = [inside.ufutex if inside else self.ufutex, "run"] + self.options
            if self.stats:
                path = inside.path(base) if inside else base
                run.append("--stats=json:%s.stats" % path)
            run.append("--")
        argv = (inside.enter if inside else []) + run + list(argv)
        argv = ["sh", "-c", NOTE, base] + argv
        if self.counter:
            argv = self.counter.command(base + ".perf") + argv
        return argv

    def calls(self):
        """The futex system calls in all; None: not counted."""
        counts = [self.counter.read(base + ".perf") for base in self.bases
                  ] if self.counter else [None]
        return None if None in counts else futexes.total(counts)

    def statistics(self):
        """A statistics_file.Sums of all that ran; None: not asked for."""
        if not self.stats:
            return None
        return statistics_file.read([base + ".stats" for base in self.bases])


def bare(counter=None):
    return Side(counter=counter)


def under(ufutex, options="", stats=False, counter=None):
    return Side(os.path.abspath(ufutex), options, stats, counter)
