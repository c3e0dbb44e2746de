#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Writes the engine as one source and one header, ufutex.c and ufutex.h; and
ufutex.hpp, for C++, on top of that header.

The sources come in the order of src/meson.build, each header once. What a
source keeps for itself (static functions and variables, types) is called
ufx_FILE__NAME there, and its macros end with it: so sources do not meet, nor
does any of them meet what a program calls its own that includes ufutex.c.

What the sources share gets marks by which the compiler's command chooses:
UFX_STATIC makes all of it static, UFX_PREFIX=foo_ puts foo_ before each name
(docs/embedding.rst).
"""

import argparse
import collections
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LISTS = ["engine_sources"]  # of src/meson.build
OTHERS = ["host.h"]  # public headers that are not for Linux

TOKEN = re.compile(
    r"/\*.*?\*/|//[^\n]*"                     # comments
    r'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    r"|[A-Za-z_]\w*|\.?\d[\w.]*|->|##|\s+|.", re.DOTALL)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(<[^>]+>|"[^"]+")[^\n]*$')
NAME = re.compile(r"[A-Za-z_]\w*$")


def read(path):
    with open(os.path.join(ROOT, path)) as f:
        return f.read()


# ---- what there is ---------------------------------------------------------

def sources():
    """The paths of the engine's sources, in the order of the layers."""
    text, found = read("src/meson.build"), []
    for name in LISTS:
        listed = re.search(r"^%s = files\((.*?)^\)" % name, text, re.MULTILINE | re.DOTALL)
        if not listed:
            sys.exit("amalgamate: src/meson.build has no list " + name)
        found += ["src/" + path for path in re.findall(r"'([^']+)'", listed.group(1))]
    return found


def public_headers():
    """All for Linux; those of sections are included by section.h."""
    names = sorted(os.listdir(os.path.join(ROOT, "include", "ufutex")))
    return ["ufutex/" + n for n in names
            if n.endswith(".h") and not n.startswith("section-") and n not in OTHERS]


# ---- declarations at file scope --------------------------------------------

# kind: function (with its body), prototype, variable, type, other
Declaration = collections.namedtuple("Declaration", "kind start text names")


def blanked(text):
    """@text with blanks for comments, strings and directives: as long as it was."""
    def blank(match):
        word = match.group(0)
        if word[0] in "\"'" or word.startswith("/*") or word.startswith("//"):
            return re.sub(r"[^\n]", " ", word)
        return word
    text = TOKEN.sub(blank, text)
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*$",
                  lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.MULTILINE)


def chunks(blank):
    """(start, end) of what stands at file scope, each up to its ; or last brace."""
    depth, start = 0, 0
    for match in re.finditer(r"[{}();]", blank):
        c, at = match.group(0), match.start()
        depth += (c in "{(") - (c in "})")
        body = c == "}" and re.search(r"\)\s*$", blank[start:blank.find("{", start)])
        if not depth and (c == ";" or body):
            yield start, at + 1
            start = at + 1


def without(pattern, text):
    """@text with blanks for what @pattern finds, and the parentheses behind it."""
    for match in reversed(list(re.finditer(pattern + r"\s*(?=\()", text))):
        depth, at = 0, match.end()
        while True:
            depth += (text[at] == "(") - (text[at] == ")")
            at += 1
            if not depth:
                break
        text = text[:match.start()] + " " * (at - match.start()) + text[at:]
    return text


def declarators(text):
    """The names that a declaration of variables gives: 'T a, *b[2] = ...'."""
    text = re.sub(r"\{.*\}", "", text, flags=re.DOTALL)
    pointer = re.search(r"\(\s*\*\s*(?:const\s+)?(\w+)", text)
    if pointer:
        return [pointer.group(1)]
    parts = [re.sub(r"\[[^\]]*\]|=.*", "", p, flags=re.DOTALL).strip(" ;\n\t")
             for p in text.split(",")]
    return [NAME.search(p).group(0) for p in parts if NAME.search(p)]


