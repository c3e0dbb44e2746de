# SPDX-License-Identifier: MIT
"""What the tests of `ufutex sites` share."""

import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "cli"))
from cli import BUILD, PRELOAD, UFUTEX, check, command, end, refused, skip, ufutex  # noqa: E402,F401


def assemble(source, output, *options):
    """A shared object of a file in this folder."""
    subprocess.run(["cc", "-shared", "-nostdlib", "-Wl,--build-id=sha1", *options,
                    "-o", output, os.path.join(HERE, source)], check=True)
    return output


def found(*arguments, **more):
    """(status, the objects in its JSON, what it said)"""
    status, out, err = ufutex("sites", "--json", *arguments, **more)
    return status, json.loads(out)["objects"], err


def search(path):
    """The one object's answer, found anew."""
    status, objects, err = found("--no-cache", path)
    check(status == 0 and len(objects) == 1 and not err, "%s is read" % os.path.basename(path),
          err)
    return objects[0]


def mapped(name):
    """The file of a library that this very program uses, or NULL."""
    with open("/proc/self/maps") as maps:
        paths = {line.split()[-1] for line in maps if "/" in line}
    return next((p for p in sorted(paths) if os.path.basename(p).startswith(name)), None)
