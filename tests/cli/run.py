#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ufutex run: which program is started, how, and what is said when it is not served."""

import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from cli import PRELOAD, UFUTEX, check, command, end, refused, skip, ufutex  # noqa: E402

SHOW = "import os; print(os.environ.get('LD_PRELOAD'), os.environ.get('UFUTEX_REFS'), " \
       "os.environ.get('UFUTEX_SLOTS'), os.environ.get('UFUTEX_REPLACE'))"
NO_RSEQ = {"GLIBC_TUNABLES": "glibc.pthread.rseq=0"}
PYTHON = sys.executable


def served(*arguments, **more):
    """Runs; is the preload mapped in the program? Its status, and what it said."""
    script = "import sys; sys.exit(%r in open('/proc/self/maps').read())" % PRELOAD
    return ufutex("run", *arguments, "--", PYTHON, "-c", script, **more)[0] == 1


def environment():
    status, out, err = ufutex("run", "--", PYTHON, "-c", SHOW)
    check(out == "%s None None None\n" % PRELOAD and not err, "the preload is set", out + err)
    _, out, err = ufutex("run", "--refs", "fence", "--slots=32", "--replace", "at-zero",
                         PYTHON, "-c", SHOW)
    check(out == "%s fence 32 at-zero\n" % PRELOAD and not err, "options become variables",
          out + err)
    _, out, err = ufutex("run", PYTHON, "-c", SHOW, env={"LD_PRELOAD": "libc.so.6"})
    check(out == "%s:libc.so.6 None None None\n" % PRELOAD and not err,
          "an LD_PRELOAD that was there comes behind", out + err)
    check(served() and served("--refs", "membarrier", "--slots", "1024"),
          "the library is in the program")
    check(served(env={"UFUTEX_REFS": "fence"}), "UFUTEX_REFS is taken")
    for how in ("off", "auto", "5000"):
        _, out, err = ufutex("run", "--spin", how, PYTHON, "-c",
                             "import os; print(os.environ['UFUTEX_SPIN'])")
        check(out == how + "\n" and not err, "--spin %s becomes a variable" % how, out + err)
    status, out, err = ufutex("run", "--spin", "off", "sh", "-c",
                              "UFUTEX_SPIN=x exec true", env={})
    check(status == 2 and "UFUTEX_SPIN" in err, "the library refuses a bad one", out + err)


def statuses():
    check(ufutex("run", "--", "sh", "-c", "exit 7")[0] == 7, "the program's exit status")
    check(ufutex("run", "--", "sh", "-c", "kill -TERM $$")[0] == -15, "the program's signal")
    check(ufutex("run", "sh", "-c", "exit 8")[0] == 8, "-- may be left out")
    check(ufutex("run", "--", "echo", "--refs", "x")[1] == "--refs x\n",
          "options behind the program are the program's")
    child = subprocess.Popen([UFUTEX, "run", "--", "sh", "-c", "echo $$"],
                             stdout=subprocess.PIPE)
    said = child.communicate()[0].decode()
    check(said == "%d\n" % child.pid, "the program has the command's process id")
    check(ufutex("run", "sh", "-c", "echo $0")[1] == "sh\n", "argument 0 is as given")


def not_found(directory):
    refused(127, "no such program", "run", "--", "ufutex-no-such-program")
    refused(127, "no such program", "run", "--", directory + "/nothing")
    refused(127, "no such program", "run", "--", "")
    refused(127, "no such program", "run", "--", "/etc/passwd/x")
    plain = write(directory, "plain", "exit 0\n", 0o644)
    refused(126, "Permission denied", "run", "--", plain)
    refused(126, "Permission denied", "run", "--", directory)
    lost = write(directory, "lost", "#!%s/nothing\n" % directory)
    refused(127, "interpreter or loader does not exist", "run", "--", lost)


