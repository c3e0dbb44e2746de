# SPDX-License-Identifier: MIT
"""As much of ELF64 (little endian) as the check of sections needs."""

import struct

EM_X86_64, EM_AARCH64 = 62, 183
SHT_RELA, SHT_NOBITS, SHF_EXECINSTR = 4, 8, 4
RELATIVE = {EM_X86_64: 8, EM_AARCH64: 1027}


class Section:
    def __init__(self, name, kind, flags, address, content):
        self.name, self.kind, self.flags = name, kind, flags
        self.address, self.content = address, content

    def __contains__(self, address):
        return self.address <= address < self.address + len(self.content)


class File:
    def __init__(self, path):
        with open(path, "rb") as f:
            data = f.read()
        if data[:6] != b"\x7fELF\x02\x01":
            raise ValueError(path + ": not a 64-bit little-endian ELF file")
        self.machine, = struct.unpack_from("<H", data, 18)
        self.sections = self._sections(data)
        self.relative = self._relative()

    @staticmethod
    def _sections(data):
        table, = struct.unpack_from("<Q", data, 40)
        size, count, names = struct.unpack_from("<HHH", data, 58)
        raw = [struct.unpack_from("<IIQQQQ", data, table + i * size)
               for i in range(count)]
        strings = raw[names][4]
        sections = []
        for name, kind, flags, address, offset, length in raw:
            start = strings + name
            text = data[start:data.index(b"\0", start)].decode()
            content = b"" if kind == SHT_NOBITS else data[offset:offset + length]
            sections.append(Section(text, kind, flags, address, content))
        return sections

    def _relative(self):
        """Words that the loader fills: address -> value before relocation."""
        words = {}
        for section in self.sections:
            if section.kind != SHT_RELA:
                continue
            for offset, info, addend in struct.iter_unpack("<QQq", section.content):
                if info & 0xffffffff == RELATIVE.get(self.machine):
                    words[offset] = addend
        return words

    def section(self, name):
        return next((s for s in self.sections if s.name == name), None)

    def executable(self, address):
        return any(address in s for s in self.sections if s.flags & SHF_EXECINSTR)

    def read(self, address, length):
        for s in self.sections:
            if s.address and address in s:
                start = address - s.address
                return s.content[start:start + length]
        return b""

    def pointer(self, address):
        """The word at @address as the loader leaves it, unmoved."""
        if address in self.relative:
            return self.relative[address]
        return struct.unpack("<Q", self.read(address, 8))[0]
