# SPDX-License-Identifier: MIT
"""
Debian 13 in a directory, to run a program over its C library. It is made once;
what is mounted there is so in a namespace that ends with the program.
"""

import contextlib
import os
import re
import shutil
import subprocess

from place import Skip, last_words

# $0: the tree, $1: this place, $2: where the ufutex command is
ENTER = """mount -t proc proc "$0/proc" && mount --bind "$1" "$0/mnt" &&
mount --bind "$2" "$0/srv" && shift 2 && exec chroot "$0" "$@\""""

LIBRARIES = "usr/lib/x86_64-linux-gnu"


class Inside:
    """A chroot, as sides.Side.command and rows need it."""

    def __init__(self, root, place):
        self.place = place
        self.env = {"XDG_CACHE_HOME": "/mnt/cache"}
        self.ufutex = None
        command = os.path.realpath(place.side.ufutex or "/srv/none")
        if place.side.ufutex:
            self.ufutex = "/srv/" + os.path.basename(command)
            bring_libraries(command, root)
        self.enter = ["unshare", "--mount", "sh", "-c", ENTER, root, place.directory,
                      os.path.dirname(command)]

    def path(self, path):
        """What @path, below the place's directory, is called in there."""
        return os.path.join("/mnt", os.path.relpath(path, self.place.directory))

    def bring(self, path):
        shutil.copy(path, self.place.directory)
        return "/mnt/" + os.path.basename(path)


def bring_libraries(program, root):
    """What @program needs and the tree has not: never the tree's C library."""
    said = subprocess.run(["ldd", program], stdout=subprocess.PIPE, check=True).stdout
    for name, path in re.findall(r"(\S+) => (/\S+)", said.decode()):
        if not os.path.lexists(os.path.join(root, LIBRARIES, name)):
            shutil.copy(path, os.path.join(root, LIBRARIES, name))


def made(directory):
    """The tree in @directory; Skip if it cannot be had."""
    root = os.path.join(directory, "trixie")
    if os.path.exists(root):
        return root
    new = root + ".new"
    shutil.rmtree(new, ignore_errors=True)
    result = subprocess.run(["mmdebstrap", "--variant=essential", "trixie", new],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)
    if result.returncode:
        shutil.rmtree(new, ignore_errors=True)
        raise Skip("mmdebstrap trixie: " + last_words(result.stdout.decode(errors="replace")))
    os.rename(new, root)
    return root


@contextlib.contextmanager
def chroot(place):
    if os.geteuid():
        raise Skip("a chroot needs root")
    root = made(place.shared)
    probe = subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.PIPE)
    if probe.returncode:
        raise Skip("unshare: " + last_words(probe.stderr.decode()))
    yield Inside(root, place)
