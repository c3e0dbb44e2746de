# SPDX-License-Identifier: MIT
"""
Waiting and waking, and counted references, by libufutex: one file over ctypes.

    import ufutex

    domain = ufutex.Domain()
    word = ufutex.Word(0)

    # one thread                          # another one
    domain.wait(word, 0)                  word.value = 1
                                          domain.wake(word)

The library is what UFUTEX_LIBRARY names, else the system's libufutex.so.0. What
the calls do stands in its headers; errors are OSErrors, endings of waits are
results. The interpreter's lock is not held while a thread waits. A signal does
not end a wait: Python sees it (as KeyboardInterrupt) once the wait is over.
"""

import ctypes
import ctypes.util
import enum
import os
import time

__all__ = ["ALL", "Domain", "Ending", "Ref", "Word", "mode", "synchronize"]

ALL = 0xFFFFFFFF  # everybody; any mask


class Ending(enum.IntEnum):
    """How a wait ended."""
    WOKEN = 0
    MISMATCH = 1
    TIMED_OUT = 2
    INTERRUPTED = 3
    CANCELLED = 4
    FAULTED = 5


# ---- the structures of the headers -----------------------------------------

class _Timespec(ctypes.Structure):
    _fields_ = [("sec", ctypes.c_long), ("nsec", ctypes.c_long)]


class _Deadline(ctypes.Structure):
    _fields_ = [("at", _Timespec), ("clock", ctypes.c_int)]


class _Condition(ctypes.Structure):
    _fields_ = [("key", ctypes.c_uint64), ("word", ctypes.c_void_p),
                ("expected", ctypes.c_uint64), ("size", ctypes.c_uint32),
                ("mask", ctypes.c_uint32), ("check", ctypes.c_void_p),
                ("arg", ctypes.c_void_p), ("token", ctypes.c_uint64),
                ("owner", ctypes.c_void_p), ("priority", ctypes.c_uint32)]


class _Waker(ctypes.Structure):
    _fields_ = [("n", ctypes.c_uint32), ("mask", ctypes.c_uint32),
                ("token", ctypes.c_uint64), ("each", ctypes.c_void_p),
                ("last", ctypes.c_void_p), ("arg", ctypes.c_void_p)]


class _Options(ctypes.Structure):
    _fields_ = [("slots", ctypes.c_uint32), ("fixed", ctypes.c_bool),
                ("replace", ctypes.c_int), ("fifo", ctypes.c_bool),
                ("has_secret", ctypes.c_bool), ("secret", ctypes.c_uint64 * 2),
                ("allocator", ctypes.c_void_p)]


class _Counted(ctypes.Structure):
    _fields_ = [("cells", ctypes.c_size_t), ("counters", ctypes.c_void_p)]


class _Counters(ctypes.Structure):
    _fields_ = [("cells", ctypes.c_size_t), ("count", ctypes.c_int64)]


class _Call(ctypes.Structure):
    _fields_ = [("next", ctypes.c_void_p), ("fn", ctypes.c_void_p),
                ("cookie", ctypes.c_uint64), ("bytes", ctypes.c_size_t)]


class _Ref(ctypes.Structure):
    _fields_ = [("counted", _Counted), ("counters", _Counters),
                ("release", ctypes.c_void_p), ("dying", ctypes.c_uint32),
                ("lock", ctypes.c_uint32), ("begun", ctypes.c_uint64), ("call", _Call),
                ("confirm", ctypes.c_void_p), ("confirming", ctypes.c_uint32)]


# What a test compares with the headers.
STRUCTURES = {"ufx_deadline": _Deadline, "ufx_condition": _Condition, "ufx_waker": _Waker,
              "ufx_domain_options": _Options, "ufx_ref": _Ref}

_RELEASE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


# ---- its functions ---------------------------------------------------------

def _load():
    name = os.environ.get("UFUTEX_LIBRARY") or ctypes.util.find_library("ufutex")
    library = ctypes.CDLL(name or "libufutex.so.0")
    pointer, u32, u64 = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint64
    for function, result, *arguments in (
            ("domain_create", ctypes.c_int, pointer, pointer),
            ("domain_destroy", ctypes.c_int, pointer),
            ("domain_cancel", ctypes.c_long, pointer),
            ("domain_purge", ctypes.c_long, pointer, u64, u64),
            ("domain_wait", ctypes.c_int, pointer, pointer, pointer, pointer),
            ("domain_wake", ctypes.c_long, pointer, u64, u32, u32),
            ("domain_wake_by", ctypes.c_long, pointer, u64, pointer),
            ("domain_set_slots", ctypes.c_int, pointer, u32),
            ("domain_get_slots", u32, pointer),
            ("grace_synchronize", ctypes.c_int),
            ("mode_name", ctypes.c_char_p, ctypes.c_int),
            ("caps", ctypes.c_int, pointer),
            ("ref_init", ctypes.c_int, pointer, _RELEASE),
            ("ref_exit", None, pointer),
            ("ref_get", None, pointer),
            ("ref_put", None, pointer),
            ("ref_kill", ctypes.c_int, pointer),
            ("ref_tryget_live", ctypes.c_bool, pointer)):
        f = getattr(library, "ufx_" + function)
        f.restype, f.argtypes = result, arguments
    return library


