# SPDX-License-Identifier: MIT
"""What the objects of an archive need of others, and how it is told."""

import subprocess


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode()


def names(archive, which):
    lines = output("nm", "--format=posix", which, archive).splitlines()
    return {line.split()[0] for line in lines if len(line.split()) > 1}


def needed(archive):
    """Symbols that no object of the archive defines."""
    undefined = names(archive, "--undefined-only") - names(archive, "--defined-only")
    return undefined - {"_GLOBAL_OFFSET_TABLE_"}


def report(checks):
    """Prints (what, bad names) pairs as TAP; the exit status."""
    failed = 0
    for number, (what, bad) in enumerate(checks, 1):
        failed += bool(bad)
        print("%sok %d - %s" % ("not " if bad else "", number, what))
        if bad:
            print("#   " + " ".join(sorted(bad)))
    print("1..%d" % len(checks))
    return 1 if failed else 0
