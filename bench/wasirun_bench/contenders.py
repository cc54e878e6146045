"""Who is measured. A contender is one way to run modules: a peer in one of its modes, or wasirun in one of its tiers.

Peers are described in bench/peers/peers.toml as command lines with placeholders; nothing here knows one by name.
"""
import dataclasses
import fnmatch
import os
import pathlib
import re
import shutil
import subprocess
import tomllib

from . import paths, process

ACTIONS = ("run", "timed", "compile", "run_compiled", "timed_compiled", "load", "load_compiled", "instances")
KINDS = ("native", "aot", "jit", "interpreter")
OURS = "wasirun"
# Google Benchmark binaries and their options: more than 1000 instances are made by bench-run, as in peers' processes.
OUR_MICRO = {"crossing": (), "memory": (), "instances": ("--benchmark_filter=-/100000*(/|$)",)}


@dataclasses.dataclass
class Missing:
    """A peer or a mode that is not measured, and why."""
    name: str
    title: str
    reason: str


@dataclasses.dataclass
class Contender:
    name: str  # "node:liftoff"
    peer: str  # "node"
    title: str
    kind: str
    version: str
    actions: dict  # {action: words with placeholders}
    micro: dict = dataclasses.field(default_factory=dict)  # {"crossing": words}
    lacks: frozenset = frozenset()
    dir_words: tuple = ()
    environment: dict = dataclasses.field(default_factory=dict)
    places: dict = dataclasses.field(default_factory=dict)  # {placeholder: path} that do not depend on the workload
    is_default: bool = True

    def can(self, action):
        return action in self.actions

    def command(self, action, *, args=(), dirs=(), **values):
        """The command line of an action; None where this contender does not do it."""
        words = self.actions.get(action)
        return None if words is None else fill(words, {**self.places, **values}, args, dirs, self.dir_words)


def fill(words, values, args=(), dirs=(), dir_words=()):
    """The words with their placeholders replaced. A placeholder that is unknown is a mistake in peers.toml."""
    def replace(word):
        def value(match):
            if match[1] not in values:
                raise process.Failed(f"peers.toml: nothing is known for the placeholder {match[0]} in {word!r}")
            return str(values[match[1]])
        return re.sub(r"\{(\w+)\}", value, word)

    command = []
    for word in words:
        if word == "{args}":
            command += [str(arg) for arg in args]
        elif word == "{dirs}":
            for host, guest in dirs:
                command += [part.replace("{host}", str(host)).replace("{guest}", str(guest)) for part in dir_words]
        elif word == "{cflags}":
            command += [str(flag) for flag in values.get("cflags", ())]
        elif word == "{source}":
            command += [str(source) for source in values.get("source", ())]
        else:
            command.append(replace(word))
    return command


# Peers


def find_binary(places, installed):
    """The first of "env:NAME", "path:NAME", "installed:PATH" that is there; (path, what was looked for)."""
    looked = []
    for place in places:
        kind, _, name = place.partition(":")
        if kind == "env":
            path = os.environ.get(name)
            looked.append(f"{name} is not set" if not path else f"{name} is not an executable file")
        elif kind == "path":
            path = shutil.which(name)
            looked.append(f"{name} is not on PATH")
        elif kind == "installed":
            path = installed / name
            looked.append(f"bench/peers/install has not made it ({reason_of_install(installed) or 'not run'})")
        else:
            raise ValueError(f"peers.toml: {place!r} is none of env:, path:, installed:")
        if path and os.path.isfile(path) and os.access(path, os.X_OK):
            return pathlib.Path(path), looked
    return None, looked


def reason_of_install(installed):
    """What bench/peers/install said when it could not."""
    try:
        return (installed / "missing").read_text(encoding="utf-8").strip().splitlines()[0]
    except (OSError, IndexError):
        return None


