#!/usr/bin/env python3
"""The command line as users see it: messages, exit codes, where options end, what is printed.

usage: cli_test.py WASIRUN [unittest arguments]

Guests are written in WAT beside the test that is about them; wat2wasm makes the binaries.
"""

import json
import os
import pathlib
import pty
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

WASIRUN = ""
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


class Files(CliTest):
    def test_missing_file(self):
        self.check_error(FAILURE, ["nowhere.wasm"], "nowhere.wasm", "No such file or directory")

    def test_directory(self):
        self.check_error(FAILURE, [str(self.dir)], str(self.dir), "directory")

    def test_empty_file(self):
        path = self.file("empty.wasm", b"")
        self.check_error(FAILURE, [path], path, "empty")

    def test_text(self):
        path = self.file("guest.wat", b"(module\n  (func (export \"_start\")))\n")
        self.assertEqual(self.run_cli(path), (SUCCESS, "", ""))

    def test_wrong_text(self):
        path = self.file("guest.wat", b"(module\n  (fun))\n")
        code, out, err = self.run_cli(path)
        self.assertEqual((code, out), (FAILURE, ""))
        self.assertIn(f"{path}: malformed module at line 2, column 4: unknown operator fun: expected a module field", err)
        self.assertIn("2 |   (fun))\n  |    ^^^\n", err)

    def test_component(self):
        path = self.file("component.wasm", b"\0asm\x0d\0\x01\0")
        self.check_error(FAILURE, [path], path,
                         "WebAssembly component; components are not supported yet, wasirun runs core modules")

    def test_neither(self):
        path = self.file("picture.wasm", b"\x89PNG\r\n\x1a\n and so on")
        self.check_error(FAILURE, [path], path, "malformed module at offset 0x0", "magic")

    def test_truncated(self):
        whole = pathlib.Path(self.wat("(module (func (export \"_start\")))")).read_bytes()
        path = self.file("half.wasm", whole[:-3])
        self.check_error(FAILURE, [path], path, "malformed module at offset")

    def test_unreadable_file(self):
        path = self.wat("(module)")
        os.chmod(path, 0)
        self.check_unprivileged([path], path, "Permission denied")

    def test_every_command_refuses_a_missing_file(self):
        for command in ("run", "validate", "inspect", "wat", "objdump"):
            self.check_error(FAILURE, [command, "nowhere.wasm"], "nowhere.wasm", "No such file or directory")

    def check_unprivileged(self, args, *parts):
        """Root may read everything: become nobody, with a copy of the tool that nobody can reach."""
        if os.geteuid() != 0:
            self.check_error(FAILURE, args, *parts)
            return
        os.chmod(self.dir, 0o755)
        tool = shutil.copy(WASIRUN, self.dir / "wasirun")
        done = subprocess.run([tool, *args], capture_output=True, timeout=TIMEOUT, user=65534, group=65534)
        self.assert_one_line(done.stderr.decode(), *parts)
        self.assertEqual(done.returncode, FAILURE)

    def test_unreadable_preopen(self):
        guest = self.wat("(module (import \"wasi_snapshot_preview1\" \"sched_yield\" (func (result i32)))"
                         " (func (export \"_start\")))")
        closed = self.dir / "closed"
        closed.mkdir(mode=0)
        self.check_unprivileged(["--dir", f"{closed}::/", guest], str(closed), "Permission denied")


class Imports(CliTest):
    def test_missing(self):
        path = self.wat('(module (import "env" "log" (func (param i32 i64) (result f32))))')
        self.check_error(FAILURE, [path], path, 'missing import "env"."log"', "function (i32, i64) -> (f32)",
                         'only "wasi_snapshot_preview1"')

    def test_several_missing(self):
        path = self.wat('(module (import "env" "a" (func)) (import "env" "b" (memory 1)) (import "env" "c" (global i32)))')
        self.check_error(FAILURE, [path], 'missing import "env"."a"', '2 more missing: "env"."b", "env"."c"')

    def test_missing_of_every_kind(self):
        for text, kind in [("(memory 1 2)", "memory"), ("(table 3 funcref)", "table"), ("(global (mut i64))", "global")]:
            self.check_error(FAILURE, [self.wat(f'(module (import "env" "x" {text}))')], f'"env"."x", a {kind} ')

    def test_no_such_wasi_function(self):
        path = self.wat('(module (import "wasi_snapshot_preview1" "fd_teleport" (func (param i32))))')
        self.check_error(FAILURE, [path], '"wasi_snapshot_preview1"."fd_teleport"', "no function of that name")

    def test_hints(self):
        for module, name, hint in [("wasi_unstable", "sock_accept", "no function of that name"),
                                   ("wasi:cli/stdout@0.2.0", "get-stdout", "WASI 0.2"),
                                   ("wbg", "__wbg_log_1", "JavaScript host"), ("gojs", "runtime.wasmExit", "GOOS=wasip1"),
                                   ("env", "emscripten_notify_memory_growth", "Emscripten")]:
            path = self.wat(f'(module (import "{module}" "{name}" (func)))')
            self.check_error(FAILURE, [path], f'"{module}"."{name}"', hint)

    def test_wrong_function_type(self):
        path = self.wat('(module (import "wasi_snapshot_preview1" "sched_yield" (func (param f64))))')
        self.check_error(FAILURE, [path], "incompatible import type: wasi_snapshot_preview1.sched_yield", "(f64) -> ()", "() -> (i32)")

    def test_wrong_kind(self):
        path = self.wat('(module (import "wasi_snapshot_preview1" "sched_yield" (memory 1)))')
        self.check_error(FAILURE, [path], "incompatible import type: wasi_snapshot_preview1.sched_yield", "expected memory 1", "found function")


