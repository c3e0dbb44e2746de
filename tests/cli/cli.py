# SPDX-License-Identifier: MIT
"""What the tests of the ufutex command share."""

import os
import subprocess
import sys

BUILD = os.path.abspath(os.environ.get("UFUTEX_BUILD", "build"))
UFUTEX = os.path.join(BUILD, "ufutex")
PRELOAD = os.path.join(BUILD, "libufutex-preload.so")

count = failed = 0


def check(good, name, detail=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name), flush=True)
    if not good and detail:
        print("".join("# %s\n" % line for line in str(detail).splitlines()), end="")


def skip(name, reason):
    global count
    count += 1
    print("ok %d - %s # SKIP %s" % (count, name, reason), flush=True)


def end():
    print("1..%d" % count)
    sys.exit(1 if failed or not count else 0)


def command(program, *arguments, env=None, **more):
    """Runs it; (status, standard output, standard error)."""
    environment = {k: v for k, v in os.environ.items()
                   if not k.startswith("UFUTEX_") and k != "LD_PRELOAD"}
    environment.update(env or {})
    done = subprocess.run([program, *arguments], env=environment, timeout=50,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, **more)
    return (done.returncode, done.stdout.decode(errors="replace"),
            done.stderr.decode(errors="replace"))


def ufutex(*arguments, **more):
    return command(UFUTEX, *arguments, **more)


def refused(status, says, *arguments, env=None):
    """The command ends with @status and one line that has @says in it."""
    got, out, err = ufutex(*arguments, env=env)
    check(got == status and err.count("\n") == 1 and err.startswith("ufutex")
          and says in err and not out,
          "ufutex %s: status %d, one line with '%s'" % (" ".join(arguments), status, says),
          "%d %r %r" % (got, out, err))
