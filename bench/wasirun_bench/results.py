"""The results file: everything that was measured, in one JSON object that is written again after each round.

    format       1
    started, finished (null: it was interrupted), command, quick, rounds
    revision     of wasirun; wasirun: its version
    machine      machine.describe()
    noise        machine.Watch.report(): of the whole run; each batch of a benchmark has its own in `benchmarks`
    contenders   {name: {peer, title, kind, version}}, in the report's order
    missing      [{name, title, reason}]
    benchmarks   {measure/benchmark: {measure, name, title, group, about, ...}}
    series       [{measure, benchmark, metric, unit, contender, values}]: values in the order of the rounds
    failures     [{measure, benchmark, contender, reason, line (reason and the end of stderr), stderr, command}]
    notes        sentences for the report
"""
import json
import os
import pathlib

FORMAT = 1
KEYS = {"started", "finished", "command", "quick", "rounds", "revision", "wasirun", "machine", "noise", "contenders", "missing",
        "benchmarks", "series", "failures", "notes"}


class Results:
    def __init__(self, path, head):
        self.path = path
        self.data = {"format": FORMAT, **head, "finished": None, "noise": None, "contenders": {}, "missing": [],
                     "benchmarks": {}, "series": [], "failures": [], "notes": []}
        self.by_key = {}

    def benchmark(self, measure, name, **about):
        self.data["benchmarks"].setdefault(f"{measure}/{name}", {"measure": measure, "name": name, **about})

    def add(self, measure, benchmark, metric, unit, contender, value):
        key = (measure, benchmark, metric, contender)
        if key not in self.by_key:
            self.by_key[key] = {"measure": measure, "benchmark": benchmark, "metric": metric, "unit": unit,
                                "contender": contender, "values": []}
            self.data["series"].append(self.by_key[key])
        self.by_key[key]["values"].append(value)

    def fail(self, measure, benchmark, contender, error):
        self.data["failures"].append({"measure": measure, "benchmark": benchmark, "contender": contender,
                                      "reason": str(error), "line": error.line, "stderr": error.stderr,
                                      "command": error.command})

    def note(self, text):
        if text not in self.data["notes"]:
            self.data["notes"].append(text)

    def save(self):
        """All or nothing: a run that is killed while it writes leaves what the round before had."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_name(self.path.name + ".unfinished")
        unfinished.write_text(json.dumps(self.data, indent=1) + "\n", encoding="utf-8")
        os.replace(unfinished, self.path)


def load(path):
    """A results file; SystemExit with one line when it is none."""
    try:
        data = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SystemExit(f"bench: {path}: {error}") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise SystemExit(f"bench: {path} is not a results file of format {FORMAT}")
    lacking = sorted(KEYS - set(data))
    if lacking:
        raise SystemExit(f"bench: {path} is not a whole results file: it lacks {', '.join(lacking)}")
    return data


def merge(many):
    """One object of several runs of the same wasirun on the same machine, for measures that were run one by one. Where two have the same
    figure, the last one counts."""
    merged = dict(many[0])
    if len(many) == 1:
        return merged
    for one in many[1:]:
        if (one["machine"]["cpu"], one["wasirun"]) != (merged["machine"]["cpu"], merged["wasirun"]):
            raise SystemExit("bench: these results are of different machines or versions; bench/compare compares them")
    series, contenders, benchmarks, missing, failures, notes = {}, {}, {}, {}, {}, []
    for one in many:
        contenders |= one["contenders"]
        benchmarks |= one["benchmarks"]
        missing |= {item["name"]: item for item in one["missing"]}
        for item in one["series"]:
            series[tuple(item[key] for key in ("measure", "benchmark", "metric", "contender"))] = item
        failures |= {tuple(item[key] for key in ("measure", "benchmark", "contender")): item for item in one["failures"]}
        notes += [note for note in one["notes"] if note not in notes]
    noises = [one["noise"] for one in many if one["noise"]]
    merged |= {
        "command": " && ".join(one["command"] for one in many), "series": list(series.values()), "contenders": contenders,
        "benchmarks": benchmarks, "missing": [one for name, one in missing.items() if name not in contenders],
        "failures": list(failures.values()), "notes": notes, "quick": any(one["quick"] for one in many),
        "rounds": min(one["rounds"] for one in many),
        "finished": many[-1]["finished"] if all(one["finished"] for one in many) else None,
        # The worst of them: what is said of the machine holds for each.
        "noise": max(noises, key=lambda noise: (len(noise["reasons"]), noise["yardstick_spread"])) if noises else None,
    }
    return merged
