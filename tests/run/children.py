#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Programs that a served one starts: dynamic, scripts, static, 32-bit, musl, with
setuid and with file capabilities. They work as without the command.

usage: children.py STARTS ANSWER (the programs of these names)
"""

import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import drive  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))

# Says "answer 32" and ends with 3, without a C library.
SMALL_32 = r"""
.globl _start
_start: mov $4, %eax; mov $1, %ebx; mov $text, %ecx; mov $10, %edx; int $0x80
        mov $1, %eax; mov $3, %ebx; int $0x80
.data
text:   .ascii "answer 32\n"
"""


def compiled(directory, name, compiler, source, *options):
    """The program, or None and a line that says why not."""
    program = os.path.join(directory, name)
    what = "a %s program" % name
    if not shutil.which(compiler):
        drive.skip(what, "%s is not installed" % compiler)
        return []
    done = subprocess.run([compiler, "-o", program, source, *options],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        drive.skip(what, "cannot be built: " + done.stdout.decode().splitlines()[-1])
        return []
    return [program]


def write(directory, name, text):
    path = os.path.join(directory, name)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, 0o755)
    return path


def privileged(directory, answer):
    """Copies that a preload does not reach."""
    setuid = os.path.join(directory, "setuid")
    shutil.copy(answer, setuid)
    os.chmod(setuid, 0o4755)
    capable = os.path.join(directory, "capable")
    shutil.copy(answer, capable)
    value = bytes([1, 0, 0, 2]) + (1 << 13).to_bytes(4, "little") + bytes(12)
    try:
        os.setxattr(capable, "security.capability", value)
    except OSError as error:
        drive.skip("a program with file capabilities", "they cannot be set: %s" % error)
        return [setuid]
    return [setuid, capable]


def programs(directory, answer):
    source = os.path.join(HERE, "answer.c")
    small = write(directory, "small.s", SMALL_32)
    static = compiled(directory, "static", "cc", source, "-static", "-pthread")
    return ([answer, write(directory, "script", "#!%s\n" % answer),
             write(directory, "shell-script", "#!/bin/sh\nexec %s \"$1\"\n" % answer)]
            + static
            + [write(directory, "static-script", "#!%s\n" % p) for p in static]
            + compiled(directory, "32-bit", "cc", small, "-m32", "-nostdlib", "-static")
            + compiled(directory, "musl", "musl-gcc", source, "-pthread")
            + compiled(directory, "musl-static", "musl-gcc", source, "-pthread", "-static")
            + privileged(directory, answer))


def main():
    starts, answer = (os.path.abspath(path) for path in sys.argv[1:])
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        drive.drive(drive.parsed(
            ["--own", "--status", "3", "--", starts, answer] + programs(directory, answer)))
    return drive.end()


if __name__ == "__main__":
    sys.exit(main())