class Sockets(CliTest):
    def environment(self, *options, **more):
        """Of a guest that is run with these options."""
        code, out, err = self.run_cli(*options, self.wat(PRINT_STRINGS.format(name="environ")), **more)
        return code, dict(variable.split("=", 1) for variable in out.split("\0") if variable), err

    def test_wrong_addresses(self):
        guest = self.wat(PRINT_STRINGS.format(name="environ"))
        for value, part in [("8080", "tcp:HOST:PORT or unix:PATH"), ("tcp:127.0.0.1", "not tcp:HOST:PORT"),
                            ("tcp:127.0.0.1:x", "not a port"), ("tcp:127.0.0.1:70000", "not a port"),
                            ("tcp:::1:80", "[::1]"), ("tcp:192.0.2.1:0", "192.0.2.1"), ("unix:", "unix:PATH"),
                            ("unix:" + "x" * 200, "at most 107"), (f"unix:{self.dir}/no/where", "No such file"),
                            ("fd:x", "fd:N"), ("fd:-1", "fd:N"), ("fd:0", "it is none"), ("fd:99", "descriptor 99")]:
            self.check_error(FAILURE, ["--listen", value, guest], "--listen: ", part)

    def test_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"tcp:127.0.0.1:{taken.getsockname()[1]}"
            self.check_error(FAILURE, ["--listen", address, self.wat(PRINT_STRINGS.format(name="environ"))], address,
                             "in use")

    def test_the_program_is_told_how_many(self):
        code, env, err = self.environment("--listen", "tcp:127.0.0.1:0", "--listen", f"unix:{self.dir}/socket")
        self.assertEqual((code, env), (SUCCESS, {"LISTEN_FDS": "2"}))
        # The port that was chosen; the other address is known.
        self.assertRegex(err, r"^wasirun: listening: tcp:127\.0\.0\.1:[1-9][0-9]*\n$")
        self.assertFalse((self.dir / "socket").exists())
        code, env, _ = self.environment("--listen", f"unix:{self.dir}/socket", "--env", "LISTEN_FDS=own")
        self.assertEqual((code, env), (SUCCESS, {"LISTEN_FDS": "own"}))

    def test_unix_files(self):
        path = self.dir / "socket"
        guest = self.wat(PRINT_STRINGS.format(name="environ"))
        path.write_text("mine")
        self.check_error(FAILURE, ["--listen", f"unix:{path}", guest], "no socket")
        self.assertEqual(path.read_text(), "mine")
        path.unlink()
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
            server.listen()
            self.check_error(FAILURE, ["--listen", f"unix:{path}", guest], "another process")
            self.assertTrue(path.exists())
        # Whose server has gone.
        self.assertEqual(self.environment("--listen", f"unix:{path}")[0], SUCCESS)
        self.assertFalse(path.exists())

    def test_activation_errors(self):
        guest = self.wat(PRINT_STRINGS.format(name="environ"))
        for env, part in [({}, "LISTEN_FDS is not set"), ({"LISTEN_FDS": "x"}, "not a number"),
                          ({"LISTEN_FDS": "-1"}, "not a number"),
                          ({"LISTEN_FDS": "1", "LISTEN_PID": "1"}, "not this process"),
                          ({"LISTEN_FDS": "1"}, "descriptor 3")]:
            self.check_error(FAILURE, ["--listen-fds", guest], "--listen-fds: ", part, env=env)

    def test_activation(self):
        # So that neither socket gets the number 3 by itself.
        self.addCleanup(os.close, os.open(os.devnull, os.O_RDONLY))
        with socket.socket() as one, socket.socket() as other:
            for listener in (one, other):
                listener.bind(("127.0.0.1", 0))
                listener.listen()
            second = other.fileno()
            # The test's own descriptor 3, if it has one, comes back.
            kept = os.dup(3) if os.path.exists("/proc/self/fd/3") else None
            first = os.dup2(one.fileno(), 3, inheritable=False)
            self.addCleanup(lambda: os.close(3) if kept is None else os.dup2(kept, 3))
            variables = {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "web"}
            code, env, err = self.environment("--inherit-env", "--listen-fds", "--listen", f"fd:{second}",
                                              env=variables, pass_fds=[first, second])
            self.assertEqual((code, err), (SUCCESS, ""))
            self.assertEqual((env["LISTEN_FDS"], env["LISTEN_FDNAMES"], env.get("LISTEN_PID")), ("2", "web:unknown", None))


class Directories(CliTest):
    wordcount = str(EXAMPLES / "wordcount" / "wordcount.wasm")

    def test_missing(self):
        self.check_error(FAILURE, ["--dir", "/nowhere::/", self.wordcount], "/nowhere", "No such file or directory")

    def test_file_instead_of_directory(self):
        path = self.file("file.txt", b"")
        self.check_error(FAILURE, ["--dir", path, self.wordcount], path, "Not a directory")

    def test_names_and_files(self):
        self.file("one.txt", b"one two three\n")
        for spec, name in [(f"{self.dir}::/", "one.txt"), (f"{self.dir}::/data:ro", "/data/one.txt"),
                           (f"{self.dir}", f"{self.dir}/one.txt")]:
            code, out, err = self.run_cli("--dir", spec, self.wordcount, name)
            self.assertEqual((code, err), (SUCCESS, ""))
            self.assertIn(f"       1        3       14  {name}\n", out)

    def test_nothing_is_given_by_itself(self):
        self.file("one.txt", b"")
        code, _, err = self.run_cli(self.wordcount, "one.txt", cwd=self.dir)
        self.assertEqual(code, FAILURE)
        self.assertIn("wordcount: one.txt:", err)

    def test_read_only(self):
        guest = self.wat("""
          (module
            (import "wasi_snapshot_preview1" "path_create_directory" (func $mkdir (param i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "made")
            (func (export "_start") (call $exit (call $mkdir (i32.const 3) (i32.const 0) (i32.const 4)))))
        """)
        code, _, _ = self.run_cli("--dir", f"{self.dir}::/:ro", guest)
        self.assertNotEqual(code, SUCCESS)
        self.assertFalse((self.dir / "made").exists())
        code, _, _ = self.run_cli("--dir", f"{self.dir}::/", guest)
        self.assertEqual(code, SUCCESS)
        self.assertTrue((self.dir / "made").is_dir())

    # Creates "new" in descriptor 3 and writes 10000 bytes, again while less was written; the exit code is the errno.
    WRITER = """
      (module
        (import "wasi_snapshot_preview1" "path_open"
          (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 2)
        (data (i32.const 0) "new")
        (func (export "_start") (local $error i32)
          (local.set $error (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 3) (i32.const 1)
                                        (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 16)))
          (if (local.get $error) (then (call $exit (local.get $error))))
          (i32.store (i32.const 20) (i32.const 1024))
          (i32.store (i32.const 24) (i32.const 10000))
          (loop $more
            (local.set $error (call $write (i32.load (i32.const 16)) (i32.const 20) (i32.const 1) (i32.const 32)))
            (if (local.get $error) (then (call $exit (local.get $error))))
            (br_if $more (i32.lt_u (i32.load (i32.const 32)) (i32.const 10000))))
          (call $exit (i32.const 0))))
    """
    EDQUOT, EMFILE, ENAMETOOLONG, ENOSPC, EINVAL = 19, 33, 37, 51, 28

    def test_in_memory(self):
        guest = self.wat(self.WRITER)
        for spec, code in [("mem::/tmp", SUCCESS), ("mem::/tmp:64m", SUCCESS), ("mem::/tmp:16k", SUCCESS),
                           ("mem::/tmp:9000", self.ENOSPC), ("mem::/tmp:0", self.ENOSPC)]:
            self.assertEqual((spec, code, "", ""), (spec, *self.run_cli("--dir", spec, guest, cwd=self.dir)))
        self.assertEqual([path.name for path in self.dir.iterdir() if path.is_dir()], [])

    def test_a_folder_called_mem(self):
        guest = self.wat(self.WRITER)
        (self.dir / "mem").mkdir()
        self.assertEqual(self.run_cli("--dir", "./mem::/tmp", guest, cwd=self.dir), (SUCCESS, "", ""))
        self.assertEqual((self.dir / "mem" / "new").stat().st_size, 10000)
        (self.dir / "mem" / "new").unlink()
        self.assertEqual(self.run_cli("--dir", "mem", guest, cwd=self.dir), (SUCCESS, "", ""))
        self.assertTrue((self.dir / "mem" / "new").exists())

    def test_write_limit(self):
        guest = self.wat(self.WRITER)
        for limit, code, size in [("255", self.EDQUOT, None), ("1k", self.EDQUOT, 768), ("20k", SUCCESS, 10000)]:
            (self.dir / "new").unlink(missing_ok=True)
            self.assertEqual((limit, code, "", ""), (limit, *self.run_cli("--dir", f"{self.dir}::/:{limit}", guest)))
            self.assertEqual((self.dir / "new").stat().st_size if (self.dir / "new").exists() else None, size)

    def test_limits(self):
        guest = self.wat(self.WRITER)
        for options, code in [(["--max-descriptors", "4"], self.EMFILE), (["--max-descriptors", "5"], SUCCESS),
                              (["--max-path", "2"], self.ENAMETOOLONG), (["--max-path", "3"], SUCCESS),
                              (["--max-iovecs", "0"], self.EINVAL), (["--max-iovecs", "1"], SUCCESS),
                              (["--max-subscriptions", "1"], SUCCESS)]:
            self.assertEqual((options, code, "", ""), (options, *self.run_cli("--dir", "mem::/", *options, guest)))
        self.check_error(FAILURE, ["--max-descriptors", "2", guest], "2 descriptors")
        self.check_error(FAILURE, ["--max-path", "4096", guest], "4095")
        self.check_error(USAGE, ["--max-path", "-1", guest], "--max-path")

    def test_specifications(self):
        for spec, words in [("mem::/tmp:ro", "read-only"), ("data::/:64q", "is not a size"), ("mem::", "HOST"),
                            ("::/", "HOST"), ("mem::/x:99999999999999999999", "is not a size")]:
            self.check_error(USAGE, ["--dir", spec, self.wordcount], spec.rpartition(":")[2], words)
        # Names may end in what looks like one.
        (self.dir / "at:10").mkdir()
        guest = self.wat(self.WRITER)
        self.assertEqual(self.run_cli("--dir", "at:10", guest, cwd=self.dir), (SUCCESS, "", ""))
        self.assertEqual(self.run_cli("--dir", "at:10::/x:1:rw", guest, cwd=self.dir), (SUCCESS, "", ""))
        self.assertEqual((self.dir / "at:10" / "new").stat().st_size, 10000)


