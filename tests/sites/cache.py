#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tables are kept and taken again, unless anything about them is wrong."""

import os
import struct
import tempfile

from sites import assemble, check, end, found, mapped, ufutex

HEADER = struct.Struct("<8sIIQQBB2sI64s")
RECORD = struct.Struct("<QBBBBBB2s16s")
CHECKSUM = slice(16, 24)


class Cache:
    """One object, and a directory for its table."""

    def __init__(self, directory, path):
        self.path = path
        self.home = os.path.join(directory, "home")
        self.tables = os.path.join(self.home, "ufutex", "sites")
        self.env = {"XDG_CACHE_HOME": self.home}
        self.fresh = found("--no-cache", path)[1][0]
        self.table = os.path.join(self.tables, self.fresh["build_id"] or "none")

    def ask(self, **more):
        """(the answer without where it is from, is it cached, what it said)"""
        status, objects, err = found(self.path, env=self.env, **more)
        answer = objects[0] if status == 0 else {}
        return answer, answer.pop("cached", None), err

    def read(self):
        with open(self.table, "rb") as f:
            return f.read()

    def write(self, image):
        with open(self.table, "wb") as f:
            f.write(image)

    def right(self, answer):
        return answer == {k: v for k, v in self.fresh.items() if k != "cached"}


def checksum(image):
    value = 0xcbf29ce484222325
    for byte in image[:CHECKSUM.start] + image[CHECKSUM.stop:]:
        value = (value ^ byte) * 0x100000001b3 % 2**64
    return value


def signed(image):
    """With the checksum that belongs to it."""
    return image[:CHECKSUM.start] + struct.pack("<Q", checksum(image)) + image[CHECKSUM.stop:]


def change(image, at, new):
    return signed(image[:at] + new + image[at + len(new):])


def hit(cache, name):
    check(not os.path.exists(cache.home), "%s: --no-cache keeps nothing" % name)
    first, cached, err = cache.ask()
    check(cache.right(first) and not cached and not err, "%s: searched" % name, err)
    check(os.listdir(cache.tables) == [cache.fresh["build_id"]],
          "%s: one file, named after the build-id" % name, os.listdir(cache.tables))
    again, cached, err = cache.ask()
    check(cache.right(again) and cached and not err, "%s: taken, the same" % name, err)
    text = [ufutex("sites", "--all", *more, cache.path, env=cache.env)
            for more in ((), ("--no-cache",))]
    check(text[0] == text[1] and text[0][0] == 0, "%s: the same as text" % name)


def layout(cache):
    image = cache.read()
    magic, version, count, total, text_size, size, *_, build_id = HEADER.unpack_from(image)
    sites = [RECORD.unpack_from(image, HEADER.size + n * RECORD.size) for n in range(count)]
    check((magic, version, text_size) == (b"UFXSITES", 3, cache.fresh["text_size"]) and
          build_id[:size].hex() == cache.fresh["build_id"] and total == checksum(image),
          "the header is as described")
    check([(s[0], s[1], s[2], s[8][:s[1]].hex(" ")) for s in sites] ==
          [(s["address"], s["length"], s["syscall"], s["bytes"]) for s in cache.fresh["sites"]]
          and len(image) == HEADER.size + count * RECORD.size, "and so are the records")


def refused(cache, what, image, says):
    """Said in one line, not used, and replaced by a good one."""
    good = cache.read()
    cache.write(image)
    answer, cached, err = cache.ask()
    check(cache.right(answer) and not cached and err.count("\n") == 1 and says in err and
          cache.table in err, "%s: '%s', searched anew" % (what, says), err or answer)
    check(cache.read() == good, "%s: and replaced" % what)
    cache.write(good)


def truncated(cache):
    image = cache.read()
    for size in (0, 5, 8, 50, HEADER.size, HEADER.size + 1, len(image) - RECORD.size,
                 len(image) - 1):
        refused(cache, "%d bytes of it" % size, image[:size],
                "not a table" if size < 8 else "truncated")
    refused(cache, "a byte more", image + b"\0", "too long")
    refused(cache, "text", b"This is not a table of anything.\n" * 9, "not a table")


def flipped(cache):
    """Any bit; the checksum's and the magic's too."""
    image, missed = cache.read(), []
    for at in range(0, len(image), 7):
        wrong = bytearray(image)
        wrong[at] ^= 1 << at % 8
        cache.write(wrong)
        answer, cached, err = cache.ask()
        version = 8 <= at < 12
        if not cache.right(answer) or cached or (err.count("\n") != 1 and not version):
            missed.append(at)
    check(not missed, "no flipped bit goes unseen", missed)


