#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
This machine's own libraries, beside what objdump and known figures say: every
site is a system call there, windows are whole instructions, no branch leads
into one, and no futex call is missing.
"""

import bisect
import re
import shutil
import struct
import subprocess
import tempfile

from sites import check, end, mapped, search, skip

LINE = re.compile(r"^ *([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*\t(.*)$")
BRANCH = re.compile(r"^(?:bnd |notrack )?(?:j\w+|call|loop\w*|xbegin) +([0-9a-f]+)\b")
FUTEX = "mov    $0xca,%eax"

# build-id: futex sites, functions with them, handler sites, tested sites
KNOWN = {
    "93ac61ec5a8eb1396f9fbd350e3169a558528a40": (74, 44, 1, 10),  # Debian 12, libc
    "7ebc65e52f2bbea498b4040fa92f7238377aaba9": (8, 8, 1, 1),    # its ld.so
    "3856f0954e1931eebc020ca4a4e6bef40f4f7765": (34, 13, 0, 4),      # its libgomp
}


def disassemble(path):
    """[(address, bytes, text)], by address"""
    out = subprocess.run(["objdump", "-d", "-w", path], stdout=subprocess.PIPE,
                         check=True).stdout.decode()
    lines = (LINE.match(line) for line in out.splitlines())
    return [(int(m[1], 16), bytes.fromhex(m[2]), m[3]) for m in lines if m]


def number(code, n):
    """What sets eax last before line @n, if it is near."""
    before = (text.split("#")[0].rstrip() for _, _, text in reversed(code[max(0, n - 12):n]))
    return next((text for text in before if text.endswith((",%eax", ",%rax"))), None)


def calls(code):
    """Of each system call's address, what sets its number."""
    return {code[n][0]: number(code, n) for n in range(len(code))
            if code[n][2].rstrip() == "syscall"}


def functions(path):
    """[(begin, end)], as .eh_frame has them"""
    out = subprocess.run(["readelf", "--debug-dump=frames", path], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL).stdout.decode()
    return sorted((int(m[1], 16), int(m[2], 16))
                  for m in re.finditer(r" FDE cie=.* pc=(\w+)\.\.(\w+)", out))


def from_register(path, code, made):
    """Those whose number is copied from a register that futex's may be set in, nearby."""
    begins, addresses = functions(path), [address for address, _, _ in code]
    some = set()
    for address, text in made.items():
        copied = re.match(r"mov +%(\w+),%[er]ax$", text or "")
        begin, last = begins[bisect.bisect_right(begins, (address, 1 << 64)) - 1]
        lines = code[bisect.bisect_left(addresses, begin):bisect.bisect_left(addresses, last)]
        wanted = copied and "$0xca,%" + copied[1]
        if wanted and any(line[2].endswith(wanted) for line in lines):
            some.add(address)
    return some


def beside_objdump(path, name, sites, code):
    at = {address: (raw, text) for address, raw, text in code}
    targets = sorted(int(m[1], 16) for m in (BRANCH.match(t) for _, _, t in code) if m)
    wrong = [hex(s["address"]) for s in sites if not window_is_good(s, at, targets)]
    check(not wrong, "%s: windows are whole instructions that nothing branches into" % name,
          wrong)
    made = calls(code)
    mine = {s["address"] + s["syscall"] for s in sites}
    direct = {address for address, text in made.items() if text == FUTEX}
    copied = from_register(path, code, made)
    check(direct | copied <= mine, "%s: no futex call is missing (%d, and %d by a register)" %
          (name, len(direct), len(copied)), [hex(a) for a in (direct | copied) - mine])
    known = {s["address"] + s["syscall"] for s in sites if s["kind"] == "futex"}
    check(direct <= known <= direct | copied, "%s: and no other is called one (%d)" %
          (name, len(known)), [hex(a) for a in known - direct - copied])


def window_is_good(site, at, targets):
    address, last = site["address"], site["address"] + site["length"]
    where, raw, displaced = address, b"", None
    while where < last and where in at:
        piece, text = at[where]
        if where == address + site["syscall"] and text.rstrip() != "syscall":
            return False
        if "(%rip)" in text:
            displaced = int(re.search(r"# ([0-9a-f]+)", text)[1], 16) - where - len(piece)
        raw += piece
        where += len(piece)
    inside = bisect.bisect_right(targets, address) < bisect.bisect_left(targets, last)
    return (raw.hex(" ") == site["bytes"] and not inside and
            displacement(site, raw) == displaced)


def displacement(site, raw):
    place = site["relocation"]
    return None if place is None else int.from_bytes(raw[place:place + 4], "little", signed=True)


def judge(path, name):
    answer = search(path)
    sites, known = answer["sites"], KNOWN.get(answer["build_id"])
    check(not answer["refused"], "%s: every window is usable" % name)
    check(all(s["length"] >= 5 for s in sites), "%s: and has room for a jump" % name)
    if known:
        got = (answer["futex"], answer["futex_functions"], answer["handler"],
               answer["tested"])
        check(got == known, "%s: as many as are known: %s" % (name, known), got)
    else:
        skip("%s: as many as are known" % name, "another build of it")
    if shutil.which("objdump"):
        beside_objdump(path, name, sites, disassemble(path))
    else:
        skip("%s: beside objdump" % name, "objdump is not installed")
    return answer


def blind(path):
    """A copy of it without any description of functions."""
    with open(path, "rb") as f:
        image = bytearray(f.read())
    first, = struct.unpack_from("<Q", image, 32)
    for n in range(*struct.unpack_from("<H", image, 56)):
        if struct.unpack_from("<I", image, first + 56 * n)[0] == 0x6474e550:
            struct.pack_into("<I", image, first + 56 * n, 0)
    return bytes(image).replace(b"\0.eh_frame\0", b"\0.no_frame\0")


def without_descriptions(path, sites, name):
    """Then nothing can be decoded; but what is a site stays a likely one."""
    with tempfile.NamedTemporaryFile() as copy:
        copy.write(blind(path))
        copy.flush()
        answer = search(copy.name)
    kinds = {s["address"]: s["kind"] for s in answer["sites"]}
    mine = [s["address"] + s["syscall"] for s in sites]
    check(answer["refused"] + answer["unlikely"] == len(kinds), "%s: blind, none is usable" % name)
    check(all(kinds.get(address) == "tested" for address in mine),
          "%s: blind, the %d sites are likely" % (name, len(mine)),
          [hex(address) for address in mine if kinds.get(address) != "tested"])
    check(answer["tested"] - len(mine) < answer["unlikely"] / 10,
          "%s: and few others" % name, (answer["tested"], answer["unlikely"]))


def libgomp():
    out = subprocess.run(["cc", "-print-file-name=libgomp.so.1"], stdout=subprocess.PIPE)
    path = out.stdout.decode().strip()
    return path if "/" in path else None


answer = judge(mapped("libc.so.6"), "libc")
check(any(s["function"].startswith("syscall+") and s["kind"] == "tested"
          for s in answer["sites"]), "libc: its function syscall is tested")
check(any(s["function"].startswith("sem_post") for s in answer["sites"]), "libc: sem_post")
without_descriptions(mapped("libc.so.6"), answer["sites"], "libc")
judge(mapped("ld-linux-x86-64.so.2"), "ld.so")
if libgomp():
    answer = judge(libgomp(), "libgomp")
    check(any(s["relocation"] is not None and s["syscall"] for s in answer["sites"]),
          "libgomp: what precedes a call may be relative")
else:
    skip("libgomp", "not installed")
end()