class Options(CliTest):
    def test_no_arguments(self):
        code, out, err = self.run_cli()
        self.assertEqual((code, out), (USAGE, ""))
        self.assertIn("usage:", err)

    def test_no_module(self):
        self.check_error(USAGE, ["run"], "which module?", "wasirun run --help")
        self.check_error(USAGE, ["--tier", "interp"], "which module?")

    def test_unknown_option(self):
        self.check_error(USAGE, ["--bogus", "x.wasm"], "unknown option --bogus", "wasirun run --help")
        self.check_error(USAGE, ["--dri", ".", "x.wasm"], "unknown option --dri (did you mean --dir?)")

    def test_missing_value(self):
        self.check_error(USAGE, ["--deadline"], "--deadline")

    def test_wrong_values(self):
        for option, value, part in [("--deadline", "5", "5s or 250ms"), ("--deadline", "soon", "\"soon\""),
                                    ("--max-memory", "lots", "64m"), ("--max-memory", "-1", "--max-memory"),
                                    ("--max-gc-heap", "much", "64m"),
                                    ("--stack-size", "1q", "\"1q\""), ("--tier", "turbo", "auto, interp"),
                                    ("--tier", "llvm", "llvm is not in this version"),
                                    ("--tier", "baseline", "baseline is not in this version"),
                                    ("--validate", "never", "eager, parallel, lazy"),
                                    ("--bounds-checks", "none", "guard, explicit"), ("--trace", "all", "wasi"),
                                    ("--profile", "all", "phases"), ("--dir", "::/", "HOST[::GUEST][:ro]")]:
            self.check_error(USAGE, [option, value, "x.wasm"], option, part)

    def test_help(self):
        for args, part in [(["--help"], "wasirun validate FILE..."), (["help"], "usage:"),
                           (["run", "--help"], "--max-memory"), (["validate", "--help"], "usage: wasirun validate"),
                           (["inspect", "--help"], "--json"), (["wat", "--help"], "--fold"),
                           (["objdump", "--help"], "--disassemble")]:
            code, out, err = self.run_cli(*args)
            self.assertEqual((code, err), (SUCCESS, ""))
            self.assertIn(part, out)

    def test_version(self):
        code, out, err = self.run_cli("--version")
        self.assertEqual((code, err), (SUCCESS, ""))
        self.assertRegex(out, r"^wasirun \d+\.\d+\.\d+\n$")

    def test_options_end_at_the_module(self):
        guest = self.wat(PRINT_STRINGS.format(name="args"))
        for before in ([], ["run"], ["--tier", "interp"], ["--tier=interp", "--"]):
            code, out, err = self.run_cli(*before, guest, "--help", "--dir", "--", "-x", "")
            self.assertEqual((code, err), (SUCCESS, ""))
            self.assertEqual(out.split("\0"), [guest, "--help", "--dir", "--", "-x", "", ""])

    def test_environment(self):
        guest = self.wat(PRINT_STRINGS.format(name="environ"))
        outside = {"SHARED": "yes", "SECRET": "no"}
        code, out, _ = self.run_cli("--env", "A=1", "--env", "B=x=y", "--env", "SHARED", "--env", "ABSENT", guest,
                                    env=outside)
        self.assertEqual((code, out), (SUCCESS, "A=1\0B=x=y\0SHARED=yes\0"))
        code, out, _ = self.run_cli("--inherit-env", "--env", "SHARED=changed", guest, env=outside)
        variables = out.split("\0")
        self.assertIn("SECRET=no", variables)
        self.assertIn("SHARED=changed", variables)
        self.assertNotIn("SHARED=yes", variables)
        code, out, _ = self.run_cli(guest, env=outside)
        self.assertEqual((code, out), (SUCCESS, ""))