def nonsense(cache):
    """With a right checksum: what the reader looks at behind it."""
    image, first, second = cache.read(), HEADER.size, HEADER.size + RECORD.size
    sense = "makes no sense"
    for what, at, new, says in (
            ("a count that is too large", 12, b"\xff\xff\xff\xff", "truncated"),
            ("another object's build-id", 40, b"\x99\x99", "another object"),
            ("another size of text", 24, b"\1", "another object"),
            ("a build-id of 65 bytes", 32, b"\x41", sense),
            ("an unknown flag of it all", 33, b"\x80", sense),
            ("a flag, and sites", 33, b"\1", sense),
            ("something in the header's zeros", 34, b"\1", sense),
            ("an error, and sites", 36, b"\1", sense),
            ("something behind the build-id", 103, b"\1", sense),
            ("an order that is none", first, b"\xff\xff\xff\x7f", "order"),
            ("two at one place", second, image[first:first + 8], "order"),
            ("a window of 17 bytes", first + 8, b"\x11", sense),
            ("a window of 4 bytes", first + 8, b"\x04", sense),
            ("a call outside the window", first + 9, b"\x06", sense),
            ("a call that is none", first + 9, b"\x01", sense),
            ("an unknown kind", first + 10, b"\x63", sense),
            ("unlikely without a reason", first + 10, b"\3", sense),
            ("an unknown reason", first + 11, b"\x63", sense),
            ("a refused window of 7 bytes", first + 11, b"\1", sense),
            ("an unknown flag", first + 12, b"\x80", sense),
            ("a relocation without the flag", first + 13, b"\1", sense),
            ("a relocation past the end", first + 12, b"\1\6", sense),
            ("a relocation of the call", first + 12, b"\1\1", sense),
            ("something in a record's zeros", first + 14, b"\1", sense),
            ("something behind the bytes", first + 16 + 15, b"\1", sense),
            ("other bytes than the object's", first + 18, b"\x49", "agree with the object"),
            ("an address outside the object", len(image) - RECORD.size, b"\0\0\0\0\x7f",
             "agree with the object")):
        refused(cache, what, change(image, at, new), says)


def others(cache):
    """Tables that tell of an error, or to leave it alone, are for --tables only."""
    image = cache.read()
    empty = image[:12] + bytes(4) + image[16:HEADER.size]
    refused(cache, "an error", change(empty, 36, b"\1"), "tells of an error")
    refused(cache, "to be left alone", change(empty, 33, b"\1"), "another object")


def version(cache):
    good = cache.read()
    cache.write(change(good, 8, b"\1"))
    answer, cached, err = cache.ask()
    check(cache.right(answer) and not cached and not err and cache.read() == good,
          "a table of another version is replaced without a word", err)


def foreign(cache, other):
    other.ask()
    refused(cache, "another object's table", other.read(), "another object")


def without(directory):
    """Where nothing can be kept, nothing is said."""
    plain = Cache(directory, assemble("numbers.S", directory + "/plain.so",
                                      "-Wl,--build-id=none"))
    for name in ("first", "second"):
        answer, cached, err = plain.ask()
        check(plain.right(answer) and answer["build_id"] is None and not cached and not err and
              not os.path.exists(plain.home), "no build-id, the %s time: nothing is kept" % name,
              err)
    cache = Cache(directory, assemble("numbers.S", directory + "/named.so"))
    with open(directory + "/file", "w"):
        pass
    for what, home in (("a file in its place", directory + "/file"), ("/proc", "/proc/none"),
                       ("a name that is too long", "/" + "x" * 4200)):
        cache.env = {"XDG_CACHE_HOME": home}
        answer, cached, err = cache.ask()
        check(cache.right(answer) and not cached and not err, "%s: goes on without" % what, err)


def places(directory):
    cache = Cache(directory, assemble("numbers.S", directory + "/object.so"))
    kept = os.path.join(".cache", "ufutex", "sites", cache.fresh["build_id"])
    for what, xdg in (("no XDG_CACHE_HOME", ""), ("a relative one", "relative")):
        home = tempfile.mkdtemp(dir=directory)
        cache.env = {"XDG_CACHE_HOME": xdg, "HOME": home}
        cache.ask(cwd=directory)
        check(os.path.isfile(os.path.join(home, kept)), "%s: below HOME" % what)
        check(cache.ask()[1], "%s: and taken from there" % what)
    check(not os.path.exists(directory + "/relative"), "a relative one is ignored")
    cache.env = {"XDG_CACHE_HOME": "", "HOME": ""}
    answer, cached, err = cache.ask()
    check(cache.right(answer) and not cached and not err, "no HOME: goes on without", err)


with tempfile.TemporaryDirectory() as temporary:
    def place():
        return tempfile.mkdtemp(dir=temporary)

    libc, where = Cache(place(), mapped("libc.so.6")), place()
    small = Cache(where, assemble("windows.S", where + "/object.so"))
    hit(libc, "libc")
    hit(small, "a small object")
    layout(libc)
    layout(small)
    for test in (truncated, flipped, nonsense, others, version):
        test(small)
    foreign(small, libc)
    check(os.listdir(small.tables) == [small.fresh["build_id"]], "no temporary file is left")
    without(place())
    places(place())
end()
