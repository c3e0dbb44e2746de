# SPDX-License-Identifier: MIT
"""
The programs: for each what it needs, how it is run, and how its result is judged.

A row is a function of a Place. It returns its result in a few words, which must
be the same on both sides, or raises Wrong. What its program does is fixed, but
for rows with fixed=False, and `place.scale` times as much if time is measured.
"""

import hashlib
import os
import random
import re

import servers
import trixie
from place import Skip, Wrong, last_words
from row import ROWS, SOURCES, Row, compiled, found, missing, row, times  # noqa: F401

# ---- servers

REDIS = "redis-server redis-benchmark:redis-tools"


def redis_load(place, threads, count):
    with servers.redis(place, threads) as where:
        with place.timed():
            place.tool(["redis-benchmark"] + where + [
                "-c", "50", "-n", str(count), "-t", "get,set", "-q"])
        calls = servers.redis_says(place, where, "commandstats")
        stats = servers.redis_says(place, where, "stats")
    done = [found(r"calls=(\d+)", calls.get("cmdstat_" + c, ""), c) for c in ("set", "get")]
    if done != [str(count)] * 2 or int(stats["io_threaded_writes_processed"]) < 1:
        raise Wrong("redis: %s sets and gets; %s" % (done, stats))
    return "%s sets, %s gets, threaded" % tuple(done)


@row("redis", "io-threads 2, 50 clients, 20,000 sets, gets", REDIS, quick=True, scale=5)
def redis(place):
    return redis_load(place, 2, 20000 * place.scale)


@row("redis io-threads 4", "50 clients, 2,000 sets, gets", REDIS)
def redis_four(place):
    return redis_load(place, 4, 2000)


@row("memcached", "4 threads, memcaslap and memcslap", "memcached memcaslap:libmemcached-tools",
     scale=3)
def memcached(place):
    with servers.memcached(place) as where:
        with place.timed():
            said = place.tool(["memcaslap", "-s", where, "-x", str(60000 * place.scale),
                               "-T", "2", "-c", "16"]).out
        more = place.tool(["memcslap", "--servers=" + where, "--concurrency=8",
                           "--execute-number=2000", "--test=set"])
    found(r"(Time total|seconds to load)", more.out + more.err, "memcslap")
    misses = found(r"get_misses: (\d+)", said, "memcaslap")
    if misses != "0":
        raise Wrong("memcaslap: get_misses " + misses)
    return "get %s, set %s, misses 0" % tuple(
        found(r"cmd_%s: (\d+)" % c, said, "memcaslap") for c in ("get", "set"))


@row("mariadb", "sysbench OLTP, 4 threads, 2,000 transactions",
     "/usr/sbin/mariadbd:mariadb-server sysbench", scale=2)
def mariadb(place):
    with servers.mariadb(place) as path:
        servers.sql(place, path, "create database sbtest")
        bench = ["sysbench", "oltp_read_write", "--db-driver=mysql", "--mysql-socket=" + path,
                 "--mysql-user=root", "--mysql-db=sbtest", "--tables=2", "--table-size=5000"]
        place.tool(bench + ["prepare"])
        with place.timed():
            said = place.tool(bench + ["--threads=4", "--events=%d" % (2000 * place.scale),
                                       "--time=0", "--rand-seed=1", "run"]).out
        tables = servers.sql(place, path, "use sbtest", "check table sbtest1, sbtest2",
                             "select count(*) from sbtest1", "select count(*) from sbtest2")
    if [t[-1] for t in tables] != ["OK", "OK", "5000", "5000"]:
        raise Wrong("mariadb: tables are %s" % tables)
    return found(r"transactions:\s+(\d+)", said, "sysbench") + " transactions, tables right"


BIG = random.Random(1).randbytes(1 << 20)
NGINX = "nginx"