class Running(CliTest):
    def exit_with(self, code):
        return self.wat('(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))'
                        f' (memory (export "memory") 1) (func (export "_start") (call $exit (i32.const {code}))))')

    def test_exit_codes(self):
        for code in (0, 1, 7, 134, 255):
            self.assertEqual(self.run_cli(self.exit_with(code)), (code, "", ""))
        self.assertEqual(self.run_cli(self.wat('(module (func (export "_start")))')), (SUCCESS, "", ""))

    def test_trap(self):
        path = self.wat("""
          (module $calculator
            (func $divide (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
            (func $main (export "_start") (drop (call $divide (i32.const 1) (i32.const 0)))))
        """, flags=["--debug-names"])
        code, out, err = self.run_cli(path)
        self.assertEqual((code, out), (TRAP, ""))
        lines = err.splitlines()
        self.assertEqual(lines[0], "wasirun: trap: integer divide by zero")
        self.assertRegex(lines[1], r"^ +0: calculator!divide @ 0x[0-9a-f]+$")
        self.assertRegex(lines[2], r"^ +1: calculator!main @ 0x[0-9a-f]+$")

    def test_uncaught_exception(self):
        path = self.wat("""
          (module $app
            (tag $error (export "error") (param i32 f64))
            (func $fail (throw $error (i32.const 7) (f64.const 0.5)))
            (func $main (export "_start") (call $fail)))
        """, flags=["--enable-exceptions", "--debug-names"])
        code, out, err = self.run_cli(path)
        self.assertEqual((code, out), (TRAP, ""))
        lines = err.splitlines()
        self.assertEqual(lines[0], 'wasirun: trap: unhandled exception: tag "error" (7, 0.5)')
        self.assertRegex(lines[1], r"^ +0: app!fail @ 0x[0-9a-f]+$")
        self.assertRegex(lines[2], r"^ +1: app!main @ 0x[0-9a-f]+$")

    def test_memory_fault_in_both_modes(self):
        path = self.wat('(module (memory 1) (func $f (export "_start") (drop (i32.load (i32.const 0x10000)))))')
        for mode in ("guard", "explicit"):
            code, _, err = self.run_cli("--bounds-checks", mode, path)
            self.assertEqual(code, TRAP)
            self.assertTrue(err.startswith("wasirun: trap: out of bounds memory access\n"), err)

    def test_stack_overflow(self):
        path = self.wat('(module (func $f (export "_start") (call $f)))')
        for size in ([], ["--stack-size", "64k"]):
            code, _, err = self.run_cli(*size, path)
            self.assertEqual(code, TRAP)
            self.assertTrue(err.startswith("wasirun: trap: call stack exhausted\n"), err)
            self.assertIn("frames left out", err)

    def test_stack_size_counts(self):
        # 10000 nested calls fit into the default stack, not into a small one.
        path = self.wat("""
          (module
            (func $f (export "f") (param i32) (result i32)
              (if (result i32) (local.get 0)
                (then (i32.add (i32.const 1) (call $f (i32.sub (local.get 0) (i32.const 1)))))
                (else (i32.const 0)))))
        """)
        self.assertEqual(self.run_cli("--invoke", "f", path, "10000"), (SUCCESS, "10000\n", ""))
        self.assertEqual(self.run_cli("--stack-size", "16k", "--invoke", "f", path, "10000")[0], TRAP)

    def test_deadline(self):
        path = self.wat('(module (func (export "_start") (loop $l (br $l))))')
        code, _, err = self.run_cli("--deadline", "50ms", path)
        self.assertEqual(code, TRAP)
        self.assertTrue(err.startswith("wasirun: trap: deadline exceeded\n"), err)

    def test_memory_limit(self):
        path = self.wat('(module (memory 2) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))')
        self.assertEqual(self.run_cli("--invoke", "grow", path, "14"), (SUCCESS, "2\n", ""))
        self.assertEqual(self.run_cli("--max-memory", "1m", "--invoke", "grow", path, "14"), (SUCCESS, "2\n", ""))
        self.assertEqual(self.run_cli("--max-memory", "1m", "--invoke", "grow", path, "15"), (SUCCESS, "-1\n", ""))
        self.check_error(FAILURE, ["--max-memory", "64k", "--invoke", "grow", path, "0"], path, "memory", "limit")

    def test_gc_heap_limit(self):
        # (module (type $list (struct (field anyref)))
        #   (func (export "_start") (local anyref) (loop (local.set 0 (struct.new $list (local.get 0))) (br 0))))
        path = self.dir / "list.wasm"
        path.write_bytes(bytes.fromhex("0061736d01000000 0108025f016e00600000 03020101 070a01065f73746172740000"
                                       "0a12011001016e 0340 2000 fb0000 2100 0c00 0b 0b"))
        code, _, err = self.run_cli("--max-gc-heap", "1m", path)
        self.assertEqual(code, TRAP)
        self.assertTrue(err.startswith("wasirun: trap: allocation failure: the heap for objects is full "
                                       "(limit: 1048576 bytes)\n"), err)

    def test_validation_modes(self):
        # The body of f leaves nothing where an i32 is promised.
        path = self.wat('(module (func (export "f") (result i32)) (func (export "_start")))', flags=["--no-check"])
        self.assertEqual(self.run_cli(path), (SUCCESS, "", ""))
        self.assertEqual(self.run_cli("--validate", "lazy", path), (SUCCESS, "", ""))
        for mode in ("eager", "parallel"):
            self.check_error(FAILURE, ["--validate", mode, path], path, "invalid module at offset", "type mismatch")
        code, _, err = self.run_cli("--invoke", "f", path)
        self.assertEqual(code, TRAP)
        self.assertIn("invalid function body", err)
        self.assertIn("type mismatch", err)

    def test_trap_in_the_start_function(self):
        path = self.wat('(module (func $s unreachable) (start $s) (func (export "_start")))')
        code, _, err = self.run_cli(path)
        self.assertEqual(code, TRAP)
        self.assertTrue(err.startswith("wasirun: trap: unreachable\n"), err)

    def test_no_start(self):
        path = self.wat('(module (func (export "add")) (func (export "sub")) (memory (export "memory") 1))')
        self.check_error(FAILURE, [path], path, "no _start", "--invoke: add, sub")
        path = self.wat("(module)")
        self.check_error(FAILURE, [path], path, "no _start", "exports no other")
        path = self.wat('(module (func (export "_start") (param i32)))')
        self.check_error(FAILURE, [path], path, "(i32) -> ()", "() -> ()")

    def test_stdin(self):
        wordcount = str(EXAMPLES / "wordcount" / "wordcount.wasm")
        code, out, err = self.run_cli(wordcount, "-n", "1", stdin=b"wasm runs wasm\n" * 1000)
        self.assertEqual((code, err), (SUCCESS, ""))
        self.assertIn("    1000     3000    15000  -\n", out)
        self.assertIn("    2000  wasm ", out)

    def test_trace(self):
        code, out, err = self.run_cli("--trace", "wasi", self.exit_with(3))
        self.assertEqual((code, out), (3, ""))
        self.assertRegex(err, r"(?m)^proc_exit\(.*3.*\)")

    def test_profile(self):
        code, _, err = self.run_cli("--profile", "phases", self.exit_with(3))
        self.assertEqual(code, 3)
        for phase in ("decode", "validate", "instantiate", "translate", "run"):
            self.assertRegex(err, rf"(?m)^{phase} +[0-9.]+ ms +\d+ bytes")