def type_names(text):
    """What 'struct a { ... }', 'enum b { C, D }' bring along."""
    names = []
    for what, tag, body in re.findall(r"\b(struct|union|enum)\s+(\w*)\s*\{([^{}]*)", text):
        names += [tag] if tag else []
        if what == "enum":
            names += [re.match(r"\s*(\w*)", part).group(1) for part in body.split(",")]
    return [n for n in names if n]


def classify(start, text):
    plain = without(r"__attribute__|_Alignas", text)
    head = plain.split("{")[0]
    if re.match(r"\s*(typedef|_Static_assert|__asm__)\b", plain):
        names = declarators(plain) if plain.strip().startswith("typedef") else []
        return Declaration("type", start, text, names + type_names(plain))
    call = re.search(r"(\w+)\s*\((?!\s*\*)", head.split("=")[0])
    if call and "{" in plain and re.search(r"\)\s*$", head):
        return Declaration("function", start, text, [call.group(1)])
    if call and "=" not in head:
        return Declaration("prototype", start, text, [call.group(1)])
    names = type_names(plain)
    rest = re.sub(r"\{.*\}", " ", plain, flags=re.DOTALL).split("=")[0]
    rest = re.sub(r"\b(static|const|extern|(struct|union|enum)\s+\w+)\b", " ", rest)
    if names and not re.search(r"\w", re.sub(r"\b(struct|union|enum)\b", " ", rest)):
        return Declaration("type", start, text, names)
    if re.match(r"\s*(struct|union|enum)\s+\w+\s*;", plain):
        return Declaration("type", start, text, [])
    return Declaration("variable", start, text, names + declarators(plain))


def declarations(text):
    """Those at the file scope of @text."""
    blank = blanked(text)
    # Calls of macros, and marks, that stand alone on a line.
    blank = re.sub(r"^(UFX_BEGIN|UFX_END|[A-Z_]+\([^;{}]*?\))[ \t]*$",
                   lambda m: re.sub(r"[^\n]", " ", m.group(0)), blank, flags=re.MULTILINE)
    for start, end in chunks(blank):
        start += len(blank[start:end]) - len(blank[start:end].lstrip())
        if blank[start:end].strip(" ;\n\t"):
            yield classify(start, blank[start:end])


def own(d):
    return bool(re.match(r"(?:__attribute__\s*\(\(.*?\)\)\s*)?static\b", d.text))


def mine(name):
    return name.lower().startswith("ufx_")


# ---- what a source keeps for itself ----------------------------------------

def private_names(text):
    """Names of file scope that no other source may see."""
    names = set()
    for d in declarations(text):
        if d.kind == "type":
            names.update(d.names)
        elif d.kind == "variable":
            names.update(d.names if own(d) else type_names(d.text))
        elif own(d):
            names.update(d.names)
    return {n for n in names if not mine(n)}


def renamed(text, names):
    """@text with each of @names (a dictionary) changed, but for members."""
    out, before, bodies, member = [], "", [], False
    for match in TOKEN.finditer(text):
        word = match.group(0)
        if not word.strip() or word.startswith("/*") or word.startswith("//"):
            out.append(word)
            continue
        if word == "{":
            bodies.append(member)
            member = False
        elif word == "}" and bodies:
            bodies.pop()
        elif word in ("struct", "union"):
            member = True
        elif word in ";=()":
            member = False
        inside = bodies and bodies[-1] and before not in ("struct", "union", "enum", "[")
        if word in names and before not in (".", "->") and not inside:
            out.append(names[word])
        else:
            out.append(word)
        before = word
    return "".join(out)


