#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Is docs/rules-table.rst up to date? For each rule it names the models,
negatives, scenarios, mutants and tests that there are now, and no others; each
of these a rule has, or the table says why not. The numbers are not looked at.
"""

import importlib.util
import os
import re
import sys

sys.dont_write_bytecode = True

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
KINDS = ["models", "negatives", "scenarios", "mutants", "tests"]
FIELDS = ["Models", "Scenarios", "Mutants", "Tests", "Not shown"]


def generator():
    path = os.path.join(ROOT, "scripts", "rules-table.py")
    spec = importlib.util.spec_from_file_location("rules_table", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---- the page ----------------------------------------------------------------

def fields(lines):
    """{field: [paragraph]} of a rule's lines."""
    found, field = {}, None
    for line in lines:
        if re.match(r"\S", line):
            field = next((f for f in FIELDS if line.startswith(f)), None)
            found[field] = [""]
        elif not line:
            found.setdefault(field, [""]).append("")
        else:
            found[field][-1] += " " + line.strip()
    return {f: [p for p in paragraphs if p] for f, paragraphs in found.items()}


def page(path, orders):
    """{rule: its fields}"""
    with open(path) as source:
        lines = source.read().splitlines()
    starts = [i - 1 for i, line in enumerate(lines) if re.match("~+$", line)]
    sections = {}
    for start, end in zip(starts, starts[1:] + [len(lines)]):
        name = lines[start].partition(": ")[0]
        if name != orders:
            sections[name] = fields(lines[start + 2:end])
    return sections


def literals(text):
    return re.findall("``(.*?)``", text)


def all_literals(paragraphs):
    return {name for p in paragraphs for name in literals(p)}


def named(section):
    """{kind: set of names}"""
    models = [literals(p) for p in section.get("Models", [])]
    return {"models": {m[0] for m in models},
            "negatives": {(m[0], negative) for m in models for negative in m[1:]},
            "scenarios": all_literals(section.get("Scenarios", [])),
            "mutants": {literals(p)[0] for p in section.get("Mutants", [])},
            "tests": all_literals(section.get("Tests", []))}


def there_are(rule):
    return {"models": set(rule.models),
            "negatives": {(m, n) for m, names in rule.models.items() for n in names},
            "scenarios": set(rule.scenarios), "mutants": set(rule.faults),
            "tests": set(rule.tests)}


# ---- checks ------------------------------------------------------------------

def caught(section):
    """The mutants that a scenario found."""
    found = r": ``[\w-]+`` \(\w+\), \d+$"
    return [p for p in section.get("Mutants", []) if re.search(found, p)]


def explained(section):
    """The kinds for which a sentence says why there is nothing."""
    reasons = [p.partition(":")[0] for p in section.get("Not shown", []) if "n/a" in p or
               "not proven" in p or "below" in p]
    return {kind for kind in KINDS for reason in reasons if kind in reason}


def differences(rule, section):
    page_has, now = named(section), there_are(rule)
    for kind in KINDS:
        for what, names in (("stale", page_has[kind] - now[kind]),
                            ("missing", now[kind] - page_has[kind])):
            if names:
                yield "%s %s: %s" % (what, kind, sorted(names))


def lacks(rule, section):
    now = dict(there_are(rule), mutants=caught(section))
    if "models" in explained(section):
        now["negatives"] = True
    for kind in KINDS[:-1]:
        if not now[kind] and kind not in explained(section):
            yield "no %s%s, nor why" % ("caught " if kind == "mutants" else "", kind)


def scenarios_that_caught(section):
    return {literals(p)[-1] for p in caught(section)}


def main():
    table = generator()
    rules = table.rules(sys.argv[1])
    sections = page(table.TABLE, table.ORDERS)
    scenarios = {s["name"] for s in table.ask(sys.argv[1], "list")}
    checks = [("the rules that there are, in order",
               [] if [r.name for r in rules] == list(sections) else [" ".join(sections)])]
    for rule in rules:
        section = sections.get(rule.name, {})
        checks.append((rule.name + ": no name is stale or missing",
                       list(differences(rule, section))))
        checks.append((rule.name + ": something of each kind, or why not",
                       list(lacks(rule, section))))
        gone = scenarios_that_caught(section) - scenarios
        checks.append((rule.name + ": its mutants were found by scenarios of now", sorted(gone)))
    for number, (what, wrong) in enumerate(checks, 1):
        print("%sok %d - %s" % ("not " if wrong else "", number, what))
        print("".join("#   %s\n" % line for line in wrong), end="")
    print("1..%d" % len(checks))
    return 1 if any(wrong for _, wrong in checks) else 0


if __name__ == "__main__":
    sys.exit(main())