_library = _load()


def _check(result):
    if result < 0:
        raise OSError(-result, os.strerror(-result))
    return result


def mode():
    """How references are counted here: rseq, membarrier, fence, shared."""
    caps = (ctypes.c_int64 * 64)()  # begins with the mode, and is smaller
    _check(_library.ufx_caps(caps))
    return _library.ufx_mode_name(ctypes.cast(caps, ctypes.POINTER(ctypes.c_int))[0]).decode()


def synchronize():
    """Returns after a grace period of the library's readers."""
    _check(_library.ufx_grace_synchronize())


# ---- words -----------------------------------------------------------------

class Word:
    """A number in memory of its own, of 1, 2, 4 or 8 bytes, without a sign."""

    _TYPES = {1: ctypes.c_uint8, 2: ctypes.c_uint16, 4: ctypes.c_uint32, 8: ctypes.c_uint64}

    def __init__(self, value=0, size=4):
        if size not in self._TYPES:
            raise ValueError("a word has 1, 2, 4 or 8 bytes")
        self.memory = self._TYPES[size](value)

    @property
    def value(self):
        return self.memory.value

    @value.setter
    def value(self, value):
        self.memory.value = value


def _memory(word):
    """(address, size) of a Word, or of a ctypes number."""
    memory = getattr(word, "memory", word)
    return ctypes.addressof(memory), ctypes.sizeof(memory)


def _deadline(seconds):
    if seconds is None:
        return None
    ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC) + max(0, int(seconds * 1e9))
    ns = min(ns, (1 << 63) - 1)
    return _Deadline(_Timespec(ns // 10**9, ns % 10**9), time.CLOCK_MONOTONIC)


# ---- domains ---------------------------------------------------------------

class Domain:
    """Words of one domain: a wake elsewhere never finds its waiters."""

    def __init__(self, slots=0, fixed=False, fifo=False):
        options = _Options(slots=slots, fixed=fixed, fifo=fifo)
        self._domain = ctypes.c_void_p()
        _check(_library.ufx_domain_create(ctypes.byref(self._domain), ctypes.byref(options)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _open(self):
        if not self._domain:
            raise ValueError("the domain is closed")
        return self._domain

    def close(self):
        """Frees it. OSError (EBUSY) if somebody waits: cancel, and join them."""
        if self._domain:
            _check(_library.ufx_domain_destroy(self._domain))
            self._domain = None

    def wait(self, word, expected, timeout=None, mask=0):
        """
        Waits while @word holds @expected, @timeout seconds at most. Returns
        (ending, answer): the answer is a waker's token.
        """
        address, size = _memory(word)
        deadline, answer = _deadline(timeout), ctypes.c_uint64()
        condition = _Condition(key=address, word=address, expected=expected, size=size,
                               mask=mask)
        ending = _check(_library.ufx_domain_wait(
            self._open(), ctypes.byref(condition), deadline and ctypes.byref(deadline),
            ctypes.byref(answer)))
        return Ending(ending), answer.value

    def wake(self, word, n=1, mask=ALL, token=0):
        """Wakes up to @n who wait on @word; returns how many."""
        address, _ = _memory(word)
        if not token:
            return _check(_library.ufx_domain_wake(self._open(), address, n, mask))
        waker = _Waker(n=n, mask=mask, token=token)
        return _check(_library.ufx_domain_wake_by(self._open(), address, ctypes.byref(waker)))

    def purge(self, word):
        """Ends the waits on @word, whose memory goes; returns how many."""
        return _check(_library.ufx_domain_purge(self._open(), *_memory(word)))

    def cancel(self):
        """Ends all waits, and each that comes; returns how many."""
        return _check(_library.ufx_domain_cancel(self._open()))

    @property
    def slots(self):
        return _library.ufx_domain_get_slots(self._open())

    @slots.setter
    def slots(self, slots):
        _check(_library.ufx_domain_set_slots(self._open(), slots))


# ---- references ------------------------------------------------------------

class Ref:
    """
    A count that C threads share with Python, made with one reference; @release,
    without arguments, is called by whoever puts the last one. It must not be put
    in a signal handler of C then. handle is the struct ufx_ref's address.
    """

    def __init__(self, release):
        self._ref, self._user = _Ref(), release
        self._release = _RELEASE(self._at_zero)
        self._alive = True
        _check(_library.ufx_ref_init(ctypes.byref(self._ref), self._release))

    def _at_zero(self, _):
        self._alive = False
        _library.ufx_ref_exit(ctypes.byref(self._ref))
        self._user()

    def _counted(self):
        if not self._alive:
            raise ValueError("the count has come to zero")
        return ctypes.byref(self._ref)

    @property
    def handle(self):
        return ctypes.addressof(self._ref)

    def get(self):
        _library.ufx_ref_get(self._counted())

    def tryget(self):
        """False once it is killed."""
        return self._alive and _library.ufx_ref_tryget_live(ctypes.byref(self._ref))

    def put(self):
        _library.ufx_ref_put(self._counted())

    def kill(self):
        """Gives the first reference back; from now on zero is found."""
        _check(_library.ufx_ref_kill(self._counted()))

    def __enter__(self):
        self.get()
        return self

    def __exit__(self, *_):
        self.put()
