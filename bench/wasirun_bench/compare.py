"""Two results files: what became slower or faster beyond noise.

A figure has changed when both hold:
- its median is farther away than `threshold`: the larger of 3 % (memory: 1 %) and three standard errors of the difference, both
  series' standard errors estimated from their median absolute deviations, and widened by the drift;
- each median lies outside of everything that the other run saw (its smallest to its largest value).

Two runs are hours or days apart, and machines drift. Contenders that are the same in both, the peers in the same version, say by how
much: the median of their changes in the measure is the drift.
"""
import argparse
import dataclasses
import math
import sys

from . import results, stats, summary

LEAST_CHANGE = {"time": 0.03, "memory": 0.01, "bytes": 0.01}
ERRORS = 3


@dataclasses.dataclass
class Change:
    measure: str
    benchmark: str
    metric: str
    unit: str
    contender: str
    old: list
    new: list
    drift: float = 0.0  # logarithm of the factor by which unchanged contenders changed

    @property
    def ratio(self):
        return stats.median(self.new) / stats.median(self.old)

    @property
    def threshold(self):
        """As a logarithm: a change has to be larger."""
        error = ERRORS * math.hypot(stats.relative_error(self.old), stats.relative_error(self.new))
        return max(math.log1p(LEAST_CHANGE.get(self.metric, 0.03)), error) + abs(self.drift)

    @property
    def is_beyond_noise(self):
        if abs(math.log(self.ratio)) <= self.threshold:
            return False
        old, new = stats.median(self.old), stats.median(self.new)
        return not min(self.old) <= new <= max(self.old) and not min(self.new) <= old <= max(self.new)

    @property
    def is_slower(self):
        return self.ratio > 1


def keyed(data):
    return {(one["measure"], one["benchmark"], one["metric"], one["contender"]): one for one in data["series"]
            if one["values"] and min(one["values"]) > 0}


def drifts(old, new, changes):
    """{measure: logarithm of the median change of contenders that are the same in both}; only of times."""
    same = {name for name, one in old["contenders"].items() if one["peer"] != summary.OURS and
            new["contenders"].get(name, {}).get("version") == one["version"]}
    found = {}
    for change in changes:
        if change.contender in same and change.metric == "time":
            found.setdefault(change.measure, []).append(math.log(change.ratio))
    return {measure: stats.median(logs) for measure, logs in found.items() if len(logs) >= 3}


def changes_between(old, new):
    """Every figure that both have, with the drift of its measure."""
    before, after = keyed(old), keyed(new)
    changes = [Change(*key[:3], before[key]["unit"], key[3], before[key]["values"], after[key]["values"])
               for key in before if key in after]
    drift = drifts(old, new, changes)
    for change in changes:
        if change.metric == "time":
            change.drift = drift.get(change.measure, 0.0)
    return changes, drift


def objections(old, new):
    """Why the two cannot be compared."""
    found = []
    for name in ("cpu", "cpus", "architecture", "governor"):
        if old["machine"].get(name) != new["machine"].get(name):
            found.append(f"different machines: {name} is {old['machine'].get(name)} and {new['machine'].get(name)}")
    if old["quick"] != new["quick"]:
        found.append("one of them is a quick run")
    return found


def line(change):
    return (f"  {change.measure}/{change.benchmark} {change.metric}, {change.contender}: "
            f"{summary.quantity(stats.median(change.old), change.unit)} -> "
            f"{summary.quantity(stats.median(change.new), change.unit)}, {change.ratio - 1:+.1%} "
            f"(noise: {math.expm1(change.threshold):.1%})")


def describe(old, new, is_all=False):
    """(lines of text, whether wasirun became slower)."""
    changes, drift = changes_between(old, new)
    judged = [one for one in changes if is_all or new["contenders"].get(one.contender, {}).get("peer") == summary.OURS]
    text = [f"old: {old['started'][:16]}, wasirun at {old['revision']}", f"new: {new['started'][:16]}, wasirun at {new['revision']}"]
    for name, data in (("old", old), ("new", new)):
        text += [f"warning: {name}: {warning}" for warning in summary.warnings(data)]
    text += [f"drift of {measure}: contenders that are the same in both took {math.expm1(log):+.1%} of time"
             for measure, log in drift.items()]
    beyond = [one for one in judged if one.is_beyond_noise]
    slower = sorted((one for one in beyond if one.is_slower), key=lambda one: -one.ratio)
    faster = sorted((one for one in beyond if not one.is_slower), key=lambda one: one.ratio)
    for title, found in (("slower or larger", slower), ("faster or smaller", faster)):
        text.append(f"{title}: {len(found)} of {len(judged)}")
        text += map(line, found)
    ratios = [one.ratio for one in judged if one.measure == "peak" and one.metric == "time"]
    if ratios:
        text.append(f"geometric mean of all peak times: {stats.geometric_mean(ratios) - 1:+.1%}")
    gone = sorted(set(keyed(old)) - set(keyed(new)))
    ours_gone = [key for key in gone if old["contenders"].get(key[3], {}).get("peer") == summary.OURS]
    if ours_gone:
        text.append(f"no longer measured: {len(ours_gone)}, among them {'/'.join(ours_gone[0][:2])}")
    return text, bool(slower), len(judged)


def main(words=None):
    parser = argparse.ArgumentParser(prog="bench/compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="Exit code: 0 nothing became slower, 1 something did, 2 the files cannot be compared.")
    parser.add_argument("old", metavar="OLD.json")
    parser.add_argument("new", metavar="NEW.json")
    parser.add_argument("--all", action="store_true", help="judge the peers' figures too, not only wasirun's")
    parser.add_argument("--force", action="store_true", help="compare what should not be compared: other machines, quick runs with whole ones")
    options = parser.parse_args(words)
    try:
        old, new = results.load(options.old), results.load(options.new)
    except SystemExit as error:
        print(error, file=sys.stderr)
        return 2
    found = objections(old, new)
    if found and not options.force:
        print("\n".join(f"bench: {one}" for one in found) + "\nbench: --force compares them all the same", file=sys.stderr)
        return 2
    text, is_slower, count = describe(old, new, options.all)
    print("\n".join(text))
    if count == 0:
        print("bench: the two have no figure in common", file=sys.stderr)
        return 2
    return 1 if is_slower else 0
