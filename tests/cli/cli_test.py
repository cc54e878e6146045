#!/usr/bin/env python3
"""The command line as users see it: messages, exit codes, where options end, what is printed.

usage: cli_test.py WASIRUN [unittest arguments]
"""

import contextlib
import ctypes
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import time
import unittest

from cli_case import CliTest, EXAMPLES, FAILURE, PRINT_STRINGS, SUCCESS, TIMEOUT, TRAP, USAGE, WASIRUN


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
                         "this is a WebAssembly component: components are not supported yet", "wasm32-wasip1")

    def test_neither(self):
        path = self.file("picture.wasm", b"\x89PNG\r\n\x1a\n and so on")
        self.check_error(FAILURE, [path], path, "malformed module at offset 0x0", "magic")

    def test_truncated(self):
        whole = pathlib.Path(self.wat("(module (func (export \"_start\")))")).read_bytes()
        path = self.file("half.wasm", whole[:-3])
        self.check_error(FAILURE, [path], path, "malformed module at offset")

    def test_words_that_are_no_file(self):
        for args, parts in [(["valdate", "x.wasm"], ['"valdate"', "did you mean 'wasirun validate'?"]),
                            (["explain", "x.wasm"], ["did you mean 'wasirun explain-caps'?"]),
                            (["rnu", "x.wasm"], ["did you mean 'wasirun run'?"]),
                            (["launch", "x.wasm"], ['"launch"', "the commands are run, serve, compile, cache, validate, inspect, "
                                                     "explain-caps, wasm, wat, objdump, wast, completion, man"]),
                            (["--deadline", "1s", "inspekt"], ["did you mean 'wasirun inspect'?"]),
                            (["--deadline", "1s", "run", "x.wasm"], ["stands before its options: wasirun run [options]"])]:
            self.check_error(FAILURE, args, "there is no file", *parts, cwd=self.dir)
        # What can only be a file is one.
        for args in (["run", "launch"], ["./launch"], ["launch.wasm"]):
            self.check_error(FAILURE, args, "cannot open", "No such file or directory", cwd=self.dir)
        shutil.copy(self.wat('(module (func (export "_start")))'), self.dir / "launch")
        self.assertEqual(self.run_cli("launch", cwd=self.dir), (SUCCESS, "", ""))

    # Ends with what reading from stdin says, and the number of bytes that came.
    READS_STDIN = """
      (module
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 8) "\\20\\00\\00\\00\\10\\00\\00\\00")
        (func (export "_start")
          (call $exit (i32.add (i32.mul (i32.const 10) (call $read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 16)))
                               (i32.load (i32.const 16))))))"""

    def test_standard_input(self):
        text = self.READS_STDIN.encode()
        binary = pathlib.Path(self.wat(self.READS_STDIN)).read_bytes()
        for module in (text, binary):
            for args in (["-"], ["run", "-"], ["--validate", "eager", "--", "-"]):
                self.assertEqual(self.run_cli(*args, stdin=module), (SUCCESS, "", ""), args)
            for args in (["inspect", "-"], ["explain-caps", "-"], ["objdump", "-"]):
                code, out, err = self.run_cli(*args, stdin=module)
                self.assertEqual((code, err), (SUCCESS, ""), args)
                self.assertTrue(out.startswith("standard input: "), out)
            self.assertEqual(self.run_cli("validate", "-", stdin=module), (SUCCESS, "standard input: valid\n", ""))
            self.assertIn("fd_read", self.run_cli("wat", "-", stdin=module)[1])
        done = subprocess.run([WASIRUN, "wasm", "-", "-o", "-"], input=text, capture_output=True, timeout=TIMEOUT, check=True)
        self.assertTrue(done.stdout.startswith(b"\0asm"))
        self.check_error(FAILURE, ["wasm", "-", "-o", "-"], "standard input: this is a binary module already", stdin=binary)
        # More than a pipe holds, and what is behind the module is none of the program's.
        padded = b'(module (func (export "_start")))' + b" " * 200000
        self.assertEqual(self.run_cli("-", stdin=padded), (SUCCESS, "", ""))

    def test_standard_input_that_is_no_module(self):
        for command in ("run", "validate", "inspect", "wat", "objdump"):
            self.check_error(FAILURE, [command, "-"], "standard input", "empty")
            self.check_error(FAILURE, [command, "-"], "standard input: malformed module at offset", stdin=b"\0asm\1\0\0\0\xff")
        folder = os.open(self.dir, os.O_RDONLY)
        self.addCleanup(os.close, folder)
        done = subprocess.run([WASIRUN, "-"], stdin=folder, capture_output=True, timeout=TIMEOUT, check=False)
        self.assertEqual(done.returncode, FAILURE)
        self.assert_one_line(done.stderr.decode(), "standard input", "Is a directory")

    def test_standard_input_of_a_program_from_a_terminal(self):
        """The module ends with the terminal's end of file; what is typed behind it does not reach the program."""
        ours, terminal = pty.openpty()
        with subprocess.Popen([WASIRUN, "-"], stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            os.write(ours, b"".join(line.strip() + b"\n" for line in self.READS_STDIN.encode().splitlines()) + b"\4typed\n")
            out, err = process.communicate(timeout=TIMEOUT)
        os.close(ours)
        os.close(terminal)
        self.assertEqual((process.returncode, out, err), (SUCCESS, b"", b""))

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

    def test_unknown_imports(self):
        path = self.wat('(module (import "env" "log" (func $log (param i32) (result i32))) (import "wasi" "x" (func))'
                        ' (func (export "_start")) (func (export "log") (result i32) (call $log (i32.const 1))))')
        for args in ([], ["--unknown-imports", "error"]):
            self.check_error(FAILURE, [*args, path], 'missing import "env"."log"', '1 more missing: "wasi"."x"')
        for choice in ("trap", "zero"):
            self.assertEqual(self.run_cli("--unknown-imports", choice, path), (SUCCESS, "", ""))
        self.assertEqual(self.run_cli("--unknown-imports", "zero", "--invoke", "log", path), (SUCCESS, "0\n", ""))
        code, out, err = self.run_cli("--unknown-imports", "trap", "--invoke", "log", path)
        self.assertEqual((code, out), (TRAP, ""))
        self.assertTrue(err.startswith('wasirun: trap: unknown import called: "env"."log"\n'), err)
        self.check_error(USAGE, ["--unknown-imports", "ignore", path], "--unknown-imports", "error, trap, zero")
        memory = self.wat('(module (import "env" "memory" (memory 1)) (func (export "_start")))')
        self.check_error(FAILURE, ["--unknown-imports", "trap", memory], 'missing import "env"."memory"')
        self.assertEqual(self.run_cli("--unknown-imports", "zero", memory), (SUCCESS, "", ""))

    def test_wrong_function_type(self):
        path = self.wat('(module (import "wasi_snapshot_preview1" "sched_yield" (func (param f64))))')
        self.check_error(FAILURE, [path], "incompatible import type: wasi_snapshot_preview1.sched_yield", "(f64) -> ()", "() -> (i32)")

    def test_wrong_kind(self):
        path = self.wat('(module (import "wasi_snapshot_preview1" "sched_yield" (memory 1)))')
        self.check_error(FAILURE, [path], "incompatible import type: wasi_snapshot_preview1.sched_yield", "expected memory 1", "found function")


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
                                    ("--fuel", "", "is not a number"), ("--fuel", "1e6", "is not a number"),
                                    ("--fuel", "9223372036854775808", "is not a number from 0 to 9223372036854775807"),
                                    ("--max-memory", "lots", "64m"), ("--max-memory", "-1", "--max-memory"),
                                    ("--max-gc-heap", "much", "64m"),
                                    ("--stack-size", "1q", "\"1q\""), ("--tier", "turbo", "auto, interp, baseline, llvm"),
                                    ("--validate", "never", "eager, parallel, lazy"),
                                    ("--bounds-checks", "none", "guard, explicit"), ("--trace", "all", "wasi"),
                                    ("--profile", "all", "phases"), ("--dir", "::/", "HOST[::GUEST][:ro]"),
                                    ("--env", "", "NAME=VALUE"), ("--env", "=x", '"=x" is not NAME=VALUE')]:
            self.check_error(USAGE, [option, value, "x.wasm"], option, part)
        for option in ("--max-threads", "--max-descriptors", "--max-path", "--max-subscriptions", "--max-iovecs"):
            for value in ("", "-1", "+1", "1.5", "0x10", " 5", "5 ", "many", "4294967296", "99999999999999999999"):
                self.check_error(USAGE, [option, value, "x.wasm"], option, f'"{value}" is not a number from 0 to ')
        for value in ("", "-1", "1e3"):
            self.check_error(USAGE, ["--trace", "wasi", "--trace-string-size", value, "x.wasm"], "--trace-string-size",
                             "is not a number")
        for args in (["--trace", "wasi", "--trace-output", "", "x.wasm"], ["wat", "-o", "", "x.wasm"],
                     ["wasm", "-o", "", "x.wasm"]):
            self.check_error(USAGE, args, "-o", '"" is not the name of a file')
        # Every option of run that takes a value wants one, also in the form with "=".
        _, usage, _ = self.run_cli("run", "--help")
        options = re.findall(r"(?m)^ +(?:-\w, *)?(--[a-z-]+) (?!Excludes:)[A-Zw]", usage)
        self.assertGreaterEqual(set(options), {"--dir", "--env", "--listen", "--deadline", "--max-path", "--trace"})
        for option in options:
            self.check_error(USAGE, [option + "=", "x.wasm"], option)

    def test_options_behind_the_module(self):
        guest = self.wat("""
          (module
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (func (export "_start") (call $exit (i32.const 3))))""")
        note = ("wasirun: note: {} stands behind the module, so it went to the program; options of wasirun's stand before "
                "it (a -- before the module says that none was meant)\n")
        for behind, named in [(["--dir", "."], "--dir"), (["x", "--max-memory=1m", "--dir"], "--max-memory"),
                              (["--verbose"], None), (["--help", "-T", "-d"], None), (["--", "--dir"], None)]:
            self.assertEqual(self.run_cli(guest, *behind), (3, "", note.format(named) if named else ""))
            self.assertEqual(self.run_cli("--", guest, *behind), (3, "", ""))
        # A function's arguments never look like that, and here nothing is a program.
        library = self.wat('(module (func (export "f")))')
        code, _, err = self.run_cli(library, "--invoke", "f")
        self.assertEqual(code, FAILURE)
        self.assertTrue(err.endswith(note.format("--invoke")), err)
        # Who ends well meant it.
        fine = self.wat('(module (func (export "_start")))')
        self.assertEqual(self.run_cli(fine, "--dir", "."), (SUCCESS, "", ""))

    def test_help(self):
        for args, part in [(["--help"], "wasirun validate [options] FILE..."), (["help"], "usage:"),
                           (["run", "--help"], "--max-memory"), (["validate", "--help"], "usage: wasirun validate"),
                           (["inspect", "--help"], "--json"), (["wat", "--help"], "--fold"),
                           (["objdump", "--help"], "--disassemble")]:
            code, out, err = self.run_cli(*args)
            self.assertEqual((code, err), (SUCCESS, ""))
            self.assertIn(part, out)

    def test_version(self):
        code, out, err = self.run_cli("--version")
        self.assertEqual((code, err), (SUCCESS, ""))
        self.assertRegex(out, r"\Awasirun \d+\.\d+\.\d+\ntiers: interp, baseline, (llvm \(/.*/wasirun-llvm\.so\)|no llvm: .+)\n\Z")
        code, out, err = self.run_cli("--version", env={"WASIRUN_LLVM_PLUGIN": "/nowhere/x.so"})
        self.assertEqual((code, err), (SUCCESS, ""))
        self.assertIn("\ntiers: interp, baseline, no llvm: the optimising tier is not installed: /nowhere/x.so was not found\n",
                      out)

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