def path_search(directory):
    first, second = directory + "/first", directory + "/second"
    os.mkdir(first)
    os.mkdir(second)
    write(first, "tool", "#!/bin/sh\necho first\n", 0o644)
    write(second, "tool", "#!/bin/sh\necho second $0 $1\n")
    env = {"PATH": "%s/none:%s:%s" % (directory, first, second)}
    status, out, err = ufutex("run", "tool", "x", env=env)
    check(out == "second %s/tool x\n" % second, "PATH is searched past what cannot be executed",
          out + err)
    status, out, err = ufutex("run", "tool", env={"PATH": first})
    check(status == 126, "found, but not executable: 126", err)
    status, out, err = ufutex("run", "./tool", "y", cwd=second)
    check(out == "second ./tool y\n", "a path with a slash is taken as it is", out + err)
    status, out, err = ufutex("run", "tool", "z", cwd=second, env={"PATH": first + "::/bin"})
    check(out.endswith("z\n"), "an empty entry is the current directory", out + err)


def scripts(directory):
    script = write(directory, "script", "#!%s -E\n%s\n" % (PYTHON, SHOW))
    status, out, err = ufutex("run", script)
    check(out.startswith(PRELOAD) and not err, "a script's interpreter is served", out + err)
    status, out, err = ufutex("run", write(directory, "bare", "echo $LD_PRELOAD $1\n"), "x")
    check(out == PRELOAD + " x\n" and not err, "what is no program goes to the shell", out + err)
    script = write(directory, "chain", "#!%s\n" % script)
    check(ufutex("run", script)[0] == 0, "a script by a script")


