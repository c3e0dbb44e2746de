#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The file libufutex-preload.so: what it exports, needs, and takes of each thread."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

BUILD = os.path.abspath(os.environ.get("UFUTEX_BUILD", "build"))
LIBRARY = os.path.join(BUILD, "libufutex-preload.so")
EXPORTS = {"syscall", "prctl", "vfork", "pthread_create"}
TLS_LIMIT = 256  # it comes out of every thread's stack

# What both glibc and musl have; more must be weak. No allocator, no stdio.
MAY_NEED = set("""
    __errno_location _exit clock_gettime dlsym getenv getpid memcpy memmove memset
    mmap munmap madvise mprotect pthread_key_create
    pthread_setspecific pthread_getspecific pthread_self sched_getcpu sched_yield
    sigaction sigemptyset sigaddset sigprocmask pthread_sigmask signal raise stat fstat stat64
    open close read write strcmp environ __environ getauxval strlen strncmp strerror sysconf abort
    __stack_chk_fail __cxa_finalize
    """.split())

count = failed = 0


def check(good, name, detail=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good and detail:
        print("# " + detail)


def readelf(*options):
    return subprocess.run(["readelf", "-W", *options, LIBRARY], check=True,
                          stdout=subprocess.PIPE).stdout.decode()


def symbols():
    """(name with version, section index, binding) of the dynamic symbols."""
    for line in readelf("--dyn-syms").splitlines():
        words = line.split()
        if len(words) >= 8 and words[0][:-1].isdigit() and words[0] != "0:":
            yield words[7], words[6], words[4]


def file_checks():
    exported = {name for name, where, _ in symbols() if where != "UND"}
    check(exported == EXPORTS, "it exports just what it serves, without versions",
          "exported: " + " ".join(sorted(exported)))
    needed = {name.split("@")[0] for name, where, binding in symbols()
              if where == "UND" and binding != "WEAK"}
    check(needed <= MAY_NEED, "it needs nothing that only glibc has, and no allocator",
          "more: " + " ".join(sorted(needed - MAY_NEED)))
    dynamic = readelf("--dynamic")
    libraries = re.findall(r"NEEDED.*\[(.*)\]", dynamic)
    check(libraries == ["libc.so.6"], "it needs libc alone", " ".join(libraries))
    check("NODELETE" in dynamic, "it is never unloaded")
    check(re.search(r"BIND_NOW|FLAGS_1.*NOW", dynamic), "it is bound at once")
    check("TEXTREL" not in dynamic, "it has no text relocations")
    headers = readelf("--program-headers")
    tls = re.search(r"^\s*TLS\s+\S+ \S+ \S+ \S+ (0x[0-9a-f]+)", headers, re.M)
    size = int(tls.group(1), 16) if tls else 0
    check(size <= TLS_LIMIT, "it takes at most %d bytes of a thread's stack" % TLS_LIMIT,
          "%d" % size)
    stack = re.search(r"GNU_STACK.*", headers)
    check(stack and "E" not in stack.group(0).split()[-2], "its stack is not executable")


def musl_child():
    compiler = shutil.which("musl-gcc")
    name = "musl loads it, silently"
    if not compiler:
        global count
        count += 1
        print("ok %d - %s # SKIP musl-gcc is not installed" % (count, name))
        return
    with tempfile.TemporaryDirectory() as directory:
        source, program = directory + "/a.c", directory + "/a"
        with open(source, "w") as f:
            f.write("""
                #define _GNU_SOURCE
                #include <pthread.h>
                #include <stdio.h>
                #include <errno.h>
                #include <sys/prctl.h>
                #include <sys/syscall.h>
                #include <unistd.h>
                static void *thread(void *arg) { return arg; }
                int main(void)
                {
                    static int word;
                    pthread_t t;
                    long wait = syscall(SYS_futex, &word, 128, 1, 0, 0, 0);
                    int error = errno;
                    int made = pthread_create(&t, 0, thread, 0);
                    pthread_join(t, 0);
                    printf("%ld %d %d %d", wait, error == EAGAIN, made,
                           prctl(78, 2) == (int)syscall(SYS_prctl, 78, 2));
                    return 0;
                }""")
        subprocess.run([compiler, "-o", program, source], check=True)
        done = subprocess.run([program], env={**os.environ, "LD_PRELOAD": LIBRARY},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        check(done.returncode == 0 and done.stdout == b"-1 1 0 1", name,
              "%d %r" % (done.returncode, done.stdout))


file_checks()
musl_child()
print("1..%d" % count)
sys.exit(1 if failed else 0)
