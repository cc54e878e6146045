#!/usr/bin/env python3
"""The Debian packages in a root of their own.

packages.py install PACKAGES ROOT ABI   installs them there, with dpkg checking what they depend on
packages.py use PACKAGES ROOT ABI       uses the command from there, and looks at what there is
packages.py remove PACKAGES ROOT ABI    removes them, and looks for traces
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ACTION, PACKAGES, ROOT, ABI = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]).absolute(), sys.argv[4]
ADMIN = ROOT / "var/lib/dpkg"
EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
NAMES = {"wasirun", f"libwasirun{ABI}", "libwasirun-dev", "wasirun-llvm", "containerd-shim-wasirun"}
TIMEOUT = 120


def fail(message):
    sys.exit(f"packages.py: {message}")


def output_of(*words, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=TIMEOUT, check=False, **options)
    if done.returncode != 0:
        fail(f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def field(package, name):
    return output_of("dpkg-deb", "-f", package, name).strip()


def packages():
    found = {field(path, "Package"): path for path in PACKAGES.glob("*.deb")}
    # Without LLVM there is one less.
    if not found.keys() >= NAMES - {"wasirun-llvm"} or not found.keys() <= NAMES:
        fail(f"{PACKAGES} has {sorted(found)}, expected {sorted(NAMES)}")
    return found


def files():
    """All that lies in the root, but what is dpkg's own."""
    return {path.relative_to(ROOT) for path in ROOT.rglob("*") if ADMIN not in (path, *path.parents) and path not in ADMIN.parents}


def dpkg(*words):
    prefix = [] if os.geteuid() == 0 else ["fakeroot"]
    with tempfile.TemporaryDirectory() as tools:
        # Scripts of packages run outside of the root, whose libraries are no business of this system's.
        (pathlib.Path(tools) / "ldconfig").symlink_to("/bin/true")
        return output_of(*prefix, "dpkg", f"--root={ROOT}", "--force-not-root", "--force-script-chrootless", *words,
                         env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}:/usr/sbin:/sbin"})


def install():
    if os.geteuid() != 0 and shutil.which("fakeroot") is None:
        print("SKIPPED: dpkg wants root, or fakeroot")
        return 77
    shutil.rmtree(ROOT, ignore_errors=True)
    (ADMIN / "info").mkdir(parents=True)
    (ADMIN / "updates").mkdir()
    (ADMIN / "available").touch()
    # Of what is installed here the packages that ours depend on, so that dpkg finds fault with what is not there.
    found = packages()
    wanted = {name for path in found.values() for part in re.split(r"[,|]", field(path, "Depends")) if part.strip()
              for name in [re.match(r"[\w.+-]+", part.strip())[0]]} - NAMES
    for name in ("libc6", "libuv1-dev", "libasmjit-dev"):
        if name not in wanted:
            fail(f"no package depends on {name}: {sorted(wanted)}")
    stanzas = []
    for name in sorted(wanted):
        known = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version} ${Architecture} ${Multi-Arch}\n", name],
                               capture_output=True, text=True, check=False, timeout=TIMEOUT).stdout
        if not known.startswith("installed "):
            continue
        _, version, architecture, *multi = known.split("\n")[0].split()
        stanzas.append(f"Package: {name}\nStatus: install ok installed\nMaintainer: nobody <nobody@localhost>\nArchitecture: "
                       f"{architecture}\n" + "".join(f"Multi-Arch: {kind}\n" for kind in multi) +
                       f"Version: {version}\nDescription: of this system\n")
        suffix = f":{architecture}" if multi == ["same"] else ""
        (ADMIN / f"info/{name}{suffix}.list").touch()
    (ADMIN / "status").write_text("\n".join(stanzas))
    dpkg("-i", *found.values())
    return 0


def check_documents(name):
    folder = ROOT / "usr/share/doc" / name
    for document in ("copyright", "changelog.gz", "changelog.Debian.gz"):
        if not (folder / document).is_file():
            fail(f"{folder / document} is missing")
    if "wasirun (" not in output_of("gzip", "-dc", folder / "changelog.Debian.gz"):
        fail(f"{name}: the packages' changelog has no entry")


def use():
    found = packages()
    wasirun = ROOT / "usr/bin/wasirun"
    environment = {"PATH": os.environ["PATH"], "XDG_CACHE_HOME": os.devnull, "XDG_CONFIG_HOME": os.devnull}
    counted = output_of(wasirun, EXAMPLES / "wordcount/wordcount.wasm", env=environment, input="some words\n")
    if not re.search(r"\b1\s+2\s+11\b", counted):
        fail(f"the word counter printed {counted!r}")
    version = output_of(wasirun, "--version", env=environment)
    if "wasirun-llvm" in found:
        plugin = ROOT / "usr/lib/wasirun/wasirun-llvm.so"
        if f"llvm ({plugin})" not in version:
            fail(f"the optimising compiler of the package is not found: {version}")
        if counted != output_of(wasirun, "--tier", "llvm", EXAMPLES / "wordcount/wordcount.wasm", env=environment,
                                input="some words\n"):
            fail("with --tier llvm something else was printed")
    # What was stripped can still be made another program of.
    own = ROOT / "counter"
    output_of(wasirun, "compile", "--exe", EXAMPLES / "wordcount/wordcount.wasm", "-o", own, env=environment)
    if counted != output_of(own, env=environment, input="some words\n"):
        fail("the executable printed something else")
    own.unlink()
    for name in found:
        check_documents(name)
    multiarch = output_of("dpkg-architecture", "-qDEB_HOST_MULTIARCH").strip()
    for path in ("usr/share/man/man1/wasirun-run.1.gz", "usr/share/bash-completion/completions/wasirun",
                 "usr/share/zsh/vendor-completions/_wasirun", "usr/share/fish/vendor_completions.d/wasirun.fish",
                 "usr/bin/containerd-shim-wasirun-v1", f"usr/lib/{multiarch}/libwasirun.so.{ABI}", f"usr/lib/{multiarch}/libwasirun.a",
                 f"usr/lib/{multiarch}/pkgconfig/wasirun.pc", "usr/include/wasi/wasi.h"):
        if not (ROOT / path).exists():
            fail(f"{path} is missing")
    # Everybody may read it, and nobody but root write.
    for path in (ROOT / "usr").rglob("*"):
        mode = path.lstat().st_mode
        if not path.is_symlink() and (mode & 0o022 or not mode & 0o004):
            fail(f"{path} has the mode {mode:o}")
    library = found[f"libwasirun{ABI}"]
    shlibs = output_of("dpkg-deb", "-I", library, "shlibs")
    if not re.match(rf"libwasirun {ABI} libwasirun{ABI} \(>= [\d.]+", shlibs):
        fail(f"shlibs is {shlibs!r}")
    if "ldconfig" not in output_of("dpkg-deb", "-I", library, "triggers"):
        fail("nothing tells ldconfig of the library")
    return 0


def remove():
    dpkg("--purge", *sorted(packages()))
    if left := files():
        fail("left behind: " + ", ".join(sorted(map(str, left))))
    if left := [path.name for path in (ADMIN / "info").iterdir() if "wasirun" in path.name]:
        fail(f"dpkg still knows {left}")
    shutil.rmtree(ROOT)
    return 0


sys.exit({"install": install, "use": use, "remove": remove}[ACTION]())
