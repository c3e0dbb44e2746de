#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Boots Debian's own kernel in qemu and runs the conformance tests inside.

boot.py [PATTERN...] (of test names; by default those of the folders abi and
slots, and of the core). The kernel is unpacked, not installed; it is kept in
the build directory. Everything is skipped, with the reason, where this cannot
be done.
"""

import fnmatch
import glob
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(HERE))
import builds  # noqa: E402

BUILD = os.path.abspath(os.environ.get("UFUTEX_BUILD", "build"))
SUITES = {"abi", "slots", "core"}
SECONDS = 270  # for the whole machine
EACH = 60      # for one test, emulated


def skip_all(reason):
    print("1..0 # SKIP " + reason)
    sys.exit(77)


def command(arguments, **more):
    return subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **more)


# ---- the kernel ------------------------------------------------------------

def kernel_package():
    """The package that linux-image-amd64 stands for today."""
    out = command(["apt-cache", "depends", "linux-image-amd64"]).stdout.decode()
    found = re.search(r"Depends: (linux-image-\S+)", out)
    if not found:
        skip_all("apt knows no linux-image-amd64")
    return found.group(1)


def kernel():
    """Path of a kernel image; fetched once."""
    cache = os.path.join(BUILD, "vm")
    images = sorted(glob.glob(os.path.join(cache, "vmlinuz-*")))
    if images:
        return images[-1]
    os.makedirs(cache, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as directory:
        result = command(["apt-get", "download", kernel_package()], cwd=directory)
        packages = glob.glob(os.path.join(directory, "*.deb"))
        if result.returncode or not packages:
            skip_all("the kernel cannot be fetched: " + last_line(result.stdout))
        archive = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", packages[0]],
                                   stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", directory, "--wildcards", "./boot/vmlinuz-*"],
                       stdin=archive.stdout, check=True)
        archive.stdout.close()
        archive.wait()
        image = glob.glob(os.path.join(directory, "boot", "vmlinuz-*"))[0]
        kept = os.path.join(cache, os.path.basename(image))
        shutil.move(image, kept)
    return kept


def last_line(output):
    return (output.decode(errors="replace").strip().splitlines() or ["silent"])[-1]


# ---- what is inside --------------------------------------------------------

def programs(patterns):
    """Paths of the test programs that are run inside."""
    chosen = []
    for test in builds.introspect(BUILD):
        if patterns:
            good = any(fnmatch.fnmatch(test["name"], p) for p in patterns)
        else:
            good = test["tags"] & SUITES and not test["tags"] & {"long", "slow"}
        if good and "native" not in test["tags"]:
            chosen.append(test["cmd"][0])
    return chosen


def libraries(program):
    """Files that the loader wants for @program, the loader included."""
    out = subprocess.run(["ldd", program], stdout=subprocess.PIPE).stdout.decode()
    return re.findall(r"(/\S+) \(0x", out)


def put(root, source, target):
    path = root + target
    os.makedirs(os.path.dirname(path), exist_ok=True)
    shutil.copyfile(os.path.realpath(source), path)
    os.chmod(path, stat.S_IRWXU)


def initramfs(directory, tests):
    root = os.path.join(directory, "root")
    for name in ("proc", "sys", "dev", "tmp", "tests.d"):
        os.makedirs(os.path.join(root, name))
    put(root, "/bin/busybox", "/bin/busybox")
    put(root, os.path.join(HERE, "init"), "/init")
    for test in tests:
        put(root, test, "/tests.d/" + os.path.basename(test))
        for library in libraries(test):
            if not os.path.exists(root + library):
                put(root, library, library)
    with open(os.path.join(root, "tests"), "w") as f:
        f.writelines("%d %s\n" % (EACH, os.path.basename(t)) for t in tests)
    names = subprocess.run(["find", "."], cwd=root, check=True, stdout=subprocess.PIPE).stdout
    image = os.path.join(directory, "initramfs")
    with open(image, "wb") as f:
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=root, input=names,
                       stdout=f, check=True)
    return image


# ---- the machine -----------------------------------------------------------

def boot(image, disk):
    """What the machine says on its serial line."""
    arguments = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "2",
                 "-m", "1024", "-nodefaults", "-no-user-config", "-display", "none",
                 "-serial", "stdio", "-no-reboot", "-kernel", image, "-initrd", disk,
                 "-append", "console=ttyS0 quiet panic=-1 mitigations=off"]
    try:
        return command(arguments, timeout=SECONDS).stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as expired:
        return (expired.stdout or b"").decode(errors="replace") + "\n=== too late\n"


class Tap:
    """The guest's results under one numbering, each with its program's name."""

    def __init__(self):
        self.count = self.failed = 0

    def say(self, good, text):
        self.count += 1
        self.failed += not good
        print("%sok %d - %s" % ("" if good else "not ", self.count, text))

    def program(self, name, lines, status):
        failed = checks = 0
        for text in lines:
            found = re.match(r"^(not )?ok\b *\d* *-? *(.*)$", text)
            if found:
                checks += 1
                failed += bool(found.group(1))
                self.say(not found.group(1), name + ": " + found.group(2))
            elif not re.match(r"^1\.\.\d+$", text):
                print("# " + text)
        if status == 77 and not checks:
            reason = (lines or ["no reason given"])[-1].lstrip("# ")
            self.say(True, "%s # SKIP %s" % (name, reason))
        elif bool(status % 77) != bool(failed):
            self.say(False, "%s: exit status %d" % (name, status))


def retell(text, tests):
    tap, lines, name = Tap(), [], None
    for raw in text.splitlines():
        text_line = raw.strip("\r")
        mark = re.search(r"=== (begin|end|kernel|done|too late) ?(.*)$", text_line)
        if not mark:
            lines.append(text_line)
        elif mark.group(1) == "kernel":
            print("# kernel " + mark.group(2))
        elif mark.group(1) == "begin":
            lines, name = [], mark.group(2)
        elif mark.group(1) == "end":
            status, name = mark.group(2).split(" ", 1)
            tap.program(name, lines, int(status))
            lines, name = [], None
        elif mark.group(1) == "done":
            tap.say(True, "all %d programs have run" % len(tests))
            return tap
    tap.say(False, "the machine did not get to the end" + (" of " + name if name else ""))
    for text_line in lines[-30:]:
        print("# " + text_line)
    return tap


def main():
    if os.uname().machine != "x86_64":
        skip_all("the machine inside is an x86-64")
    for tool in ("qemu-system-x86_64", "cpio", "busybox", "apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            skip_all(tool + " is not installed")
    tests = programs(sys.argv[1:])
    if not tests:
        skip_all("no test to run inside")
    image = kernel()
    with tempfile.TemporaryDirectory() as directory:
        text = boot(image, initramfs(directory, tests))
    tap = retell(text, tests)
    print("1..%d" % tap.count)
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
