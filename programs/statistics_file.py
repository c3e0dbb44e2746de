# SPDX-License-Identifier: MIT
"""What `ufutex run --stats=json:FILE` wrote, summed over the processes."""

import json


class Unreadable(Exception):
    """The file is missing, or is not what it should be."""


class Sums:
    """
    served, passed, watchdog, futex_calls, waitv_calls: sums; processes: how
    many; tiers: {tier: {reasons}}; sites: of the process that has most.
    """

    COUNTS = ["served", "passed", "watchdog", "futex_calls", "waitv_calls"]

    def __init__(self):
        self.processes = self.sites = self.refused = 0
        self.tiers = {}
        for name in self.COUNTS:
            setattr(self, name, 0)

    def add(self, process):
        for name in self.COUNTS:
            setattr(self, name, getattr(self, name) + number(process, name))
        self.processes += 1
        self.tiers.setdefault(process["tier"], set()).add(process.get("reason") or "")
        objects = process.get("sites") or []
        sites = sum(number(o, "futex") + number(o, "tested") + number(o, "handler")
                    for o in objects)
        self.sites = max(self.sites, sites)
        self.refused = max(self.refused, sum(number(o, "refused") for o in objects))
        self.agree(process)

    def agree(self, process):
        """The operations add up to what is said of all."""
        for name in ("served", "passed"):
            parts = sum(number(o, name) for o in process["operations"].values())
            if parts != process[name]:
                raise Unreadable("of process %s, %s is %d, of its operations %d" % (
                    process.get("pid"), name, process[name], parts))

    def words(self):
        """The tiers, with reasons."""
        return ", ".join(
            tier + "".join(" (%s)" % reason for reason in sorted(reasons) if reason)
            for tier, reasons in sorted(self.tiers.items()))


def number(record, name):
    value = record[name]
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Unreadable("'%s' is no count: %r" % (name, value))
    return value


def read(paths):
    """Sums over all processes of all files; Unreadable."""
    sums = Sums()
    for path in paths:
        try:
            with open(path, encoding="utf-8") as f:
                record = json.load(f)
            if record["version"] != 1:
                raise Unreadable("version %r" % record["version"])
            if not record["processes"]:
                raise Unreadable("no process")
            for process in record["processes"]:
                sums.add(process)
        except OSError as error:
            raise Unreadable("no statistics: %s" % error.strerror) from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unreadable("statistics: %s %s" % (type(error).__name__, error)) from None
    return sums
