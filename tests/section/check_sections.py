#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Checks the restartable sequences in what was built, by disassembly:
check_sections.py [FILE...]; one TAP line a sequence.

The kernel trusts the descriptors in __rseq_cs. A wrong one is a crash at the
next preemption (signature, abort address), or a count that is lost or added
twice (a store before the commit, a call, a commit that is not the last
instruction): nothing that a run of the program would show reliably.
"""

import os
import re
import shutil
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
import elf  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
INCLUDE = os.path.join(HERE, "..", "..", "include")
INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\t(.*\S)")
COMMENT = re.compile(r"\s+(#|//) .*$")
FUNCTION = re.compile(r"^([0-9a-f]+) <(.+)>:$")
PREFIXES = {"lock", "rep", "repz", "repnz", "cs", "ds", "notrack", "data16"}


class Instruction:
    def __init__(self, address, text):
        words = text.split(None, 1)
        self.address, self.text = address, text
        self.prefix = ""
        while len(words) == 2 and words[0] in PREFIXES:
            self.prefix = words[0]
            words = words[1].split(None, 1)
        self.name = words[0]
        self.operands = words[1].strip() if len(words) == 2 else ""


class X86:
    """AT&T syntax: the last operand is the destination."""

    objdump = "objdump"
    signature = bytes.fromhex("0fb93d53300553")
    # These have a memory operand and do not write it.
    readers = re.compile(r"^(cmp[bwlq]?$|test|lea|nop|jmp|push|prefetch|bt[wlq]?$)")
    forbidden = re.compile(r"^(call|syscall|sysenter|int|ret|iret|xbegin)")

    @staticmethod
    def jump_target(i):
        m = re.match(r"^([0-9a-f]+)\b", i.operands)
        return int(m.group(1), 16) if i.name.startswith("j") and m else None

    @classmethod
    def stores(cls, i):
        return i.operands.endswith(")") and not cls.readers.match(i.name) \
            or i.name.startswith(("stos", "movs")) and "(" in i.operands \
            and i.operands.endswith(")")

    @staticmethod
    def loads(i):
        return "(" in i.operands and i.name.startswith("mov")

    @staticmethod
    def publishes(before, descriptor):
        """lea descriptor(%rip),%tmp; mov %tmp,%fs:8(%area)"""
        lea, store = before[-2:]
        m = re.match(r"^(-?)0x([0-9a-f]+)\(%rip\),(%\w+)$", lea.operands)
        if lea.name != "lea" or not m:
            return False
        offset = int(m.group(2), 16) * (-1 if m.group(1) else 1)
        return store.address + offset == descriptor and \
            bool(re.match(r"^%s,%%fs:0x8\(" % m.group(3), store.operands))


class Aarch64:
    objdump = "aarch64-linux-gnu-objdump"
    signature = struct.pack("<I", 0xd428bc00)
    forbidden = re.compile(r"^(bl|blr|br|ret|svc|hvc|smc|brk)\b")
    writers = re.compile(r"^(st|cas|swp|ld(add|clr|eor|set|[su](max|min))(a|l|al)?[bh]?$)")

    @staticmethod
    def jump_target(i):
        if not re.match(r"^(b|b\.\w+|cbn?z|tbn?z)$", i.name):
            return None
        m = re.search(r"\b([0-9a-f]+) <", i.operands + " <")
        return int(m.group(1), 16) if m else None

    @classmethod
    def stores(cls, i):
        return bool(cls.writers.match(i.name))

    @staticmethod
    def loads(i):
        return i.name.startswith("ld")

    @staticmethod
    def publishes(before, descriptor):
        """adrp tmp, page; add tmp, tmp, low; str tmp, [area, 8]"""
        adrp, add, store = before[-3:]
        page = re.match(r"^(x\d+), ([0-9a-f]+)", adrp.operands)
        low = re.match(r"^(x\d+), \1, #0x([0-9a-f]+)$", add.operands)
        if adrp.name != "adrp" or add.name != "add" or not page or not low:
            return False
        return int(page.group(2), 16) + int(low.group(2), 16) == descriptor and \
            bool(re.match(r"^%s, \[x\d+, #8\]$" % low.group(1), store.operands))


MACHINES = {elf.EM_X86_64: X86, elf.EM_AARCH64: Aarch64}


def disassemble(machine, path):
    """All instructions in order, and the functions' names by address."""
    out = subprocess.run([machine.objdump, "-d", "--no-show-raw-insn", path],
                         check=True, stdout=subprocess.PIPE).stdout.decode()
    instructions, functions, name = [], {}, "?"
    for line in out.splitlines():
        header, found = FUNCTION.match(line), INSTRUCTION.match(line)
        if header:
            name = header.group(2)
        elif found:
            address = int(found.group(1), 16)
            text = " ".join(COMMENT.sub("", found.group(2)).split())
            instructions.append(Instruction(address, text))
            functions[address] = name
    return instructions, functions


def descriptors(file):
    section = file.section("__rseq_cs")
    for at in range(0, len(section.content) if section else 0, 32):
        address = section.address + at
        version, flags = struct.unpack_from("<II", section.content, at)
        offset, = struct.unpack_from("<Q", section.content, at + 16)
        yield address, version, flags, file.pointer(address + 8), offset, \
            file.pointer(address + 24)


