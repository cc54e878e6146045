"""The tables as Markdown, for docs/performance.md and the README."""
from . import stats, summary


def table(header, lines):
    head = ["| " + " | ".join(header) + " |", "|---" + "|---:" * (len(header) - 1) + "|"]
    return "\n".join(head + ["| " + " | ".join(line) + " |" for line in lines]) + "\n"


def headline(data):
    """The few lines that a README has room for."""
    ours = summary.main_contender(data)
    native = {one["contender"]: one for one in summary.geometric_means(data, "native")}
    lines = []
    for one in [None, *summary.against_us(data)]:
        name = one["contender"] if one else ours
        about = data["contenders"][name]
        to_native = native.get(name)
        lines.append([f"**{about['title']}**" if one is None else about["title"], about["version"],
                      interval(to_native) if to_native else "1" if name == "native" else "-",
                      interval(one) if one else "1", f"{one['wins']} of {one['count']}" if one else ""])
    return table(["", "version", "time, of native", "wasirun's time, of theirs", "wasirun is faster in"], lines)


def short(data):
    """What the README says."""
    warned = "".join(f" **{warning}**" for warning in summary.warnings(data))
    return (f"Geometric means of times over the benchmarks that both have, with 95 % intervals; {data['machine']['cpu']}, "
            f"{data['started'][:10]}.{warned}\n\n{headline(data)}")


def interval(one):
    return f"{summary.number(one['mean'])} ({summary.number(one['low'])} to {summary.number(one['high'])})"


def matrix(data, measure, names, metric="time"):
    """Benchmarks down, contenders across: medians, with the spread of the first of them."""
    by_benchmark = {name: values for name, values in summary.series_of(data, measure, metric).items() if name in names}
    units = {one["unit"] for one in data["series"] if one["measure"] == measure and one["metric"] == metric}
    unit = units.pop() if units else ""
    contenders = [name for name in data["contenders"] if any(name in values for values in by_benchmark.values())]
    if not contenders:
        return ""
    lines = []
    for name, values in by_benchmark.items():
        cells = [summary.quantity(stats.median(values[one]), unit) if one in values else "-" for one in contenders]
        first = values.get(contenders[0])
        title = data["benchmarks"].get(f"{measure}/{name}", {}).get("title", name)
        lines.append([title, *cells, f"{stats.spread(first):.0%}" if first else ""])
    return table(["", *contenders, f"spread of {contenders[0]}"], lines)


def tiering_ratios(data):
    """Auto's time as a multiple of the others', with the least and the greatest of the rounds."""
    found = {}
    for one in summary.tiering_ratios(data):
        found.setdefault(one["benchmark"], {})[one["contender"]] = one
    contenders = [name for name in data["contenders"] if any(name in row for row in found.values())]
    if not contenders:
        return ""

    def cell(one):
        return "-" if one is None else f"{summary.number(one['ratio'])} ({summary.number(one['low'])} to {summary.number(one['high'])})"
    lines = [[data["benchmarks"].get(f"tiering/{name}", {}).get("title", name), *(cell(row.get(one)) for one in contenders)]
             for name, row in found.items()]
    return table(["", *contenders], lines)


def behind_tiers(data):
    found = summary.behind_tiers(data)
    lines = [[data["benchmarks"].get(f"tiering/{one['benchmark']}", {}).get("title", one["benchmark"]),
              summary.quantity(one["auto"], "ns"), f"{one['best']}, {summary.quantity(one['best_time'], 'ns')}",
              summary.quantity(one["limit"], "ns"), "yes" if one["is_within"] else "no"] for one in found]
    return table(["", "auto", "best single tier", "allowed: 10 % and 20 ms more", "within"], lines) if lines else ""


def names_of(data, measure, group=None):
    return [one["name"] for one in data["benchmarks"].values()
            if one["measure"] == measure and (group is None or one.get("group") == group)]