def macros(text):
    """Those that @text defines, but for what configures the system's headers."""
    found = re.findall(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", text, re.MULTILINE)
    return list(dict.fromkeys(n for n in found if n != "_GNU_SOURCE"))


def stem(path, paths):
    """What a source is called: its file, with its folder if there are two."""
    name = os.path.splitext(os.path.basename(path))[0]
    same = [p for p in paths if os.path.splitext(os.path.basename(p))[0] == name]
    return name if len(same) == 1 else os.path.basename(os.path.dirname(path)) + "_" + name


def source(path, paths):
    text = read(path)
    prefix = "ufx_%s__" % stem(path, paths)
    text = renamed(text, {n: prefix + n for n in private_names(text)})
    text = re.sub(r"^#define _GNU_SOURCE\n", "", text, flags=re.MULTILINE)
    ends = "".join("#undef %s\n" % name for name in macros(text))
    return marked(text) + ("\n" + ends if ends else "")


# ---- what the sources share ------------------------------------------------

def shared_names(texts):
    """All names that the linker would see, sorted."""
    names = set()
    for text in texts:
        for d in declarations(text):
            if d.kind in ("function", "prototype", "variable") and not own(d):
                names.update(n for n in d.names if mine(n))
    return sorted(names)


def mark(d, public):
    """(what to replace at the start of a declaration, by what), or None."""
    if d.kind == "variable" and d.text.startswith("extern UFX_API "):
        return "extern UFX_API ", "UFX_API_VARIABLE "
    if public or own(d) or not any(mine(n) for n in d.names):
        return None
    if d.kind == "variable":
        if d.text.startswith("extern "):
            return "extern ", "UFX_OWN_VARIABLE "
        return "", "UFX_DEFINED "
    if d.kind == "prototype" and not d.text.startswith("UFX_API "):
        return "", "UFX_OWN "
    return None


def marked(text, public=False):
    for d in sorted(declarations(text), key=lambda d: -d.start):
        change = mark(d, public)
        if change:
            before, after = change
            text = text[:d.start] + after + text[d.start + len(before):]
    return text


# ---- putting it together ---------------------------------------------------

class Unit:
    """One file that is written: included files in their places, each once."""

    def __init__(self, done=()):
        self.done = set(done)
        self.text = []
        self.read = []

    def find(self, name):
        for folder in ("include", "src"):
            path = folder + "/" + name
            if os.path.exists(os.path.join(ROOT, path)):
                return path
        return None

    def add(self, path, text):
        """@path as @text. Within a condition a header may come more than once."""
        self.read.append(path)
        guard = re.search(r"^#ifndef (\w+)\n#define \1$", text, re.MULTILINE)
        depth = -1 if guard else 0
        self.text.append("\n/* ==== %s ==== */\n" % path)
        for line in text.replace("/* SPDX-License-Identifier: MIT */\n", "", 1).splitlines():
            depth += bool(re.match(r"#\s*if", line)) - bool(re.match(r"#\s*endif", line))
            include = INCLUDE.match(line)
            if include:
                self.include(line, include.group(1)[1:-1], include.group(1)[0], depth)
            else:
                self.text.append(line + "\n")

    def include(self, line, name, quote, depth):
        path = self.find(name)
        if not path and quote == '"': # the explorer's
            self.text.append('#error "%s is not in the amalgamation"\n' % name)
        elif not path:
            if depth or line not in self.done:
                self.text.append(line + "\n")
            if not depth:
                self.done.add(line)
        elif path not in self.done:
            if not depth:
                self.done.add(path)
            self.add(path, marked(read(path), path.startswith("include/")))

    def result(self):
        return re.sub(r"\n{3,}", "\n\n", "".join(self.text))


def licence():
    lines = read("LICENSE").strip().splitlines()
    return "/*\n" + "".join((" * " + line).rstrip() + "\n" for line in lines) + " */\n"


def renaming(names):
    return ("#ifdef UFX_PREFIX\n"
            + "".join("#define %s UFX_PREFIXED(%s)\n" % (n, n) for n in names) + "#endif\n")


HEADER_START = """\
/*
 * ufutex, in one source and one header, made of the whole by
 * scripts/amalgamate.py; docs/embedding.rst says more. For all that includes
 * this header, and for ufutex.c, the same of these may be defined:
 *
 *   UFX_PREFIX=foo_   each function and variable is called foo_ufx_... for the
 *                     linker: a second copy in a process, of whatever version
 *   UFX_API=...       what stands before each public function; hidden from other
 *                     objects, if nothing is said
 *
 * Or UFX_STATIC before #include "ufutex.c" in your own source: all is static.
 */
#ifndef UFUTEX_AMALGAMATED_H
#define UFUTEX_AMALGAMATED_H

#ifdef UFX_STATIC
#define UFX_API static __attribute__((unused))
#define UFX_API_VARIABLE static __attribute__((unused))
#else
#ifndef UFX_API
#define UFX_API __attribute__((visibility("hidden")))
#endif
#define UFX_API_VARIABLE extern UFX_API
#endif

%(prefix)s#ifdef UFX_PREFIX
#define UFX_JOINED_NOW(a, b) a##b
#define UFX_JOINED(a, b) UFX_JOINED_NOW(a, b)
#define UFX_PREFIXED(name) UFX_JOINED(UFX_PREFIX, name)
#endif

"""

SOURCE_START = """\
#ifndef _GNU_SOURCE
#ifdef _FEATURES_H
#error "include ufutex.c before the system's headers, or define _GNU_SOURCE"
#endif
#define _GNU_SOURCE
#endif

#include "ufutex.h"

#if defined(UFX_PORTABLE) && UFX_PORTABLE
#error "these sources are for Linux alone"
#endif

#undef UFX_EMBEDDED
#define UFX_EMBEDDED 1

#ifdef UFX_STATIC
#define UFX_OWN static __attribute__((unused))
#define UFX_OWN_VARIABLE static __attribute__((unused))
#define UFX_DEFINED static
#else
#define UFX_OWN __attribute__((visibility("hidden")))
#define UFX_OWN_VARIABLE extern __attribute__((visibility("hidden")))
#define UFX_DEFINED
#endif

"""


def amalgamated(prefix):
    """ufutex.h and ufutex.c as texts, and what they were made of."""
    paths, headers = sources(), public_headers()
    header = Unit()
    for name in headers:
        header.include("", name, "<", 0)
    code = Unit(header.done)
    for path in paths:
        code.add(path, source(path, paths))
    public = shared_names([header.result()])
    inside = [n for n in shared_names([code.result()]) if n not in public]
    chosen = "#ifndef UFX_PREFIX\n#define UFX_PREFIX %s\n#endif\n" % prefix if prefix else ""
    start = licence() + "\n"
    return (start + HEADER_START % {"prefix": chosen} + renaming(public) + header.result()
            + "\n#endif\n",
            start + chosen + renaming(inside) + SOURCE_START + code.result(),
            header.read + code.read)


def for_cplusplus():
    """ufutex.hpp, with the one header for those that it includes."""
    text = read("include/ufutex/ufutex.hpp").split("\n", 1)[1]
    text = re.sub(r"(#include <ufutex/\w+\.h>\n)+", '#include "ufutex.h"\n', text)
    return licence() + text


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def rule(target, paths):
    """For make and ninja: what @target depends on."""
    made_of = [os.path.join(ROOT, path) for path in paths]
    return "%s: %s\n" % (target, " ".join(made_of + [os.path.abspath(__file__)]))


def main():
    parser = argparse.ArgumentParser(description="writes ufutex.c and ufutex.h")
    parser.add_argument("--output", default=os.path.join(ROOT, "build", "amalgamation"),
                        help="the directory, made if it is not there")
    parser.add_argument("--prefix", default="", metavar="foo_",
                        help="UFX_PREFIX in what is written, if nobody else defines it")
    parser.add_argument("--depfile", metavar="FILE", help="writes what they depend on")
    args = parser.parse_args()
    if args.prefix and not NAME.match(args.prefix):
        parser.error("a prefix is a name: letters, digits, underscores")
    header, code, made_of = amalgamated(args.prefix)
    os.makedirs(args.output, exist_ok=True)
    write(os.path.join(args.output, "ufutex.h"), header)
    write(os.path.join(args.output, "ufutex.c"), code)
    write(os.path.join(args.output, "ufutex.hpp"), for_cplusplus())
    if args.depfile:
        write(args.depfile, rule("ufutex.c", made_of))


if __name__ == "__main__":
    main()
