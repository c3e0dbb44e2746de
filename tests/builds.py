# SPDX-License-Identifier: MIT
"""The builds that tests run in: how each is made, and what of it is run."""

import json
import os
import shutil
import subprocess

MODES = ["rseq", "membarrier", "fence", "shared"]
WAYS = ["moving", "at-zero"]

# One more: what the library chooses where the C library registers no sequences.
UNREGISTERED = "unregistered"
SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Build:
    """
    directory: below the root; setup: arguments of meson; needs: the programs
    without which it is skipped; environment: of the tests; prefix: in front of
    a test's command; modes: which are run; quick: whether `make test` runs the
    tests tagged @slice in it; native: this machine's code, without additions;
    targets: what is built beside the tests; whole: `make test` runs all tests
    that are not long, sliced or not; plain: programs tagged native, too.
    """

    def __init__(self, directory, setup=(), needs=("cc",), environment=None,
                 prefix=(), modes=MODES, quick=True, native=False, targets=(), whole=False,
                 root=SOURCE, slice="slice", plain=False):
        self.name = directory
        self.setup = list(setup)
        self.needs = list(needs)
        self.environment = environment or {}
        self.prefix = list(prefix)
        self.modes = modes
        self.quick = quick
        self.native = native
        self.targets = list(targets)
        self.whole = whole
        self.slice = slice
        self.plain = plain
        self.root = root
        self.path = os.path.join(root, directory)

    def lacks(self):
        """The programs that it needs and that are not here."""
        return [program for program in self.needs if not shutil.which(program)]

    def configure(self):
        """Returns None, or why it failed."""
        if os.path.exists(os.path.join(self.path, "build.ninja")):
            return run(["ninja", "-C", self.path, "build.ninja"])
        return run(["meson", "setup", self.path, SOURCE] + self.setup)

    def compile(self, targets=()):
        """Returns None, or what the compiler said."""
        return run(["ninja", "-C", self.path] + list(targets))

    def tests(self):
        return introspect(self.path)

    def available(self):
        """Mode -> None, or why the machine cannot do it."""
        command = self.prefix + [os.path.join(self.path, "tests", "modes")]
        out = subprocess.run(command, env={**os.environ, **self.environment},
                             stdout=subprocess.PIPE, check=True, timeout=60)
        answers = {}
        for line in out.stdout.decode().splitlines():
            mode, answer, *reason = line.split(None, 2)
            answers[mode] = None if answer == "yes" else " ".join(reason)
        return answers


def introspect(path):
    """
    The tests of a build directory, each a dictionary; "tags" is ours, and
    programs in "cmd" are absolute.
    """
    out = subprocess.run(["meson", "introspect", "--tests", path], check=True,
                         stdout=subprocess.PIPE).stdout
    tests = json.loads(out)
    for test in tests:
        inside = [os.path.join(path, part) for part in test["cmd"]]
        test["cmd"] = [file if os.path.isfile(file) or "/" in part else part
                       for part, file in zip(test["cmd"], inside)]
        test["tags"] = {suite.split(":", 1)[-1] for suite in test["suite"]}
    return tests


def run(command):
    result = subprocess.run(command, cwd=SOURCE, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return result.stdout.decode(errors="replace") if result.returncode else None


def mode_environment(mode):
    if mode == UNREGISTERED:
        return {"GLIBC_TUNABLES": "glibc.pthread.rseq=0"}
    return {"UFUTEX_REFS": mode}


def without_random_addresses():
    """ThreadSanitizer's fixed layout dislikes wide address randomisation."""
    command = ["setarch", os.uname().machine, "-R"]
    if shutil.which("setarch") and run(command + ["true"]) is None:
        return command
    return []


def all_builds(root):
    library_only = ["-Dcommand=false", "-Dpreload=false"]
    return [
        Build("build", root=root, native=True, targets=["products"],
              modes=MODES + [UNREGISTERED]),
        Build("build-asan", root=root,
              setup=library_only + ["-Db_sanitize=address,undefined"],
              environment={"ASAN_OPTIONS": "detect_stack_use_after_return=1",
                           "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}),
        Build("build-tsan", root=root, modes=["fence"],
              setup=library_only + ["-Db_sanitize=thread"],
              environment={"TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1"},
              prefix=without_random_addresses()),
        Build("build-amalgamated", root=root, slice="smoke", plain=True,
              setup=library_only + ["-Damalgamated=true", "-Dwerror=true"]),
        Build("build-clang", root=root, needs=["clang"],
              setup=["--native-file", "cross/clang.ini", "-Dwerror=true"]),
        Build("build-aarch64", root=root, needs=["aarch64-linux-gnu-gcc", "qemu-aarch64"],
              setup=["--cross-file", "cross/aarch64.ini", "-Dcommand=false",
                     "-Dwerror=true"],
              prefix=["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"],
              modes=["membarrier", "fence", "shared"],
              targets=["products"]),
        Build("build-riscv64", root=root,
              needs=["riscv64-linux-gnu-gcc", "qemu-riscv64"],
              setup=library_only + ["--cross-file", "cross/riscv64.ini", "-Dwerror=true"],
              prefix=["qemu-riscv64", "-L", "/usr/riscv64-linux-gnu"],
              modes=["membarrier", "fence", "shared"]),
        # Registers no sequences, and knows no headers of the kernel's.
        Build("build-musl", root=root, needs=["musl-gcc"],
              setup=library_only + ["--native-file", "cross/musl.ini", "-Dwerror=true"],
              modes=["membarrier", "fence", "shared"]),
        # Another host than Linux, on Linux: no machine's own code is needed.
        Build("build-posix", root=root, whole=True, modes=["fence"],
              setup=library_only + ["-Dhost=posix", "-Dwerror=true"]),
        Build("build-posix-tsan", root=root, quick=False, modes=["fence"],
              setup=library_only + ["-Dhost=posix", "-Db_sanitize=thread"],
              environment={"TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1"},
              prefix=without_random_addresses()),
    ]