# Prints the file "status" of the directory that it is given.
PRINT_STATUS = """
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "status")
  (data (i32.const 16) "\\00\\01\\00\\00\\00\\20\\00\\00")
  (func (export "_start")
    (if (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 6) (i32.const 0) (i64.const 2) (i64.const 0)
                    (i32.const 0) (i32.const 8))
      (then unreachable))
    (if (call $read (i32.load (i32.const 8)) (i32.const 16) (i32.const 1) (i32.const 20)) (then unreachable))
    (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))))
"""

OUT_OF_BOUNDS = """(module (memory 1) (func (export "_start") (drop (i32.load (i32.const -4)))))"""


class Signals(CliTest):
    """What a parent left blocked or ignored."""

    @staticmethod
    def inherit():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGSEGV, signal.SIGBUS])
        signal.signal(signal.SIGSEGV, signal.SIG_IGN)

    def test_faults_are_traps(self):
        code, _, err = self.run_cli(self.wat(OUT_OF_BOUNDS), preexec_fn=self.inherit)
        self.assertEqual(code, TRAP, err)
        self.assertIn("out of bounds memory access", err)

    def test_faults_are_restored_at_the_start(self):
        # Without guard pages nothing else would do it.
        code, out, err = self.run_cli("--bounds-checks", "explicit", "--dir", "/proc/self::/", self.wat(PRINT_STATUS),
                                      preexec_fn=self.inherit)
        self.assertEqual(code, SUCCESS, err)
        fields = dict(line.split(":", 1) for line in out.splitlines() if ":" in line)
        faults = 1 << (signal.SIGSEGV - 1) | 1 << (signal.SIGBUS - 1)
        self.assertEqual(int(fields["SigBlk"], 16) & faults, 0, out)
        self.assertEqual(int(fields["SigIgn"], 16) & faults, 0, out)


