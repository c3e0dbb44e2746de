#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ufutex sites --tables: every file has its table, whatever is wrong with it."""

import os
import subprocess
import tempfile

from sites import HERE, UFUTEX, assemble, check, end, found, mapped, refused

SOURCES = os.path.join(HERE, "..", "..", "src")


class Reader:
    """Has the files' tables written into a file, and reads them with table.c."""

    def __init__(self, directory):
        self.program, self.output = directory + "/walk", directory + "/tables"
        self.home = directory + "/home"
        subprocess.run(["cc", "-D_GNU_SOURCE", "-I", SOURCES, "-o", self.program,
                        os.path.join(HERE, "walk.c")], check=True)

    def ask(self, *arguments):
        """(status, standard output, what it said)"""
        with open(self.output, "wb") as f:
            done = subprocess.run([UFUTEX, "sites", "--tables", str(f.fileno()), *arguments],
                                  env={"XDG_CACHE_HOME": self.home}, pass_fds=[f.fileno()],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=50)
        return done.returncode, done.stdout, done.stderr.decode()

    def walk(self, image):
        """[(count, error, what is wrong)], and how many bytes are left"""
        out = subprocess.run([self.program], input=image, stdout=subprocess.PIPE, check=True)
        *lines, last = out.stdout.decode().splitlines()
        rows = [line.split(" ", 3) for line in lines]
        return [(int(r[1]), int(r[2]), r[3]) for r in rows], int(last.split()[0])

    def image(self):
        with open(self.output, "rb") as f:
            return f.read()

    def kept(self, path):
        """What is in the cache of it."""
        name = found("--no-cache", path)[1][0]["build_id"]
        return os.path.join(self.home, "ufutex", "sites", name)


def content(path):
    with open(path, "rb") as f:
        return f.read()


def good(reader, libc, small):
    for what in ("searched", "taken"):
        status, out, err = reader.ask(libc, small, libc)
        tables = [content(reader.kept(path)) for path in (libc, small, libc)]
        check(status == 0 and not out and not err, "%s: nothing is said" % what, err)
        check(reader.image() == b"".join(tables), "%s: the same as in the cache" % what)
    walked, left = reader.walk(reader.image())
    counts = [len(found("--no-cache", path)[1][0]["sites"]) for path in (libc, small, libc)]
    check(walked == [(count, 0, "good") for count in counts] and not left,
          "the reader finds one behind the other", walked)


def parts(reader):
    """As much as there is of several tables."""
    image, wrong = reader.image(), []
    for size in range(0, len(image), 97):
        rows, left = reader.walk(image[:size])
        if any(row[2] != "good" for row in rows) or (rows == [] and left != size):
            wrong.append(size)
    check(not wrong, "truncated: those that are whole are good", wrong)
    rows, left = reader.walk(image[:104] + bytes(104))
    check(rows == [] and left == 208, "the last one truncated: none")
    rows, left = reader.walk(bytes(104) + image)
    check(rows == [], "zeros: none")
    changed = bytearray(image)
    changed[120] ^= 1
    rows, left = reader.walk(changed)
    check(rows[0][2] == "is damaged: its checksum is wrong" and
          [row[2] for row in rows[1:]] == ["good", "good"], "damage of one is its own", rows)


def damaged(reader, libc, small):
    """A table in the cache that is not to be used is named, and made anew."""
    kept = reader.kept(small)
    right = content(kept)
    wrong = bytearray(right)
    wrong[-9] ^= 1
    for what, image in (("damaged", wrong), ("truncated", right[:-1]), ("empty", b""),
                        ("another object's", content(reader.kept(libc)))):
        with open(kept, "wb") as f:
            f.write(image)
        status, out, err = reader.ask(small)
        check(status == 0 and not out and err.count("\n") == 1 and kept in err,
              "%s in the cache: said in one line" % what, err)
        check(reader.image() == right and content(kept) == right, "%s: and made anew" % what)


def strange(reader, small, directory):
    """Errors have tables, too."""
    paths = [directory + "/nothing", directory, small, "/dev/null", small]
    status, out, err = reader.ask(*paths)
    rows, left = reader.walk(reader.image())
    check(status == 1 and not out and err.count("\n") == 3, "three cannot be read: status 1", err)
    check([(row[1], row[2]) for row in rows] ==
          [(bool(n not in (2, 4)), "good") for n in range(5)] and not left and
          rows[0][0] == 0 and rows[2][0] > 0, "and each has a table that says so", rows)
    plain = assemble("numbers.S", directory + "/plain.so", "-Wl,--build-id=none")
    status, out, err = reader.ask(plain)
    check(status == 0 and not err and reader.image()[32] == 0 and
          reader.walk(reader.image())[0] != [], "no build-id: a table with none", err)
    status, out, err = reader.ask("--no-cache", small)
    check(status == 0 and reader.image() == content(reader.kept(small)), "--no-cache: the same")


def options(reader, small):
    refused(2, "needs a file descriptor", "sites", "--tables")
    for word in ("x", "-1", "1x", "", "99999999999"):
        refused(2, "'%s' is no file descriptor" % word, "sites", "--tables", word, small)
    refused(2, "file descriptor 77 is not open", "sites", "--tables", "77", small)
    for option in ("--json", "--all"):
        refused(2, "goes without", "sites", "--tables", "2", option, small)
    refused(2, "a file is missing", "sites", "--tables", "2")
    with open("/dev/full", "wb") as f:
        done = subprocess.run([UFUTEX, "sites", "--no-cache", "--tables", str(f.fileno()),
                               small, small], pass_fds=[f.fileno()], stderr=subprocess.PIPE)
    check(done.returncode == 1 and done.stderr.count(b"\n") == 1, "nowhere to write: it stops",
          done.stderr)


def alone(directory):
    """Whoever has next to nothing of a C library can include it."""
    for name, least in (("table", {b"memcmp"}), ("reason", set())):
        path = directory + "/%s.o" % name
        subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-I", SOURCES, "-c", "-o", path,
                        os.path.join(SOURCES, "sites", name + ".c")], check=True)
        out = subprocess.run(["nm", "-u", path], stdout=subprocess.PIPE, check=True).stdout
        check(set(out.split()) - {b"U", b"_GLOBAL_OFFSET_TABLE_"} <= least,
              "%s.c needs %s" % (name, "memcmp at most" if least else "nothing"), out)


with tempfile.TemporaryDirectory() as temporary:
    reader = Reader(temporary)
    libc, small = mapped("libc.so.6"), assemble("windows.S", temporary + "/object.so")
    good(reader, libc, small)
    parts(reader)
    damaged(reader, libc, small)
    strange(reader, small, temporary)
    options(reader, small)
    alone(temporary)
end()
