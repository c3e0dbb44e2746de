#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Writes docs/rules-table.rst: for each rule its models, scenarios, mutants and
tests. What there is now is asked of the tools; which scenario found a mutant
comes from BUILD/results/mutants.json, which `make mutants` writes; the rest
stands in rules-table.txt here.
"""

import argparse
import collections
import glob
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
NAMES = os.path.join(HERE, "rules-table.txt")
TABLE = os.path.join(ROOT, "docs", "rules-table.rst")
HEAD = ".. SPDX-License-Identifier: MIT\n.. Written by scripts/rules-table.py (make rules-table).\n"
ORDERS = "Orders and fences"

Rule = collections.namedtuple("Rule", "name title models scenarios faults tests none")


# ---- what there is -----------------------------------------------------------

def ask(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def ask_models():
    return ask(sys.executable, os.path.join(ROOT, "models", "run.py"), "--list", "--json", "-")


def blocks(path):
    """[(rule, {key: [text]})], in the order of the file."""
    with open(path) as source:
        lines = [line.rstrip("\n") for line in source if not line.startswith("#")]
    found = []
    for line in filter(None, lines):
        key, colon, text = line.partition(": ")
        if not colon:
            found.append((line, collections.defaultdict(list)))
        else:
            found[-1][1][key].append(text)
    return found


def models_of(rule, chosen, models):
    """{model: [negatives]} that name @rule, or that rules-table.txt chooses."""
    found = collections.OrderedDict()
    for model in models:
        mine = [n["macro"] for n in model["negatives"] if rule in n["rules"]]
        if mine or rule in model["rules"]:
            found[model["model"]] = mine
    known = {m["model"]: [n["macro"] for n in m["negatives"]] for m in models}
    for word in chosen:
        model, _, negative = word.partition(":")
        if model not in known or (negative and negative not in known[model]):
            sys.exit("rules-table.txt: there is no %s in models/" % word)
        found.setdefault(model, []).extend([negative] if negative else known[model])
    return {m: list(dict.fromkeys(negatives)) for m, negatives in found.items()}


def fault_programs():
    """[(program, fault)] of tests/rules/faults.c."""
    with open(os.path.join(ROOT, "tests", "rules", "faults.c")) as source:
        return re.findall(r'\{ "(\w+)", "(\w+)",', source.read())


def tests_of(rule, faults, chosen):
    tests = {"tests/rules/%s.c" % program for program, fault in fault_programs()
             if fault in faults and not re.match(r"r\d", program)}
    for path in glob.glob(os.path.join(ROOT, "tests", "rules", rule.lower() + "_*.c")):
        tests.add(os.path.relpath(path, ROOT))
    for path in chosen:
        if not os.path.exists(os.path.join(ROOT, path)):
            sys.exit("rules-table.txt: there is no %s" % path)
    return sorted(tests) + chosen


def words(texts):
    return " ".join(texts).split()


def rules(program):
    """[Rule]: all that rules-table.txt names; and it must name all that there are."""
    models, scenarios, faults = ask_models(), ask(program, "list"), ask(program, "faults")
    table = []
    for name, given in blocks(NAMES):
        mine = {f["name"]: f["text"] for f in faults if name in f["rules"].split()}
        table.append(Rule(name, given["title"][0], models_of(name, words(given["models"]), models),
                          [s["name"] for s in scenarios if name in s["rules"].split()],
                          mine, tests_of(name, mine, words(given["tests"])), given["none"]))
    used = {r for s in scenarios + faults for r in s["rules"].split()}
    used |= {r for m in models for r in m["rules"]}
    unknown = used - {r.name for r in table}
    if unknown:
        sys.exit("rules-table.txt does not name " + " ".join(sorted(unknown)))
    return table


# ---- as text -----------------------------------------------------------------

def literal(text):
    return "``%s``" % text


def literals(names):
    return ", ".join(map(literal, names))


def wrapped(text, indent):
    """Lines of up to 90 columns; a literal is never broken."""
    lines, line = [], ""
    for word in re.findall(r"``.*?``\S*|\S+", text):
        if line and len(indent + line) + len(word) >= 90:
            lines.append(indent + line)
            line = ""
        line += (" " if line else "") + word
    return "\n".join(lines + [indent + line]) + "\n"


def found_by(mutant):
    result = mutant["result"]
    if result["scenario"]:
        return "%s (%s), %d" % (literal(result["scenario"]), result.get("mode", ""),
                                result["schedules"])
    if mutant.get("reason"):
        return "not needed: " + mutant["reason"]
    return "**found by none** in %d" % result["schedules"]


def field(name, lines):
    return name + "\n" + "".join(wrapped(line, "    ") + "\n" for line in lines) if lines else ""


def model_lines(models):
    return ["%s%s" % (literal(m), "; negatives " + literals(n) if n else "")
            for m, n in models.items()]


def mutant_lines(rule, mutants):
    for name, text in rule.faults.items():
        mutant = mutants.get(name)
        yield "%s, %s: %s" % (literal(name), text, found_by(mutant) if mutant else "not run")


def section(rule, mutants):
    title = "%s: %s" % (rule.name, rule.title)
    return "%s\n%s\n\n" % (title, "~" * len(title)) + \
        field("Models", model_lines(rule.models)) + \
        field("Scenarios", [literals(rule.scenarios)] if rule.scenarios else []) + \
        field("Mutants: found by, after so many schedules", list(mutant_lines(rule, mutants))) + \
        field("Tests", [literals(rule.tests)] if rule.tests else []) + \
        field("Not shown", rule.none)


def cell(text, first=False):
    return ("   * - " if first else "     - ") + text + "\n"


def order_row(mutant):
    function, _, code = mutant["what"].partition(": ")
    return cell("%s: %s" % (literal(function), literal(code)), True) + \
        cell(mutant["label"].split(" ")[-1]) + cell(found_by(mutant))


def order_tables(mutants):
    files = collections.defaultdict(list)
    for mutant in mutants:
        if mutant.get("file"):
            files[mutant["file"]].append(mutant)
    for path, rows in sorted(files.items()):
        yield "%s\n\n.. list-table::\n   :header-rows: 1\n   :widths: 60 12 28\n\n" % literal(path)
        yield cell("where", True) + cell("order") + cell("found by, after schedules")
        yield "".join(map(order_row, rows)) + "\n"


def text_of(table, mutants):
    by_name = {m["label"]: m for m in mutants}
    yield HEAD + "\n"
    for rule in table:
        yield section(rule, by_name)
    yield "%s\n%s\n\n" % (ORDERS, "~" * len(ORDERS))
    yield "".join(order_tables(mutants)) or "No results of these yet: ``make mutants``.\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--mutants", metavar="FILE", help="instead of BUILD/results/mutants.json")
    args = parser.parse_args()
    path = args.mutants or os.path.join(args.build, "results", "mutants.json")
    if not os.path.exists(path):
        sys.exit("no %s: first make mutants" % path)
    with open(path) as source:
        mutants = json.load(source)
    table = rules(os.path.join(args.build, "ufutex-explore"))
    with open(TABLE, "w") as out:
        out.write("".join(text_of(table, mutants)).rstrip("\n") + "\n")


if __name__ == "__main__":
    main()