class Invoking(CliTest):
    def test_values_by_type(self):
        path = self.wat("""
          (module
            (func (export "i32") (param i32) (result i32) (local.get 0))
            (func (export "i64") (param i64) (result i64) (local.get 0))
            (func (export "f32") (param f32) (result f32) (local.get 0))
            (func (export "f64") (param f64) (result f64) (local.get 0))
            (func (export "ref") (param funcref) (result i32) (ref.is_null (local.get 0)))
            (func (export "v128") (param v128) (result v128) (local.get 0))
            (func (export "all") (param i32 i64 f32 f64) (result f64 f32 i64 i32)
              (local.get 3) (local.get 2) (local.get 1) (local.get 0))
            (func (export "none")))
        """)
        for name, given, printed in [
                ("i32", "42", "42"), ("i32", "-1", "-1"), ("i32", "4294967295", "-1"), ("i32", "0xff", "255"),
                ("i32", "-0x80000000", "-2147483648"), ("i64", "9223372036854775807", "9223372036854775807"),
                ("i64", "18446744073709551615", "-1"), ("i64", "-9223372036854775808", "-9223372036854775808"),
                ("f32", "0.1", "0.1"), ("f32", "-0", "-0"), ("f32", "inf", "inf"), ("f32", "nan", "nan"),
                ("f64", "0.1", "0.1"), ("f64", "1e300", "1e+300"), ("f64", "0x1p-2", "0.25"), ("ref", "null", "1"),
                ("v128", "0xAb", "0x000000000000000000000000000000ab"),
                ("v128", "0x100000000000000020", "0x00000000000000100000000000000020"),
                ("v128", "0x0123456789abcdef0011223344556677", "0x0123456789abcdef0011223344556677")]:
            self.assertEqual(self.run_cli("--invoke", name, path, given), (SUCCESS, printed + "\n", ""), (name, given))
        self.assertEqual(self.run_cli("--invoke", "all", path, "1", "2", "3.5", "4.25"),
                         (SUCCESS, "4.25\n3.5\n2\n1\n", ""))
        self.assertEqual(self.run_cli("--invoke", "none", path), (SUCCESS, "", ""))

    def test_wrong_values(self):
        path = self.wat('(module (func (export "f") (param i32 f32)) (func (export "r") (param externref))'
                        ' (func (export "v") (param v128))'
                        ' (memory (export "m") 1))')
        for args, parts in [(["f"], ["f has type (i32, f32) -> ()", "needs 2 arguments", "got 0"]),
                            (["f", "1", "2", "3"], ["got 3"]), (["f", "1.5", "2"], ["argument 1 of f", '"1.5"', "i32"]),
                            (["f", "4294967296", "2"], ["argument 1", "i32"]),
                            (["f", "-2147483649", "2"], ["argument 1", "i32"]), (["f", "0x", "2"], ["argument 1"]),
                            (["f", "1", "two"], ["argument 2 of f", '"two"', "f32"]), (["f", "1", ""], ["argument 2"]),
                            (["r", "5"], ["externref"]), (["v", "5"], ["v128", "hexadecimal"]), (["v", "0x"], ["v128"]),
                            (["v", "0x" + "0" * 33], ["v128"]), (["v", "0x" + "f" * 16 + "-" + "0" * 15], ["v128"]),
                            (["g"], ['no export "g"', '"f"']),
                            (["m"], ['"m" is a memory, not a function'])]:
            self.check_error(USAGE, ["--invoke", args[0], path, *args[1:]], *parts)

    def test_reactor(self):
        path = self.wat("""
          (module
            (global $ready (mut i32) (i32.const 0))
            (func (export "_initialize") (global.set $ready (i32.add (global.get $ready) (i32.const 1))))
            (func (export "ready") (result i32) (global.get $ready)))
        """)
        self.assertEqual(self.run_cli("--invoke", "ready", path), (SUCCESS, "1\n", ""))

    def test_trap_and_exit(self):
        path = self.wat("""
          (module
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (func (export "trap") unreachable)
            (func (export "exit") (call $exit (i32.const 9))))
        """)
        code, out, err = self.run_cli("--invoke", "trap", path)
        self.assertEqual((code, out), (TRAP, ""))
        self.assertTrue(err.startswith("wasirun: trap: unreachable\n"), err)
        self.assertEqual(self.run_cli("--invoke", "exit", path), (9, "", ""))


class Validating(CliTest):
    def test_files(self):
        good = self.wat("(module (func))", "good.wasm")
        bad = self.wat("(module (func (result i32)))", "bad.wasm", flags=["--no-check"])
        self.assertEqual(self.run_cli("validate", good), (SUCCESS, f"{good}: valid\n", ""))
        code, out, err = self.run_cli("validate", bad, good, "nowhere.wasm")
        self.assertEqual((code, out), (FAILURE, f"{good}: valid\n"))
        lines = err.splitlines()
        self.assertEqual(len(lines), 2, err)
        self.assertIn(f"{bad}: invalid module at offset", lines[0])
        self.assertIn("nowhere.wasm", lines[1])

    def test_what_is_not_run_yet_is_still_valid(self):
        path = self.wat("(module (memory 1 1 shared))", flags=["--enable-threads"])
        self.assertEqual(self.run_cli("validate", path)[0], SUCCESS)

    def test_no_file(self):
        self.check_error(USAGE, ["validate"], "which file?")
        self.check_error(USAGE, ["inspect"], "which file?")
        self.check_error(USAGE, ["wat"], "which file?")
        self.check_error(USAGE, ["objdump"], "which file?")


class Translating(CliTest):
    TEXT = b"(module (func $seven (export \"seven\") (result i32) (i32.const 7)))"

    def test_text_to_binary(self):
        source = self.file("a.wat", self.TEXT)
        output = self.dir / "a.wasm"
        self.assertEqual(self.run_cli("wasm", source, "-o", str(output)), (SUCCESS, "", ""))
        self.assertTrue(output.read_bytes().startswith(b"\0asm\1\0\0\0"))
        self.assertIn(b"seven", output.read_bytes())
        self.assertEqual(self.run_cli("--invoke", "seven", str(output)), (SUCCESS, "7\n", ""))
        self.assertEqual(self.run_cli("--invoke", "seven", source), (SUCCESS, "7\n", ""))

    def test_standard_output(self):
        done = subprocess.run([WASIRUN, "wasm", self.file("a.wat", self.TEXT), "-o", "-"], capture_output=True,
                              timeout=TIMEOUT, check=True)
        self.assertTrue(done.stdout.startswith(b"\0asm"))

    def test_a_wrong_text_leaves_the_output_as_it_was(self):
        output = self.file("a.wasm", b"before")
        for text, message in ((b"(module", "the text ends here"), (b"(module (func (result i32)))", "type mismatch")):
            self.check_failure_of(["wasm", self.file("a.wat", text), "-o", output], message)
            self.assertEqual(pathlib.Path(output).read_bytes(), b"before")
        self.assertEqual(sorted(os.listdir(self.dir)), ["a.wasm", "a.wat"])
        source = self.file("a.wat", b"(module (func (result i32)))")
        self.assertEqual(self.run_cli("wasm", "--no-check", source, "-o", output)[0], SUCCESS)

    def test_nowhere_to_write(self):
        source = self.file("a.wat", self.TEXT)
        self.check_failure_of(["wasm", source, "-o", str(self.dir / "no" / "a.wasm")], "No such file or directory")
        full = "/dev/full"
        if os.path.exists(full):
            self.check_failure_of(["wasm", source, "-o", full], "No space left")
        self.check_error(USAGE, ["wasm", source], "-o")
        self.check_error(USAGE, ["wasm"], "which file?")

    def test_binary_already(self):
        path = self.wat("(module)", "a.wasm")
        self.check_error(FAILURE, ["wasm", path, "-o", path], "binary module already")

    def check_failure_of(self, args, message):
        code, out, err = self.run_cli(*args)
        self.assertEqual((code, out), (FAILURE, ""))
        self.assertIn(message, err)


class Inspecting(CliTest):
    TEXT = """
      (module $shapes
        (import "env" "log" (func $log (param i32 i32)))
        (import "env" "limit" (global i64))
        (memory (export "memory") 1 16)
        (table 4 funcref)
        (global (export "count") (mut i32) (i32.const 0))
        (func $area (export "area") (param f64 f64) (result f64) (f64.mul (local.get 0) (local.get 1)))
        (func $extend (param i32) (result i32) (i32.extend8_s (local.get 0)))
        (data (i32.const 0) "text"))
    """

    def test_text(self):
        path = self.wat(self.TEXT, flags=["--debug-names"])
        code, out, err = self.run_cli("inspect", path)
        self.assertEqual((code, err), (SUCCESS, ""))
        for part in ["named shapes", "sign-extension", "3 functions (3 named)", "env.log: function (i32, i32) -> ()",
                     "env.limit: global", "area: function (f64, f64) -> (f64)", "memory: memory", "custom name",
                     "imports (2):", "exports (3):"]:
            self.assertIn(part, out)

    def test_json(self):
        path = self.wat(self.TEXT, flags=["--debug-names"])
        code, out, err = self.run_cli("inspect", "--json", path)
        self.assertEqual((code, err), (SUCCESS, ""))
        module = json.loads(out)
        self.assertEqual(module["name"], "shapes")
        self.assertEqual(module["bytes"], os.path.getsize(path))
        self.assertEqual(module["imports"], [
            {"module": "env", "name": "log", "kind": "function", "params": ["i32", "i32"], "results": []},
            {"module": "env", "name": "limit", "kind": "global", "type": "i64", "mutable": False}])
        exports = {entry["name"]: entry for entry in module["exports"]}
        self.assertEqual(exports["area"],
                         {"name": "area", "kind": "function", "params": ["f64", "f64"], "results": ["f64"]})
        self.assertEqual(exports["memory"]["limits"], {"min": 1, "max": 16})
        self.assertEqual(exports["count"], {"name": "count", "kind": "global", "type": "i32", "mutable": True})
        self.assertEqual(module["counts"]["functions"], 3)
        self.assertEqual(module["counts"]["data_segments"], 1)
        self.assertIn("sign-extension", module["features"])
        self.assertEqual(module["unsupported_features"], [])
        self.assertIn({"index": 1, "name": "area"}, module["function_names"])
        sections = [section["name"] for section in module["sections"]]
        self.assertEqual(sections,
                         ["type", "import", "function", "table", "memory", "global", "export", "code", "data", "name"])
        # Sections follow each other: id, size and contents.
        for section, following in zip(module["sections"], module["sections"][1:]):
            self.assertLess(section["offset"] + section["size"], following["offset"])

    def test_options_behind_the_file(self):
        path = self.wat("(module)")
        self.assertEqual(json.loads(self.run_cli("inspect", path, "--json")[1])["imports"], [])