def growth(data):
    lines = [[data["contenders"][one["contender"]]["title"], f"{one['exponent']:.3f}",
              f"{one['largest'] / 1e6:.1f} MB"] for one in summary.growth(data)]
    return table(["", "exponent", "largest module"], lines) if lines else ""


def rates(data):
    """MB of bytecode a second, and the most memory."""
    times, memory = summary.series_of(data, "compile"), summary.series_of(data, "compile", "memory")
    contenders = [name for name in data["contenders"] if any(name in values for values in times.values())]
    lines = []
    for name, values in times.items():
        size = data["benchmarks"][f"compile/{name}"]["code_bytes"]
        cells = []
        for one in contenders:
            if one not in values:
                cells.append("-")
                continue
            rate = size / stats.median(values[one]) * 1e3
            most = memory.get(name, {}).get(one)
            cells.append(f"{summary.number(rate)}" + (f" ({summary.quantity(stats.median(most), 'KiB')})" if most else ""))
        lines.append([f"{name} ({size / 1e3:,.0f} kB)", *cells])
    return table(["module (code)", *contenders], lines) if lines else ""


def machine(data):
    about, noise = data["machine"], data["noise"] or {}
    return (f"{about['cpu']}, {about['cpus']} CPUs{' (virtual)' if about['virtual'] else ''}, "
            f"governor {about['governor'] or 'unknown'}, {about['kernel']}, {about['distribution']}; {about['compiler']}; "
            f"{data['rounds']} rounds; load {about['load_at_start']:.2f} at the start; a fixed piece of native work varied by "
            f"{noise.get('yardstick_spread', 0):.1%}, other processes kept {noise.get('foreign_cpus', 0):.2f} CPUs busy.")


def document(data, level="##"):
    """Everything, as it stands in docs/performance.md."""
    parts = [f"wasirun {data['wasirun']} at {data['revision']}, {data['started'][:10]}, `{data['command']}`. {machine(data)}\n"]
    parts += [f"**{warning}**\n" for warning in summary.warnings(data)]

    def section(title, *bodies):
        bodies = [body for body in bodies if body]
        if bodies:
            parts.append(f"{level} {title}\n")
            parts.extend(bodies)

    if summary.series_of(data, "peak"):
        section("Peak: geometric means", headline(data))
        section("Peak: kernels", matrix(data, "peak", [one["name"] for one in data["benchmarks"].values() if
                                                      one["measure"] == "peak" and one.get("has_native")]))
        section("Peak: modules of others", matrix(data, "peak", [one["name"] for one in data["benchmarks"].values() if
                                                                one["measure"] == "peak" and not one.get("has_native")]))
    section("Compiling: MB of bytecode a second (most memory)", rates(data))
    section("Compiling: growth of the time with the size (1 is linear)", growth(data))
    section("Starting: hello world as a process", matrix(data, "start", names_of(data, "start", "process")))
    section("Starting: big modules until the first instruction", matrix(data, "start", names_of(data, "start", "first")))
    section("Starting: instances in one process", matrix(data, "start", names_of(data, "start", "instances")))
    section("Starting: memory per idle instance", matrix(data, "start", names_of(data, "start", "instances"), "bytes"))
    section("Crossing", matrix(data, "crossing", names_of(data, "crossing")))
    section("Tiering: time to finish, whole processes", matrix(data, "tiering", names_of(data, "tiering")))
    section("Tiering: auto's time as a multiple of others', and of its rounds", tiering_ratios(data))
    section("Tiering: auto beside the best of its tiers", behind_tiers(data))
    section("Memory", matrix(data, "memory", names_of(data, "memory")))
    if data["missing"]:
        section("Missing", "\n".join(f"- {one['title']} ({one['name']}): {one['reason']}" for one in data["missing"]) + "\n")
    if data["failures"]:
        section("Failed", "\n".join(f"- {one['contender']} at {one['measure']}/{one['benchmark']}: {one['line'][:300]}"
                                    for one in data["failures"]) + "\n")
    return "\n".join(parts)
