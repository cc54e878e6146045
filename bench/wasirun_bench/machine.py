"""What machine this is, and whether it was quiet while it was measured."""
import os
import pathlib
import platform
import re
import resource
import subprocess
import time

from . import paths, process, stats

# The criterion, documented in docs/performance.md. A machine was too noisy when one of these was exceeded.
MOST_YARDSTICK_SPREAD = 0.05  # (90 % - 10 % quantile) / median of a fixed piece of native work, measured before each round
MOST_FOREIGN_CPUS = 0.10  # CPUs that other processes kept busy, on average
MOST_STEAL = 0.01  # share of the time that the hypervisor gave to other machines


def read(path, default=None):
    try:
        return pathlib.Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return default


def first_match(pattern, text, default=None):
    found = re.search(pattern, text or "", re.MULTILINE)
    return found[1].strip() if found else default


def output(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip().splitlines()[0] if done.returncode == 0 and done.stdout.strip() else None


def describe():
    """What of the machine bears on figures; None where it cannot be told."""
    cpuinfo = read("/proc/cpuinfo", "")
    flags = first_match(r"^flags\s*: (.*)$", cpuinfo, "")
    cpu = pathlib.Path("/sys/devices/system/cpu")
    return {
        "cpu": first_match(r"^model name\s*: (.*)$", cpuinfo) or platform.machine(),
        "cpu_family": first_match(r"^cpu family\s*: (.*)$", cpuinfo),
        "cpus": os.cpu_count(),
        "architecture": platform.machine(),
        "virtual": "hypervisor" in flags.split(),
        "governor": read(cpu / "cpu0" / "cpufreq" / "scaling_governor"),
        "boost": read(cpu / "cpufreq" / "boost"),
        "memory_mib": int(first_match(r"^MemTotal:\s*(\d+)", read("/proc/meminfo", ""), "0")) // 1024,
        "kernel": f"{platform.system()} {platform.release()}",
        "distribution": first_match(r'^PRETTY_NAME="?([^"\n]*)', read("/etc/os-release", "")),
        "transparent_huge_pages": first_match(r"\[(\w+)\]", read("/sys/kernel/mm/transparent_hugepage/enabled", "")),
        "load_at_start": os.getloadavg()[0],
        "compiler": output("clang-19", "--version"),
        "python": platform.python_version(),
    }


def revision():
    """The commit, with "+" behind it where files differ from it."""
    commit = output("git", "-C", str(paths.ROOT), "rev-parse", "--short=10", "HEAD")
    if commit is None:
        return None
    changed = output("git", "-C", str(paths.ROOT), "status", "--porcelain", "--untracked-files=no")
    return commit + ("+" if changed else "")


def cpu_times():
    """(busy, stolen) seconds of all CPUs since boot."""
    fields = [int(field) for field in read("/proc/stat", "cpu 0 0 0 0 0 0 0 0").splitlines()[0].split()[1:9]]
    user, nice, system, _idle, _iowait, irq, softirq, stolen = fields + [0] * (8 - len(fields))
    ticks = os.sysconf("SC_CLK_TCK")
    return (user + nice + system + irq + softirq) / ticks, stolen / ticks


def own_times():
    used = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        used += usage.ru_utime + usage.ru_stime
    return used


class Watch:
    """Watches the machine while something is measured. `yardstick` is a piece of native work that always takes the same
    time on a quiet machine."""

    def __init__(self):
        self.yardstick = []
        self.program = None
        self.start = (time.monotonic(), *cpu_times(), own_times())

    def measure(self):
        """Before each round."""
        if self.program is None:
            self.program = process.compile_native("yardstick", [paths.BENCH / "yardstick.c"])
        done = subprocess.run([str(self.program)], capture_output=True, text=True, timeout=60, check=True)
        self.yardstick.append(int(done.stdout))

    def report(self):
        began, busy, stolen, own = self.start
        seconds = max(time.monotonic() - began, 1e-3)
        busy_now, stolen_now = cpu_times()
        noise = {
            "seconds": seconds,
            "rounds": len(self.yardstick),
            "yardstick_ns": stats.median(self.yardstick) if self.yardstick else None,
            "yardstick_spread": stats.robust_spread(self.yardstick) if self.yardstick else 0.0,
            "foreign_cpus": max(0.0, (busy_now - busy) - (own_times() - own)) / seconds,
            "steal": max(0.0, stolen_now - stolen) / seconds / (os.cpu_count() or 1),
            "load_at_end": os.getloadavg()[0],
        }
        noise["reasons"] = reasons(noise)
        return noise


def reasons(noise):
    """Why the machine was too noisy, as sentences; empty when it was quiet."""
    found = []
    if noise["yardstick_spread"] > MOST_YARDSTICK_SPREAD:
        found.append(f"a fixed piece of native work took {noise['yardstick_spread']:.1%} more or less from round to round "
                     f"(at most {MOST_YARDSTICK_SPREAD:.1%} on a quiet machine)")
    if noise["foreign_cpus"] > MOST_FOREIGN_CPUS:
        found.append(f"other processes kept {noise['foreign_cpus']:.2f} CPUs busy (at most {MOST_FOREIGN_CPUS:.2f})")
    if noise["steal"] > MOST_STEAL:
        found.append(f"the hypervisor gave {noise['steal']:.1%} of the time to others (at most {MOST_STEAL:.0%})")
    return found