def not_served(directory):
    """Each runs, without the preload, after one line."""
    def runs(name, program, says):
        status, out, err = ufutex("run", "--", program, "x")
        check(status == 0 and out == "None x\n" and err.count("\n") == 1 and says in err and
              program in err, "%s: not served, said so, runs" % name,
              "%d %r %r" % (status, out, err))

    source = write(directory, "show.c", """
        #include <stdio.h>
        #include <stdlib.h>
        int main(int argc, char **argv)
        {
            const char *list = getenv("LD_PRELOAD");
            printf("%s %s\\n", list ? list : "None", argc > 1 ? argv[1] : "");
            return 0;
        }""")
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        return skip("programs that are not served", "no compiler")

    def compiled(name, *options, by=compiler):
        program = os.path.join(directory, name)
        done = subprocess.run([by, "-o", program, source, *options],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return program if done.returncode == 0 else None

    dynamic = compiled("dynamic")
    check(ufutex("run", dynamic)[1:] == (PRELOAD + " \n", ""), "a dynamic program is served")
    static = compiled("static", "-static")
    runs("static", static, "linked statically")
    pie = compiled("static-pie", "-static-pie")
    if pie:
        runs("static-pie", pie, "linked statically")
    script = write(directory, "by-static", "#!%s x\n" % static)
    status, out, err = ufutex("run", script)
    check(status == 0 and out == "None x\n" and "linked statically" in err and static in err,
          "a script by a static program is not served", out + err)
    for name, mode in (("setuid", 0o4755), ("setgid", 0o2755)):
        program = os.path.join(directory, name)
        shutil.copy(dynamic, program)
        os.chmod(program, mode)
        runs(name, program, "is " + name)
    capabilities(directory, dynamic, runs)
    for name, options in (("32-bit", ("-m32",)), ):
        program = compiled(name, *options)
        if program:
            runs(name, program, "32-bit")
        else:
            skip("a 32-bit program", "no 32-bit C library")
    other_machines(directory, dynamic)
    musl = shutil.which("musl-gcc")
    if musl:
        runs("musl", compiled("musl", by=musl), "musl")
    else:
        skip("a musl program", "musl-gcc is not installed")


def capabilities(directory, dynamic, runs):
    """CAP_NET_RAW, permitted and effective, as setcap would write it."""
    program = os.path.join(directory, "capable")
    shutil.copy(dynamic, program)
    value = bytes([1, 0, 0, 2]) + (1 << 13).to_bytes(4, "little") + bytes(12)
    try:
        os.setxattr(program, "security.capability", value)
    except OSError as error:
        return skip("file capabilities", "they cannot be set: %s" % error)
    runs("file capabilities", program, "file capabilities")


def other_machines(directory, dynamic):
    """Only what is said: such a program may run by an emulator, or not."""
    for name, offset, byte, says in (("another class", 4, 1, "32-bit"),
                                     ("another machine", 18, 0x15, "another machine")):
        program = os.path.join(directory, "other")
        with open(dynamic, "rb") as f:
            image = bytearray(f.read())
        image[offset] = byte
        with open(program, "wb") as f:
            f.write(image)
        os.chmod(program, 0o755)
        err = ufutex("run", program)[2]
        check(says in err.splitlines()[0], "%s: said so" % name, err)
    with open(dynamic, "rb") as f:
        image = f.read()
    program = os.path.join(directory, "by-musl")
    with open(program, "wb") as f:
        f.write(image.replace(b"/lib64/ld-linux-x86-64", b"/lib64/ld-musl-x86-64x"))
    os.chmod(program, 0o755)
    if b"/lib64/ld-linux-x86-64" in image:
        status, _, err = ufutex("run", program)
        check(status == 127 and "musl" in err.splitlines()[0], "musl's loader: said so", err)


def impossible(directory):
    refused(2, "rseq", "run", "--refs", "rseq", "--", "true", env=NO_RSEQ)
    refused(2, "glibc.pthread.rseq=0", "run", "--", "true",
            env={**NO_RSEQ, "UFUTEX_REFS": "rseq"})
    check(served(env=NO_RSEQ), "without rseq another mode is taken")
    status, out, err = command("true", env={**NO_RSEQ, "UFUTEX_REFS": "rseq",
                                            "LD_PRELOAD": PRELOAD})
    check(status == 2 and err.count("\n") == 1 and "rseq" in err,
          "the library refuses a mode that cannot be had", err)
    status, out, err = command("true", env={"UFUTEX_SLOTS": "7", "LD_PRELOAD": PRELOAD})
    check(status == 2 and err.count("\n") == 1 and "UFUTEX_SLOTS" in err,
          "the library refuses bad slots", err)
    status, out, err = command("true", env={"UFUTEX_REPLACE": "x", "LD_PRELOAD": PRELOAD})
    check(status == 2 and err.count("\n") == 1 and "UFUTEX_REPLACE" in err,
          "the library refuses an unknown way of replacing", err)
    alone = shutil.copy(UFUTEX, directory + "/alone")
    status, out, err = command(alone, "run", "true")
    check(status == 2 and err.count("\n") == 1 and "libufutex-preload.so" in err,
          "without the library: status 2", err)
    blank = directory + "/a b"
    os.mkdir(blank)
    for name in (UFUTEX, PRELOAD):
        shutil.copy(name, blank)
    status, out, err = command(blank + "/ufutex", "run", "true")
    check(status == 2 and err.count("\n") == 1 and "blank" in err,
          "a directory that LD_PRELOAD cannot name: status 2", err)


def installed(directory):
    os.makedirs(directory + "/usr/bin")
    os.makedirs(directory + "/usr/lib/ufutex")
    shutil.copy(UFUTEX, directory + "/usr/bin")
    shutil.copy(PRELOAD, directory + "/usr/lib/ufutex")
    status, out, err = command(directory + "/usr/bin/ufutex", "run", PYTHON, "-c", SHOW)
    check("/usr/lib/ufutex/libufutex-preload.so" in out and not err,
          "installed, it finds the library in ../lib/ufutex", out + err)


def slots():
    script = "import ctypes; print(ctypes.CDLL(None).prctl(78, 2, 0, 0, 0))"
    _, out, err = ufutex("run", "--slots", "64", PYTHON, "-c", script)
    check(out == "64\n", "--slots 64: the program has 64", out + err)
    _, out, err = ufutex("run", "--slots", "64", "--", "sh", "-c",
                         "%s -c '%s'; true" % (PYTHON, script))
    check(out == "64\n", "its children too", out + err)


def write(directory, name, text, mode=0o755):
    path = os.path.join(directory, name)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


with tempfile.TemporaryDirectory() as temporary:
    for test in (environment, statuses, slots):
        test()
    for test in (not_found, path_search, scripts, not_served, impossible, installed):
        test(tempfile.mkdtemp(dir=temporary))
end()
