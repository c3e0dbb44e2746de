#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A project of another language standard that takes this one in by meson."""

import os
import subprocess
import sys
import tempfile

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
PROJECT = """
project('taker', 'c', default_options: ['c_std=c11', 'warning_level=2', 'werror=true'])
ufutex = dependency('ufutex', fallback: 'ufutex',
  default_options: ['command=false', 'preload=false', 'tests=false'])
executable('taker', 'taker.c', dependencies: ufutex)
"""
PROGRAM = """
#include <ufutex/domain.h>
#include <ufutex/wake.h>

int main(void)
{
	struct ufx_domain *d;

	return ufx_domain_create(&d, 0) || ufx_domain_wake(d, 1, 1, UFX_ALL) ||
	       ufx_domain_destroy(d);
}
"""


def write(directory, name, text):
    with open(os.path.join(directory, name), "w") as f:
        f.write(text)


def main():
    with tempfile.TemporaryDirectory() as directory:
        write(directory, "meson.build", PROJECT)
        write(directory, "taker.c", PROGRAM)
        os.mkdir(os.path.join(directory, "subprojects"))
        os.symlink(ROOT, os.path.join(directory, "subprojects", "ufutex"))
        made = os.path.join(directory, "made")
        steps = [["meson", "setup", "--wrap-mode", "forcefallback", made, directory],
                 ["ninja", "-C", made, "taker"], [os.path.join(made, "taker")]]
        failed = 0
        for number, step in enumerate(steps, 1):
            result = subprocess.run(step, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT)
            print("%sok %d - %s" % ("not " if result.returncode else "", number,
                                    os.path.basename(step[0])))
            if result.returncode:
                failed = 1
                words = result.stdout.decode(errors="replace").splitlines()[-20:]
                print("".join("#   %s\n" % line for line in words), end="")
                break
        print("1..%d" % len(steps))
        return failed


if __name__ == "__main__":
    sys.exit(main())
