#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
`ufutex run --tier` and `--stats`: what is refused and starts nothing, and that
the command passes signals and statuses on.

usage: tier.py ANSWER
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import drive  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


def call(*arguments):
    return drive.run([drive.UFUTEX, "run", *arguments])


def refused(status, says, mark, *arguments):
    """Ends so, with one line, and has started nothing: there is no file @mark."""
    ended = call(*arguments)
    words = " ".join(arguments[:3]).replace(os.path.dirname(mark), "D")
    drive.check(ended.status == status and ended.err.count("\n") == 1 and says in ended.err,
                "refused with %d: %s" % (status, words), ended.said())
    drive.check(not os.path.exists(mark), "nothing was started: %s" % words)


def bad_options(mark):
    started = ["--", "touch", mark]
    refused(2, "nonsense", mark, "--tier", "nonsense", *started)
    refused(2, "nonsense", mark, "--tier=nonsense", *started)
    refused(2, "", mark, "--tier")
    refused(2, "nonsense", mark, "--spin", "nonsense", *started)
    refused(2, "-5", mark, "--spin=-5", *started)
    refused(2, "nonsense", mark, "--stats=nonsense", *started)
    refused(2, "", mark, "--stats=json:", *started)
    refused(2, "No such file", mark, "--stats=json:/nothing/there", *started)


def not_there(directory, mark):
    plain = os.path.join(directory, "plain")
    with open(plain, "w") as f:
        f.write("touch %s\n" % mark)
    for options in ((), ("--stats",), ("--stats=json:" + directory + "/s",), ("--tier", "patch"),
                    ("--tier", "observe")):
        refused(127, "no such program", mark, *options, "--", directory + "/nothing")
        refused(126, "Permission denied", mark, *options, "--", plain)


def unreached(directory, mark):
    """--tier patch where it cannot be had; observe is had everywhere."""
    source = os.path.join(directory, "mark.c")
    with open(source, "w") as f:
        f.write("#include <fcntl.h>\nint main(int c, char **v)"
                "{ return c < 2 || open(v[1], O_CREAT | O_WRONLY, 0600) < 0; }\n")
    programs = []
    for name, compiler, options in (("static", "cc", ["-static"]), ("musl", "musl-gcc", []),
                                    ("setuid", "cc", [])):
        program = os.path.join(directory, name)
        if not shutil.which(compiler):
            drive.skip("--tier patch: " + name, compiler + " is not installed")
            continue
        subprocess.run([compiler, "-o", program, source, *options], check=True)
        programs.append(program)
    os.chmod(os.path.join(directory, "setuid"), 0o4755)
    for program in programs:
        refused(2, "", mark, "--tier", "patch", "--", program, mark)
        ended = call("--tier", "observe", "--", program, mark)
        drive.check(ended.status == 0 and os.path.exists(mark),
                    "--tier observe runs it: " + os.path.basename(program), ended.said())
        if os.path.exists(mark):
            os.unlink(mark)


def stats_of(path):
    with open(path) as f:
        return json.load(f)


def forced(directory, answer):
    path = os.path.join(directory, "stats")
    for tier in ("patch", "observe"):
        ended = call("--tier", tier, "--stats=json:" + path, "--", answer)
        drive.check(ended.status == 3 and ended.out == "answer  200\n",
                    "--tier %s: it runs" % tier, ended.said())
        process = stats_of(path)["processes"][0]
        drive.check(process["tier"] == tier, "--tier %s: so it was" % tier, process)
        served = process["served"]
        drive.check(served > 0 if tier == "patch" else served == 0,
                    "--tier %s: served" % tier, served)
        drive.check(process["watchdog"] == 0, "--tier %s: watchdog 0" % tier)


def statuses(directory):
    stats = "--stats=json:" + os.path.join(directory, "stats")
    for option in (stats, "--stats"):
        drive.check(call(option, "--", "sh", "-c", "exit 7").status == 7,
                    "%s: the exit status" % option[:8])
        for sig in (signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV):
            ended = call(option, "--", "sh", "-c", "ulimit -c 0; kill -%d $$" % sig)
            drive.check(ended.status == -sig, "%s: the program's signal %d" % (option[:8], sig),
                        ended.said())
    ended = call(stats, "--", "sh", "-c", "echo out; echo err >&2")
    drive.check(ended.out == "out\n" and ended.err == "err\n",
                "the program's streams are its own", ended.said())


def forward(directory, sig):
    """@sig for the command: how it ends, or None."""
    ready = os.path.join(directory, "ready-%d" % sig)
    script = "trap 'exit 9' %d; : >%s; while :; do sleep 0.01; done" % (sig, ready)
    command = subprocess.Popen(
        [drive.UFUTEX, "run", "--stats=json:" + directory + "/s", "--", "sh", "-c", script],
        start_new_session=True, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while not os.path.exists(ready) and time.monotonic() < deadline:
            time.sleep(0.005)
        command.send_signal(sig)
        return command.wait(timeout=10)
    except subprocess.TimeoutExpired:
        return None
    finally:
        drive.end_group(command)
        command.wait()


def forwards(directory):
    """A signal for the command is one for the program."""
    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        ended = forward(directory, sig)
        drive.check(ended == 9, "signal %d is passed on" % sig, ended)


def pid_of(directory):
    """--stats=json:FILE with %p: a file for each process."""
    ended = call("--stats=json:" + directory + "/each-%p", "--", "sh", "-c",
                 "echo $$; python3 -c 'import os; print(os.getpid(), flush=True)'; exit 0")
    pids = ended.out.split()
    drive.check(ended.status == 0 and len(pids) == 2, "two processes", ended.said())
    for pid in pids:
        path = "%s/each-%s" % (directory, pid)
        good = os.path.exists(path) and stats_of(path)["pid"] == int(pid)
        drive.check(good, "a file for each process")


def main():
    answer = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as directory:
        mark = os.path.join(directory, "mark")
        bad_options(mark)
        not_there(directory, mark)
        unreached(directory, mark)
        forced(directory, answer)
        statuses(directory)
        forwards(directory)
        pid_of(directory)
    return drive.end()


if __name__ == "__main__":
    sys.exit(main())
