"""One process: what it cost and how it ended. Every process has a time limit."""
import os
import pathlib
import signal
import subprocess
import tempfile

from . import paths

OUTPUT_LIMIT = 8 << 20


class Failed(Exception):
    """A step could not be measured; the message says why, `stderr` is what the process said."""

    def __init__(self, message, stderr="", command=()):
        super().__init__(message)
        self.stderr = local(stderr)
        self.command = local(" ".join(map(str, command)))

    @property
    def line(self):
        """All in one line: the message, and the last thing that the process said."""
        said = self.stderr.strip().splitlines()
        return f"{self}: {said[-1].strip()}" if said else str(self)


def local(text):
    """Without the place where the project lies: of no use to who reads a report elsewhere."""
    return text.replace(f"{paths.ROOT}/", "")


class Outcome:
    def __init__(self, command, seconds, cpu, peak_kib, code, stdout, stderr):
        self.command = [str(word) for word in command]
        self.seconds, self.cpu, self.peak_kib, self.code = seconds, cpu, peak_kib, code
        self.stdout, self.stderr = stdout, stderr

    def failed(self, message):
        return Failed(message, shorten(self.stderr), self.command)

    def expect_code(self, code=0):
        if self.code != code:
            raise self.failed(f"exit code {self.code}")
        return self


def shorten(data, limit=1500):
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    text = text.strip()
    return text if len(text) <= limit else text[:limit // 2] + "\n[...]\n" + text[-limit // 2:]


class Launcher:
    """Runs commands through `measure`, which is compiled on first use: the peak memory that the kernel tells of a child
    begins with that of the process which made it, and Python's is large."""

    def __init__(self):
        self.measure = None

    def execute(self, command, *, cwd=None, environment=None, timeout=120, stdin=None):
        if self.measure is None:
            self.measure = compile_native("measure", [paths.BENCH / "measure.c"])
        with tempfile.TemporaryDirectory(prefix="wasirun-bench-") as folder:
            here = pathlib.Path(folder)
            words = [str(self.measure), str(here / "cost"), *map(str, command)]
            with open(here / "stdout", "w+b") as stdout, open(here / "stderr", "w+b") as stderr, \
                    open(stdin or os.devnull, "rb") as source:
                child = subprocess.Popen(words, stdin=source, stdout=stdout, stderr=stderr, cwd=cwd,
                                         env={**os.environ, **(environment or {})}, start_new_session=True)
                is_late = False
                try:
                    child.wait(timeout)
                except subprocess.TimeoutExpired:
                    is_late = True
                finally:
                    # Whatever happened, also an interrupt: nothing of it is left. The group is ours alone.
                    end_group(child)
                stdout.seek(0)
                stderr.seek(0)
                out, err = stdout.read(OUTPUT_LIMIT), stderr.read(OUTPUT_LIMIT)
            if is_late:
                raise Failed(f"not finished after {timeout:.0f} s", shorten(err), command)
            try:
                seconds, cpu, peak, code = (here / "cost").read_text(encoding="utf-8").split()
            except (OSError, ValueError):
                raise Failed("cannot be run", shorten(err), command) from None
            return Outcome(command, float(seconds), float(cpu), int(peak), int(code), out, err)


def end_group(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


def compile_native(name, sources, flags=()):
    """A C program of the suite's own, for this machine; compiled anew when a source is newer."""
    out = paths.WORK / "bin" / name
    if out.exists() and all(out.stat().st_mtime > source.stat().st_mtime for source in sources):
        return out
    compile_c([*sources, *flags, "-lm"], out)
    return out


def compile_c(words, out, timeout=300):
    """clang-19 -O3; the file appears when it is complete."""
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(out.name + ".unfinished")
    command = ["clang-19", "-O3", *map(str, words), "-o", str(unfinished)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=timeout, check=False)
    except FileNotFoundError:
        raise Failed("clang-19 is not installed") from None
    except subprocess.TimeoutExpired:
        raise Failed(f"not finished after {timeout} s", "", command) from None
    if done.returncode != 0:
        raise Failed("cannot be compiled", shorten(done.stderr), command)
    unfinished.rename(out)


def read_report(path):
    """{name: value} of a runner's report."""
    values = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return values
    for line in lines:
        words = line.split()
        if len(words) == 2:
            values[words[0]] = float(words[1])
    return values
