#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Runs the tests: tests/run.py quick|all [PATTERN...]

Each program (see meson.build here for how they are declared) runs in its
configurations: a build, a mode, a way of replacing. It prints TAP; its checks
are counted. A program that dies, lasts too long, or does not finish its plan
is one failed check more. PATTERNs (as in the shell, of test names, or of
builds with a colon: 'build-asan:*') select.
"""

import argparse
import collections
import fnmatch
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor, as_completed

sys.dont_write_bytecode = True
import builds  # noqa: E402

Job = collections.namedtuple("Job", "build test mode way")
Result = collections.namedtuple("Result", "passed failed skips seconds output")

RESULT_LINE = re.compile(r"^(not )?ok\b[ \d]*-? ?(.*)$")
SKIP = re.compile(r"#\s*skip\S*\s*(.*)$", re.IGNORECASE)
PLAN = re.compile(r"^1\.\.(\d+)\s*(#\s*skip\S*\s*(.*))?$", re.IGNORECASE)

running = {}  # Popen -> what it is
running_lock = threading.Lock()


# ---- what to run -----------------------------------------------------------

def wanted(build, test, suite):
    """Is @test run in @build?"""
    t = test["tags"]
    if "long" in t and suite == "quick":
        return False
    if build.native:
        return True
    if "native" in t and not (build.plain and test["cmd"][0].startswith(build.path + "/")):
        return False
    if t & {"no-" + part for part in build.name.split("-")[1:]}:
        return False
    return build.slice in t or build.whole or suite == "all"


def configurations(build, test, suite, missing):
    """The (mode, way) pairs for @test; None is the default."""
    modes = [m for m in build.modes if missing.get(m) is None]
    if "modes" not in test["tags"]:
        return [(modes[0] if len(build.modes) == 1 and modes else None, None)]
    pairs = [(mode, way) for mode in modes for way in builds.WAYS]
    if suite == "all" or len(pairs) < 2:
        return pairs
    if not build.native:
        return pairs[:1]
    other = pairs[1 + zlib.crc32(test["name"].encode()) % (len(pairs) - 1)]
    return [pairs[0], other]


def selected(build, test, patterns):
    names = (test["name"], build.name + ":" + test["name"])
    return not patterns or any(fnmatch.fnmatch(n, p) for p in patterns for n in names)


def label(job):
    build = "" if job.build.native else job.build.name.replace("build-", "") + " "
    how = " ".join(x for x in (job.mode, job.way) if x)
    return job.test["name"], (build + how).strip()


# ---- running one -----------------------------------------------------------

def environment(job, directory):
    env = {k: v for k, v in os.environ.items() if not k.startswith("UFUTEX_")}
    env.update({"LC_ALL": "C", "TMPDIR": directory})
    env.update(job.build.environment)
    env.update(job.test["env"])
    if job.mode:
        env.update(builds.mode_environment(job.mode))
    if job.way:
        env["UFUTEX_REPLACE"] = job.way
    return env


def kill_group(process):
    """Only what we started: the process leads a group of its own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def execute(job):
    """Returns (status, output); status None: it lasted too long."""
    directory = tempfile.mkdtemp(prefix="ufutex-test-")
    command = job.test["cmd"]
    if job.build.prefix and command[0].startswith(job.build.path):
        command = job.build.prefix + command
    with open(os.path.join(directory, "output"), "w+b") as output:
        process = subprocess.Popen(
            command, cwd=directory, env=environment(job, directory),
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True)
        with running_lock:
            running[process] = " ".join(label(job))
        try:
            status = process.wait(timeout=job.test["timeout"])
        except subprocess.TimeoutExpired:
            status = None
        finally:
            kill_group(process)
            process.wait()
            with running_lock:
                del running[process]
        output.seek(0)
        text = output.read().decode(errors="replace")
    shutil.rmtree(directory, ignore_errors=True)
    return status, text


def judge(status, text):
    """Counts the checks in TAP output: (passed, failed, [skip reasons], note)."""
    passed = failed = 0
    skips, plan, note = [], None, ""
    for line in text.splitlines():
        result, planned = RESULT_LINE.match(line), PLAN.match(line)
        if planned:
            plan = int(planned.group(1))
            if plan == 0:
                skips.append(planned.group(3) or "no reason given")
        elif result and result.group(1):
            failed += 1
        elif result and SKIP.search(result.group(2)):
            reason = SKIP.search(result.group(2)).group(1)
            skips.append(reason or result.group(2))
        elif result:
            passed += 1
    counted = passed + failed + (len(skips) if plan else 0)
    if status is None:
        note = "lasted too long, was killed"
    elif status < 0:
        note = "died by signal %d (%s)" % (-status, signal.strsignal(-status))
    elif status == 77 and not failed:
        return passed, 0, skips or [last_line(text)], ""
    elif status != 0 and not failed:
        note = "exit status %d" % status
    elif status == 0 and failed:
        note = "exit status 0 with failed checks"
    elif plan is None and status == 0:
        note = "no plan: it did not reach its end"
    elif plan is not None and plan != counted:
        note = "%d checks planned, %d made" % (plan, counted)
    return passed, failed + bool(note), skips, note


def last_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].lstrip("# ") if lines else "no reason given"