class Tiers(CliTest):
    PROGRAM = """(module
      (memory 1)
      (func $double (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
      (func $quadruple (export "quadruple") (param i32) (result i32) (call $double (call $double (local.get 0)))))"""

    def quadruple(self, *options, **others):
        path = self.wat(self.PROGRAM, flags=["--debug-names"])
        return self.run_cli("--tier", "baseline", *options, "--invoke", "quadruple", path, "10", **others)

    def test_compiled_before_it_begins(self):
        code, out, err = self.quadruple("--profile", "phases")
        self.assertEqual((code, out), (SUCCESS, "40\n"))
        self.assertRegex(err, r"translate .* 2 functions into \d+ bytes\n")

    def test_optimising_compiler(self):
        path = self.wat(self.PROGRAM, flags=["--debug-names"])
        call = ["--tier", "llvm", "--invoke", "quadruple", path, "10"]
        code, out, err = self.run_cli(*call, env={"WASIRUN_LLVM_PLUGIN": str(self.dir / "none.so")})
        self.assertEqual((code, out), (FAILURE, ""))
        self.assert_one_line(err, "the optimising tier is not installed", "none.so")
        code, out, err = self.run_cli("--profile", "phases", *call)
        if "is not installed" in err:
            self.skipTest("built without the optimising compiler")
        self.assertEqual((code, out), (SUCCESS, "40\n"), err)
        self.assertRegex(err, r"translate .* 2 functions into \d+ bytes\n")
        self.assertEqual(self.run_cli("--strict-memory", *call), (SUCCESS, "40\n", ""))

    def test_without_memory_for_code(self):
        code, out, err = self.quadruple("--max-code", "0", "--profile", "phases")
        self.assertEqual((code, out), (SUCCESS, "40\n"))
        self.assertTrue(err.startswith("wasirun: warning: the limit of 0 bytes for machine code is reached"), err)
        self.assertEqual(err.count("warning"), 1)
        self.assertIn("2 functions into", err)
        self.assertIn(", 2 of them not compiled", err)

    def test_tools(self):
        code, out, err = self.quadruple("--code-tool", "jitdump", "--code-tool", "gdb", cwd=self.dir)
        self.assertEqual((code, out, err), (SUCCESS, "40\n", ""))
        dumps = list(self.dir.glob("jit-*.dump"))
        self.assertEqual(len(dumps), 1)
        dump = dumps[0].read_bytes()
        self.assertIn(b"double\0", dump)
        self.assertIn(b"quadruple\0", dump)
        self.check_error(USAGE, ["--code-tool", "vtune", "x.wasm"], "--code-tool", "perf, jitdump, gdb")

    def test_profile_of_generated_code(self):
        code, out, err = self.quadruple("--profile", "codegen")
        self.assertEqual((code, out), (SUCCESS, "40\n"))
        lines = err.splitlines()
        self.assertRegex(lines[0], r"^baseline +2 functions of \d+ bytes of bytecode, [1-9]\d* bytes of machine code$")
        counts = {line.split()[0]: int(line.split()[1]) for line in lines[1:]}
        # Twice its parameter is a product with a constant.
        self.assertEqual(counts["constant_factors"], 1, err)
        self.assertEqual(counts["constant_divisors"], 0, err)
        _, _, both = self.quadruple("--profile", "codegen", "--profile", "tiers")
        self.assertIn("constant_factors", both)
        self.assertIn("first call", both)
        # Without the option nothing is counted, or said.
        self.assertEqual(self.quadruple(), (SUCCESS, "40\n", ""))

    def test_profile_of_code_that_nobody_generates(self):
        path = self.wat(self.PROGRAM)
        code, out, err = self.run_cli("--tier", "interp", "--profile", "codegen", "--invoke", "quadruple", path, "10")
        self.assertEqual((code, out, err), (SUCCESS, "40\n", "wasirun: note: --profile codegen: with --tier interp nothing "
                                            "is compiled\n"))

    def forbid_new_executable_pages(self):
        """For the child: pages that are there cannot become executable, as some service managers have it."""
        memory_deny_write_execute, refuse_gain = 65, 1
        if self.libc.prctl(memory_deny_write_execute, ctypes.c_ulong(refuse_gain), *[ctypes.c_ulong(0)] * 3) != 0:
            os._exit(77)

    def test_a_host_that_refuses_executable_memory(self):
        self.libc = ctypes.CDLL(None, use_errno=True)
        # Code has a file in memory then; what debuggers can work with has none.
        code, out, err = self.quadruple("--profile", "phases", preexec_fn=self.forbid_new_executable_pages)
        if code == 77:
            self.skipTest("this kernel cannot be told to refuse executable pages")
        self.assertEqual((code, out), (SUCCESS, "40\n"))
        self.assertNotIn("warning", err)
        self.assertNotIn("not compiled", err)
        code, out, err = self.quadruple("--code-tool", "gdb", "--profile", "phases",
                                        preexec_fn=self.forbid_new_executable_pages)
        self.assertEqual((code, out), (SUCCESS, "40\n"))
        self.assertTrue(err.startswith("wasirun: warning: the host refuses machine code, the interpreter runs all: no memory "
                                       "for machine code: mprotect of executable pages was refused: "), err)
        self.assertEqual(err.count("warning"), 1)
        self.assertIn(", 2 of them not compiled", err)


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

    def test_fuel(self):
        path = self.wat("""
          (module
            (func $count (export "count") (param $n i32) (result i32)
              (loop $again (result i32)
                (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))
                (local.get $n))))
        """, flags=["--debug-names"])
        for tier in ("interp", "auto", "baseline"):
            call = ["--tier", tier, "--invoke", "count", path, "1000"]
            # Five instructions a round, one behind the loop, and the end.
            self.assertEqual(self.run_cli("--fuel", "5002", *call), (SUCCESS, "0\n", ""))
            code, out, err = self.run_cli("--fuel", "5001", *call)
            self.assertEqual((code, out), (TRAP, ""))
            self.assertRegex(err, r"^wasirun: trap: out of fuel\n +0: count @ 0x[0-9a-f]+\n$")
        endless = self.wat('(module (func (export "_start") (loop $l (br $l))))')
        code, _, err = self.run_cli("--fuel", "1000000", endless)
        self.assertEqual(code, TRAP)
        self.assertTrue(err.startswith("wasirun: trap: out of fuel\n"), err)

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
        code, _, err = self.run_cli("--profile", "tiers", self.exit_with(3))
        self.assertEqual(code, 3)
        self.assertRegex(err, r"(?m)^interp +[0-9.]+ ms +\d+ bytes.* \d+ functions into \d+ bytes")
        self.assertNotIn("decode", err)
        _, _, err = self.run_cli("--profile", "tiers", "--profile", "phases", self.exit_with(3))
        self.assertIn("\ninterp ", err)
        self.assertIn("decode ", err)
        code, _, err = self.run_cli("--profile", "codegen", self.exit_with(3))
        self.assertEqual(code, 3)
        self.assertRegex(err, r"(?m)^baseline +0 functions of 0 bytes of bytecode, 0 bytes of machine code$")


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
            (func (export "bits32") (param f32) (result i32) (i32.reinterpret_f32 (local.get 0)))
            (func (export "bits64") (param f64) (result i64) (i64.reinterpret_f64 (local.get 0)))
            (func (export "all") (param i32 i64 f32 f64) (result f64 f32 i64 i32)
              (local.get 3) (local.get 2) (local.get 1) (local.get 0))
            (func (export "none")))
        """)
        for name, given, printed in [
                ("i32", "42", "42"), ("i32", "-1", "-1"), ("i32", "4294967295", "-1"), ("i32", "0xff", "255"),
                ("i32", "-0x80000000", "-2147483648"), ("i64", "9223372036854775807", "9223372036854775807"),
                ("i64", "18446744073709551615", "-1"), ("i64", "-9223372036854775808", "-9223372036854775808"),
                ("f32", "0.1", "0.1"), ("f32", "-0", "-0"), ("f32", "inf", "inf"), ("f32", "nan", "nan"),
                ("f32", "nan:0x200001", "nan:0x200001"), ("f32", "-nan:0x7fffff", "-nan:0x7fffff"),
                ("f32", "-nan", "-nan"), ("f32", "-inf", "-inf"), ("f32", "+nan:0x400000", "nan"),
                ("f64", "nan:0x4000000000001", "nan:0x4000000000001"), ("f64", "-nan:0x1", "-nan:0x1"),
                ("bits32", "nan:0x1", "2139095041"), ("bits32", "-nan", "-4194304"),
                ("bits64", "-nan:0x1", "-4503599627370495"), ("f32", "1e-50", "0"),
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
                            (["f", "1", "nan:0x0"], ["f32"]), (["f", "1", "nan:0x800000"], ["f32"]),
                            (["f", "1", "nan:1"], ["f32"]), (["f", "1", "nan:0x"], ["f32"]), (["f", "1", "1e39"], ["f32"]),
                            (["r", "5"], ["only null", "externref"]), (["v", "5"], ["v128", "hexadecimal"]), (["v", "0x"], ["v128"]),
                            (["v", "0x" + "0" * 33], ["v128"]), (["v", "0x" + "f" * 16 + "-" + "0" * 15], ["v128"]),
                            (["g"], ['no export "g"', '"f"']),
                            (["m"], ['"m" is a memory, not a function'])]:
            self.check_error(USAGE, ["--invoke", args[0], path, *args[1:]], *parts)

    def test_references(self):
        path = self.file("refs.wat", b"""
          (module
            (func (export "i31") (param i31ref) (result i31ref) (local.get 0))
            (func (export "some") (param (ref i31)) (result (ref i31)) (local.get 0))
            (func (export "eq") (param eqref) (result eqref) (local.get 0))
            (func (export "any") (param anyref) (result anyref) (local.get 0))
            (func (export "func") (param funcref) (result funcref) (local.get 0))
            (func (export "extern") (param externref) (result externref) (local.get 0)))""")
        for name in ("i31", "eq", "any", "func", "extern"):
            self.assertEqual(self.run_cli("--invoke", name, path, "null"), (SUCCESS, "null\n", ""))
        for name in ("i31", "some", "eq", "any"):
            for given, printed in [("0", "0"), ("-1073741824", "-1073741824"), ("1073741823", "1073741823"),
                                   ("2147483647", "-1"), ("0x10", "16")]:
                self.assertEqual(self.run_cli("--invoke", name, path, given), (SUCCESS, printed + "\n", ""), (name, given))
            for given in ("2147483648", "-1073741825", "18446744073709551615", "five", ""):
                self.check_error(USAGE, ["--invoke", name, path, given], "argument 1", "31 bits")
        self.check_error(USAGE, ["--invoke", "some", path, "null"], "argument 1", "(ref i31)")
        self.check_error(USAGE, ["--invoke", "func", path, "0"], "only null", "funcref")

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


class Terminal(CliTest):
    def stderr_on_terminal(self, *args, **env):
        reader, terminal = pty.openpty()
        base = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
        # A terminal holds little that nobody reads.
        process = subprocess.Popen([WASIRUN, *args], stderr=terminal, stdout=subprocess.DEVNULL, env={**base, **env})
        os.close(terminal)
        text = b""
        with contextlib.suppress(OSError):  # EIO when the last one has closed it
            while part := os.read(reader, 65536):
                text += part
        process.wait(TIMEOUT)
        os.close(reader)
        return text.decode()

    def test_colours_on_a_terminal_only(self):
        self.assertIn("\033[1;31merror:\033[0m", self.stderr_on_terminal("nowhere.wasm", TERM="xterm"))
        self.assertNotIn("\033", self.run_cli("nowhere.wasm", env={"TERM": "xterm"})[2])

    def test_no_color(self):
        self.assertNotIn("\033", self.stderr_on_terminal("nowhere.wasm", TERM="xterm", NO_COLOR="1"))
        self.assertIn("\033", self.stderr_on_terminal("nowhere.wasm", TERM="xterm", NO_COLOR=""))
        self.assertNotIn("\033", self.stderr_on_terminal("nowhere.wasm", TERM="dumb"))

    def large_module(self, functions):
        """A module that has much to compile, and nothing to run: each function has 16 KiB of additions."""
        def number(value):
            digits = bytearray()
            while value > 0x7F:
                digits.append(value & 0x7F | 0x80)
                value >>= 7
            return bytes(digits) + bytes([value])

        def section(code, content):
            return bytes([code]) + number(len(content)) + content
        # One local; local.get 0, local.get 0, i32.add, local.set 0 again and again.
        body = b"\1\1\x7f" + b"\x20\0\x20\0\x6a\x21\0" * 2340 + b"\x0b"
        code = number(functions) + (number(len(body)) + body) * functions
        return self.file("large.wasm", b"\0asm\1\0\0\0" + section(1, b"\1\x60\0\0") + section(3, number(functions) +
                         b"\0" * functions) + section(7, b"\1\6_start\0\0") + section(10, code))

    def test_progress_of_compilation(self):
        """After half a second there is a bar, which is gone in the end: found with modules that take longer and longer."""
        for functions in (250, 1000, 4000, 16000):
            module = self.large_module(functions)
            text = self.stderr_on_terminal("--tier", "baseline", module, TERM="xterm")
            if text:
                break
        self.assertRegex(text, r"^(\rcompiling \[#*\.*\] +\d+ %)+\r\033\[K$")
        # The same one without a terminal, and on one that cannot move its cursor.
        self.assertEqual(self.run_cli("--tier", "baseline", module, env={"TERM": "xterm"}), (SUCCESS, "", ""))
        self.assertEqual(self.stderr_on_terminal("--tier", "baseline", module, TERM="dumb"), "")


class Output(CliTest):
    def test_full_disk(self):
        path = self.wat('(module (func (export "f") (result i32) (i32.const 1)))')
        for args in (["inspect", path], ["validate", path], ["wat", path], ["objdump", path], ["--invoke", "f", path],
                     ["--version"]):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([WASIRUN, *args], stdout=full, stderr=subprocess.PIPE, timeout=TIMEOUT, check=False)
            self.assertEqual(done.returncode, FAILURE, args)
            self.assert_one_line(done.stderr.decode(), "cannot write to standard output", "No space left on device")

    def test_signal(self):
        # Long to print: the signal comes while that is done.
        path = self.file("large.wat", b'(module (memory 1) (data "' + b"\\00\\ff" * 8_000_000 + b'"))')
        folder = self.dir / "out"
        folder.mkdir()
        with subprocess.Popen([WASIRUN, "wat", path, "-o", str(folder / "x.wat")]) as process:
            while not list(folder.iterdir()) and process.poll() is None:
                time.sleep(0.001)
            process.terminate()
        self.assertEqual(process.returncode, -signal.SIGTERM)
        self.assertEqual(list(folder.iterdir()), [])

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


class Names(CliTest):
    """Names that a guest chooses reach neither the terminal nor the lines of others."""
    MODULE = (rb"""
      (module $"m\1b[31mX\u{202e}"
        (import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
        IMPORTS
        (@custom "c\1b[2J\n\u{200b}" "x")
        (memory (export "memory") 1)
        (func $"evil\1b[2J\n\u{9b}name" (export "e\1b[31m\n\u{7f}vil") (unreachable))
        (func (export "START") (call $"evil\1b[2J\n\u{9b}name")))""")

    def module(self, start=b"_start", imports=b"", name="guest.wat"):
        return self.file(name, self.MODULE.replace(b"START", start).replace(b"IMPORTS", imports))

    def check_shown(self, text, *parts):
        for character in text:
            self.assertTrue(character.isprintable() or character in "\n\t", f"{character!r} in {text!r}")
        for part in parts:
            self.assertIn(part, text)

    def test_traps(self):
        code, out, err = self.run_cli(self.module())
        self.assertEqual((code, out), (TRAP, ""))
        self.check_shown(err, r"m\x1b[31mX\u{202e}!evil\x1b[2J\n\u{9b}name @ 0x")
        self.assertEqual(err.count("\n"), 3, err)

    def test_listings(self):
        foreign = self.module(imports=rb'(import "a\1b[2J" "b\nforged\u{2028}" (func))')
        for args, parts in [(["inspect"], [r"named m\x1b[31mX\u{202e}", r"e\x1b[31m\n\x7fvil: function",
                                           r"custom c\x1b[2J\n\u{200b}", r"a\x1b[2J.b\nforged\u{2028}: function"]),
                            (["explain-caps"], [r"a\x1b[2J.b\nforged\u{2028} (function)"]),
                            (["objdump", "-h", "-d", "-s", "-t"], [r"\1b[2J\n\u{9b}name", r"\1b[2J\n\u{200b}"]),
                            (["wat"], [r'"e\1b[31m\n\7fvil"'])]:
            code, out, err = self.run_cli(*args, foreign)
            self.assertEqual((code, err), (SUCCESS, ""), args)
            self.check_shown(out, *parts)
        for command in ("inspect", "explain-caps"):
            code, out, err = self.run_cli(command, "--json", foreign)
            self.assertEqual((code, err), (SUCCESS, ""))
            self.check_shown(out, r"a\u001b[2J", r"b\nforged\u2028")
            self.assertIn("a\x1b[2J", [entry["module"] for entry in json.loads(out)[
                "imports" if command == "inspect" else "foreign"]])

    def test_errors(self):
        plain = self.module(start=b"main")
        for args, parts in [([plain], [r"e\x1b[31m\n\x7fvil, main"]),
                            (["--invoke", "x\x1b[2J\n", plain], [r"x\x1b[2J\n"]),
                            ([self.module(imports=rb'(import "a\1b[2J" "b\n" (func)) (import "c\u{85}" "d" (func))',
                                          name="missing.wat")], [r'"a\x1b[2J"."b\n"', r'"c\u{85}"."d"']),
                            (["no\x1b[2J\nwhere.wasm"], [r"no\x1b[2J\nwhere.wasm"]),
                            (["--tier", "x\x1b\n", plain], [r"x\x1b\n"])]:
            code, out, err = self.run_cli(*args)
            self.assertNotEqual(code, SUCCESS)
            self.assertEqual((out, err.count("\n")), ("", 1), err)
            self.check_shown(err, *parts)
        code, _, err = self.run_cli("--unknown-imports", "trap", "--invoke", "g", self.file("calls.wat", rb"""
          (module (import "a\1b[2J" "f\n" (func $f)) (func (export "g") (call $f)))"""))
        self.check_shown(err, r'unknown import called: "a\x1b[2J"."f\n"')

    def test_wrong_text(self):
        path = self.file("guest.wat", b"(module\r\n  (fun \"\x1b[2J\xe2\x80\xae\")\r\n)")
        code, _, err = self.run_cli("validate", path)
        self.assertEqual(code, FAILURE)
        self.check_shown(err, "at line 2, column 9: illegal control character", r"\u{202e}")
        self.assertEqual(err.count("\n"), 3, err)


if __name__ == "__main__":
    unittest.main()