@row("nginx", "aio threads, 320 times 1 MB", NGINX, quick=True)
def nginx(place):
    place.write("html/big", BIG)
    with servers.nginx(place) as port:
        count = servers.fetch(port, "/big", BIG)
        tasks = servers.nginx_tasks(place)
    if tasks != 5:
        raise Wrong("nginx has %d threads, not 5: no thread pool?" % tasks)
    return "%d answers right" % count


@row("nginx, master", "the same with master and two workers", NGINX)
def nginx_master(place):
    place.write("html/big", BIG)
    with servers.nginx(place, workers=2) as port:
        return "%d answers right" % servers.fetch(port, "/big", BIG)


@row("nginx, wrk", "aio threads, 16 connections, 2 s", NGINX + " wrk", fixed=False, scale=1)
def nginx_wrk(place):
    place.write("html/big", BIG)
    with servers.nginx(place) as port:
        said = place.tool(["wrk", "-t1", "-c16", "-d2s", "http://127.0.0.1:%d/big" % port]).out
    if re.search("Socket errors|Non-2xx", said):
        raise Wrong("wrk: " + said)
    place.rate = float(found(r"Requests/sec:\s+([\d.]+)", said, "wrk"))
    return "no errors"


# ---- languages

def python_tests(place, *arguments, limit=120):
    said = place.program(["/usr/bin/python3", "-m", "test"] + list(arguments), limit=limit)
    return found(r"Tests result: (\w+)", said.out, "python3 -m test")


PYTHON = "/usr/lib/python3.11/test/test_threading.py:libpython3.11-testsuite"


@row("python, some", "its tests of locks, conditions", PYTHON, quick=True)
def python_some(place):
    return python_tests(place, "test_threading", "-m", "*.LockTests.*", "-m",
                        "*.CRLockTests.*", "-m", "*.ConditionTests.*")


@row("python", "its tests of threads, queues, signals", PYTHON)
def python(place):
    return python_tests(place, "test_threading", "test_queue", "test_threading_local",
                        "test_threadsignals")


@row("python futures", "its test of ThreadPoolExecutor", PYTHON)
def python_futures(place):
    return python_tests(place, "test_concurrent_futures", "-m", "ThreadPool*", limit=200)


@row("node", "4 workers on a lock, 16 hashes in its pool", "node:nodejs")
def node(place):
    said = place.program(["node", os.path.join(SOURCES, "w.js")]).out.split()
    if said[:1] != ["count=80000"] or len(said) != 2:
        raise Wrong("node: %s" % said)
    return "count=80000, hashes %s" % hashlib.sha256(said[1].encode()).hexdigest()[:8]


