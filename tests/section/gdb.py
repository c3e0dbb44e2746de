#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
A debugger that steps by instruction through every operation: gdb itself. It
must come to the end, though no sequence is ever carried out meanwhile. (What lies in
libraries is finished in one go: the kernel's clock_gettime reads its data again
as long as a tick comes in between, and gdb needs longer for it than a tick.)
"""

import os
import re
import shutil
import subprocess
import sys

BUILD = os.path.abspath(os.environ.get("UFUTEX_BUILD", "build"))
PROGRAM = os.path.join(BUILD, "tests", "section-stepped")
STEPS_MAX = 40000
SCRIPT = """
set pagination off
set confirm off
set debuginfod enabled off
set print thread-events off
break stepped_begin
break stepped_end
run under-gdb
set $steps = 0
while $pc != &stepped_end && $steps < %d && $_isvoid($_exitcode)
  if (unsigned long)$pc > 0x7f0000000000
    finish
  else
    stepi
  end
  set $steps = $steps + 1
end
printf "stepped %%d\\n", $steps
delete
continue
""" % STEPS_MAX


def run():
    with open("steps.gdb", "w") as script:
        script.write(SCRIPT.replace("$pc != &stepped_end",
                                    "(long)$pc != (long)&stepped_end"))
    result = subprocess.run(["gdb", "-nx", "-batch", "-x", "steps.gdb", PROGRAM],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=280)
    return result.stdout.decode(errors="replace")


def main():
    for what, there in (("gdb", shutil.which("gdb")), (PROGRAM, os.path.exists(PROGRAM))):
        if not there:
            print("1..0 # SKIP %s is not there" % what)
            return 77
    text = run()
    steps = re.search(r"^stepped (\d+)$", text, re.M)
    result = re.search(r"^result (-?\d+) change (-?\d+)$", text, re.M)
    good = [bool(steps) and 1000 < int(steps.group(1)) < STEPS_MAX,
            bool(result) and result.group(1) == "0",
            bool(result) and result.group(2) == "2"]
    names = ["gdb steps to the end, in %s steps" % (steps.group(1) if steps else "?"),
             "the results are right", "the counts are exact"]
    for number, (fine, name) in enumerate(zip(good, names), 1):
        print("%sok %d - %s" % ("" if fine else "not ", number, name))
    if not all(good):
        print("".join("# %s\n" % line for line in text.splitlines()[-20:]), end="")
    print("1..%d" % len(good))
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
