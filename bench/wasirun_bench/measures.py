"""The measurements: each function makes batches of steps, one step per contender that can do it."""
import hashlib
import json
import pathlib
import re
import shutil
import tempfile

from . import coremark as coremark_output
from . import paths, process, stats, workloads
from .contenders import fill
from .process import Failed
from .rounds import Batch, Figure, NotApplicable, Step

COMPILE_LIMIT = 60  # seconds
NAMES = ("peak", "compile", "start", "crossing", "tiering", "memory")


class Plan:
    """What a run measures and with what."""

    def __init__(self, contenders, tools, is_quick, only, is_long, say):
        self.contenders = contenders
        self.launcher = process.Launcher()
        self.wasirun, self.make_module = tools["wasirun"], tools["make_module"]
        self.is_quick, self.only, self.is_long = is_quick, only, is_long
        self.say = say
        self.timeout = 60 if is_quick else 180
        self.notes = []
        self.rates = {}

    def wants(self, measure, benchmark):
        return self.only is None or self.only.search(f"{measure}/{benchmark}") is not None

    def wants_any(self, measure):
        """Whether it is worth looking what the measure consists of. A pattern may name a benchmark alone."""
        if self.only is None:
            return True
        head = self.only.pattern.lstrip("^").split("/")[0]
        return head == measure or not any(name == head for name in NAMES)

    def execute(self, contender, command, workload=None, timeout=None):
        return self.launcher.execute(command, cwd=workload.cwd if workload else None, environment=contender.environment,
                                     timeout=timeout or self.timeout)

    # Precompiled forms

    def precompiled(self, contender, workload):
        """The path of the module's precompiled form; made once per content, contender and version."""
        key = "\n".join([contender.name, contender.version, workload.key, *contender.actions["compile"]])
        label = hashlib.sha256(key.encode()).hexdigest()[:16]
        out = paths.WORK / "compiled" / contender.name.replace(":", "-") / f"{workload.name}-{label}"
        if not out.exists():
            out.parent.mkdir(parents=True, exist_ok=True)
            unfinished = out.with_name(out.name + ".unfinished")
            outcome = self.compile(contender, workload, unfinished, None)
            outcome.expect_code(0)
            if not unfinished.exists():
                raise outcome.failed("made no file")
            unfinished.rename(out)
        return out

    def compile(self, contender, workload, out, report):
        if any("{source}" in word for word in contender.actions["compile"]) and not workload.sources:
            raise NotApplicable
        with tempfile.NamedTemporaryFile() as thrown_away:
            command = contender.command("compile", module=workload.module, compiled=out, source=workload.sources,
                                        cflags=workload.native_flags, report=report or thrown_away.name)
            return self.execute(contender, command, timeout=600)

    def is_too_long(self, contender, size):
        """Whether compiling so many bytes would take longer than the limit, by the rate at which it compiled a small module. Compilers
        that turn modules into C also fill the memory with large ones."""
        if not contender.can("compile"):
            return False
        if contender.name not in self.rates:
            [(_, path)] = workloads.generated(self.make_module, [100_000])
            module = workloads.Workload(name="rate", title="", group="", module=path)
            with tempfile.TemporaryDirectory(prefix="wasirun-bench-") as folder:
                outcome = self.compile(contender, module, pathlib.Path(folder) / "compiled", None)
            self.rates[contender.name] = workloads.code_bytes(path) / outcome.seconds if outcome.code == 0 else None
        rate = self.rates[contender.name]
        return rate is not None and size / rate > COMPILE_LIMIT

    def refuse_too_long(self, contender, workload):
        """NotApplicable, with a note for the report."""
        if self.is_too_long(contender, workloads.code_bytes(workload.module)):
            self.note(f"{contender.name} is left out at {workload.name}: compiling it would take longer than {COMPILE_LIMIT} s")
            raise NotApplicable

    def note(self, text):
        text = process.local(text)
        if text not in self.notes:
            self.notes.append(text)

    def command(self, contender, action, workload, **values):
        """The command of run, timed or load: of the module, or of its precompiled form where there is nothing else."""
        common = {"args": workload.args, "dirs": workload.dirs, **values}
        if contender.can(action):
            return contender.command(action, module=workload.module, **common)
        if contender.can(action + "_compiled"):
            return contender.command(action + "_compiled", module=workload.module,
                                     compiled=self.precompiled(contender, workload), **common)
        raise NotApplicable

    def able(self, action, workload):
        """The contenders that can do this with the workload."""
        return [one for one in self.contenders
                if (one.can(action) or one.can(action + "_compiled")) and not one.lacks & workload.needs and
                not (one.kind == "native" and not workload.sources)]