def run_job(job):
    start = time.monotonic()
    try:
        status, text = execute(job)
        passed, failed, skips, note = judge(status, text)
    except OSError as error:
        passed, failed, skips, note, text = 0, 1, [], str(error), ""
    if note:
        text += "not ok - %s: %s\n" % (job.test["name"], note)
    return Result(passed, failed, skips, time.monotonic() - start,
                  text if failed else "")


# ---- telling ---------------------------------------------------------------

class Report:
    """One line a program; what failed verbatim; the sum at the end."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.done = self.total = 0
        self.failures = []
        self.start = time.monotonic()
        self.tty = sys.stdout.isatty()

    def clear(self):
        if self.tty:
            print("\r\033[K", end="")

    def status(self, text=None):
        """On a terminal: what runs now, below the last line."""
        if self.tty:
            with running_lock:
                text = text or ", ".join(running.values())
            print("\r\033[K[%d/%d] %s" % (self.done, self.total, text[:100]),
                  end="", flush=True)

    def line(self, name, how, result):
        self.done += 1
        self.passed += result.passed
        self.failed += result.failed
        self.skipped += len(result.skips)
        counts = "%4d passed" % result.passed
        counts += ", %d FAILED" % result.failed if result.failed else ""
        counts += ", %d skipped" % len(result.skips) if result.skips else ""
        self.clear()
        print("%-26s %-26s %-32s %6.1f s" % (name, how, counts, result.seconds))
        for reason, times in collections.Counter(result.skips).items():
            print("    skipped%s: %s" % (" %d times" % times if times > 1 else "", reason))
        if result.failed:
            self.failures.append((name + " " + how).strip())
            self.verbatim(result.output)
        sys.stdout.flush()

    def verbatim(self, output):
        lines = output.splitlines()
        shown = [line for line in lines if not re.match(r"ok\b", line)]
        if len(shown) > 120:
            shown = shown[:60] + ["..."] + shown[-60:]
        for line in shown:
            print("    " + line)

    def end(self):
        self.clear()
        for name in self.failures:
            print("failed: " + name)
        print("%.0f s" % (time.monotonic() - self.start))
        print("%d passed, %d failed%s" % (
            self.passed, self.failed,
            ", %d skipped" % self.skipped if self.skipped else ""))
        return 1 if self.failed or not self.passed else 0


# ---- all of it -------------------------------------------------------------

def prepare(build, suite, patterns, report):
    """Makes what is needed of @build; returns its jobs."""
    start = time.monotonic()

    def outcome(passed=0, failed=0, skips=(), output=""):
        report.line(build.name, "compiles", Result(
            passed, failed, list(skips), time.monotonic() - start, output))
        return []

    if build.lacks():
        return outcome(skips=["not installed: " + ", ".join(build.lacks())])
    report.status("building " + build.name)
    error = build.configure()
    if error:
        return outcome(failed=1, output=error)
    tests = [t for t in build.tests()
             if wanted(build, t, suite) and selected(build, t, patterns)]
    if not tests and patterns:
        return []
    everything = not patterns and (build.native or suite == "all")
    targets = {"tests/modes"} | set(["all"] if everything else build.targets) | {
        os.path.relpath(part, build.path) for part in
        (os.path.normpath(part) for t in tests for part in t["cmd"])
        if part.startswith(build.path + "/")}
    error = build.compile(sorted(targets))
    if error:
        return outcome(failed=1, output=error)
    outcome(passed=1)
    try:
        return jobs_of(build, tests, suite, report)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return outcome(failed=1, output="its program 'modes' fails: %s\n" % error)


def jobs_of(build, tests, suite, report):
    missing = build.available()
    if any("modes" in t["tags"] for t in tests):
        for mode in build.modes:
            if missing.get(mode):
                report.line(build.name, mode, Result(0, 0, [missing[mode]], 0, ""))
    return [Job(build, t, mode, way) for t in tests
            for mode, way in configurations(build, t, suite, missing)]


def run_all(jobs, report, parallel):
    report.total = report.done + len(jobs)
    together = [j for j in jobs if j.test["is_parallel"]]
    alone = [j for j in jobs if not j.test["is_parallel"]]
    for batch, workers in ((together, parallel), (alone, 1)):
        with ThreadPoolExecutor(workers) as pool:
            futures = {pool.submit(run_job, job): job for job in batch}
            try:
                for future in as_completed(futures):
                    report.line(*label(futures[future]), future.result())
                    report.status()
            except KeyboardInterrupt:
                for future in futures:
                    future.cancel()
                with running_lock:
                    for process in running:
                        kill_group(process)
                raise


def main():
    parser = argparse.ArgumentParser(description="runs the tests")
    parser.add_argument("suite", choices=("quick", "all"))
    parser.add_argument("patterns", nargs="*", metavar="PATTERN")
    parser.add_argument("--root", default=builds.SOURCE,
                        help="where the build directories are")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="only list")
    args = parser.parse_intermixed_args()
    report = Report()
    jobs = []
    for build in builds.all_builds(os.path.abspath(args.root)):
        if build.native or build.quick or args.suite == "all":
            jobs += prepare(build, args.suite, args.patterns, report)
    if args.list:
        report.clear()
        for job in jobs:
            print("%-26s %s" % label(job))
        return 0
    run_all(jobs, report, max(1, args.jobs))
    return report.end()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted")
