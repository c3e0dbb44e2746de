# SPDX-License-Identifier: MIT
"""
Where one run of one row happens: a temporary directory, and the processes that
run there. Each is ended by its own id; the directory is kept if asked for, below
the build directory (it begins elsewhere: a socket's path must be short).
"""

import contextlib
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

LIMIT = 120  # seconds that a command may take, if the row says nothing else


class Wrong(Exception):
    """A program did not do what it should; says what."""


class Skip(Exception):
    """A row cannot be run here; says why."""


class Said:
    """What a command wrote."""

    def __init__(self, out, err):
        self.bytes = out
        self.out = out.decode(errors="replace")
        self.err = err.decode(errors="replace")


class Place:
    """
    @side: bare or under run, of the programs that a row is about. @scale: how
    much more work than in the counted runs. @shared: a directory for what is
    made once for all runs.
    """

    def __init__(self, name, side, shared, scale=1):
        self.directory = tempfile.mkdtemp(prefix="ufutex-%s-" % re.sub(r"\W+", "-", name))
        self.side, self.shared, self.scale = side, shared, scale
        self.seconds = 0.0
        self.rate = None       # of work; None: what it took is the measure
        self.timed_apart = False
        self.programs = 0
        self.alive = []

    # ---- files and addresses

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb" if isinstance(text, bytes) else "w") as f:
            f.write(text)
        return path

    @staticmethod
    def port():
        """One of 127.0.0.1 that is free now."""
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            return s.getsockname()[1]

    @staticmethod
    def wait_until(true, what, server, seconds=30):
        end = time.monotonic() + seconds
        while not true():
            if server.process.poll() is not None:
                raise Wrong("%s ended before %s: %s" % (server.name, what, server.words()))
            if time.monotonic() > end:
                raise Wrong("%s: no %s after %d s" % (server.name, what, seconds))
            time.sleep(0.02)

    # ---- commands

    def program(self, argv, limit=LIMIT, inside=None, allow=None, **more):
        """
        Runs a program that the row is about, on this side; returns Said. allow:
        (status, text), another way to end well: with that status and that text.
        """
        base = self.base()
        command = self.side.command(argv, base, inside)
        start = time.monotonic()
        said = self.execute(command, argv[0], limit, None, **more)
        if not self.timed_apart:
            self.seconds += time.monotonic() - start
        text, got = said.out + said.err, noted_status(base)
        if not (allow and got == allow[0] and allow[1] in text):
            self.check_status(argv[0], got, 0, text)
        return said

    def tool(self, argv, limit=LIMIT, **more):
        """Runs a command that is not: it makes the load, or asks; returns Said."""
        return self.execute(argv, argv[0], limit, 0, **more)

    def start(self, argv, name=None):
        """Starts a server that the row is about; returns Server."""
        base = self.base()
        server = Server(self, name or os.path.basename(argv[0]), base,
                        self.side.command(argv, base))
        self.alive.append(server)
        return server

    @contextlib.contextmanager
    def timed(self):
        """What is measured of a row is not all its programs do, but what is in here."""
        self.timed_apart = True
        start = time.monotonic()
        yield
        self.seconds += time.monotonic() - start

    # ---- within

    def base(self):
        self.programs += 1
        return self.path("program-%d" % self.programs)

    def execute(self, command, name, limit, status, env=None):
        """Standard output and error go to files: a pipe would be one more reader."""
        with open(self.path("out"), "w+b") as out, open(self.path("err"), "w+b") as err:
            process = subprocess.Popen(
                command, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                env=environment(env), start_new_session=True)
            try:
                got = ended(process, limit)
            finally:
                kill_session(process)
            if got is None:
                raise Wrong("%s: not done after %d s" % (name, limit))
            out.seek(0)
            err.seek(0)
            said = Said(out.read(), err.read())
        if status is not None:
            self.check_status(name, got, status, said.out + said.err)
        return said

    @staticmethod
    def check_status(name, got, wanted, text):
        if got != wanted:
            raise Wrong("%s: status %s: %s" % (name, got, last_words(text)))

    def close(self, keep=False):
        """Returns where the directory is kept."""
        for server in self.alive:
            kill_session(server.process)
        if not keep:
            shutil.rmtree(self.directory, ignore_errors=True)
            return None
        kept = os.path.join(self.shared, "kept", os.path.basename(self.directory))
        return shutil.move(self.directory, kept)


class Server:
    """A program that runs until it is stopped."""

    def __init__(self, place, name, base, command):
        self.place, self.name, self.base = place, name, base
        self.log = open(base + ".log", "w+b")
        self.process = subprocess.Popen(
            command, cwd=place.directory, stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=subprocess.STDOUT, env=environment(None), start_new_session=True)

    def words(self):
        self.log.seek(0)
        return last_words(self.log.read().decode(errors="replace"))

    def signal(self, number):
        with open(self.base + ".pid", encoding="ascii") as f:
            os.kill(int(f.read()), number)

    def stop(self, by=None, limit=30):
        """Ends it by a signal, or by a command; it must end with 0."""
        if isinstance(by, int):
            self.signal(by)
        else:
            self.place.tool(by)
        if ended(self.process, limit) is None:
            raise Wrong("%s does not stop" % self.name)
        Place.check_status(self.name, noted_status(self.base), 0, self.words())


def environment(more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("UFUTEX_")}
    env.update({"LC_ALL": "C"})
    env.update(more or {})
    return env


def noted_status(base):
    """As the shell says it; None: it was not noted."""
    try:
        with open(base + ".status", encoding="ascii") as f:
            return int(f.read())
    except (OSError, ValueError):
        return None


def ended(process, limit):
    """
    Its status, None if it does not end in time. Popen.wait() with a timeout only
    looks every 50 ms, which is no way to measure.
    """
    fd = os.pidfd_open(process.pid)
    try:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        return process.wait() if poll.poll(limit * 1000) else None
    finally:
        os.close(fd)


def last_words(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " | ".join(lines[-3:])[-300:] or "silent"


def kill_session(process):
    """Only what we started: it leads a session and group of its own."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