class Printing(CliTest):
    TEXT = """
      (module $shapes
        (import "env" "log" (func $log (param i32)))
        (memory 1)
        (func $area (export "area") (param $x i32) (param $y i32) (result i32)
          (local $sum i32)
          (block $skip
            (br_if $skip (i32.eqz (local.get $x)))
            (call $log (i32.const 7)))
          (i32.mul (local.get $x) (local.get $y)))
        (data (i32.const 8) "some \\00 bytes"))
    """

    def setUp(self):
        super().setUp()
        self.path = self.wat(self.TEXT, flags=["--debug-names"])

    def test_wat(self):
        code, out, err = self.run_cli("wat", self.path)
        self.assertEqual((code, err), (SUCCESS, ""))
        for line in ["(module $shapes", '  (import "env" "log" (func $log (;0;) (type 0) (param i32)))',
                     '  (export "area" (func $area))', "      (call $log (i32.const 7))",
                     "    (i32.mul (local.get $x) (local.get $y))", '  (data (;0;) (i32.const 8) "some \\00 bytes")']:
            self.assertIn(line + "\n", out)
        again = self.wat(out, "again.wasm", flags=["--debug-names"])
        self.assertEqual(pathlib.Path(again).read_bytes(), pathlib.Path(self.path).read_bytes())

    def test_fold(self):
        out = self.run_cli("wat", "--fold", self.path)[1]
        self.assertIn("    (block (;@1;)\n      (br_if 0 (;@1;) (i32.eqz (local.get $x)))\n", out)
        again = self.wat(out, "again.wasm", flags=["--debug-names"])
        self.assertEqual(pathlib.Path(again).read_bytes(), pathlib.Path(self.path).read_bytes())

    def test_modules_that_are_not_valid(self):
        path = self.wat("(module (func (result i32) (drop (local.get 5))))", flags=["--no-check"])
        for command in ("wat", "objdump"):
            code, out, err = self.run_cli(command, path)
            self.assertEqual((code, err), (SUCCESS, ""))
            self.assertIn("local.get 5", out)

    def test_output_file(self):
        target = self.dir / "out.wat"
        self.assertEqual(self.run_cli("wat", self.path, "-o", str(target)), (SUCCESS, "", ""))
        self.assertEqual(target.read_text(), self.run_cli("wat", self.path)[1])
        self.assertEqual(target.stat().st_mode & 0o777, 0o666 & ~self.umask())
        link = self.dir / "link.wat"
        link.symlink_to(target)
        target.write_text("old")
        self.assertEqual(self.run_cli("wat", self.path, "--output", str(link)), (SUCCESS, "", ""))
        self.assertTrue(link.is_symlink())
        self.assertTrue(target.read_text().startswith("(module $shapes"))
        self.assertEqual(self.run_cli("wat", "-o", "-", self.path)[1], target.read_text())
        self.assertEqual(self.run_cli("wat", "-o", "/dev/null", self.path), (SUCCESS, "", ""))

    @staticmethod
    def umask():
        mask = os.umask(0)
        os.umask(mask)
        return mask

    def test_no_half_output_file(self):
        broken = self.wat("(module (func))")
        content = pathlib.Path(broken).read_bytes()
        self.assertTrue(content.endswith(b"\x01\x02\x00\x0b"))
        path = self.file("broken.wasm", content[:-1] + b"\xff")
        target = self.dir / "out.wat"
        target.write_text("as it was")
        before = sorted(os.listdir(self.dir))
        self.check_error(FAILURE, ["wat", path, "-o", str(target)], path, "illegal opcode ff")
        self.assertEqual(target.read_text(), "as it was")
        self.assertEqual(sorted(os.listdir(self.dir)), before)
        self.check_error(FAILURE, ["wat", self.path, "-o", str(self.dir / "no" / "where")], "cannot write", "No such file")
        self.check_error(FAILURE, ["wat", self.path, "-o", str(self.dir)], "cannot write", "Is a directory")
        self.check_error(FAILURE, ["wat", self.path, "-o", "/dev/full"], "cannot write /dev/full", "No space left")

    def test_objdump(self):
        code, out, err = self.run_cli("objdump", self.path)
        self.assertEqual((code, err), (SUCCESS, ""))
        self.assertIn(f"{self.path}: WebAssembly module, {os.path.getsize(self.path)} bytes\n", out)
        sections = {section["name"]: section
                    for section in json.loads(self.run_cli("inspect", "--json", self.path)[1])["sections"]}
        start, size = sections["code"]["offset"], sections["code"]["size"]
        self.assertIn(f"code         {start:#010x} {start + size:#010x} {size:>10}        1\n", out)
        self.assertRegex(out, r'custom +0x[0-9a-f]{8} 0x[0-9a-f]{8} +[0-9]+ "name"\n')
        self.assertIn("func $area (;1;) (type 1) (param $x i32) (param $y i32) (result i32):\n", out)
        # Every line of the disassembly shows the bytes that are at its offset, and together they are the body.
        content = pathlib.Path(self.path).read_bytes()
        rows = re.findall(r"(?m)^ ([0-9a-f]{6}): ((?:[0-9a-f]{2} )+) *\|(.*)$", out)
        position = int(rows[0][0], 16)
        for offset, data, _ in rows:
            self.assertGreaterEqual(int(offset, 16), position)
            position = int(offset, 16) + len(bytes.fromhex(data))
            self.assertEqual(content[int(offset, 16):position], bytes.fromhex(data))
        self.assertEqual(position, start + size)
        self.assertEqual([text for _, _, text in rows],
                         [" local[2] i32", " block (;@1;)", "   local.get $x", "   i32.eqz", "   br_if 0 (;@1;)",
                          "   i32.const 7", "   call $log", " end", " local.get $x", " local.get $y", " i32.mul", " end"])

    def test_objdump_options(self):
        headers = self.run_cli("objdump", "-h", self.path)[1]
        self.assertIn("Sections:", headers)
        self.assertNotIn("Disassembly:", headers)
        disassembly = self.run_cli("objdump", "-d", self.path)[1]
        self.assertNotIn("Sections:", disassembly)
        self.assertIn("Disassembly:", disassembly)
        contents = self.run_cli("objdump", "-s", "-j", "data", self.path)[1]
        self.assertIn("Contents of section data:", contents)
        self.assertIn("some", contents)
        self.assertEqual(contents.count("Contents"), 1)
        names = self.run_cli("objdump", "-t", self.path)[1]
        for line in ['module "shapes"', 'function[1] "area"', 'function[1] local[2] "sum"']:
            self.assertIn(f"  {line}\n", names)
        self.check_error(FAILURE, ["objdump", "-j", "nowhere", self.path], "there is no section nowhere")

    def test_names_cannot_reach_the_terminal(self):
        path = self.wat('(module (func (export "\\1b[31m\\e2\\80\\ae")))')
        for args in (["wat", path], ["objdump", "-s", "-h", "-d", path]):
            out = self.run_cli(*args)[1]
            self.assertNotIn("\x1b", out)
            self.assertNotIn("\u202e", out)
        self.assertIn(r'(export "\1b[31m\u{202e}" (func 0))', self.run_cli("wat", path)[1])


