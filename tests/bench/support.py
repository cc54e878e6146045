"""What the tests of the benchmark suite share."""
import importlib.util
import os
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BENCH = ROOT / "bench"
BUILD = pathlib.Path(os.environ.get("WASIRUN_BENCH_BUILD") or ROOT / "build" / "release")
sys.path.insert(0, str(BENCH))


def main(*libraries):
    """unittest.main, or ctest's code for a skipped test where a library is missing."""
    missing = [name for name in libraries if importlib.util.find_spec(name) is None]
    if missing:
        print(f"SKIPPED: no Python module {', '.join(missing)} (tools/packages.txt)")
        sys.exit(77)
    unittest.main()


def machine(**changes):
    return {"cpu": "a CPU", "cpus": 2, "architecture": "x86_64", "virtual": False, "governor": "performance", "kernel": "Linux",
            "distribution": "Debian", "compiler": "clang", "load_at_start": 0.0, **changes}


def noise(**changes):
    return {"yardstick_spread": 0.01, "foreign_cpus": 0.0, "steal": 0.0, "reasons": [], **changes}


def results(series, *, quick=False, **changes):
    """A results file with {(measure, benchmark, contender): values in ns}."""
    contenders = {}
    for _, _, name in series:
        peer = name.split(":")[0]
        kind = {"native": "native", "wasirun": "interpreter"}.get(peer, "jit")
        contenders[name] = {"peer": peer, "title": name, "kind": kind, "version": "1"}
    benchmarks = {f"{measure}/{name}": {"measure": measure, "name": name, "title": name, "group": "things", "has_native": True}
                  for measure, name, _ in series}
    return {
        "format": 1, "started": "2026-01-02T03:04:05", "finished": "2026-01-02T04:04:05", "command": "bench/run", "quick": quick,
        "rounds": 5, "revision": "abc", "wasirun": "0.1.0", "machine": machine(), "noise": noise(), "contenders": contenders,
        "missing": [], "failures": [], "notes": [], "benchmarks": benchmarks,
        "series": [{"measure": measure, "benchmark": name, "metric": "time", "unit": "ns", "contender": contender, "values": values}
                   for (measure, name, contender), values in series.items()],
        **changes,
    }