def check_body(machine, body):
    """What is wrong with the instructions between start and commit."""
    wrong = []
    for i in body:
        if machine.forbidden.match(i.name):
            wrong.append("'%s' inside" % i.text)
        if machine.stores(i) and i is not body[-1]:
            wrong.append("a store before the commit: '%s'" % i.text)
    if not machine.stores(body[-1]) and not machine.loads(body[-1]):
        wrong.append("the last instruction neither stores nor loads: '%s'" % body[-1].text)
    return wrong


def function_of(functions, address):
    """Parts that the compiler has moved away are parts of the function."""
    return re.sub(r"\.(cold|part|isra|constprop)\b.*$", "", functions.get(address, "?"))


def check_function(machine, instructions, functions, places, start, end, abort):
    """The end and what the abort address jumps to lie in the function of the start."""
    wrong = []
    name = function_of(functions, start)
    if function_of(functions, end) != name:
        wrong.append("it ends in another function: %s" % functions.get(end, "?"))
    target = machine.jump_target(instructions[places[abort]]) if abort in places else None
    if target is None:
        wrong.append("no jump at the abort address")
    elif function_of(functions, target) != name:
        wrong.append("an abort goes to another function: %s" % functions.get(target, "?"))
    elif start <= target < end:
        wrong.append("an abort goes into the sequence")
    return wrong


def check(file, machine, instructions, functions, descriptor):
    address, version, flags, start, offset, abort = descriptor
    end = start + offset
    wrong = []
    if version or flags:
        wrong.append("version %d, flags %d" % (version, flags))
    if not start < end or not file.executable(start):
        return wrong + ["no code from %#x to %#x" % (start, end)]
    if start <= abort < end:
        wrong.append("the abort address lies inside")
    if not file.executable(abort):
        wrong.append("no code at the abort address")
    length = len(machine.signature)
    if file.read(abort - length, length) != machine.signature:
        wrong.append("no signature before the abort address")
    places = {i.address: n for n, i in enumerate(instructions)}
    if start not in places or end not in places:
        return wrong + ["start or end is not between two instructions"]
    body = instructions[places[start]:places[end]]
    wrong += check_body(machine, body)
    wrong += check_function(machine, instructions, functions, places, start, end, abort)
    if not machine.publishes(instructions[:places[start]], address):
        wrong.append("the descriptor is not stored right before the start")
    for i in instructions:
        target = machine.jump_target(i)
        if target is not None and start <= target < end and i not in body:
            wrong.append("a jump from outside, at %#x" % i.address)
    return wrong


def check_array(file, found):
    """Tools find the descriptors by this array of pointers to them."""
    section = file.section("__rseq_cs_ptr_array")
    pointers = [file.pointer(section.address + at)
                for at in range(0, len(section.content) if section else 0, 8)]
    return sorted(pointers) == sorted(d[0] for d in found)


def check_file(path, count):
    """Prints TAP lines; returns (lines so far, failures)."""
    failures = 0
    file = elf.File(path)
    machine = MACHINES[file.machine]
    instructions, functions = disassemble(machine, path)
    found = list(descriptors(file))
    name = "/".join(path.split("/")[-2:])
    for d in found or [None]:
        wrong = check(file, machine, instructions, functions, d) if d else ["it has none"]
        where = " %#x in %s" % (d[3], functions.get(d[3], "?")) if d else ""
        count += 1
        failures += bool(wrong)
        print("%sok %d - %s: sequence%s" % ("not " if wrong else "", count, name, where))
        for text in wrong:
            print("#   " + text)
    count += 1
    listed = check_array(file, found)
    failures += not listed
    print("%sok %d - %s: each is in the array, and nothing else" % (
        "" if listed else "not ", count, name))
    return count, failures


def built():
    """What the builds have left, on both architectures: [(path, why it may be absent)]"""
    build = os.environ.get("UFUTEX_BUILD", "build")
    cross = os.path.join(os.path.dirname(os.path.abspath(build)), "build-aarch64")
    return [(os.path.join(build, name), None)
            for name in ("libufutex.so", "libufutex-preload.so", "ufutex")] + \
        [(os.path.join(cross, name), "no build for aarch64")
         for name in ("libufutex.so", "libufutex-preload.so")]


def inlined():
    """A program's own copies, as compilers make them."""
    source = os.path.join(HERE, "plugin.c")
    for compiler in ("cc", "clang", "aarch64-linux-gnu-gcc"):
        for level in ("-O0", "-O1", "-O2", "-O3", "-Os"):
            name = "inlined-%s%s.so" % (compiler, level)
            if shutil.which(compiler):
                subprocess.run([compiler, "-std=gnu11", level, "-fPIC", "-shared", "-I",
                                INCLUDE, "-o", name, source], check=True)
            yield name, "not installed: " + compiler


def main():
    count = failures = 0
    given = [(path, None) for path in sys.argv[1:]]
    for path, excuse in given or built() + list(inlined()):
        if os.path.exists(path):
            count, failed = check_file(path, count)
            failures += failed
            continue
        count += 1
        failures += not excuse
        print("%sok %d - %s%s" % ("" if excuse else "not ", count, path,
                                  " # SKIP " + excuse if excuse else ": it is not there"))
    print("1..%d" % count)
    return 1 if failures or not count else 0


if __name__ == "__main__":
    sys.exit(main())
