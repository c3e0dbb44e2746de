#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Builds the fuzzer with clang and runs it: fuzz.py [--seconds N] [--seed N]

It starts from the kept inputs in cases/. What it finds is made small, written
to BUILD/fuzz/found-*.hex and shown as a sequence of calls with both answers;
what was not a mistake of the fuzzer belongs into cases/, with a good name.
"""

import argparse
import concurrent.futures
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))
BUILD = os.path.abspath(os.environ.get("UFUTEX_BUILD", os.path.join(ROOT, "build")))
OUT = os.path.join(BUILD, "fuzz")
TARGET = os.path.join(OUT, "target")

LAYERS = ["host", "grace", "ref", "table", "futex", "abi"]
OWN = ["compare", "decode", "memory", "show", "sides", "target"]
FLAGS = ["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-I" + os.path.join(ROOT, "include"),
         "-I" + os.path.join(ROOT, "src"), "-ftls-model=initial-exec",
         "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
# One thread only, as PR_FUTEX_HASH counts them: no watcher of memory.
OPTIONS = ["-rss_limit_mb=0", "-timeout=10", "-max_len=256"]
SHOWN = 40  # lines of what it says


def run(command, **more):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **more)


def text_of(result):
    return result.stdout.decode(errors="replace")


def skip_all(reason):
    print("1..0 # SKIP " + reason)
    sys.exit(77)


def comment(text):
    lines = [line for line in text.splitlines()
             if line.strip() and not line.startswith("INFO: ")]
    if len(lines) > SHOWN:
        lines = lines[:SHOWN // 2] + ["..."] + lines[-SHOWN // 2:]
    for line in lines:
        print("# " + line.lstrip("# "))


# ---- building --------------------------------------------------------------

def look_for_fuzzer():
    if not shutil.which("clang"):
        skip_all("no clang")
    with tempfile.TemporaryDirectory() as directory:
        source = os.path.join(directory, "empty.c")
        with open(source, "w") as f:
            f.write("#include <stddef.h>\n#include <stdint.h>\n"
                    "int LLVMFuzzerTestOneInput(const uint8_t *, size_t);\n"
                    "int LLVMFuzzerTestOneInput(const uint8_t *b, size_t n)\n"
                    "{ (void)b, (void)n; return 0; }\n")
        result = run(["clang", "-fsanitize=fuzzer,address,undefined", source,
                      "-o", os.path.join(directory, "empty")])
    if result.returncode:
        skip_all("clang has no libFuzzer (Debian: libclang-rt-14-dev)")


def compile_one(source):
    """Only the engine's branches steer the fuzzer. Returns (object, what was said)."""
    own = source.startswith(HERE)
    name = os.path.relpath(source, ROOT).replace(os.sep, "-")[:-2] + ".o"
    more = ["-D_GNU_SOURCE"] if own else ["-fsanitize=fuzzer-no-link"]
    result = run(["clang"] + FLAGS + more + ["-c", source, "-o", os.path.join(OUT, name)])
    return os.path.join(OUT, name), text_of(result) if result.returncode else ""


def build():
    """Returns what the compiler said against it, or nothing."""
    os.makedirs(OUT, exist_ok=True)
    sources = [f for layer in LAYERS
               for f in sorted(glob.glob(os.path.join(ROOT, "src", layer, "*.c")))]
    sources += [os.path.join(HERE, name + ".c") for name in OWN]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(compile_one, sources))
    errors = "".join(said for _, said in results)
    if errors:
        return errors
    result = run(["clang"] + FLAGS + ["-fsanitize=fuzzer"] + [o for o, _ in results] +
                 ["-o", TARGET, "-lpthread"])
    return text_of(result) if result.returncode else ""


# ---- inputs ----------------------------------------------------------------

def read_hex(path):
    with open(path) as f:
        return bytes.fromhex("".join(re.sub("#.*", "", line) for line in f))


def write_seeds(directory):
    paths = sorted(glob.glob(os.path.join(HERE, "cases", "*.hex")))
    for path in paths:
        name = os.path.splitext(os.path.basename(path))[0]
        with open(os.path.join(directory, name), "wb") as f:
            f.write(read_hex(path))
    return len(paths)


def shown(path):
    """The calls of an input, with both answers."""
    result = run([TARGET, "-rss_limit_mb=0", "-timeout=10", path],
                 env={**os.environ, "FUZZ_SHOW": "1"})
    return result.returncode != 0, text_of(result)


def smaller(path):
    """A shorter input that fails too, or the same."""
    small = path + ".small"
    run([TARGET, "-minimize_crash=1", "-max_total_time=20", "-exact_artifact_path=" + small,
         path] + OPTIONS)
    return small if os.path.exists(small) and shown(small)[0] else path


def keep(path):
    """Writes the find where it can be taken from; shows it."""
    path = smaller(path)
    with open(path, "rb") as f:
        data = f.read()
    again, text = shown(path)
    calls = [line for line in text.splitlines() if line.startswith("#   ")]
    kept = os.path.join(OUT, "found-%s.hex" % hashlib.sha1(data).hexdigest()[:8])
    with open(kept, "w") as f:
        f.write("\n".join(calls + [data.hex(" ", 1), ""]))
    print("# found, kept as %s%s:" % (kept, "" if again else "; alone it does not fail"))
    comment("\n".join(calls) if again and calls and "differs" in calls[-1] else text)


# ---- running ---------------------------------------------------------------

def fuzz(seed, seconds, directory):
    """Returns (how many runs, the path of the find or None, what it said)."""
    corpus = os.path.join(directory, "corpus")
    os.mkdir(corpus)
    print("# seed %d, %d s, %d kept inputs" % (seed, seconds, write_seeds(corpus)))
    sys.stdout.flush()
    result = run([TARGET, "-seed=%d" % seed, "-max_total_time=%d" % seconds,
                  "-artifact_prefix=" + os.path.join(directory, "find-"),
                  "-print_final_stats=1", corpus] + OPTIONS)
    text = text_of(result)
    finds = glob.glob(os.path.join(directory, "find-*"))
    runs = re.search(r"number_of_executed_units: (\d+)", text)
    if result.returncode == 0 and not finds:
        return int(runs.group(1)) if runs else 0, None, text
    return 0, finds[0] if finds else "", text


def main():
    parser = argparse.ArgumentParser(description="random calls on kernel and engine")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=20250710)
    args = parser.parse_args()
    look_for_fuzzer()
    errors = build()
    print("%sok 1 - the fuzzer is built" % ("not " if errors else ""))
    if errors:
        comment(errors)
        print("1..1")
        return 1
    with tempfile.TemporaryDirectory() as directory:
        runs, find, text = fuzz(args.seed, args.seconds, directory)
        good = find is None and runs > 0
        print("%sok 2 - the kernel and the engine agree" % ("" if good else "not "))
        if good:
            print("# %d inputs" % runs)
        elif find:
            keep(find)
        else:
            comment(text)
    print("1..2")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
