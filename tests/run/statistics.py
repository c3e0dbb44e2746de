#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
`ufutex run --stats` and `ufutex stats`: the counts are right, of every kind of
process and end.

usage: statistics.py COUNTED
"""

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import drive  # noqa: E402

NOT_OURS = 4  # calls of a process that need not be counted
PERF = ["perf", "stat", "-x,", "-e", "syscalls:sys_enter_futex",
        "-e", "syscalls:sys_enter_futex_waitv"]
SERVED = {"wait": 2, "wake": 2, "requeue": 2, "wake_op": 2, "waitv": 2, "pi": 0, "other": 0}
PASSED = {"wait": 2, "wake": 2, "requeue": 0, "wake_op": 0, "waitv": 2, "pi": 2, "other": 2}


class Statistics:
    """The command with --stats=json, run once: how it ended, what it wrote."""

    def __init__(self, *command, options=(), status=0, before=()):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "stats")
            self.ended = drive.run([*before, drive.UFUTEX, "run", "--stats=json:" + path,
                                    *options, "--", *map(str, command)])
            drive.check(self.ended.status == status, "%s: how it ends" % command[1],
                        self.ended.said())
            with open(path) as f:
                self.processes = json.load(f)["processes"]

    def of(self, pid):
        """The last program of process @pid, with this many others before it."""
        return [p for p in self.processes if p["pid"] == pid][-1]


def equal(found, wanted, name):
    drive.check(found == wanted, name, "%s instead of %s" % (found, wanted))


def more(few, many, name):
    return many[name] - few[name]


# ---- what is counted ---------------------------------------------------------------

def kinds(counted):
    """One more round of each kind is so many more, by both ways in."""
    few, many = (Statistics(counted, "kinds", n).processes[0] for n in (1, 1001))
    for what, wanted in (("served", SERVED), ("passed", PASSED)):
        found = {kind: more(few["operations"][kind], many["operations"][kind], what)
                 for kind in wanted}
        equal(found, {kind: 1000 * n for kind, n in wanted.items()}, "%s, by kind" % what)
        equal(more(few, many, what), 1000 * sum(wanted.values()), "%s in all" % what)
    equal(more(few, many, "without_kernel"), 1000 * sum(SERVED.values()),
          "all without a system call")
    equal(more(few, many, "futex_calls"), 1000 * (sum(PASSED.values()) - PASSED["waitv"]),
          "futex_calls: those that were passed on")
    equal(more(few, many, "waitv_calls"), 1000 * PASSED["waitv"], "waitv_calls")
    equal(many["sleeps"], 0, "nobody slept")
    equal(many["replacements"], 0, "no table was replaced")
    sites = [s["object"] for s in many["sites"]]
    drive.check(counted in sites and any("libc.so" in s for s in sites), "sites", sites)


def observed(counted):
    few, many = (Statistics(counted, "kinds", n, options=["--tier", "observe"]).processes[0]
                 for n in (1, 1001))
    equal((many["tier"], many["served"]), ("observe", 0), "tier observe: nothing served")
    equal(more(few, many, "passed"), 1000 * (sum(SERVED.values()) + sum(PASSED.values())),
          "tier observe: all were passed on")


def tables(counted):
    p = Statistics(counted, "hand", 10, options=["--slots", "64"]).processes[0]
    equal(p["slots"][-1]["slots"], 64, "--slots shows")
    p = Statistics(counted, "hand", 10).processes[0]
    slots = p["slots"]
    drive.check(slots and p["replacements"] == len(slots) - 1, "slots over time", p)
    drive.check(all(a["ns"] <= b["ns"] for a, b in zip(slots, slots[1:])),
                "in the order of time", slots)


def sleeping(counted):
    p = Statistics(counted, "hand", 500, options=["--spin", "off"]).processes[0]
    drive.check(0 < p["sleeps"] <= p["operations"]["wait"]["served"], "sleeps are waits", p)
    drive.check(p["waitv_calls"] >= p["sleeps"], "a sleep is a system call", p)
    drive.check(p["without_kernel"] <= p["served"] - p["sleeps"],
                "whoever slept made a system call", p)


def by_kernel(text):
    """What perf counted: futex, futex_waitv; None: it did not."""
    found = re.findall(r"^(\d+),.*sys_enter_(?:futex|futex_waitv),", text, re.M)
    return [int(n) for n in found] if len(found) == 2 else None


def against_kernel(counted):
    name = "as the kernel counts: "
    if not shutil.which("perf"):
        return drive.skip(name, "perf is not installed")
    if by_kernel(drive.run([*PERF, "true"]).err) is None:
        return drive.skip(name, "perf may not count system calls here")
    for what in ("kinds", "hand", "forks"):
        Statistics(counted, what, 1, counted)  # all tables are in the cache
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "perf")
            s = Statistics(counted, what, 300, counted,
                           before=[*PERF, "-o", path, "--"])
            with open(path) as f:
                calls = by_kernel(f.read())
        for index, field in enumerate(("futex_calls", "waitv_calls")):
            ours = drive.total(s.processes, field)
            drive.check(abs(ours - calls[index]) <= NOT_OURS * len(s.processes),
                        name + what + ", " + field, "%d, the kernel %d" % (ours, calls[index]))


# ---- processes -----------------------------------------------------------------------

def forks(counted):
    n = 100
    few = Statistics(counted, "wake", 0).processes[0]["served"]
    s = Statistics(counted, "forks", n, counted)
    children = [int(word) for word in s.ended.out.split()]
    equal(len(children), 3, "three children")
    for pid, how in zip(children[:2], ("fork", "_Fork")):
        equal(s.of(pid)["served"], 6 * n, "a child of %s counts from 0" % how)
    equal(s.of(children[2])["served"] - few, 2 * n, "a child that execs counts anew")
    parent = [p for p in s.processes if p["pid"] not in children]
    equal(len(parent), 1, "and the parent")
    found = parent[0]["served"] - few - 2 * n - 4 * n
    drive.check(0 <= found < 20, "a child of vfork counts as its parent", found)
    sites = [p["sites"] for p in s.processes]
    drive.check(all(one == sites[0] for one in sites), "all have the same sites")


def ends(counted):
    few = Statistics(counted, "wake", 0).processes[0]["served"]
    for what, status in (("killed", -signal.SIGKILL), ("_exit", 0)):
        s = Statistics(counted, what, 100, status=status)
        equal(s.processes[0]["served"] - few, 200, "%s: all is counted" % what)
        equal(s.processes[0]["running"], False, "%s: it does not run" % what)


def many(counted):
    """More than there is room for: they run, and it is said."""
    script = "i=0; while [ $i -lt 520 ]; do (:) ; i=$((i+1)); done; %s wake 10" % counted
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "stats")
        ended = drive.run([drive.UFUTEX, "run", "--stats=json:" + path, "--", "sh", "-c", script])
        with open(path) as f:
            written = json.load(f)
    drive.check(ended.status == 0 and "10 more processes" in ended.err, "too many: said",
                ended.said())
    equal((len(written["processes"]), written["unseen"]), (512, 10), "too many: counted")


def each_file(counted):
    with tempfile.TemporaryDirectory() as directory:
        ended = drive.run([drive.UFUTEX, "run", "--stats=json:" + directory + "/p%p.json", "--",
                           "sh", "-c", "%s wake 10; exec %s forks 10 %s" % ((counted,) * 3)])
        files = sorted(os.listdir(directory))
        wrong = []
        for name in files:
            with open(os.path.join(directory, name)) as f:
                if "p%d" % json.load(f)["pid"] not in name:
                    wrong.append(name)
    equal(ended.status, 0, "%p: how it ends")
    # sh, that becomes the program; a child; three more, one of which becomes another.
    equal(len([f for f in files if "-" not in f]), 5, "%p: a file a process")
    drive.check(not wrong, "%p: each in its own", wrong)


# ---- those that run on -----------------------------------------------------------------

def show(*arguments):
    return drive.run([drive.UFUTEX, "stats", *map(str, arguments)])


def live(counted, options, name):
    few = Statistics(counted, "wake", 0).processes[0]["served"]
    process = subprocess.Popen([drive.UFUTEX, "run", *options, "--", counted, "stay", "70"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    try:
        pid = int(process.stdout.readline())
        shown = show(pid, "--json")
        if drive.check(shown.status == 0, name + "it is shown", shown.said()):
            found = json.loads(shown.out)
            equal((found["pid"], found["served"] - few), (pid, 140), name + "what it did so far")
        shown = show(pid)
        drive.check(shown.status == 0 and counted in shown.out and "wake" in shown.out,
                    name + "as a table", shown.said())
        if options:
            shown = show(process.pid)
            drive.check(shown.status == 1 and "does not run under" in shown.err,
                        name + "the command itself is not", shown.said())
    finally:
        _, err = process.communicate(b"", timeout=10)
    equal(process.returncode, 0, name + "it goes on")
    drive.check(("served" in err.decode()) == bool(options), name + "the table at the end", err)


def refused():
    for arguments, status, says in (
            ([], 2, "missing"), (["x"], 2, "no process"), (["0"], 2, "no process"),
            (["1", "2"], 2, "one process"), (["--nonsense", "1"], 2, "unknown option"),
            (["4194304"], 1, "there is no process"),
            ([str(os.getpid())], 1, "does not run under")):
        ended = show(*arguments)
        drive.check(ended.status == status and says in ended.err and ended.err.count("\n") == 1,
                    "ufutex stats %s" % " ".join(arguments[:2]).replace(str(os.getpid()), "PID"),
                    ended.said())
    helped = show("--help")
    drive.check(helped.status == 0 and "--json" in helped.out, "ufutex stats --help")


def not_allowed(counted):
    """Somebody else's; root alone can try."""
    name = "a process of another user"
    if os.getuid() or not shutil.which("setpriv"):
        return drive.skip(name, "needs root and setpriv")
    process = subprocess.Popen([drive.UFUTEX, "run", "--", counted, "stay", "1"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        process.stdout.readline()
        # The build may lie where others have no access: a descriptor of it goes along.
        with open(drive.UFUTEX, "rb") as f:
            ended = subprocess.run(
                ["setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all",
                 "/proc/self/fd/%d" % f.fileno(), "stats", str(process.pid)],
                pass_fds=[f.fileno()], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        said = ended.stderr.decode()
        drive.check(ended.returncode == 1 and "no permission" in said, name, said)
    finally:
        process.communicate(b"", timeout=10)


def daemon(counted):
    s = Statistics(counted, "daemon", 50)
    pid = int(s.ended.out)
    try:
        found = s.of(pid)
        equal((found["running"], found["served"]), (True, 100), "a daemon runs on, counted so far")
        equal([p["running"] for p in s.processes if p["pid"] != pid], [False, False],
              "the others do not")
        shown = show(pid, "--json")
        equal(shown.status == 0 and json.loads(shown.out)["served"], 100,
              "it is shown when the command has gone")
    finally:
        os.kill(pid, signal.SIGKILL)


# ---- job control -------------------------------------------------------------------------

def state(pid):
    with open("/proc/%d/stat" % pid) as f:
        return f.read().rsplit(")", 1)[1].split()[0]


def until(true):
    deadline = time.monotonic() + 10
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def stops(counted):
    """Without a terminal the command does not stop with the program."""
    process = subprocess.Popen([drive.UFUTEX, "run", "--stats", "--", counted, "stay", "1"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, process_group=0)
    try:
        pid = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGTSTP)
        drive.check(until(lambda: state(pid) == "T"), "SIGTSTP is passed on")
        os.kill(process.pid, signal.SIGCONT)
        drive.check(until(lambda: state(pid) == "S"), "SIGCONT is passed on")
        os.kill(process.pid, signal.SIGKILL)
        drive.check(until(lambda: not os.path.exists("/proc/%d" % pid) or state(pid) == "Z"),
                    "who kills the command kills the program")
    finally:
        drive.end_group(process)
        process.communicate()


def on_terminal(command):
    """A shell's part, as a session leader: what the job's states are."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    own = os.getpgrp()
    job = subprocess.Popen(command, process_group=0, stderr=subprocess.DEVNULL)
    for turn in range(3):
        os.tcsetpgrp(0, job.pid)
        os.killpg(job.pid, signal.SIGCONT)
        if turn:
            print("it goes on", flush=True)
        _, status = os.waitpid(job.pid, os.WUNTRACED)
        os.tcsetpgrp(0, own)
        if not os.WIFSTOPPED(status):
            print("ended %d" % os.waitstatus_to_exitcode(status), flush=True)
            return
        print("stopped", flush=True)


def expect(terminal, word):
    """Reads until @word; what came before."""
    text = b""
    while word not in text:
        if not select.select([terminal], [], [], 10)[0]:
            return None
        try:
            text += os.read(terminal, 1000)
        except OSError:
            return None
    return text


def job_control(counted):
    child, terminal = os.forkpty()
    if not child:
        try:
            on_terminal([drive.UFUTEX, "run", "--stats", "--", counted, "stay", "1"])
        finally:
            os._exit(0)
    try:
        drive.check(expect(terminal, b"\n"), "on a terminal: it starts")
        os.write(terminal, b"\x1a")
        drive.check(expect(terminal, b"goes on"), "on a terminal: ^Z stops both")
        os.write(terminal, b"\x1a")
        drive.check(expect(terminal, b"goes on"), "on a terminal: and again")
        os.write(terminal, b"\x03")
        drive.check(expect(terminal, b"ended -2"), "on a terminal: ^C ends both")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)


def main():
    counted = os.path.realpath(sys.argv[1])
    for test in (kinds, observed, tables, sleeping, against_kernel, forks, ends, many, each_file,
                 not_allowed, daemon, stops, job_control):
        test(counted)
    live(counted, [], "bare: ")
    live(counted, ["--stats"], "with --stats: ")
    refused()
    return drive.end()


if __name__ == "__main__":
    sys.exit(main())