class Terminal(CliTest):
    def stderr_on_terminal(self, *args, **env):
        reader, terminal = pty.openpty()
        base = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
        subprocess.run([WASIRUN, *args], stderr=terminal, stdout=subprocess.DEVNULL, timeout=TIMEOUT,
                       env={**base, **env}, check=False)
        os.close(terminal)
        text = os.read(reader, 65536).decode()
        os.close(reader)
        return text

    def test_colours_on_a_terminal_only(self):
        self.assertIn("\033[1;31merror:\033[0m", self.stderr_on_terminal("nowhere.wasm", TERM="xterm"))
        self.assertNotIn("\033", self.run_cli("nowhere.wasm", env={"TERM": "xterm"})[2])

    def test_no_color(self):
        self.assertNotIn("\033", self.stderr_on_terminal("nowhere.wasm", TERM="xterm", NO_COLOR="1"))
        self.assertIn("\033", self.stderr_on_terminal("nowhere.wasm", TERM="xterm", NO_COLOR=""))
        self.assertNotIn("\033", self.stderr_on_terminal("nowhere.wasm", TERM="dumb"))


# Writes "hi" to stdout, closes a descriptor that there is not, and ends with 3.
TRACED = """
(module
  (import "{module}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "{module}" "fd_close" (func $close (param i32) (result i32)))
  (import "{module}" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "\\20\\00\\00\\00\\03\\00\\00\\00")
  (data (i32.const 32) "hi\\n")
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))
    (drop (call $close (i32.const 9)))
    (call $exit (i32.const 3))))
"""
# Reads from stdin, in several ways.
READING = """
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "\\20\\00\\00\\00\\10\\00\\00\\00")
  (func (export "_start") (drop (call $read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 16))) {then}))
"""
# Starts a thread, which asks for the time, and waits until that is done.
THREADED = """
(module
  (import "env" "memory" (memory 1 1 shared))
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (export "memory" (memory 0))
  (func (export "wasi_thread_start") (param i32 i32)
    (drop (call $yield))
    (i32.atomic.store (i32.const 0) (i32.const 1))
    (drop (memory.atomic.notify (i32.const 0) (i32.const 1))))
  (func (export "_start")
    (drop (call $spawn (i32.const 16)))
    (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))
    (drop (call $yield))))
"""


class Tracing(CliTest):
    LINES = ['fd_write(fd=1<stdout>, iovs=[{"hi\\n", 3}], nwritten=[3]) = 0', "fd_close(fd=9) = EBADF (Bad file descriptor)",
             "proc_exit(status=3) = ?"]

    def text(self, text, name="guest.wat"):
        return self.file(name, text.encode())

    def traced(self, *options, module="wasi_snapshot_preview1", code=3):
        got, out, err = self.run_cli("--trace", *options, self.text(TRACED.replace("{module}", module)))
        self.assertEqual((got, out), (code, "hi\n"), err)
        return err.splitlines()

    def test_lines(self):
        self.assertEqual(self.traced("wasi"), self.LINES)

    def test_snapshot_0(self):
        self.assertEqual(self.traced("wasi", module="wasi_unstable"), self.LINES)

    def test_some_functions(self):
        self.assertEqual(self.traced("wasi:fd_*"), self.LINES[:2])
        self.assertEqual(self.traced("wasi:path_*,proc_exit"), self.LINES[2:])
        for names in ("fd_reed", "", "fd_read,"):
            self.check_error(USAGE, ["--trace", "wasi:" + names, "x.wasm"], "no function of WASI is called")

    def test_details(self):
        lines = self.traced("wasi", "-T", "--trace-timestamps", "--trace-string-size", "1")
        for line, expected in zip(lines, self.LINES, strict=True):
            head, _, rest = line.partition(" ")
            self.assertRegex(head, r"^\d\d:\d\d:\d\d\.\d{6}$")
            self.assertRegex(rest, "^" + re.escape(expected.replace('"hi\\n"', '"h"...')) + r" <\d+\.\d{6}>$")

    def test_options_need_a_trace(self):
        for options in (["-T"], ["--trace-output", "x"], ["--trace-timestamps"], ["--trace-string-size", "3"]):
            self.check_error(USAGE, [*options, "x.wasm"], "--trace")

    def test_file(self):
        path = self.file("trace", b"what was there before is longer than the trace is, and goes" * 9)
        self.assertEqual(self.traced("wasi", "--trace-output", path), [])
        self.assertEqual(pathlib.Path(path).read_text(), "\n".join(self.LINES) + "\n")

    def test_file_that_cannot_be_written(self):
        program = self.text(TRACED.replace("{module}", "wasi_snapshot_preview1"))
        self.check_error(FAILURE, ["--trace", "wasi", "--trace-output", "/nowhere/trace", program], "/nowhere/trace",
                         "No such file or directory")
        # The program is not to blame: it ran, and its exit code stands.
        lines = self.traced("wasi", "--trace-output", "/dev/full")
        self.assertEqual(lines, ["wasirun: error: cannot write the trace to /dev/full: No space left on device"])

    def test_file_is_whole_after_a_trap(self):
        path = self.dir / "trace"
        program = self.text(READING.replace("{then}", "unreachable"))
        code, _, err = self.run_cli("--trace", "wasi", "--trace-output", str(path), program, stdin=b"some text")
        self.assertEqual(code, TRAP, err)
        self.assertRegex(path.read_text(), r'iovs=\[\{"some text", 16\}\], nread=\[9\]\) = 0\n$')

    def test_call_in_which_the_time_is_up(self):
        program = self.text(READING.replace("{then}", ""))
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        done = subprocess.run([WASIRUN, "--trace", "wasi", "--deadline", "100ms", program], stdin=reader, check=False,
                              capture_output=True, timeout=TIMEOUT)
        lines = done.stderr.decode().splitlines()
        self.assertEqual(lines[:2], ["fd_read(fd=0<stdin> <unfinished ...>",
                                     "<... fd_read resumed>, iovs=0x8, 0x1, nread=0x10) = ? (deadline exceeded)"])
        self.assertEqual(done.returncode, TRAP)

    def test_call_in_which_it_is_killed(self):
        path = self.dir / "trace"
        path.touch()
        program = self.text(READING.replace("{then}", ""))
        with subprocess.Popen([WASIRUN, "--trace", "wasi", "--trace-output", str(path), program],
                              stdin=subprocess.PIPE) as process:
            for _ in range(TIMEOUT * 100):
                if path.read_text():
                    break
                time.sleep(0.01)
            process.kill()
        self.assertEqual(path.read_text(), "fd_read(fd=0<stdin> <unfinished ...>\n")

    def test_threads(self):
        program = self.text(THREADED)
        code, out, err = self.run_cli("--trace", "wasi", program)
        self.assertEqual((code, out), (SUCCESS, ""), err)
        lines = err.splitlines()
        # Which of the first two comes first is up to them.
        self.assertEqual(sorted(re.sub(r"^\[tid 0\] ", "", line) for line in lines[:2]),
                         ["[tid 1] sched_yield() = 0", "thread-spawn(start_arg=0x10) = 1"])
        self.assertEqual(lines[2:], ["[tid 0] sched_yield() = 0"])
        code, _, err = self.run_cli("--trace", "wasi:thread-spawn", "--max-threads", "0", "--deadline", "500ms", program)
        self.assertIn("thread-spawn(start_arg=0x10) = EAGAIN (Resource temporarily unavailable)\n", err)


