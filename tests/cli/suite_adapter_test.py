#!/usr/bin/env python3
"""tools/wasi-testsuite-adapter, used as the runner of WebAssembly/wasi-testsuite uses adapters.

usage: suite_adapter_test.py WASIRUN SHARED [OPTIONS]

Loads the adapter, asks it for its name, version and abilities, and runs each program of the suite by the command line
that it gives. The suite is looked for in SHARED; without it only what needs no program is checked. OPTIONS are of
`wasirun run`, in one word, for all programs.
"""

import importlib.util
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

# No code is kept in the home of whoever runs this.
os.environ["XDG_CACHE_HOME"] = os.devnull
ADAPTER = pathlib.Path(__file__).resolve().parents[2] / "tools" / "wasi-testsuite-adapter" / "wasirun.py"
SKIPPED = 77
WASIRUN = ""
OPTIONS = ""
SUITE = pathlib.Path()
WORLD, VERSION = "wasi:cli/command", "wasm32-wasip1"


def load(path, command):
    """As the runner does: the file is a module, whatever its name."""
    os.environ["WASIRUN"] = command
    spec = importlib.util.spec_from_file_location(path.name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Adapter(unittest.TestCase):
    def test_is_a_module_and_no_program(self):
        done = subprocess.run([sys.executable, str(ADAPTER), "--version"], capture_output=True, check=True, timeout=60)
        self.assertEqual((done.stdout, done.stderr), (b"", b""))

    def test_description(self):
        adapter = load(ADAPTER, shlex.quote(WASIRUN))
        self.assertEqual(adapter.get_name(), "wasirun")
        self.assertRegex(adapter.get_version(), r"^\d+\.\d+\.\d+")
        self.assertEqual(adapter.get_wasi_versions(), [VERSION])
        self.assertEqual(adapter.get_wasi_worlds(), [WORLD])
        self.assertGreater(float(adapter.get_timeout_seconds()), 0)

    def test_a_runtime_that_is_not_there(self):
        with self.assertRaises(FileNotFoundError):
            load(ADAPTER, "/nowhere/wasirun").get_version()

    def test_command_line(self):
        adapter = load(ADAPTER, "'/with space/wasirun' --tier interp")
        argv = adapter.compute_argv("a.wasm", (["x", "-y"], {"k": "a b"}, pathlib.Path("some/dir")), [], WORLD, VERSION)
        self.assertEqual(argv, ["/with space/wasirun", "--tier", "interp", "--env", "k=a b", "--dir", "some/dir::/", "a.wasm",
                                "x", "-y"])
        self.assertEqual(adapter.compute_argv("a.wasm", ([], {}, None), [], WORLD, VERSION)[3:], ["a.wasm"])


class Programs(unittest.TestCase):
    def test_all(self):
        adapter = load(ADAPTER, f"{shlex.quote(WASIRUN)} {OPTIONS}")
        count = 0
        for manifest in sorted(SUITE.glob("*/*/manifest.json")):
            if json.loads(manifest.read_text())["version"] not in adapter.get_wasi_versions():
                continue
            for program in sorted(manifest.parent.glob("*.wasm")):
                count += 1
                with self.subTest(program.stem), tempfile.TemporaryDirectory() as folder:
                    self.check(adapter, program, pathlib.Path(folder))
        self.assertGreaterEqual(count, 72)

    def check(self, adapter, program, folder):
        description = program.with_suffix(".json")
        test = json.loads(description.read_text()) if description.exists() else {}
        self.assertLessEqual(test.keys(), {"args", "env", "root", "exit_code", "stdout", "stderr"})
        root = None
        if test.get("root"):
            # A copy, since programs write into it; the original may be for reading only.
            root = folder / "root"
            shutil.copytree(program.parent / test["root"], root, copy_function=shutil.copyfile)
            for path in [root, *root.rglob("*")]:
                path.chmod(path.stat().st_mode | 0o600)
        argv = adapter.compute_argv(str(program), (test.get("args", []), test.get("env", {}), root), [], WORLD, VERSION)
        self.assertTrue(all(isinstance(word, str) for word in argv))
        done = subprocess.run(argv, input="", capture_output=True, text=True, check=False,
                              timeout=10 * adapter.get_timeout_seconds())
        self.assertEqual(done.returncode, test.get("exit_code", 0), done.stderr)
        self.assertEqual(done.stdout[:len(test.get("stdout", ""))], test.get("stdout", ""))
        self.assertEqual(done.stderr[:len(test.get("stderr", ""))], test.get("stderr", ""))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    WASIRUN = os.path.abspath(sys.argv.pop(1))
    SUITE = pathlib.Path(sys.argv.pop(1)) / "wasi-testsuite"
    OPTIONS = sys.argv.pop(1) if len(sys.argv) > 1 else ""
    names = ["Adapter"] + (["Programs"] if SUITE.is_dir() else [])
    result = unittest.main(argv=[sys.argv[0], *names], exit=False).result
    if not result.wasSuccessful():
        sys.exit(1)
    if not SUITE.is_dir():
        print(f"not found: {SUITE}", file=sys.stderr)
        sys.exit(SKIPPED)
