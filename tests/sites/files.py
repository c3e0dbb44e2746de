#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What ufutex sites is given: options, and files that are no objects, or damaged ones."""

import json
import os
import random
import subprocess
import tempfile

from sites import HERE, assemble, check, command, end, found, refused, search, ufutex

BATCH = 150


def options(good):
    status, out, err = ufutex("sites", "--help")
    check(status == 0 and out.startswith("usage: ufutex sites") and not err, "--help", err)
    refused(2, "a file is missing", "sites")
    refused(2, "a file is missing", "sites", "--json", "--")
    refused(2, "unknown option '--frobnicate'", "sites", "--frobnicate", good)
    status, out, err = ufutex("sites", "--no-cache", "--", good)
    check(status == 0 and out.splitlines()[0] == good and len(out.splitlines()) == 4,
          "without --all: four lines where nothing is refused", out + err)
    status, out, err = ufutex("sites", "--no-cache", "--all", good)
    check("known+0x0" in out and "mov $0xca, %eax; syscall" in out and
          "b8 ca 00 00 00 0f 05" in out, "--all: function, bytes and instructions", out + err)


def image(path):
    with open(path, "rb") as f:
        return bytearray(f.read())


def write(path, content):
    with open(path, "wb") as f:
        f.write(content)
    return path


def not_objects(directory, good):
    def cannot(what, path, says):
        status, out, err = ufutex("sites", "--no-cache", path)
        check(status == 1 and not out and err.count("\n") == 1 and says in err and path in err,
              "%s: status 1, '%s'" % (what, says), "%d %r %r" % (status, out, err))

    path = directory + "/file"
    cannot("nothing", directory + "/nothing", "does not exist")
    cannot("a directory", directory, "not a regular file")
    cannot("a device", "/dev/null", "not a regular file")
    cannot("text", write(path, b"#!/bin/sh\n"), "not an ELF file")
    cannot("an empty file", write(path, b""), "not an ELF file")
    for what, at, byte, says in (("32-bit", 4, 1, "32-bit"),
                                 ("another machine", 18, 0xb7, "another machine"),
                                 ("a core file", 16, 4, "neither a program nor")):
        content = image(good)
        content[at] = byte
        cannot(what, write(path, content), says)
    cannot("half of one", write(path, image(good)[:0x1010]), "truncated")
    subprocess.run(["cc", "-c", "-o", path, os.path.join(HERE, "numbers.S")], check=True)
    cannot("a relocatable object", path, "neither a program nor")
    status, out, err = ufutex("sites", "--no-cache", path, good)
    check(status == 1 and good in out and err.count("\n") == 1, "the others are read", out + err)
    status, objects, err = found("--no-cache", path, good)
    check(status == 1 and [o["path"] for o in objects] == [good], "as JSON, too", err)


def survives(what, directory, contents):
    """No content makes it die, or say what is no JSON."""
    contents, wrong = list(contents), []
    for start in range(0, len(contents), BATCH):
        paths = [write("%s/damaged%d" % (directory, n), content)
                 for n, content in enumerate(contents[start:start + BATCH])]
        status, out, err = ufutex("sites", "--no-cache", "--json", *paths)
        try:
            answers = len(json.loads(out)["objects"]) + err.count("\n")
        except ValueError:
            answers = 0
        if status not in (0, 1) or answers != len(paths):
            wrong.append((start, status, err[:300]))
    check(contents and not wrong, "%s: %d files" % (what, len(contents)), wrong)


def damaged(directory, good):
    content, rng = image(good), random.Random(1)
    survives("truncated", directory, (content[:n] for n in range(0, len(content), 41)))

    def flip(count):
        wrong = bytearray(content)
        for _ in range(count):
            wrong[rng.randrange(len(wrong))] = rng.choice((0, 1, 0x7f, 0x80, 0xff,
                                                            rng.randrange(256)))
        return wrong

    survives("one byte of its headers", directory,
             (content[:n] + bytes([content[n] ^ 0xff]) + content[n + 1:] for n in range(0, 400)))
    survives("damaged here and there", directory, (flip(n % 200 + 1) for n in range(600)))


def stripped(directory, good):
    """Neither symbols nor headers of sections are needed."""
    def sites(path):
        return [(s["address"], s["bytes"], s["kind"], s["refused"])
                for s in search(path)["sites"]]

    path = directory + "/stripped.so"
    subprocess.run(["strip", "-o", path, good], check=True)
    check(sites(path) == sites(good), "stripped: the same sites")
    content = image(good)
    content[0x28:0x30] = bytes(8)
    content[0x3c:0x40] = bytes(4)
    check(sites(write(path, content)) == sites(good), "without sections: the same sites")


with tempfile.TemporaryDirectory() as temporary:
    numbers = assemble("numbers.S", temporary + "/numbers.so")
    options(numbers)
    not_objects(temporary, numbers)
    stripped(temporary, numbers)
    damaged(temporary, assemble("targets.S", temporary + "/targets.so"))
    damaged(temporary, assemble("doubts.S", temporary + "/doubts.so"))
end()
