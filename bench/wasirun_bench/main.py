"""bench/run: measures wasirun beside its peers; writes a results file, report.html and Markdown tables.

Every contender runs once per round, so that what disturbs the machine meets them all. docs/performance.md says how to read what
comes out.
"""
import argparse
import os
import pathlib
import re
import resource
import shlex
import signal
import subprocess
import sys
import time

from . import contenders, machine, measures, paths, process, report, results
from .display import Display, span
from .rounds import Runner

EPILOG = """
examples:
  bench/run                                   everything, beside every peer (hours)
  bench/run --quick                           a first look at everything, rough
  bench/run --only peak --peers native,node   how fast code is, beside native code and V8
  bench/run --only 'peak/sha256' --peers 'node:*'
  bench/run --list                            what there is to measure, and with whom

Peers are installed by bench/peers/install, from package registries; those that are built from sources elsewhere are found
through WASM3, IWASM, WASMEDGE or on PATH. What is missing is named in the report with the reason.
"""


def parse(words):
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="PATTERN", help="only benchmarks whose MEASURE/NAME matches this regular expression; "
                        f"the measures are {', '.join(measures.NAMES)}")
    parser.add_argument("--peers", metavar="A,B", help="only these contenders beside wasirun: names or patterns, node or "
                        "node:liftoff or 'wasm*'; none: wasirun alone")
    parser.add_argument("--quick", action="store_true", help="three rounds and small sizes: a first look, not a measurement")
    parser.add_argument("--long", action="store_true", help="also CoreMark and the long ones of sightglass")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds that count (default: 5; --quick: 3)")
    parser.add_argument("--output", type=pathlib.Path, metavar="DIR", default=paths.RESULTS,
                        help="where the results go (default: bench/results)")
    parser.add_argument("--list", action="store_true", help="show what would be measured, and end")
    parser.add_argument("--build", type=pathlib.Path, metavar="DIR", default=paths.RELEASE,
                        help="the build of wasirun to measure (default: build/release)")
    parser.add_argument("--no-build", action="store_true", help="do not build wasirun first")
    parser.add_argument("--no-install", action="store_true", help="do not install peers first")
    parser.add_argument("--update-docs", action="store_true", help="also write the tables into docs/performance.md and the README")
    options = parser.parse_args(words)
    paths.RELEASE = options.build.resolve()
    if options.rounds is None:
        options.rounds = 3 if options.quick else 5
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    try:
        options.pattern = re.compile(options.only) if options.only else None
    except re.error as error:
        parser.error(f"--only: {error}")
    return options


def build(display):
    """wasirun and what the suite needs of it."""
    if not (paths.RELEASE / "build.ninja").exists():
        display.say(f"configuring {paths.RELEASE}")
        run_step(["cmake", "--preset", "release", "-B", str(paths.RELEASE)])
    display.say("building wasirun")
    run_step(["cmake", "--build", str(paths.RELEASE), "--target", "benchmarks", "-j", str(os.cpu_count() or 1)])


def run_step(command):
    done = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"bench: {shlex.join(command)} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def install_peers(display, names):
    """What can be installed of the peers that are wanted; why not is told where a peer is then missing."""
    installer = paths.PEERS / "install"
    if not installer.exists() or names == []:
        return
    display.say("looking for peers (bench/peers/install)")
    try:
        done = subprocess.run([str(installer), *(names or [])], capture_output=True, text=True, timeout=3600, check=False)
    except subprocess.TimeoutExpired:
        display.say("bench/peers/install did not end within an hour")
        return
    if done.returncode != 0:
        for line in done.stderr.strip().splitlines()[-10:]:
            display.say("  " + line)


def names_to_install(patterns):
    """The peers' own names that --peers asks for; None: all."""
    if patterns is None:
        return None
    known = [peer["name"] for peer in contenders.peer_tables()]
    return [name for name in known if any(contenders.matches(name, pattern.split(":")[0]) for pattern in patterns)]


def interrupt(_signal, _frame):
    raise KeyboardInterrupt


def plan_batches(plan):
    batches = []
    for name, measure in measures.MEASURES.items():
        try:
            batches += [batch for batch in measure(plan) if batch.steps]
        except process.Failed as error:
            plan.note(f"{name} is left out: {error.line}")
            plan.say(f"{name} is left out: {error.line}")
    return batches


def main(words=None):
    options = parse(words)
    report.check()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGTERM, interrupt)
    patterns = None if options.peers is None else [one for one in options.peers.split(",") if one and one != "none"]
    with Display() as display:
        return run(options, patterns, display)


def run(options, patterns, display):
    if not options.no_build:
        build(display)
    if not options.no_install and not options.list:
        install_peers(display, names_to_install(patterns))
    tools = {"wasirun": paths.RELEASE / "tools" / "wasirun" / "wasirun", "bench_run": paths.RELEASE / "bench" / "bench-run",
             "make_module": paths.RELEASE / "bench" / "make-module"}
    for tool in tools.values():
        if not tool.exists():
            raise SystemExit(f"bench: {tool} is not built")
    everyone, missing = contenders.load_all(tools["wasirun"], tools["bench_run"])
    if patterns == []:
        chosen, missing = [one for one in everyone if one.peer == contenders.OURS], []
    else:
        chosen, missing = contenders.choose(everyone, missing, patterns)
    for one in missing:
        display.say(f"missing: {one.name}: {one.reason}")
    plan = measures.Plan(chosen, tools, options.quick, options.pattern, options.long, display.say)
    display.say("preparing modules")
    batches = plan_batches(plan)
    if options.list:
        show_list(chosen, batches)
        return 0
    if not batches:
        raise SystemExit(f"bench: nothing to measure matches {options.only!r}")
    return measure(options, display, plan, chosen, missing, batches)


def show_list(chosen, batches):
    print("contenders:")
    for one in chosen:
        print(f"  {one.name:28} {one.title}, {one.version}")
    print("benchmarks:")
    for batch in batches:
        print(f"  {batch.measure}/{batch.benchmark:34} {batch.about.get('about', '')} ({len(batch.steps)})")


def measure(options, display, plan, chosen, missing, batches):
    began = time.monotonic()
    path = options.output / time.strftime("%Y-%m-%d-%H%M%S.json")
    found = results.Results(path, {
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "command": shlex.join(["bench/run", *sys.argv[1:]]),
        "quick": options.quick, "rounds": options.rounds, "revision": machine.revision(),
        "wasirun": chosen[0].version, "machine": machine.describe(),
    })
    found.data["contenders"] = {one.name: {"peer": one.peer, "title": one.title, "kind": one.kind, "version": one.version}
                                for one in chosen}
    found.data["missing"] = [vars(one) for one in missing]
    code = 0
    try:
        Runner(found, options.rounds, display).run(batches)
    except KeyboardInterrupt:
        display.say("interrupted: what was measured so far is kept")
        code = 130
    for note in plan.notes:
        found.note(note)
    found.save()
    written = report.write_all(found.data, path)
    if options.update_docs and code == 0:
        written += report.update_docs(found.data)
    for reason in found.data["noise"]["reasons"]:
        display.say(f"the machine was too noisy: {reason}")
    display.say(f"{span(time.monotonic() - began)}; written: {path}, " + ", ".join(str(one) for one in written))
    return code
