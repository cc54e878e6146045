"""What the tests of the command line share: the case class, exit codes. A test's first argument is WASIRUN.

Guests are written in WAT beside the test that is about them; wat2wasm makes the binaries.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

if len(sys.argv) < 2:
    sys.exit(f"usage: {sys.argv[0]} WASIRUN [unittest arguments]")
WASIRUN = os.path.abspath(sys.argv.pop(1))
# No code is kept from one test to the next, or in the home of whoever runs them.
os.environ["XDG_CACHE_HOME"] = os.devnull
# Nor does what they configured matter.
os.environ["XDG_CONFIG_HOME"] = os.devnull
EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
TIMEOUT = 60

SUCCESS, FAILURE, USAGE, TRAP = 0, 1, 2, 134

# Writes argv or environ (one NUL-terminated string after the other) to stdout.
PRINT_STRINGS = """
(module
  (import "wasi_snapshot_preview1" "{name}_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "{name}_get" (func $get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (drop (call $sizes (i32.const 0) (i32.const 4)))
    (drop (call $get (i32.const 1024) (i32.const 8192)))
    (i32.store (i32.const 8) (i32.const 8192))
    (i32.store (i32.const 12) (i32.load (i32.const 4)))
    (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))))
"""


class CliTest(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="wasirun-cli-"))
        self.addCleanup(shutil.rmtree, self.dir)

    def wat(self, text, name="guest.wasm", flags=()):
        source = self.dir / (name + ".wat")
        source.write_text(text)
        subprocess.run(["wat2wasm", *flags, str(source), "-o", str(self.dir / name)], check=True, timeout=TIMEOUT)
        return str(self.dir / name)

    def file(self, name, content):
        path = self.dir / name
        path.write_bytes(content)
        return str(path)

    def run_cli(self, *args, stdin=b"", env=None, **options):
        base = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
        done = subprocess.run([WASIRUN, *args], input=stdin, capture_output=True, timeout=TIMEOUT,
                              env={**base, **(env or {})}, **options)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def assert_one_line(self, stderr, *parts):
        self.assertTrue(stderr.startswith("wasirun: error: "), stderr)
        self.assertEqual(stderr.count("\n"), 1, stderr)
        for part in parts:
            self.assertIn(part, stderr)

    def check_error(self, code, args, *parts, **options):
        got, out, err = self.run_cli(*args, **options)
        self.assert_one_line(err, *parts)
        self.assertEqual((got, out), (code, ""), err)