def plural(count, word):
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def check_output(outcome, workload):
    """Every run's output is what it should be."""
    outcome.expect_code(0)
    for name in ("stdout", "stderr"):
        wanted = getattr(workload, name)
        if wanted is not None and getattr(outcome, name) != wanted:
            raise Failed(f"wrong {name}", f"expected {process.shorten(wanted, 300)!r}, "
                         f"not {process.shorten(getattr(outcome, name), 300)!r}", outcome.command)


def with_report(call):
    """call(path) -> Outcome, and what was written to the path."""
    with tempfile.TemporaryDirectory(prefix="wasirun-bench-") as folder:
        path = pathlib.Path(folder) / "report"
        outcome = call(path)
        return outcome, process.read_report(path)


# Peak


def repetition(stderr):
    """The time of a repetition, from "bench: T1 T2 ...": the median of the second half, when everything is warm."""
    found = re.search(rb"^bench: ([0-9 ]+)$", stderr, re.MULTILINE)
    times = [int(word) for word in found[1].split()] if found else []
    if not times or min(times) <= 0:
        raise Failed("the kernel reported no times", process.shorten(stderr))
    return stats.median(times[len(times) // 2:])


def peak_step(plan, contender, workload):
    def kernel():
        outcome = plan.execute(contender, plan.command(contender, "run", workload), workload)
        check_output(outcome, workload)
        return [Figure("time", "ns", repetition(outcome.stderr)), Figure("memory", "KiB", outcome.peak_kib)]

    def timed():
        def call(report):
            return plan.execute(contender, plan.command(contender, "timed", workload, report=report), workload)
        outcome, report = with_report(call)
        check_output(outcome, workload)
        if report.get("timed_ns", 0) <= 0:
            raise outcome.failed("no time between bench.start and bench.end")
        return [Figure("time", "ns", report["timed_ns"]), Figure("memory", "KiB", outcome.peak_kib)]

    def coremark():
        outcome = plan.execute(contender, plan.command(contender, "run", workload), workload)
        outcome.expect_code(0)
        score = coremark_output.score(outcome.stdout)
        if score is None:
            raise Failed("CoreMark has no score, or a wrong checksum", process.shorten(outcome.stdout))
        return [Figure("time", "ns", 1e9 / score)]

    def libsodium():
        outcome = plan.execute(contender, plan.command(contender, "run", workload), workload)
        outcome.expect_code(0)
        if not outcome.stdout.strip().isdigit() or int(outcome.stdout) == 0:
            raise Failed("it printed no time", process.shorten(outcome.stdout))
        return [Figure("time", "ns", float(outcome.stdout))]

    return Step(contender.name, {"kernel": kernel, "timed": timed, "coremark": coremark, "libsodium": libsodium}[workload.style])


def first_of_each_group(found):
    """For a first look at everything. What is asked for by name is measured, quick or not."""
    first = {}
    for workload in found:
        first.setdefault(workload.group, workload)
    return list(first.values())


def peak(plan):
    """Kernels and programs when everything is warm: the time of one repetition."""
    if not plan.wants_any("peak"):
        return
    found = [*workloads.kernels(plan.wasirun, 30 if plan.is_quick else 200, lambda name: plan.wants("peak", name)), *workloads.sightglass(is_long=plan.is_long),
             *workloads.libsodium()]
    if plan.is_long:
        found += workloads.coremark()
    if plan.is_quick and plan.only is None:
        found = first_of_each_group(found)
    for workload in found:
        if plan.wants("peak", workload.name):
            action = "timed" if workload.style == "timed" else "run"
            yield Batch("peak", workload.name, [peak_step(plan, one, workload) for one in plan.able(action, workload)],
                        {"title": workload.title, "group": workload.group, "about": workload.about,
                         "has_native": bool(workload.sources)})


# Compile


def compile_step(plan, contender, module):
    def eager(report):
        with tempfile.TemporaryDirectory(prefix="wasirun-bench-") as folder:
            return plan.compile(contender, module, pathlib.Path(folder) / "compiled", report)

    def lazy(report):
        return plan.execute(contender, contender.command("timed", module=module.module, report=report), timeout=600)

    def step():
        plan.refuse_too_long(contender, module)
        outcome, report = with_report(eager if contender.can("compile") else lazy)
        outcome.expect_code(0)
        if contender.can("compile"):
            taken = report.get("compile_ns", outcome.seconds * 1e9)
        else:
            parts = [report.get(name) for name in ("compile_ns", "instantiate_ns", "run_ns")]
            if None in parts:
                raise outcome.failed("the report lacks compile_ns, instantiate_ns or run_ns")
            taken = sum(parts)
        parts = [Figure(name, "ns", report[f"{name}_ns"]) for name in ("decode", "validate", "translate")
                 if f"{name}_ns" in report]
        return [Figure("time", "ns", taken), Figure("memory", "KiB", outcome.peak_kib), *parts]
    return Step(contender.name, step)


def compilers(plan, group):
    """Engines that compile a whole module when asked to. Those that compile functions when they are called can be compared on
    generated modules, whose `_start` calls every function once."""
    return [one for one in plan.contenders if one.kind != "native" and not one.name.endswith(":explicit") and
            (one.can("compile") or (group == "functions" and one.can("timed")))]


def big_modules(plan, is_wanted):
    """The programs from npm as (name, path). What cannot be fetched is named."""
    found, missing = workloads.npm_programs(is_wanted)
    for name, reason in missing:
        plan.note(f"{name} is left out: {reason}")
    return found


def compile_measure(plan):
    """Whole modules to code: real ones, and generated ones that differ in size alone."""
    if not plan.wants_any("compile"):
        return
    sizes = ((1_000, 10_000, 100_000, 1_000_000) if plan.is_quick else
             (1_000, 10_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 50_000_000))
    sizes = [size for size in sizes if plan.wants("compile", f"generated-{size}")]
    modules = [("functions", f"generated-{size}", path) for size, path in workloads.generated(plan.make_module, sizes)]
    shared = paths.SHARED
    modules += [("real", name, path) for name, path in (
        ("hello (C)", shared / "guests" / "hello.wasm"), ("hellopp (C++)", shared / "guests" / "hellopp.wasm"),
        ("bz2", shared / "sightglass" / "bz2" / "benchmark.wasm"),
        ("rust-compression", shared / "sightglass" / "rust-compression" / "benchmark.wasm")) if path.exists()]
    if not plan.is_quick:
        modules += [("real", name, path) for name, path in
                    big_modules(plan, lambda name: plan.wants("compile", name))]
    for group, name, path in modules:
        if plan.wants("compile", name):
            module = workloads.Workload(name=name, title=name, group=group, module=path)
            steps = [compile_step(plan, one, module) for one in compilers(plan, group)]
            size = path.stat().st_size
            # Nothing is warmed up by compiling a large module: each time it is done in a process of its own.
            yield Batch("compile", name, steps, {"title": name, "group": group, "bytes": size,
                                                 "code_bytes": workloads.code_bytes(path)},
                        has_warm_up=size < 5_000_000)


# Start


def process_step(plan, contender, workload, action, expected=None):
    def step():
        if action == "run":
            words = plan.command(contender, "run", workload)
        else:
            words = contender.command("run_compiled", args=workload.args, dirs=workload.dirs, module=workload.module,
                                      compiled=plan.precompiled(contender, workload))
        outcome = plan.execute(contender, words, workload)
        outcome.expect_code(0)
        if expected is not None and outcome.stdout != expected:
            raise Failed("wrong output", process.shorten(outcome.stdout, 300), outcome.command)
        return [Figure("time", "ns", outcome.seconds * 1e9), Figure("memory", "KiB", outcome.peak_kib)]
    return Step(contender.name, step)


def load_step(plan, contender, workload, is_cached):
    def step():
        def call(report):
            if is_cached:
                words = contender.command("load_compiled", module=workload.module, report=report,
                                          compiled=plan.precompiled(contender, workload))
            else:
                words = contender.command("load", module=workload.module, report=report)
            return plan.execute(contender, words)
        plan.refuse_too_long(contender, workload)
        outcome, _ = with_report(call)
        outcome.expect_code(0)
        return [Figure("time", "ns", outcome.seconds * 1e9), Figure("memory", "KiB", outcome.peak_kib)]
    return Step(contender.name, step)


def instances_step(plan, contender, module, count):
    def step():
        def call(report):
            return plan.execute(contender, contender.command("instances", module=module, count=count, report=report))
        outcome, report = with_report(call)
        outcome.expect_code(0)
        if "instantiate_ns" not in report:
            raise outcome.failed("no instantiate_ns in the report")
        figures = [Figure("time", "ns", report["instantiate_ns"])]
        if "instance_bytes" in report and count >= 1000:
            figures.append(Figure("bytes", "B", report["instance_bytes"]))
        return figures
    return Step(contender.name, step)


def hello_native(plan):
    source = paths.BENCH / "modules" / "hello.c"
    try:
        binary = process.compile_native("hello", [source])
    except Failed as error:
        plan.note(f"The native hello is left out: {error}")
        return None
    return binary


def start(plan):
    """Processes from nothing to hello world, big modules to their first instruction, instances by the thousand."""
    if not plan.wants_any("start"):
        return
    hello = {"tiny": b"hello\n", "hello": b"hello\n", "hellopp": b"sum 45\n"}
    for name, stdout in hello.items():
        path = paths.SHARED / "guests" / f"{name}.wasm"
        if not path.exists() or not plan.wants("start", name):
            continue
        workload = workloads.Workload(name=name, title=name, group="process", module=path)
        about = {"title": f"{name} ({path.stat().st_size:,} bytes)", "group": "process"}
        steps = [process_step(plan, one, workload, "run", stdout) for one in plan.contenders
                 if one.kind != "native" and (one.can("run") or one.can("run_compiled"))]
        native = hello_native(plan) if name == "hello" else None
        if native:
            steps.insert(0, native_hello_step(plan, native))
        yield Batch("start", name, steps, about)
    if not plan.is_quick:
        yield from first_instruction(plan)
    module = workloads.text_module(paths.BENCH / "modules" / "idle.wat", plan.wasirun)
    for count in (1, 100, 10_000) if plan.is_quick else (1, 10, 100, 1_000, 10_000, 100_000):
        name = f"instances-{count}"
        if plan.wants("start", name):
            yield Batch("start", name, [instances_step(plan, one, module, count) for one in plan.contenders
                                        if one.can("instances")],
                        {"title": plural(count, "instance"), "group": "instances", "count": count})


def native_hello_step(plan, binary):
    def step():
        outcome = plan.launcher.execute([binary], timeout=plan.timeout).expect_code(0)
        return [Figure("time", "ns", outcome.seconds * 1e9), Figure("memory", "KiB", outcome.peak_kib)]
    return Step("native", step)


def first_instruction(plan):
    def is_wanted(name):
        return plan.wants("start", f"{name}-cold") or plan.wants("start", f"{name}-cached")

    for name, path in big_modules(plan, is_wanted):
        workload = workloads.Workload(name=name, title=name, group="first", module=path)
        for is_cached in (False, True):
            label = f"{name}-{'cached' if is_cached else 'cold'}"
            action = "load_compiled" if is_cached else "load"
            steps = [load_step(plan, one, workload, is_cached) for one in plan.contenders if one.can(action) and
                     (not is_cached or one.can("compile")) and not one.name.endswith(":explicit")]
            if plan.wants("start", label) and steps:
                yield Batch("start", label, steps, {"title": f"{name}, {'cached' if is_cached else 'cold'}", "group": "first",
                                                    "bytes": path.stat().st_size})


# Micro benchmarks


def micro_figures(data):
    """Google Benchmark's JSON as figures: nanoseconds per iteration, and bytes where a benchmark counts them."""
    scale = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
    figures, errors = [], []
    for one in data["benchmarks"]:
        if one.get("run_type") == "aggregate":
            continue
        name = re.sub(r"/(real_time|process_time|iterations:\d+|manual_time)\b", "", one["name"])
        if one.get("error_occurred"):
            errors.append(f"{name}: {one.get('error_message', 'error')}")
            continue
        value = one.get("per_item_ns")
        figures.append(Figure("time", "ns", value if value is not None else one["real_time"] * scale[one["time_unit"]], name))
        if "bytes_per_instance" in one:
            figures.append(Figure("bytes", "B", one["bytes_per_instance"], name))
    return figures, errors


def micro_step(plan, contender, words):
    def step():
        command = [*words, "--benchmark_out_format=json", f"--benchmark_min_time={0.01 if plan.is_quick else 0.05}"]
        with tempfile.TemporaryDirectory(prefix="wasirun-bench-") as folder:
            out = pathlib.Path(folder) / "out.json"
            outcome = plan.execute(contender, [*command, f"--benchmark_out={out}"], timeout=600).expect_code(0)
            try:
                data = json.loads(out.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                raise outcome.failed(f"no JSON ({error})") from None
        figures, errors = micro_figures(data)
        for error in errors:
            plan.note(f"{contender.name}: {error}")
        if not figures:
            raise outcome.failed("no figures")
        return figures
    return Step(contender.name, step)


def micro(plan, measure, name):
    if not plan.wants(measure, name):
        return
    steps = []
    for one in plan.contenders:
        if name not in one.micro:
            continue
        words = fill(one.micro[name], one.places)
        if shutil.which(words[0]) is None:
            plan.note(f"{one.name}: no {name} micro benchmarks: {words[0]} is not built")
            continue
        steps.append(micro_step(plan, one, words))
    if steps:
        yield Batch(measure, name, steps, {"title": name, "group": name, "is_container": True})


def crossing(plan):
    """Calls between host and guest, in processes of ours and of peers that have a C API."""
    if plan.wants_any("crossing"):
        yield from micro(plan, "crossing", "crossing")


def memory(plan):
    """Growing, resetting, instances in our process, and allocation on the collected heap."""
    if not plan.wants_any("memory"):
        return
    yield from micro(plan, "memory", "memory")
    yield from micro(plan, "memory", "instances")
    for workload in [*workloads.linear(plan.wasirun), *workloads.collected(plan.wasirun)]:
        if plan.wants("memory", workload.name):
            yield Batch("memory", workload.name, [peak_step(plan, one, workload) for one in plan.able("timed", workload)],
                        {"title": workload.title, "group": workload.group, "about": workload.about})


# Tiering


def tiering(plan):
    """The same program at growing lengths, whole processes: where a start that is quick pays, and where code that is
    good. A contender that needed longer than the limit for one length is not asked for longer ones."""
    if not plan.wants_any("tiering"):
        return
    tables = [table for table in workloads.kernel_tables() if table["group"] == "tiering"]
    longest = 2.0 if plan.is_quick else 30.0
    for table in tables:
        over = {}
        for repetitions in (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000):
            name = f"{table['name']}-{repetitions}"
            if not plan.wants("tiering", name):
                continue
            workload = workloads.kernel(table, plan.wasirun, ["0", str(repetitions)])
            if plan.is_quick and repetitions > 1000:
                break
            steps = [tiering_step(plan, one, workload, repetitions, longest, over) for one in plan.able("run", workload)
                     if not one.name.endswith(":explicit")]
            yield Batch("tiering", name, steps, {"title": plural(repetitions, "repetition"), "group": table["name"],
                                                 "length": repetitions, "about": table.get("about", "")},
                        has_warm_up=repetitions < 1_000)


def tiering_step(plan, contender, workload, length, longest, over):
    """`over`: {contender: the first length that took so long that the next, three times as long, would pass the limit}."""
    def step():
        if over.get(contender.name, length) < length:
            raise NotApplicable
        outcome = plan.execute(contender, plan.command(contender, "run", workload), workload, timeout=4 * longest + 60)
        check_output(outcome, workload)
        if outcome.seconds > longest / 3:
            over.setdefault(contender.name, length)
        return [Figure("time", "ns", outcome.seconds * 1e9)]
    return Step(contender.name, step)


MEASURES = {"peak": peak, "compile": compile_measure, "start": start, "crossing": crossing, "tiering": tiering,
            "memory": memory}
