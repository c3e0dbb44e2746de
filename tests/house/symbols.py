#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the libraries show to other objects, and what they need of them."""

import os
import re
import subprocess
import sys

BUILD = os.environ.get("UFUTEX_BUILD", "build")
PRELOAD = ["prctl", "pthread_create", "syscall", "vfork"]


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode()


def exported(library):
    """The dynamic symbols that @library defines, with their versions."""
    fields = [line.split() for line in
              output("readelf", "-W", "--dyn-syms", library).splitlines()]
    return sorted(f[7] for f in fields
                  if len(f) > 7 and f[4] in ("GLOBAL", "WEAK")
                  and f[5] == "DEFAULT" and f[6] not in ("UND", "Ndx"))


def needed(library):
    return re.findall(r"\(NEEDED\).*\[(.+)\]", output("readelf", "-dW", library))


def dynamic_tls(library):
    """Relocations of thread-local words that are reached by a call."""
    return re.findall(r"\S*(?:DTPMOD|TLSDESC|TLS_DTP)\S*", output("readelf", "-rW", library))


def main():
    main_library = os.path.join(BUILD, "libufutex.so")
    preload = os.path.join(BUILD, "libufutex-preload.so")
    checks = [
        ("libufutex.so exports only ufx_ names",
         [s for s in exported(main_library) if not s.startswith("ufx_")], []),
        ("libufutex-preload.so exports its calls, unversioned", exported(preload), PRELOAD),
    ]
    for library in (main_library, preload):
        name = os.path.basename(library)
        checks += [
            (name + " needs libc alone", needed(library), ["libc.so.6"]),
            (name + " reaches thread-local words without a call", dynamic_tls(library), []),
        ]
    failed = 0
    for number, (what, got, expected) in enumerate(checks, 1):
        failed += got != expected
        print("%sok %d - %s" % ("" if got == expected else "not ", number, what))
        if got != expected:
            print("#   got %s, expected %s" % (got, expected))
    print("1..%d" % len(checks))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
