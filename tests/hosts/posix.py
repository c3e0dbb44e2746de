#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The POSIX host calls what POSIX has, and makes no system call of its own."""

import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from needed import needed, output, report  # noqa: E402

POSIX = set("""
    clock_gettime close getenv mmap munmap open pthread_atfork
    pthread_cond_destroy pthread_cond_init pthread_cond_signal
    pthread_cond_timedwait pthread_cond_wait pthread_condattr_destroy
    pthread_condattr_init pthread_condattr_setclock pthread_key_create
    pthread_mutex_lock pthread_mutex_unlock pthread_once
    pthread_setcancelstate pthread_setspecific read sched_yield sysconf
    memcpy memset memmove memcmp
""".split())
# What compilers call: for thread-local words, and atomics of aarch64.
COMPILER = re.compile(r"__tls_get_addr$|__aarch64_\w+_(relax|acq|rel|acq_rel|sync)$")
ENTRY = re.compile(r"\t(syscall|sysenter|int +\$0x80|svc|ecall)\b")


def entries(archive, objdump):
    """Instructions that enter the kernel."""
    code = output(objdump, "-d", archive)
    return set(match.group(1) for match in ENTRY.finditer(code))


def main():
    got = needed(sys.argv[1])
    got = {re.sub(r"^(mmap|open)64$", r"\1", name) for name in got  # large files
           if not COMPILER.match(name)}
    checks = [
        ("the POSIX host calls POSIX alone", got - POSIX),
        ("it sleeps by conditions", {"pthread_cond_wait", "pthread_mutex_lock"} - got),
        ("it has no instruction that enters the kernel", entries(*sys.argv[1:3])),
    ]
    return report(checks)


if __name__ == "__main__":
    sys.exit(main())
