#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What has the engine in it is known by a note, and left alone."""

import os
import subprocess
import tempfile

from sites import BUILD, HERE, PRELOAD, UFUTEX, assemble, check, end, found, search, ufutex

ROOT = os.path.join(HERE, "..", "..")
PROGRAM = """
#include <ufutex/futex.h>

int main(void)
{
	static uint32_t word;

	return ufx_futex(&word, 1 | 128, 1, 0, 0, 0) != 0;
}
"""


def left_alone(path, name, home):
    answer = search(path)
    check(answer["own"] and not answer["sites"], "%s: left alone" % name, answer)
    status, out, err = ufutex("sites", "--no-cache", "--all", path)
    check(status == 0 and "left alone" in out and "sites" not in out.split("\n", 1)[1],
          "%s: and said so" % name, out)
    with tempfile.TemporaryFile() as f:
        subprocess.run([UFUTEX, "sites", "--tables", str(f.fileno()), path], check=True,
                       env={"XDG_CACHE_HOME": home}, pass_fds=[f.fileno()])
        f.seek(0)
        table = f.read()
    check(len(table) == 104 and table[12:16] == bytes(4) and table[33] == 1 and
          table[36:40] == bytes(4), "%s: its table is empty, with a flag" % name, table[:40])
    check(not os.path.exists(home), "%s: and is not kept" % name)


def build(directory, name, *options):
    source, path = directory + "/program.c", directory + "/" + name
    with open(source, "w") as f:
        f.write(PROGRAM)
    subprocess.run(["cc", "-I", os.path.join(ROOT, "include"), "-o", path, source,
                    os.path.join(BUILD, "libufutex.a"), "-pthread", *options], check=True)
    subprocess.run([path], check=True, timeout=20)
    return path


def lookalikes(directory):
    """Other notes are nothing to go by."""
    for what, owner, size in (("another owner", "ufutey", 7), ("a longer one", "ufutexx", 8),
                              ("one of no length", "", 0)):
        source, path = directory + "/note.S", directory + "/note.so"
        with open(source, "w") as f:
            f.write('#include "%s/numbers.S"\n.section .note.x, "a", %%note\n.balign 4\n'
                    '.long %d, 4, 1\n.ascii "%s"\n.balign 4\n.long 1\n' %
                    (HERE, size, owner + "\\0" * (size > 0)))
        subprocess.run(["cc", "-shared", "-nostdlib", "-o", path, source], check=True)
        check(not search(path)["own"] and search(path)["sites"], "a note of %s: searched" % what)
    plain = assemble("numbers.S", directory + "/plain.so")
    check(found("--no-cache", plain)[1][0]["own"] is False, "no note: searched")


with tempfile.TemporaryDirectory() as temporary:
    kept = temporary + "/home"
    left_alone(os.path.join(BUILD, "libufutex.so"), "the library", kept)
    if os.path.exists(PRELOAD):
        left_alone(PRELOAD, "the preload", kept)
    left_alone(UFUTEX, "the command", kept)
    left_alone(build(temporary, "linked"), "a program with the archive", kept)
    left_alone(build(temporary, "small", "-O2", "-ffunction-sections", "-Wl,--gc-sections",
                     "-s"), "without what it does not need", kept)
    left_alone(build(temporary, "static", "-static"), "a static one", kept)
    lookalikes(temporary)
end()
