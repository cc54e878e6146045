"""The figures that reports are made of, from a results file."""
from . import stats

OURS = "wasirun"
MEASURES = {
    "peak": "Peak", "compile": "Compiling", "start": "Starting", "crossing": "Crossing", "tiering": "Tiering", "memory": "Memory",
}


def series_of(data, measure, metric="time"):
    """{benchmark: {contender: values}}, in the order of the file."""
    found = {}
    for one in data["series"]:
        if one["measure"] == measure and one["metric"] == metric and one["values"]:
            found.setdefault(one["benchmark"], {})[one["contender"]] = one["values"]
    return found


def main_contender(data):
    """wasirun as its users run it: the first of its contenders."""
    return next((name for name, one in data["contenders"].items() if one["peer"] == OURS), None)


def geometric_means(data, base, measure="peak"):
    """[{contender, mean, low, high, count}]: each contender's time as a multiple of `base`'s, over what both have."""
    by_benchmark = series_of(data, measure)
    found = []
    for contender in data["contenders"]:
        pairs = [(values[contender], values[base]) for values in by_benchmark.values()
                 if contender in values and base in values]
        if contender == base or not pairs:
            continue
        mean, low, high = stats.geometric_mean_of_ratios(pairs)
        found.append({"contender": contender, "mean": mean, "low": low, "high": high, "count": len(pairs)})
    return found


def against_us(data):
    """[{contender, mean, low, high, count, wins}]: our time as a multiple of each other contender's."""
    ours = main_contender(data)
    by_benchmark = series_of(data, "peak")
    found = []
    for contender, about in data["contenders"].items():
        pairs = [(values[ours], values[contender]) for values in by_benchmark.values()
                 if contender in values and ours in values]
        if about["peer"] == OURS or not pairs:
            continue
        mean, low, high = stats.geometric_mean_of_ratios(pairs)
        wins = sum(stats.median(a) < stats.median(b) for a, b in pairs)
        found.append({"contender": contender, "mean": mean, "low": low, "high": high, "count": len(pairs), "wins": wins})
    return found


def growth(data):
    """[{contender, exponent, sizes}]: how compile time grows with the size of generated modules, from 100 kB on, below which fixed
    costs are most of it."""
    sizes = {name.removeprefix("compile/"): one["code_bytes"] for name, one in data["benchmarks"].items()
             if one["measure"] == "compile" and one.get("group") == "functions"}
    by_benchmark = series_of(data, "compile")
    found = []
    for contender in data["contenders"]:
        points = [(size, stats.median(by_benchmark[name][contender])) for name, size in sizes.items()
                  if size >= 90_000 and contender in by_benchmark.get(name, {})]
        if len(points) >= 2:
            exponent = stats.growth_exponent(*zip(*points))
            found.append({"contender": contender, "exponent": exponent, "sizes": len(points),
                          "largest": max(size for size, _ in points)})
    return found


AUTO = f"{OURS}:auto"
# What waiting for the right moment may cost beside the tier that would have been best from the beginning.
ALLOWED_SHARE, ALLOWED_NS = 1.10, 20e6


def tiering_ratios(data):
    """[{benchmark, contender, ratio, low, high}]: auto's time to finish as a multiple of each other contender's, and the same of the
    rounds one by one, which what disturbs the machine meets alike."""
    found = []
    for benchmark, by_contender in series_of(data, "tiering").items():
        for contender, values in by_contender.items():
            if contender == AUTO or AUTO not in by_contender:
                continue
            ours = by_contender[AUTO]
            each = [a / b for a, b in zip(ours, values)]
            found.append({"benchmark": benchmark, "contender": contender,
                          "ratio": stats.median(ours) / stats.median(values), "low": min(each), "high": max(each)})
    return found


def behind_tiers(data):
    """[{benchmark, auto, best, best_time, limit, is_within}]: auto beside the best of the tiers that it is made of, in ns."""
    found = []
    for benchmark, by_contender in series_of(data, "tiering").items():
        times = {name: stats.median(values) for name, values in by_contender.items()}
        single = {name: time for name, time in times.items()
                  if data["contenders"][name]["peer"] == OURS and name != AUTO and not name.endswith(":explicit")}
        if AUTO not in times or not single:
            continue
        best = min(single, key=single.get)
        limit = ALLOWED_SHARE * single[best] + ALLOWED_NS
        found.append({"benchmark": benchmark, "auto": times[AUTO], "best": best, "best_time": single[best], "limit": limit,
                      "is_within": times[AUTO] <= limit})
    return found


def rows(data):
    """What charts and tables show: one row per series."""
    found = []
    for one in data["series"]:
        values = one["values"]
        if values:
            found.append({**{key: one[key] for key in ("measure", "benchmark", "metric", "unit", "contender")},
                          "median": stats.median(values), "low": min(values), "high": max(values), "count": len(values)})
    return found


def warnings(data):
    """What a reader has to know before believing anything, as sentences."""
    found = []
    if data["finished"] is None:
        found.append("The run was interrupted: what is here is what was measured until then.")
    if data["quick"]:
        found.append("A quick run: few rounds, small sizes. Good for finding out what to measure, not for comparing.")
    noise = data["noise"]
    if noise and noise["reasons"]:
        found.append("The machine was too noisy: " + "; ".join(noise["reasons"]) + ".")
    elif noise is None:
        found.append("Nothing is known about how quiet the machine was.")
    revision = data.get("revision") or ""
    if revision.endswith("+"):
        found.append("wasirun was built from files that differ from its commit.")
    return found


# Figures as text


def number(value):
    """Three digits that count."""
    if value == 0:
        return "0"
    magnitude = abs(value)
    for limit, digits in ((0.1, 3), (1, 2), (10, 2), (100, 1)):
        if magnitude < limit:
            return f"{value:.{digits}f}"
    return f"{value:,.0f}"


def quantity(value, unit):
    scales = {"ns": ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (0, "ns")), "KiB": ((1024, "MiB"), (0, "KiB")),
              "B": ((1 << 20, "MiB"), (1 << 10, "KiB"), (0, "B"))}
    for scale, name in scales.get(unit, ((0, unit),)):
        if value >= scale:
            return f"{number(value / scale if scale else value)} {name}"
    return f"{number(value)} {unit}"


def ratio(value):
    return f"{number(value)}×"
