#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bindings/python/ufutex.py: waits, wakes, references, by the system's Python."""

import ctypes
import errno
import os
import subprocess
import sys
import tempfile
import threading
import time

SYSTEM = "/usr/bin/python3"
if sys.executable != SYSTEM and os.path.exists(SYSTEM) and "PYTHON_TEST" not in os.environ:
    os.environ["PYTHON_TEST"] = "again"
    os.execv(SYSTEM, [SYSTEM] + sys.argv)

sys.dont_write_bytecode = True
ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BUILD = os.path.abspath(os.environ.get("UFUTEX_BUILD", os.path.join(ROOT, "build")))
os.environ["UFUTEX_LIBRARY"] = os.path.join(BUILD, "libufutex.so.0")
sys.path.insert(0, os.path.join(ROOT, "bindings", "python"))
import ufutex  # noqa: E402
from ufutex import Ending  # noqa: E402

count = failed = 0


def check(got, expected, what):
    global count, failed
    count += 1
    failed += got != expected
    print("%sok %d - %s" % ("" if got == expected else "not ", count, what))
    if got != expected:
        print("#   got %r, expected %r" % (got, expected))


def error_of(call, *arguments):
    try:
        call(*arguments)
    except OSError as e:
        return e.errno
    except ValueError:
        return ValueError
    return None


# ---- threads that block ----------------------------------------------------

def asleep(tid):
    """
    The kernel says: it sleeps in a futex call that has no timeout. The
    interpreter's own lock, which is a futex too, is waited for with one.
    """
    with open("/proc/self/task/%d/stat" % tid) as f:
        state = f.read().rsplit(")", 1)[1].split()[0]
    with open("/proc/self/task/%d/syscall" % tid) as f:
        number, *arguments = f.read().split()
    return state == "S" and number in ("202", "98", "449") and arguments[3] == "0x0"


class Waiter(threading.Thread):
    """Waits; returns from start once it is asleep in the domain."""

    def __init__(self, domain, word, expected, **options):
        super().__init__(daemon=True)
        self.arguments, self.options = (domain, word, expected), options
        self.result, self.calls = None, threading.Event()

    def run(self):
        domain, word, expected = self.arguments
        self.calls.set()
        self.result = domain.wait(word, expected, **self.options)

    def begin(self):
        self.start()
        self.calls.wait()
        while self.is_alive() and not asleep(self.native_id):
            time.sleep(0.001)
        return self

    def end(self):
        self.join(20)
        return self.result


def layouts():
    """Each structure's size and the places of its fields, by the C compiler."""
    lines = []
    for name, structure in ufutex.STRUCTURES.items():
        lines.append('printf("%s %%zu\\n", sizeof(struct %s));' % (name, name))
        lines += ['printf("%s.%s %%zu\\n", offsetof(struct %s, %s));' % (name, f[0], name, f[0])
                  for f in structure._fields_]
    program = ("#include <stdio.h>\n#include <ufutex/ref.h>\n#include <ufutex/wait.h>\n"
               "#include <ufutex/wake.h>\n#include <ufutex/domain.h>\n"
               "int main(void) { %s return 0; }\n" % " ".join(lines))
    with tempfile.TemporaryDirectory() as directory:
        out = os.path.join(directory, "layouts")
        subprocess.run(["cc", "-I" + os.path.join(ROOT, "include"), "-xc", "-", "-o", out],
                       input=program.encode(), check=True)
        said = subprocess.run([out], stdout=subprocess.PIPE, check=True).stdout.decode()
    theirs = dict(line.split() for line in said.splitlines())
    for name, structure in ufutex.STRUCTURES.items():
        ours = {name: str(ctypes.sizeof(structure))}
        ours.update(("%s.%s" % (name, f[0]), str(getattr(structure, f[0]).offset))
                    for f in structure._fields_)
        check(ours, {k: v for k, v in theirs.items() if k.split(".")[0] == name},
              "struct %s as in C" % name)


def endings():
    with ufutex.Domain() as domain:
        for size in (1, 2, 4, 8):
            word = ufutex.Word(2 ** (8 * size) - 1, size)
            check(domain.wait(word, 0), (Ending.MISMATCH, 0), "%d bytes: a mismatch" % size)
            check(domain.wait(word, word.value, timeout=0.001), (Ending.TIMED_OUT, 0),
                  "%d bytes: a timeout" % size)
        check(domain.wake(word), 0, "nobody is there")
        check(error_of(domain.wait, ctypes.c_uint16(0), 1 << 16), errno.EINVAL,
              "a value with bits beyond the word")
    check(error_of(domain.wake, word), ValueError, "a domain that is closed")
    check(error_of(ufutex.Domain, 3), errno.EINVAL, "three slots")
    check(error_of(ufutex.Word, 0, 3), ValueError, "a word of three bytes")


def wakes():
    domain, other, word = ufutex.Domain(), ufutex.Domain(fixed=True, slots=16), ufutex.Word()
    waiters = [Waiter(domain, word, 0, mask=m).begin() for m in (1, 2, 2)]
    check(other.wake(word, ufutex.ALL), 0, "another domain's wake finds nobody")
    check(domain.wake(word, mask=4), 0, "nor one with another bit")
    check(error_of(domain.close), errno.EBUSY, "somebody waits")
    check(domain.wake(word, mask=2, token=77), 1, "one with that bit")
    check(waiters[1].end(), (Ending.WOKEN, 77), "the second, by a token")
    check([w.is_alive() for w in waiters], [True, False, True], "the others wait")
    domain.slots = 64
    check(domain.slots, 64, "another table")
    check(domain.purge(word), 2, "they are purged")
    check([w.end()[0] for w in (waiters[0], waiters[2])], [Ending.CANCELLED] * 2, "and know")
    last = Waiter(domain, word, 0).begin()
    check(domain.cancel(), 1, "the domain goes")
    check(last.end(), (Ending.CANCELLED, 0), "who waited knows")
    check(domain.wait(word, 0)[0], Ending.CANCELLED, "and nobody waits any more")
    domain.close()
    other.close()


def ping_pong():
    """Two threads take turns: no wake is lost."""
    domain, word = ufutex.Domain(), ufutex.Word()

    def turns(mine):
        for _ in range(500):
            while word.value != mine:
                domain.wait(word, 1 - mine)
            word.value = 1 - mine
            domain.wake(word)

    players = [threading.Thread(target=turns, args=(n,), daemon=True) for n in (0, 1)]
    for p in players:
        p.start()
    for p in players:
        p.join(20)
    check([p.is_alive() for p in players], [False, False], "a thousand turns")
    domain.close()


def references():
    released = []
    ref = ufutex.Ref(lambda: released.append(threading.get_ident()))
    with ref:
        ref.get()
    check(ref.tryget(), True, "one more")
    ref.kill()
    check(ref.tryget(), False, "it is killed")
    check(released, [], "two have it")
    ref.put()
    putter = threading.Thread(target=ref.put)
    putter.start()
    putter.join()
    check(released, [putter.ident], "the last one releases")
    check(error_of(ref.get), ValueError, "then it is gone")
    dead = ufutex.Ref(lambda: None)
    dead.kill()
    check(error_of(dead.kill), ValueError, "killed twice")


def main():
    check(ufutex.mode() in ("rseq", "membarrier", "fence", "shared"), True, "there is a mode")
    layouts()
    endings()
    wakes()
    ping_pong()
    references()
    ufutex.synchronize()
    print("1..%d" % count)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