@row("java", "monitor, ReentrantLock, 20,000 hand-offs", "java:default-jre-headless", scale=5)
def java(place):
    count = 20000 * place.scale
    said = place.program(["java", os.path.join(SOURCES, "Contend.java"), times(place)]).out
    if said != "sum=%d 800000 800000\n" % (count * (count - 1) // 2):
        raise Wrong("java: " + said)
    return said.split()[0]


@row("OpenMP", "loops, critical, barrier, lock", "gcc", quick=True, scale=10)
def openmp(place):
    program = compiled(place, "omp.c", "-fopenmp")
    said = place.program([program, times(place)], env={"OMP_WAIT_POLICY": "passive"}).out
    if said != "%.1f %d\n" % (299850000.0 * place.scale, 81200 * place.scale):
        raise Wrong("OpenMP: " + said)
    return said.strip()


@row("TBB", "mutex in parallel_for, bounded queue", "g++ /usr/include/tbb/tbb.h:libtbb-dev",
     scale=10)
def tbb(place):
    said = place.program([compiled(place, "tbb.cc", "-std=c++17", "-ltbb", "-pthread"),
                          times(place)]).out
    sums = [n * (n - 1) // 2 for n in (200000 * place.scale, 20000 * place.scale)]
    if said != "%d %d\n" % tuple(sums):
        raise Wrong("TBB: " + said)
    return said.strip()


@row("C++20", "atomic wait, semaphore, latch, barrier", "g++", quick=True, scale=5,
     served=False, passed=True)
def c20(place):
    said = place.program([compiled(place, "c20.cc", "-std=c++20", "-pthread"),
                          times(place)]).out
    if said != "%d %d %d\n" % (40000 * place.scale, 20000 * place.scale, 8000 * place.scale):
        raise Wrong("C++20: " + said)
    return said.strip()


# ---- compression and media

def input_file(place):
    """26 MB that compress somewhat, always the same."""
    path = os.path.join(place.shared, "input")
    if not os.path.exists(path):
        rng = random.Random(1)
        pool = [rng.randbytes(rng.randrange(8, 64)) for _ in range(20000)]
        data = b"".join(rng.choices(pool, k=760000))
        with open(path + ".new", "wb") as f:
            f.write(data[:26000000])
        os.replace(path + ".new", path)
    return path


def compresses(place, *command):
    said = place.program(list(command) + [input_file(place)] * place.scale)
    return "sha256 " + hashlib.sha256(said.bytes).hexdigest()[:12]


@row("zstd", "-T4, 26 MB", "zstd", quick=True, scale=5)
def zstd(place):
    return compresses(place, "zstd", "-T4", "-q", "-c")


@row("pigz", "-p 4, 26 MB", "pigz", quick=True, scale=2)
def pigz(place):
    return compresses(place, "pigz", "-p", "4", "-n", "-c")


@row("pbzip2", "-p4, 26 MB", "pbzip2", scale=1)
def pbzip2(place):
    return compresses(place, "pbzip2", "-p4", "-c")


@row("xz", "-T4 in blocks of 4 MB, 26 MB", "xz:xz-utils", scale=1)
def xz(place):
    return compresses(place, "xz", "-T4", "-1", "--block-size=4MiB", "-c")


FFMPEG = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y"]


@row("ffmpeg", "libx264, 4 threads, filters 2 threads", "ffmpeg", scale=3)
def ffmpeg(place):
    clip = place.path("clip.mkv")
    place.tool(FFMPEG + [
        "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=%d" % (4 * place.scale),
        "-f", "lavfi", "-i", "sine=frequency=440:duration=%d" % (4 * place.scale),
        "-c:v", "ffv1", "-c:a", "pcm_s16le", clip])
    said = place.program(FFMPEG + [
        "-i", clip, "-threads", "4", "-filter_threads", "2", "-c:v", "libx264", "-preset",
        "veryfast", "-crf", "28", "-an", "-f", "md5", "-"]).out
    return "MD5 " + found(r"MD5=(\w{12})", said, "ffmpeg")


# ---- what presses locks

def hammer(place, what, threads, count, unit):
    program = compiled(place, "hammer.c", "-pthread")
    said = place.program([program, what, str(threads), str(count)]).out
    if said != "%d\n" % (count * unit):
        raise Wrong("hammer: " + said)
    return said.strip()


@row("mutex, 2 threads", "glibc's, hammered, 4 million locks", "gcc", scale=4)
def mutex_by_two(place):
    return hammer(place, "mutex", 2, 4 * place.scale, 1000000)


@row("mutex, 4 threads", "the same", "gcc", scale=4)
def mutex_by_four(place):
    return hammer(place, "mutex", 4, 4 * place.scale, 1000000)


@row("cond hand-off", "glibc's, 10,000 from CPU to CPU", "gcc", scale=2)
def cond_hand_off(place):
    return hammer(place, "cond", 2, 10 * place.scale, 1000)


@row("sysbench threads", "4 threads, 2 locks, 1,500 events", "sysbench", quick=True, scale=5)
def sysbench_threads(place):
    said = place.program(["sysbench", "threads", "--threads=4", "--time=0",
                          "--events=%d" % (1500 * place.scale), "--thread-locks=2",
                          "--thread-yields=100", "run"]).out
    return found(r"total number of events:\s+(\d+)", said, "sysbench") + " events"


@row("sysbench mutex", "4 threads, 1 mutex, 4 million locks", "sysbench", quick=True, scale=5)
def sysbench_mutex(place):
    said = place.program(["sysbench", "mutex", "--threads=4", "--mutex-num=1",
                          "--mutex-locks=%d" % (1000000 * place.scale), "--mutex-loops=10",
                          "run"]).out
    return found(r"total number of events:\s+(\d+)", said, "sysbench") + " threads done"


# The work is for all instances together. One that is kept from starting until it
# is done (the mutex ones have real-time threads) ends as if it lacked something.
LATE = 3, "could not create any pthreads"


def stress(place, what, count, seconds=100):
    said = place.program(["stress-ng", "--" + what, "2", "--%s-ops" % what,
                          str(count * place.scale), "--timeout", str(seconds), "--verify",
                          "--metrics-brief"], allow=LATE)
    words = said.out + said.err
    done = int(found(r"metrc: \S+ %s +(\d+)" % what, words, "stress-ng"))
    if done < count * place.scale:
        raise Wrong("stress-ng: only %d done in time" % done)
    return found("(successful run)", words, "stress-ng")


@row("stress-ng futex", "2 pairs of processes, shared words", "stress-ng", scale=1,
     served=False, passed=True)
def stress_futex(place):
    return stress(place, "futex", 200000)


# Real-time threads: it may be that none meets another.
@row("stress-ng mutex", "2 instances, 500,000", "stress-ng", quick=True, scale=2,
     served=None)
def stress_mutex(place):
    return stress(place, "mutex", 500000)


# Its threads stop when the work is done; it waits for the end of the time.
@row("stress-ng sem", "2 instances, 50,000", "stress-ng", served=None)
def stress_sem(place):
    return stress(place, "sem", 50000, 4)


@row("stress-ng pthread", "2 instances, 10,000", "stress-ng", scale=1, passed=True)
def stress_pthread(place):
    return stress(place, "pthread", 10000)


def real_time(place, program):
    if os.geteuid():
        raise Skip("real-time threads need root")
    said = place.program([program, "-a", "-t", "2", "-p", "90", "-i", "100", "-l", "2000",
                          "-q"]).out
    latencies = re.findall(r"Avg\s+(\d+)", said)
    if not latencies:
        raise Wrong("%s: %s" % (program, said[-200:]))
    return "2,000 loops"


@row("ptsematest", "pairs of real-time threads, 2,000 loops", "ptsematest:rt-tests")
def ptsematest(place):
    return real_time(place, "ptsematest")


@row("sigwaittest", "the same by signals: no futex", "sigwaittest:rt-tests", served=False)
def sigwaittest(place):
    return real_time(place, "sigwaittest")


def perf_bench(place, *arguments):
    said = place.program(["perf", "bench", "-f", "simple", "futex"] + list(arguments))
    return found(r"([\d.]+)", said.out, "perf bench") and "measured"


@row("perf bench hash", "2 threads, 2 s", "perf:linux-perf", fixed=False)
def perf_hash(place):
    return perf_bench(place, "hash", "-t", "2", "-r", "2", "-f", "1024")


@row("perf bench wake", "64 threads", "perf:linux-perf")
def perf_wake(place):
    return perf_bench(place, "wake", "-t", "64")


@row("perf bench wake-parallel", "64 threads, 2 wakers", "perf:linux-perf")
def perf_wake_parallel(place):
    return perf_bench(place, "wake-parallel", "-t", "64", "-w", "2")


@row("perf bench requeue", "64 threads", "perf:linux-perf")
def perf_requeue(place):
    return perf_bench(place, "requeue", "-t", "64")


@row("perf bench lock-pi", "2 threads, 2 s, priority inheritance", "perf:linux-perf",
     fixed=False, served=None, passed=True)
def perf_lock_pi(place):
    return perf_bench(place, "lock-pi", "-t", "2", "-r", "2")


# ---- cancelling, many threads, other tools around

def cancel_says(text):
    if "cleanup" not in text or "canceled=1" not in text:
        raise Wrong("cancel: " + text[-300:])
    return "cleanup, canceled=1"


@row("cancel", "a thread in a condition variable", "gcc", quick=True)
def cancel(place):
    return cancel_says(place.program([compiled(place, "cancel.c", "-pthread")]).out)


@row("cancel, valgrind", "the same under valgrind", "gcc valgrind", served=None)
def cancel_valgrind(place):
    return cancel_says(place.program([
        "valgrind", "-q", "--error-exitcode=9", compiled(place, "cancel.c", "-pthread")]).out)


def debugged(place, program, first=()):
    """gdb stops it before it cancels, and lists all threads' frames."""
    return ["gdb", "-nx", "-batch"] + list(first) + [
        "-ex", "set debuginfod enabled off", "-ex", "break pthread_cancel", "-ex", "run",
        "-ex", "thread apply all bt", "-ex", "continue", program]


def gdb_says(place, said):
    if not place.side.ufutex and "Operation not permitted" in said.err:
        raise Skip("gdb may not trace here")
    for words in ("exited normally", "pthread_cond_wait", "pthread_cancel"):
        if words not in said.out:
            raise Wrong("gdb: no '%s' in: %s" % (words, last_words(said.out + said.err)))
    return cancel_says(said.out) + ", frames"


@row("cancel, gdb", "gdb and the program in it", "gcc gdb", quick=True)
def cancel_gdb(place):
    return gdb_says(place, place.program(debugged(
        place, compiled(place, "cancel.c", "-pthread"))))


@row("cancel, gdb wrapper", "the program alone: exec-wrapper", "gcc gdb", quick=True,
     served=None)
def cancel_gdb_wrapper(place):
    wrapper = place.side.ufutex and ["-ex", "set exec-wrapper %s run %s --" % (
        place.side.ufutex, " ".join(place.side.options))]
    return gdb_says(place, place.tool(debugged(
        place, compiled(place, "cancel.c", "-pthread"), wrapper or ())))


@row("10,000 threads", "stacks of 16 KB, one condition variable", "gcc", quick=True)
def threads(place):
    program = compiled(place, "threads.c", "-pthread")
    if place.execute([program, "10000"], "threads", 60, None).err:
        raise Skip("the machine allows no 10,000 threads")
    said = place.program([program, "10000"]).out
    if said != "10000\n":
        raise Wrong("threads: " + said)
    return "10000 woken"


@row("locks", "each kind of glibc's, 4 threads", "gcc")
def locks(place):
    return locks_say(place.program([compiled(place, "locks.c", "-pthread")]).out)


@row("locks, trixie", "the same over Debian 13's glibc", "gcc mmdebstrap chroot:coreutils")
def locks_trixie(place):
    with trixie.chroot(place) as inside:
        program = inside.bring(compiled(place, "locks.c", "-pthread"))
        return locks_say(place.program([program], inside=inside, env=inside.env).out, "2.41")


@row("cancels", "5,000 threads cancelled, asleep or about to be", "gcc")
def cancels(place):
    return cancels_say(place.program([compiled(place, "cancels.c", "-pthread")]).out)


@row("cancels, trixie", "the same over Debian 13's glibc", "gcc mmdebstrap chroot:coreutils")
def cancels_trixie(place):
    with trixie.chroot(place) as inside:
        program = inside.bring(compiled(place, "cancels.c", "-pthread"))
        return cancels_say(place.program([program], inside=inside, env=inside.env).out, "2.41")


def cancels_say(text, version=""):
    wanted = "5000 rounds, cancelled or posted"
    if not re.match(r"glibc %s[\d.]*: %s$" % (re.escape(version), wanted), text.strip()):
        raise Wrong("cancels: " + text)
    return text.split(":")[0] + ", none missed"


def locks_say(text, version=""):
    wanted = "mutex 80000 cond 8000 rwlock 10000 torn 0 sem 80000 barrier 8000/2000 cancelled 2"
    if not re.match(r"glibc %s[\d.]*: %s$" % (re.escape(version), wanted), text.strip()):
        raise Wrong("locks: " + text)
    return text.split(":")[0] + ", sums right"
