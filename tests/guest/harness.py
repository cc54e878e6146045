"""What tests that run real programs share: compilers, commands with limits, folders to work in, skipping.

A case is a function with the name that ctest shows; it raises Failure or Skip, or returns.
"""
import argparse
import contextlib
import fcntl
import hashlib
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import traceback

SKIPPED = 77
WASM_FLAGS = ["--target=wasm32-wasi", "--sysroot=/usr"]


class Failure(Exception):
    """The program did something else than it should."""


class Skip(Exception):
    """The case cannot be run here; the message says what is missing."""


class Outcome:
    """How a process ended. `code` is as a shell sees it: 128 + the signal where one ended it."""

    def __init__(self, command, code, stdout, stderr):
        self.command = command
        self.code = code if code >= 0 else 128 - code
        self.stdout = stdout
        self.stderr = stderr

    def __str__(self):
        text = " ".join(str(word) for word in self.command)
        return (f"$ {text}\nexit code {self.code}\n--- stdout\n{shorten(self.stdout)}\n--- stderr\n{shorten(self.stderr)}")


def shorten(data, limit=4000):
    text = data.decode("utf-8", "replace")
    return text if len(text) <= limit else text[:limit // 2] + "\n[...]\n" + text[-limit // 2:]


def require(name, *alternatives):
    """The path of a program, or Skip."""
    for candidate in (name, *alternatives):
        path = shutil.which(candidate)
        if path:
            return path
    raise Skip(f"{name} is not installed")


def run(command, *, stdin=b"", env=None, inherit=True, cwd=None, timeout=120):
    """Runs a process to its end. `env` is added to this one's environment, or is all of it without `inherit`."""
    base = os.environ if inherit else {}
    try:
        done = subprocess.run([str(word) for word in command], input=stdin, capture_output=True, check=False, cwd=cwd,
                              timeout=timeout, env={**base, **(env or {})})
    except subprocess.TimeoutExpired as late:
        raise Failure(f"not finished after {timeout} s: {' '.join(str(w) for w in command)}\n"
                      f"{shorten(late.stdout or b'')}\n{shorten(late.stderr or b'')}") from late
    return Outcome(command, done.returncode, done.stdout, done.stderr)


def check_run(command, **options):
    """A step that has to work, like a compiler's."""
    outcome = run(command, **options)
    if outcome.code != 0:
        raise Failure(str(outcome))
    return outcome


class Session:
    """One run of a case: the wasirun under test, `run` options that all programs get, like --tier, and the folder for
    what is built once."""

    def __init__(self, wasirun, cache, options=()):
        self.wasirun = wasirun
        self.cache = cache
        self.options = list(options)
        # What one test has compiled is no part of another one.
        self.run_command = [wasirun, "run", "--no-cache", *options]
        # Sanitized builds are some ten times slower.
        self.patience = float(os.environ.get("WASIRUN_TEST_PATIENCE", "1"))

    def wasm(self, module, *args, options=(), dirs=(), stdin=b"", env=None, timeout=120, wrapper=(), cwd=None):
        """Runs a module under wasirun. `dirs`: (host, guest) pairs; `env`: the guest's variables; `wrapper`: a command
        that is put in front."""
        command = [*wrapper, *self.run_command, *options]
        for host, guest in dirs:
            command += ["--dir", f"{host}::{guest}"]
        for key, value in (env or {}).items():
            command += ["--env", f"{key}={value}"]
        return run([*command, module, *args], stdin=stdin, timeout=timeout * self.patience, cwd=cwd)

    def cached(self, name, inputs, make):
        """cache/NAME.HASH, made by make(path) when it is not there; the hash is over `inputs` (texts and files).

        Several tests may want it at once: the first makes it, under a lock."""
        digest = hashlib.sha256()
        for item in inputs:
            digest.update(item.read_bytes() if isinstance(item, pathlib.Path) else str(item).encode())
            digest.update(b"\0")
        folder = self.cache / "guests"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.{digest.hexdigest()[:16]}"
        if path.exists():
            return path
        with open(folder / f"{name}.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                for old in folder.glob(f"{name}.????????????????"):
                    shutil.rmtree(old) if old.is_dir() else old.unlink()
                unfinished = folder / f"{name}.unfinished"
                make(unfinished)
                unfinished.rename(path)
        return path

    def compile(self, sources, *, native=False, flags=(), name=None, headers=(), timeout=600):
        """C and C++ by clang-19, for wasm32-wasi or for this machine."""
        is_cpp = sources[0].suffix == ".cpp"
        compiler = require("clang++-19" if is_cpp else "clang-19")
        target = [] if native else WASM_FLAGS
        language = ["-std=c++20", "-fno-exceptions"] if is_cpp else []
        command = [compiler, *target, *language, *flags]
        tail = ["-lm", "-lpthread", "-ldl"] if native else []

        def make(out):
            check_run([*command, *sources, "-o", out, *tail], timeout=timeout)

        label = (name or sources[0].stem) + ("-native" if native else "")
        return self.cached(label, [" ".join(command), *sources, *headers], make)


    def compile_threads(self, source):
        """C on the wasi-threads interface alone (threads/threads.h), as Debian's wasi-libc has no threads."""
        threads = pathlib.Path(__file__).resolve().parent / "threads"
        sources = [threads / "start.s", source]
        command = [require("clang-19"), "--target=wasm32-wasi-threads", "-ffreestanding", "-nostdlib", "-matomics",
                   "-mbulk-memory", "-O1", "-Wno-unused-function",
                   "-Wl,--shared-memory,--import-memory,--export-memory,--max-memory=4194304", *sources]
        return self.cached("threads-" + source.stem,
                           [" ".join(map(str, command[1:])), *sources, threads / "threads.h"],
                           lambda out: check_run([*command, "-o", out]))


@contextlib.contextmanager
def folder():
    """An empty folder, removed afterwards."""
    path = tempfile.mkdtemp(prefix="wasirun-test-")
    try:
        yield pathlib.Path(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)


def fill(path, files):
    """Writes {name: bytes} below a folder."""
    for name, content in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def snapshot(path):
    """What a folder holds: {name: content, link target or None for a folder}."""
    found = {}
    for item in sorted(path.rglob("*")):
        name = item.relative_to(path).as_posix()
        if item.is_symlink():
            found[name] = ("link", os.readlink(item))
        else:
            found[name] = ("folder", None) if item.is_dir() else ("file", item.read_bytes())
    return found


def expect_equal(what, expected, actual, context=""):
    if expected != actual:
        if isinstance(expected, dict) and isinstance(actual, dict):
            name = next(n for n in sorted(expected.keys() | actual.keys()) if expected.get(n) != actual.get(n))
            what, expected, actual = f"{what}: {name}", expected.get(name), actual.get(name)
            if expected and actual and expected[0] == actual[0] == "file":
                expected, actual = expected[1], actual[1]
        if isinstance(expected, bytes) and isinstance(actual, bytes):
            expected, actual = first_difference(expected, actual)
        raise Failure(f"{what} differs\nexpected: {expected!r}\nactual:   {actual!r}\n{context}")


def first_difference(expected, actual):
    """The lines around the first byte that differs."""
    at = next((i for i, (a, b) in enumerate(zip(expected, actual)) if a != b), min(len(expected), len(actual)))
    start = expected.rfind(b"\n", 0, at) + 1
    return expected[start:at + 200], actual[start:at + 200]


def expect_in(needle, haystack, context=""):
    if needle not in haystack:
        raise Failure(f"{needle!r} is not in {shorten(haystack)!r}\n{context}")


def run_cases(cases, names, session):
    """Runs the named cases, or all: 0, 1 after a failure, SKIPPED when some were skipped and none failed."""
    code = 0
    for name in names or cases:
        try:
            cases[name](session)
            print(f"passed: {name}", flush=True)
        except Skip as skip:
            print(f"SKIPPED: {name}: {skip}", flush=True)
            code = code or SKIPPED
        except Failure as failure:
            print(f"FAILED: {name}: {failure}", flush=True)
            code = 1
        except Exception:  # pylint: disable=broad-except
            traceback.print_exc(file=sys.stdout)
            print(f"FAILED: {name}", flush=True)
            code = 1
    return code


def main(cases):
    """`--list` prints the names of all cases; otherwise runs those that are named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--wasirun", type=pathlib.Path)
    parser.add_argument("--cache", type=pathlib.Path)
    parser.add_argument("--options", type=shlex.split, default=[], help="of `wasirun run`, for all programs")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(cases))
        return 0
    session = Session(arguments.wasirun.resolve(), arguments.cache.resolve(), arguments.options)
    session.cache.mkdir(parents=True, exist_ok=True)
    return run_cases(cases, arguments.names, session)