def first_line(command, environment, timeout=60):
    """(True, the first line of stdout), or (False, why not)."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, errors="replace",
                              stdin=subprocess.DEVNULL, env={**os.environ, **environment})
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, str(error)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return False, lines[-1][:300]
    lines = done.stdout.strip().splitlines()
    return True, lines[0].strip() if lines else ""


def load_peer(peer):
    """([Contender], [Missing]) of one [[peer]] table."""
    name, title = peer["name"], peer.get("title", peer["name"])
    installed = paths.INSTALLED / name
    places = {"here": paths.PEERS / name, "peers": paths.PEERS, "installed": installed, "release": paths.RELEASE}
    environment = {key: fill([value], places)[0] for key, value in peer.get("environment", {}).items()}
    if "binary" in peer:
        found, looked = find_binary(peer["binary"], installed)
        if found is None:
            return [], [Missing(name, title, "; ".join(looked))]
        places["bin"] = found
    for word in peer.get("files", ()):
        file = fill([word], places)[0]
        if not os.path.exists(file):
            why = reason_of_install(installed) or f"{file} is missing: run bench/peers/install {name}"
            return [], [Missing(name, title, why)]
    version = "unknown"
    if "version" in peer:
        is_fine, version = first_line(fill(peer["version"], places), environment)
        if not is_fine:
            return [], [Missing(name, title, f"does not tell its version: {version}")]
    contenders, missing = [], []
    for mode in peer["mode"]:
        full_name = f"{name}:{mode['name']}" if mode["name"] else name
        full_title = mode.get("title", title)
        if "check" in mode:
            is_fine, why = first_line(fill(mode["check"], places), environment)
            if not is_fine:
                missing.append(Missing(full_name, full_title, why))
                continue
        unknown = set(mode) - {*ACTIONS, "name", "title", "kind", "lacks", "check", "micro", "default", "environment"}
        if unknown:
            raise ValueError(f"peers.toml: {full_name}: unknown keys {sorted(unknown)}")
        kind = mode.get("kind", peer.get("kind"))
        if kind not in KINDS:
            raise ValueError(f"peers.toml: {full_name}: the kind {kind!r} is none of {KINDS}")
        contenders.append(Contender(
            name=full_name, peer=name, title=full_title, kind=kind, version=version,
            actions={action: mode[action] for action in ACTIONS if action in mode}, micro=mode.get("micro", {}),
            lacks=frozenset([*peer.get("lacks", ()), *mode.get("lacks", ())]), dir_words=tuple(peer.get("dir", ())),
            environment={**environment, **mode.get("environment", {})}, places=places,
            is_default=mode.get("default", peer.get("default", True))))
    return contenders, missing


def peer_tables():
    path = paths.PEERS / "peers.toml"
    if not path.exists():
        return []
    return tomllib.loads(path.read_text(encoding="utf-8"))["peer"]


# wasirun


def our_tiers(wasirun):
    """The tiers that this build has, from its own help text: nothing is to be changed here when one is added."""
    is_fine, text = True, subprocess.run([str(wasirun), "run", "--help"], capture_output=True, text=True, timeout=60,
                                         check=True).stdout
    found = re.search(r"--tier TIER\s+.*?: ((?:\w[\w-]*(?: \(default\))?(?:, | or )?)+)", text)
    if not is_fine or not found:
        raise SystemExit(f"bench: {wasirun} run --help does not list its tiers")
    names = re.findall(r"([\w-]+)(?: \(default\))?", found[1].replace(" or ", ", "))
    return [name for name in names if name not in ("auto", "default")]


def ours(wasirun, bench_run):
    """wasirun's contenders: one per tier, and each tier with the other way of bounds checking."""
    is_fine, version = first_line([str(wasirun), "--version"], {})
    version = version.removeprefix("wasirun ") if is_fine else "unknown"
    tiers = our_tiers(wasirun)
    found = []
    modes = [(tier, "guard") for tier in tiers] + [(tier, "explicit") for tier in tiers]
    if len(tiers) > 1:
        modes.insert(0, ("auto", "guard"))
    for tier, checks in modes:
        options = ["--tier", tier, "--bounds-checks", checks]
        name = ":".join([OURS, tier] + (["explicit"] if checks == "explicit" else []))
        title = f"wasirun, {tier}" + (", explicit bounds checks" if checks == "explicit" else "")
        runner = ["{bench_run}", *options, "--report", "{report}"]
        found.append(Contender(
            name=name, peer=OURS, title=title, kind="interpreter" if tier == "interp" else "jit", version=version,
            actions={
                "run": ["{wasirun}", "run", "--no-cache", *options, "{dirs}", "{module}", "{args}"],
                "timed": [*runner, "{dirs}", "run", "{module}", "{args}"],
                "compile": [*runner, "compile", "{module}"],
                "load": [*runner, "--validate", "lazy", "load", "{module}"],
                "instances": [*runner, "instances", "{module}", "{count}"],
            },
            micro={name: ["{release}/bench/micro/" + name, "--tier=" + tier, "--bounds-checks=" + checks, *more]
                   for name, more in OUR_MICRO.items()},
            dir_words=("--dir", "{host}::{guest}"),
            places={"wasirun": wasirun, "bench_run": bench_run, "release": paths.RELEASE}))
    return found


# Choice


def load_all(wasirun, bench_run):
    contenders, missing = ours(wasirun, bench_run), []
    for peer in peer_tables():
        found, absent = load_peer(peer)
        contenders += found
        missing += absent
    return contenders, missing


def matches(name, pattern):
    """A peer's name stands for all of its modes."""
    return fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name, pattern + ":*")


def choose(contenders, missing, patterns):
    """Those that --peers asks for (default: all that are run by default); wasirun is always among them. Names that
    match nothing are an error, names of missing ones are not."""
    if not patterns:
        return [one for one in contenders if one.is_default or one.peer == OURS], missing
    for pattern in patterns:
        if not any(matches(one.name, pattern) for one in [*contenders, *missing]):
            known = ", ".join(sorted({one.name for one in [*contenders, *missing]}))
            raise SystemExit(f"bench: --peers: nothing is called {pattern!r}; there are {known}")
    asks_for_ours = any(matches(one.name, pattern) for one in contenders if one.peer == OURS for pattern in patterns)
    chosen = [one for one in contenders if (one.peer == OURS and not asks_for_ours) or
              any(matches(one.name, pattern) for pattern in patterns)]
    return chosen, [one for one in missing if any(matches(one.name, pattern) for pattern in patterns)]