class Explaining(CliTest):
    MODULE = """
        (module
          (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "path_open"
            (func (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "environ_get" (func (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "sock_accept" (func (param i32 i32 i32) (result i32))))"""

    def explained(self, text):
        code, out, err = self.run_cli("explain-caps", "--json", self.file("guest.wat", text.encode()))
        self.assertEqual((code, err), (SUCCESS, ""))
        return json.loads(out)

    @staticmethod
    def names(imports):
        return [f"{entry['module']}.{entry['name']}" for entry in imports]

    def test_text(self):
        path = self.file("guest.wat", self.MODULE.encode())
        code, out, err = self.run_cli("explain-caps", path)
        self.assertEqual((code, err), (SUCCESS, ""))
        self.assertTrue(out.startswith(f"{path}: imports WASI preview 1 (wasi_snapshot_preview1)\n\nIt can make use of:\n"), out)
        for part in ("  writing      writes to what it has open", ": --dir HOST[::GUEST], --dir mem::GUEST[:SIZE]\n", "by fd_write\n",
                     "  network      accepts connections", ": --env NAME[=VALUE], --inherit-env\n"):
            self.assertIn(part, out)
        self.assertIn("\nIt cannot make use of: arguments, clocks, waiting, randomness, descriptors, reading, listing, changing, "
                      "threads, ending\n", out)

    def test_json(self):
        explained = self.explained(self.MODULE)
        self.assertEqual(explained["wasi"], ["wasi_snapshot_preview1"])
        self.assertEqual([entry["name"] for entry in explained["capabilities"]], ["environment", "writing", "opening", "network"])
        environment = explained["capabilities"][0]
        self.assertEqual(environment["options"], ["--env NAME[=VALUE]", "--inherit-env"])
        self.assertEqual(self.names(environment["imports"]), ["wasi_snapshot_preview1.environ_get"])
        self.assertIn("threads", explained["unused"])
        self.assertEqual((explained["unknown"], explained["foreign"]), ([], []))

    def test_options_exist(self):
        _, usage, _ = self.run_cli("run", "--help")
        options = set()
        for module in (self.MODULE, THREADED):
            for info in self.explained(module)["capabilities"]:
                options.update(option.split()[0] for option in info["options"])
        self.assertGreaterEqual(options, {"--dir", "--env", "--max-threads"})
        for option in options:
            self.assertIn(option, usage)

    def test_snapshot_0_and_threads(self):
        explained = self.explained(TRACED.replace("{module}", "wasi_unstable"))
        self.assertEqual(explained["wasi"], ["wasi_unstable"])
        self.assertEqual([entry["name"] for entry in explained["capabilities"]], ["descriptors", "writing", "ending"])
        explained = self.explained(THREADED)
        self.assertEqual(explained["wasi"], ["wasi", "wasi_snapshot_preview1"])
        self.assertEqual([entry["name"] for entry in explained["capabilities"]], ["waiting", "threads"])
        self.assertEqual(explained["foreign"], [])

    def test_what_cannot_be_given(self):
        text = """
            (module
              (import "wasi_snapshot_preview1" "fd_teleport" (func (param i32)))
              (import "wasi_snapshot_preview1" "fd_write" (func (param i64)))
              (import "wasi_unstable" "sock_accept" (func (param i32 i32 i32) (result i32)))
              (import "env" "memory" (memory 1))
              (import "env" "log" (func))
              (import "env" "\\1b[2J\\n" (func)))"""
        explained = self.explained(text)
        self.assertEqual(self.names(explained["unknown"]), ["wasi_snapshot_preview1.fd_teleport",
                                                           "wasi_snapshot_preview1.fd_write", "wasi_unstable.sock_accept"])
        self.assertEqual([(entry["name"], entry["kind"]) for entry in explained["foreign"]],
                         [("memory", "memory"), ("log", "function"), ("\x1b[2J\n", "function")])
        _, out, _ = self.run_cli("explain-caps", self.file("guest.wat", text.encode()))
        self.assertIn("\nWASI has no such function, so it cannot be run:\n  wasi_snapshot_preview1.fd_teleport (function)\n", out)
        self.assertIn("  env.log (function)\n  env.\\x1b[2J\\n (function)\n", out)

    def test_nothing(self):
        path = self.file("guest.wat", b"(module)")
        code, out, _ = self.run_cli("explain-caps", path)
        self.assertEqual(code, SUCCESS)
        self.assertIn(f"{path}: imports nothing of WASI\n\nIt cannot make use of: arguments, ", out)

    def test_wrong_command_lines(self):
        self.check_error(USAGE, ["explain-caps"], "which file?")
        self.check_error(FAILURE, ["explain-caps", "nowhere.wasm"], "nowhere.wasm", "No such file or directory")
        self.check_error(FAILURE, ["explain-caps", self.file("x.wasm", b"\0asm\1\0\0\0\2\1\1")], "malformed module")


class Output(CliTest):
    def test_full_disk(self):
        path = self.wat('(module (func (export "f") (result i32) (i32.const 1)))')
        for args in (["inspect", path], ["validate", path], ["wat", path], ["objdump", path], ["--invoke", "f", path],
                     ["--version"]):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([WASIRUN, *args], stdout=full, stderr=subprocess.PIPE, timeout=TIMEOUT, check=False)
            self.assertEqual(done.returncode, FAILURE, args)
            self.assert_one_line(done.stderr.decode(), "cannot write to standard output", "No space left on device")

    def test_reader_gone(self):
        path = self.wat('(module (func (export "f") (result i32) (i32.const 1)))')
        # More text than any buffer between us and the reader holds.
        large = self.wat("(module (memory 1) (data \"" + "x" * 500000 + "\") (func " + "(drop (i32.const 1))" * 20000 + "))",
                         "large.wasm")
        for args in (["--invoke", "f", path], ["wat", path], ["wat", large], ["objdump", "-d", "-s", large]):
            reader, writer = os.pipe()
            os.close(reader)
            done = subprocess.run([WASIRUN, *args], stdout=writer, stderr=subprocess.PIPE, timeout=TIMEOUT, check=False)
            os.close(writer)
            self.assertEqual((done.returncode, done.stderr), (FAILURE, b""), args)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    WASIRUN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
