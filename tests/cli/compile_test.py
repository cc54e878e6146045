#!/usr/bin/env python3
"""Compiled modules, executables made of them, and the cache: what is written, by whom it is read, what goes wrong.

usage: compile_test.py WASIRUN [unittest arguments]
"""

import os
import pathlib
import random
import resource
import signal
import stat
import subprocess
import threading
import time
import unittest

from cli_case import CliTest, FAILURE, PRINT_STRINGS, SUCCESS, TIMEOUT, TRAP, USAGE, WASIRUN

# Exported functions; "sum" runs long enough to be compiled.
MODULE = """
(module
  (memory 1)
  (func $step (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))
  (func (export "sum") (param $n i64) (result i64) (local $sum i64)
    (loop $again
      (local.set $sum (call $step (local.get $sum) (local.get $n)))
      (br_if $again (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
    (local.get $sum))
  (func (export "divide") (param i32) (result i32) (i32.div_s (i32.const 6) (local.get 0)))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))
"""
ARGS = PRINT_STRINGS.replace("{name}", "args")
HOT, SUM = "3000000", "4500001500000\n"


class Compiling(CliTest):
    def compile(self, *options, source=None, name="app.cwasm"):
        output = str(self.dir / name)
        code, out, err = self.run_cli("compile", "--baseline", *options, source or self.wat(MODULE), "-o", output)
        self.assertEqual((code, out), (SUCCESS, ""), err)
        self.assertRegex(err, rf"^{output}: {os.path.getsize(output)} bytes, \d+ functions, in \d+\.\d\d s\n$")
        return output

    def test_runs(self):
        app = self.compile()
        self.assertEqual(self.run_cli("--invoke", "sum", app, "1000"), (SUCCESS, "500500\n", ""))
        for tier in ("auto", "baseline", "interp"):
            self.assertEqual(self.run_cli("run", "--tier", tier, "--invoke", "divide", app, "3"), (SUCCESS, "2\n", ""))
            code, out, err = self.run_cli("--tier", tier, "--invoke", "load", app, "65536")
            self.assertEqual((code, out), (TRAP, ""))
            self.assertIn("out of bounds memory access", err)

    def test_is_not_compiled_again(self):
        app = self.compile()
        _, _, err = self.run_cli("--profile", "tiers", "--invoke", "sum", app, HOT)
        self.assertRegex(err, r"interp +0\.000 ms +0 bytes +0 functions")
        self.assertRegex(err, r"baseline +0\.000 ms +0 bytes +0 functions")

    def test_into_a_cache(self):
        """Runs that have the cache find the code there, as if they had compiled it the last time."""
        source, cache = self.wat(MODULE), str(self.dir / "kept")
        code, out, err = self.run_cli("compile", "--baseline", "--cache", cache, source)
        self.assertEqual((code, out), (SUCCESS, ""), err)
        self.assertRegex(err, rf"^{cache}: machine code kept, \d+ functions, in \d+\.\d\d s\n$")
        self.assertEqual(len(os.listdir(cache)), 1)
        code, out, err = self.run_cli("--cache", cache, "--tier", "baseline", "--profile", "tiers", "--invoke", "sum", source, HOT)
        self.assertEqual((code, out), (SUCCESS, SUM))
        self.assertRegex(err, r"baseline +0\.000 ms +0 bytes +0 functions")
        self.check_error(FAILURE, ["compile", "--baseline", "--cache", self.file("file", b""), source], "not kept")
        self.check_error(USAGE, ["compile", "--cache", cache, "-o", "x", source], "--output excludes --cache")
        configuration = self.file("config.toml", f'[compile]\ncache = "{cache}"\n'.encode())
        output = str(self.dir / "sum.cwasm")
        self.assertEqual(self.run_cli("compile", "--config", configuration, "-o", output, source)[0], SUCCESS)
        self.assertTrue(os.path.exists(output))
        self.check_error(USAGE, ["compile", "--cache", cache, "--exe", source], "--cache")

    def test_the_same_bytes_each_time(self):
        first = pathlib.Path(self.compile()).read_bytes()
        for _ in range(3):
            self.assertEqual(pathlib.Path(self.compile()).read_bytes(), first)
        done = subprocess.run([WASIRUN, "compile", "--baseline", "-", "-o", "-"], input=pathlib.Path(self.wat(MODULE)).read_bytes(),
                              capture_output=True, timeout=TIMEOUT, check=True)
        self.assertEqual(done.stdout, first)

    def test_no_address_of_the_process_is_in_the_code(self):
        # Modules with every kind of code that there is. Each process has its memory, and all that is in it, elsewhere.
        modules = sorted((pathlib.Path(__file__).resolve().parents[1] / "disas").glob("*.wat"))
        self.assertGreater(len(modules), 100)
        for module in modules:
            with self.subTest(module.name):
                one, two = (subprocess.run([WASIRUN, "compile", "--baseline", str(module), "-o", "-"], capture_output=True,
                                           timeout=TIMEOUT, check=True).stdout for _ in range(2))
                self.assertEqual(one, two)

    def test_options_are_those_of_the_run(self):
        app = self.compile("--fuel")
        self.check_error(FAILURE, ["--invoke", "sum", app, "5"],
                         "the module was compiled with fuel, but the engine is without")
        self.assertEqual(self.run_cli("--fuel", "10000", "--invoke", "sum", app, "10"), (SUCCESS, "55\n", ""))
        self.assertEqual(self.run_cli("--fuel", "100", "--invoke", "sum", app, "1000")[0], TRAP)
        app = self.compile("--bounds-checks", "explicit")
        self.check_error(FAILURE, ["--invoke", "sum", app, "5"],
                         "compiled for explicit checks, but the engine has guard pages")
        self.assertEqual(self.run_cli("--bounds-checks", "explicit", "--invoke", "sum", app, "10")[1], "55\n")

    def test_processors(self):
        for cpu in ("native", "x86-64-v2"):
            self.assertEqual(self.run_cli("--invoke", "sum", self.compile("--cpu", cpu), "10")[1], "55\n")
        self.compile("--cpu", "x86-64-v3")
        self.check_error(USAGE, ["compile", "--cpu", "z80", "a.wasm", "-o", "b"], "z80", "x86-64-v2")

    def test_a_compiled_module_is_run_by_its_name_alone(self):
        app = self.compile(name="app.wasm.cwasm")
        os.rename(app, self.dir / "game.wasm")
        game = str(self.dir / "game.wasm")
        for command in (["run"], ["validate"], ["inspect"]):
            self.check_error(FAILURE, [*command, game], "this is a compiled module, machine code", ".cwasm")
        done = subprocess.run([WASIRUN, "run", "-"], input=pathlib.Path(game).read_bytes(), capture_output=True,
                              timeout=TIMEOUT)
        self.assertEqual(done.returncode, FAILURE)
        self.assertIn(b"this is a compiled module", done.stderr)

    def test_damage(self):
        content = pathlib.Path(self.compile()).read_bytes()
        for size in (0, 7, 8, 200, len(content) // 2, len(content) - 1):
            self.check_error(FAILURE, ["--invoke", "sum", self.file("bad.cwasm", content[:size]), "5"], "bad.cwasm")
        for at in range(8, 216, 8):
            bad = bytearray(content)
            bad[at] ^= 0x21
            self.check_error(FAILURE, ["--invoke", "sum", self.file("bad.cwasm", bad), "5"], "bad.cwasm")
        # In the code: the function is compiled anew.
        bad = bytearray(content)
        for at in range(1, 100):
            bad[-at] ^= 0x21
        code, out, err = self.run_cli("--invoke", "load", self.file("bad.cwasm", bad), "0")
        self.assertEqual((code, out), (SUCCESS, "0\n"))
        self.assertIn("wasirun: warning: the compiled module is damaged", err)
        self.check_error(FAILURE, ["--invoke", "sum", self.wat(MODULE, "m.cwasm"), "5"], "this is no compiled module")

    def test_inspection(self):
        code, out, _ = self.run_cli("inspect", self.compile())
        self.assertEqual(code, SUCCESS)
        self.assertIn("sum", out)

    def test_wrong_command_lines(self):
        source = self.wat(MODULE)
        self.check_error(USAGE, ["compile"], "which module?")
        self.check_error(USAGE, ["compile", source], "write it where?")
        self.check_error(USAGE, ["compile", source, "-o", "x", "--", "--dir", "."], "--exe is missing")
        self.check_error(FAILURE, ["compile", "nowhere.wasm", "-o", str(self.dir / "x")], "nowhere.wasm")
        self.check_error(FAILURE, ["compile", self.wat("(module (func (result i32)))", "bad.wasm", ["--no-check"]), "-o",
                                   str(self.dir / "x")], "type mismatch")
        self.assertFalse((self.dir / "x").exists())
        self.check_error(FAILURE, ["compile", "--baseline", source, "-o", str(self.dir / "no" / "x")],
                         "cannot write")

    def test_a_full_device_leaves_nothing(self):
        source = self.wat(MODULE)
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        before = sorted(os.listdir(self.dir))
        # Code memory of the two views is such a file itself; then there is the other way.
        code, _, err = self.run_cli("compile", source, "-o", str(self.dir / "x"), preexec_fn=limit)
        self.assertEqual(code, FAILURE, err)
        self.assertIn("cannot write", err)
        self.assertEqual(sorted(os.listdir(self.dir)), before)

    def test_the_end_of_the_process_leaves_nothing(self):
        big = "(module " + "".join(f"(func (result i32) {'(i32.const 1)' * 300} {'(i32.add)' * 299})"
                                   for _ in range(2000)) + ")"
        source = self.wat(big, "big.wasm")
        before = sorted(os.listdir(self.dir))
        for delay in (0.02, 0.1, 0.2, 0.3):
            process = subprocess.Popen([WASIRUN, "compile", source, "-o", str(self.dir / "x.cwasm")],
                                       stderr=subprocess.DEVNULL)
            time.sleep(delay)
            process.send_signal(signal.SIGTERM)
            process.wait(TIMEOUT)
            left = sorted(set(os.listdir(self.dir)) - set(before))
            self.assertIn(left, ([], ["x.cwasm"]))
            if left:
                os.unlink(self.dir / "x.cwasm")


class Optimising(CliTest):
    """What needs the optimising compiler is tested where it is installed; what happens without it, everywhere."""

    MISSING = {"WASIRUN_LLVM_PLUGIN": "/nowhere/wasirun-llvm.so"}

    def compile(self, *options, source=None, name="app.cwasm", env=None):
        output = str(self.dir / name)
        code, out, err = self.run_cli("compile", *options, source or self.wat(MODULE), "-o", output, env=env)
        if "the optimising tier" in err and env is None:
            self.skipTest(err)
        self.assertEqual((code, out), (SUCCESS, ""), err)
        return output, err

    def profile(self, module, *args, name="profile.txt"):
        output = str(self.dir / name)
        code, _, err = self.run_cli("--profile-out", output, *args[:-1], module, args[-1])
        self.assertEqual((code, err), (SUCCESS, ""))
        return output

    def test_everything_or_what_is_hot(self):
        for option in ("--all", None):
            app, err = self.compile(*[option] if option else [])
            lines = err.splitlines()
            self.assertRegex(lines[0], rf"^{app}: {os.path.getsize(app)} bytes, 4 functions, in \d+\.\d\d s$")
            self.assertRegex(lines[1], r"^  llvm +4 functions of \d+ bytes into \d+ bytes of code, \d+\.\d\d s of ")
            self.assertEqual(len(lines), 2)
            self.assertEqual(self.run_cli("--invoke", "sum", app, "1000"), (SUCCESS, "500500\n", ""))
            code, out, err = self.run_cli("--invoke", "divide", app, "0")
            self.assertEqual((code, out), (TRAP, ""))
            self.assertIn("integer divide by zero", err)

    def test_the_same_bytes_however_many_threads(self):
        functions = "".join(f"(func (export \"f{i}\") (param i32) (result i32)"
                            f"(i32.add (call {(i * 7) % 40}" f"(i32.const {i})) (local.get 0)))" for i in range(40))
        source = self.wat(f"(module {functions})", "many.wasm")
        made = {pathlib.Path(self.compile("--all", "-j", threads, source=source)[0]).read_bytes()
                for threads in ("1", "2", "3", "8")}
        self.assertEqual(len(made), 1)

    def test_profiles(self):
        module = self.wat(MODULE)
        profile = self.profile(module, "--invoke", "sum", HOT)
        text = pathlib.Path(profile).read_text()
        self.assertRegex(text, r"\Awasirun profile 2\nmodule [0-9a-f]{32}\nfunction 0 \d+\nfunction 1 \d+\nloop 0x[0-9a-f]+ \d+\n\Z")
        # The same run says the same.
        self.assertEqual(pathlib.Path(self.profile(module, "--invoke", "sum", HOT, name="again.txt")).read_text(), text)
        idle = self.profile(module, "--invoke", "divide", "3", name="idle.txt")
        app, err = self.compile("--profile-use", profile, "--profile-use", idle)
        self.assertRegex(err, r"\n  llvm +2 functions .*\n  baseline +2 functions ")
        self.assertEqual(self.run_cli("--invoke", "sum", app, HOT), (SUCCESS, SUM, ""))
        first = pathlib.Path(app).read_bytes()
        self.compile("-j", "1", "--profile-use", idle, "--profile-use", profile)
        self.assertEqual(pathlib.Path(app).read_bytes(), first)

    def test_profiles_of_programs_that_end_otherwise(self):
        for options, code in ((["--invoke", "divide", self.wat(MODULE), "0"], TRAP),
                              (["--deadline", "100ms", "--invoke", "sum", self.wat(MODULE), "100000000000"], TRAP)):
            output = self.dir / "p"
            self.assertEqual(self.run_cli("--profile-out", str(output), *options)[0], code)
            self.assertTrue(output.read_text().startswith("wasirun profile 2\n"))
            output.unlink()
        self.assertIn("loop", pathlib.Path(self.profile(self.wat(MODULE), "--tier", "interp", "--invoke", "sum", HOT)).read_text())

    def test_profiles_that_cannot_be_used(self):
        module = self.wat(MODULE)
        other = self.wat(ARGS, "args.wasm")
        output = str(self.dir / "x.cwasm")
        of_other = str(self.dir / "other.txt")
        self.assertEqual(self.run_cli("--profile-out", of_other, other)[0], SUCCESS)
        use = ["compile", module, "-o", output, "--profile-use"]
        self.check_error(FAILURE, [*use, of_other], "the profile is of another module")
        own = self.profile(module, "--invoke", "sum", HOT)
        self.check_error(FAILURE, [*use, own, "--profile-use", of_other], "other.txt", "of different modules")
        self.check_error(FAILURE, [*use, self.file("bad.txt", b"wasirun profile 2\nmodule x\n")], "bad.txt", "line 2")
        self.check_error(FAILURE, [*use, module], "this is no profile")
        self.check_error(FAILURE, [*use, "nowhere.txt"], "nowhere.txt")
        self.check_error(USAGE, [*use, own, "--all"], "--all")
        self.check_error(USAGE, [*use, own, "--baseline"], "--baseline")
        self.check_error(USAGE, ["compile", "--all", "--baseline", module, "-o", output], "--baseline")
        self.check_error(USAGE, ["--profile-out", own, "--tier", "baseline", module], "--profile-out")
        self.check_error(FAILURE, ["--profile-out", str(self.dir / "no" / "p"), other], "cannot write")
        self.assertFalse(os.path.exists(output))

    def test_without_the_compiler(self):
        plain, _ = self.compile("--baseline", name="plain.cwasm", env=self.MISSING)
        app, err = self.compile(env=self.MISSING)
        self.assertIn("wasirun: warning: the optimising tier is not installed", err)
        self.assertIn("all functions are compiled by the baseline compiler", err)
        self.assertEqual(pathlib.Path(app).read_bytes(), pathlib.Path(plain).read_bytes())
        self.check_error(FAILURE, ["compile", "--all", self.wat(MODULE), "-o", str(self.dir / "x")],
                         "the optimising tier is not installed", env=self.MISSING)
        self.assertFalse((self.dir / "x").exists())

    def test_what_was_optimised_runs_without_the_compiler(self):
        app, _ = self.compile("--all")
        program, _ = self.compile("--all", "--exe", name="program", source=self.wat('(module (func (export "_start")))', "p"))
        self.assertEqual(self.run_cli("--invoke", "sum", app, HOT, env=self.MISSING), (SUCCESS, SUM, ""))
        # Nor can LLVM be opened where it is: the plug-in that has it is an empty file.
        broken = {"WASIRUN_LLVM_PLUGIN": self.file("empty", b"")}
        self.check_error(FAILURE, ["compile", "--all", self.wat(MODULE), "-o", str(self.dir / "x")],
                         "the optimising tier cannot be had", env=broken)
        self.assertEqual(self.run_cli("--invoke", "sum", app, HOT, env=broken), (SUCCESS, SUM, ""))
        done = subprocess.run([program], env={**os.environ, **broken}, capture_output=True, timeout=TIMEOUT, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (SUCCESS, b"", b""))

    def test_no_page_of_the_compiler_is_touched_before_it_is_needed(self):
        # Says that it runs, and then waits, so that somebody can look at it.
        program = self.wat("""
          (module
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "\\08\\00\\00\\00\\06\\00\\00\\00hello\\n")
            (func (export "_start")
              (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))
              (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 32)))))
        """, "hello")
        for options, is_loaded in (([], False), (["--tier", "baseline"], False), (["--tier", "llvm"], True)):
            with self.subTest(options), subprocess.Popen([WASIRUN, *options, program], stdin=subprocess.PIPE,
                                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                line = process.stdout.readline()
                if line != b"hello\n" and is_loaded:
                    process.stdin.close()
                    self.skipTest(process.stderr.read().decode())
                self.assertEqual(line, b"hello\n")
                mapped = pathlib.Path(f"/proc/{process.pid}/maps").read_text()
                self.assertEqual("wasirun-llvm" in mapped or "libLLVM" in mapped, is_loaded, mapped)
                process.stdin.close()
                self.assertEqual(process.wait(TIMEOUT), SUCCESS)

    def test_profile_of_generated_code(self):
        source = self.wat("""(module (memory 1)
          (func $load (param i32) (result i32) (i32.load (local.get 0)))
          (func (export "sum") (param i32 i32) (result i32)
            (i32.add (call $load (local.get 0)) (call $load (local.get 1)))))""", "loads")
        app, err = self.compile("--all", "--profile", "codegen", source=source)
        lines = err.splitlines()[2:]
        self.assertRegex(lines[0], r"^llvm +2 functions of \d+ bytes of bytecode, [1-9]\d* bytes of machine code$")
        counts = {line.split()[0]: int(line.split()[1]) for line in lines[1:]}
        self.assertEqual((counts["inlined_calls"], counts["unchecked_accesses"], counts["polls"]), (2, 1, 0), err)
        # What the baseline compiler has is in other rows; and what is counted changes nothing.
        plain, _ = self.compile("--all", source=source, name="plain.cwasm")
        self.assertEqual(pathlib.Path(app).read_bytes(), pathlib.Path(plain).read_bytes())
        _, err = self.compile("--baseline", "--profile", "codegen", source=source)
        self.assertIn("\nbaseline ", err)
        self.assertNotIn("\nllvm ", err)
        self.check_error(USAGE, ["compile", "--profile", "tiers", source, "-o", app], "--profile", "codegen")

    def test_no_address_of_the_process_is_in_the_code(self):
        modules = sorted((pathlib.Path(__file__).resolve().parents[1] / "disas").glob("*.wat"))[::12]
        self.assertGreater(len(modules), 8)
        for module in modules:
            with self.subTest(module.name):
                one, two = (pathlib.Path(self.compile("--all", source=str(module))[0]).read_bytes() for _ in range(2))
                self.assertEqual(one, two)

    def test_processors(self):
        made = set()
        for cpu in ("x86-64-v2", "x86-64-v3", "x86-64-v4"):
            app, _ = self.compile("--all", "--cpu", cpu)
            made.add(pathlib.Path(app).read_bytes())
            code, out, err = self.run_cli("--invoke", "sum", app, "10")
            if code != SUCCESS:
                self.assertIn("was compiled for processors with", err)
            else:
                self.assertEqual(out, "55\n")
        self.assertEqual(len(made), 3)


class Debugging(CliTest):
    """What gdb knows of a guest: functions, lines, breakpoints by both."""

    SOURCE = """static int add(int a, int b) {
  return a + b;
}

__attribute__((noinline)) int fib(int n) {
  if (n < 2)
    return n;
  int before = fib(n - 1);
  int other = fib(n - 2);
  return add(before, other);
}

int run(int n) {
  return fib(n) + 1;
}
"""

    def guest(self, *flags):
        (self.dir / "fib.c").write_text(self.SOURCE)
        done = subprocess.run(["clang-19", "--target=wasm32", "-g", *flags, "-nostdlib", "-Wl,--no-entry",
                               "-Wl,--export=run", str(self.dir / "fib.c"), "-o", str(self.dir / "fib.wasm")],
                              capture_output=True, timeout=TIMEOUT)
        self.assertEqual(done.returncode, 0, done.stderr)
        return str(self.dir / "fib.wasm")

    def gdb(self, commands, *arguments):
        script = self.dir / "script"
        script.write_text("set breakpoint pending on\nset pagination off\nset style enabled off\n"
                          "handle SIGSEGV nostop noprint pass\n" + commands)
        try:
            done = subprocess.run(["gdb", "-nx", "-batch", "-x", str(script), "--args", WASIRUN, *arguments],
                                  capture_output=True, timeout=TIMEOUT, text=True)
        except FileNotFoundError:
            self.skipTest("there is no gdb")
        if "Could not trace" in done.stderr or "ptrace" in done.stderr:
            self.skipTest("no process can be traced here: " + done.stderr)
        return done.stdout + done.stderr

    def test_lines(self):
        module = self.guest("-O0")
        for version in ("-gdwarf-4", "-gdwarf-5"):
            self.guest("-O0", version)
            out = self.gdb("break fib.c:7\nrun\nbacktrace 4\nlist\ndelete\nfinish\ncontinue\n", "-g", "--invoke", "run",
                           module, "5")
            self.assertRegex(out, r"Breakpoint 1, (0x[0-9a-f]+ in )?fib \(n=1\) at .*fib\.c:7\n")
            self.assertRegex(out, r"#1 .* fib \(n=2\) at .*fib\.c:8\n")
            self.assertIn("    return n;", out)
            self.assertIn("\n6\n", out)

    def test_functions_of_optimised_code(self):
        if "no llvm" in self.run_cli("--version")[1]:
            self.skipTest("the optimising compiler is not installed")
        out = self.gdb("break fib\nrun\nbacktrace 2\ndelete\ncontinue\n", "-g", "--tier", "llvm", "--invoke", "run",
                       self.guest("-O1"), "5")
        self.assertRegex(out, r"Breakpoint 1, (0x[0-9a-f]+ in )?fib \(n=.*\) at .*fib\.c:\d+\n")
        self.assertRegex(out, r"#1 .* in run \(n=.*\) at .*fib\.c:14\n")
        self.assertIn("\n6\n", out)

    VARIABLES = """#include <stddef.h>
typedef struct node { int value; struct node *next; double weight; char name[8]; unsigned low : 3, high : 5; } node_t;
enum colour { RED, GREEN = 5, BLUE };
static int counter = 3;
node_t pool[3];
__attribute__((noinline)) int sum(node_t *first, enum colour colour, const char *label, float factor) {
  int total = 0;
  for (node_t *at = first; at != NULL; at = at->next) {
    int product = at->value * colour;
    total += product;
    counter += total;
  }
  long long wide = 1LL << 40;
  counter += (int)(wide >> 38) * (int)factor;
  return total + label[0];
}
int run(int n) {
  unsigned char bytes[3] = {1, 2, 3};
  for (int i = 0; i < 3; i++) {
    node_t *node = &pool[i];
    node->value = n + i + bytes[i];
    node->next = i < 2 ? &pool[i + 1] : NULL;
    node->weight = i * 0.5;
    node->name[0] = (char)('a' + i);
    node->low = 5;
    node->high = 17;
  }
  return sum(pool, BLUE, "label", 2.5f);
}
"""

    def variables(self, *flags, source=None):
        (self.dir / "app.c").write_text(source or self.VARIABLES)
        done = subprocess.run(["clang-19", "--target=wasm32", "-g", *flags, "-nostdlib", "-Wl,--no-entry",
                               "-Wl,--export=run", str(self.dir / "app.c"), "-o", str(self.dir / "app.wasm")],
                              capture_output=True, timeout=TIMEOUT)
        self.assertEqual(done.returncode, 0, done.stderr)
        return str(self.dir / "app.wasm")

    def tiers(self):
        yield "baseline"
        if "no llvm" not in self.run_cli("--version")[1]:
            yield "llvm"

    def test_variables(self):
        commands = ("break app.c:10\nrun\nprint first\nprint *first\nprint first->next\nprint *at\nprint at->name\n"
                    "print colour\nprint label\nprint factor\nprint product\nprint counter\nprint pool[1].value\n"
                    "print ((node_t *)(__memory + (unsigned)first->next))->value\ninfo args\nptype at\n"
                    "set var total = 1000\nup\nprint bytes\nprint n\ndelete\nfinish\ncontinue\n")
        for tier in self.tiers():
            for version in ("-gdwarf-4", "-gdwarf-5"):
                module = self.variables("-O0", version)
                out = self.gdb(commands, "-g", "--tier", tier, "--invoke", "run", module, "10")
                with self.subTest(tier=tier, version=version, out=out):
                    self.assertRegex(out, r"Breakpoint 1, sum \(first=0x[0-9a-f]+, colour=BLUE, label=0x[0-9a-f]+ "
                                          r'"label", factor=2\.5\) at .*app\.c:10\n')
                    self.assertRegex(out, r"\$1 = \(node_t \*\) 0x[0-9a-f]+\n")
                    self.assertRegex(out, r"\$2 = \{value = 11, next = 0x[0-9a-f]+, weight = 0, name = "
                                          r'"a[\\0]+", low = 5, high = 17\}\n')
                    self.assertRegex(out, r"\$3 = \(node ?\*\) 0x[0-9a-f]{3,5}\n")
                    self.assertRegex(out, r"\$4 = \{value = 11, ")
                    self.assertRegex(out, r'\$5 = "a[\\0]+"\n')
                    for line in ("$6 = BLUE", "$9 = 66", "$10 = 3", "$11 = 13", "$12 = 13", "colour = BLUE",
                                 "    unsigned int low : 3;", "$13 = \"\\001\\002\\003\"", "$14 = 10"):
                        self.assertIn(line + "\n", out)
                    self.assertRegex(out, r'\$7 = 0x[0-9a-f]+ "label"\n')
                    self.assertIn("$8 = 2.5\n", out)
                    # What was set counts.
                    self.assertIn(f"\n{1000 + 66 + 78 + 90 + 108}\n", out)

    def test_variables_of_optimised_guests(self):
        # What is in a Wasm local, where it is there, and functions that the guest's compiler has taken in.
        source = """static int __attribute__((always_inline)) twice(int x) {
  int doubled = x * 2;
  __asm__ volatile("" : "+r"(doubled));
  return doubled;
}
__attribute__((noinline)) int accumulate(int *values, int count, double scale) {
  int total = 0;
  for (int i = 0; i < count; i++) {
    values[i] += total;
    total += twice(values[i]);
  }
  return total + (int)scale;
}
int data[4] = {1, 2, 3, 4};
int run(int n) { return accumulate(data, n, 1.5); }
"""
        commands = "break accumulate\nrun\nprint values[2]\nprint count\ninfo args\n"
        inlined = "break app.c:3\ncontinue\nbacktrace 3\ninfo locals\nup\nprint scale\n"
        for tier in self.tiers():
            script = commands + (inlined if tier == "baseline" else "") + "delete\ncontinue\n"
            out = self.gdb(script, "-g", "--tier", tier, "--invoke", "run", self.variables("-O1", source=source), "4")
            with self.subTest(tier=tier, out=out):
                self.assertRegex(out, r"Breakpoint 1(\.1)?, accumulate \(values=0x[0-9a-f]+, count=4, scale=.*\) at .*app\.c:8\n")
                for line in ("$1 = 3", "$2 = 4", "count = 4", "117"):
                    self.assertIn(line + "\n", out)
                if tier == "baseline":
                    self.assertRegex(out, r"#0  twice \(\) at .*app\.c:3\n#1  accumulate \(.*, scale=1\.5\) at .*app\.c:10\n"
                                          r"#2 .* in run \(n=4\) at .*app\.c:15\n")
                    self.assertIn("doubled = <optimized out>\n", out)
                    self.assertIn("$3 = 1.5\n", out)

    def test_locals_without_debug_information(self):
        path = self.wat("""
          (module
            (func $f (export "f") (param $x i32) (param i64) (result f64) (local $sum f64) (local v128)
              (local.set $sum (f64.add (f64.convert_i32_s (local.get $x)) (f64.convert_i64_s (local.get 1))))
              (local.set 3 (i32x4.splat (local.get $x)))
              (call $g)
              (local.get $sum))
            (func $g (nop)))
        """, flags=["--debug-names"])
        for tier in self.tiers():
            out = self.gdb("break g\nrun\nup\ninfo args\ninfo locals\ndelete\ncontinue\n", "-g", "--tier", tier,
                           "--invoke", "f", path, "7", "35")
            with self.subTest(tier=tier, out=out):
                self.assertIn("\n42\n", out)
                self.assertRegex(out, r"(^|\n)(\(gdb\) )?sum = 42\n")
                if tier == "baseline":
                    self.assertIn("x = 7\nlocal1 = 35\n", out)
                    self.assertIn("local3 = {7, 7, 7, 7}\n", out)

    def test_without_line_tables(self):
        out = self.gdb("break fib\nrun\nbacktrace 2\ndelete\ncontinue\n", "-g", "--invoke", "run", self.guest("-O0", "-g0"),
                       "5")
        self.assertRegex(out, r"#0 .* in fib \(local0=5\)\n#1 .* in run \(local0=5\)\n")
        self.assertIn("\n6\n", out)


class Executables(CliTest):
    def make(self, source, *options):
        output = self.dir / "program"
        code, _, err = self.run_cli("compile", "--exe", source, "-o", str(output), *options)
        self.assertEqual(code, SUCCESS, err)
        return output

    def run_program(self, path, *args, argv0=None):
        done = subprocess.run([argv0 or str(path), *args], executable=str(path), capture_output=True, timeout=TIMEOUT)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def test_arguments_are_the_programs(self):
        program = self.make(self.wat(ARGS))
        self.assertTrue(os.access(program, os.X_OK))
        code, out, err = self.run_program(program, "--help", "run", "--", "-x", argv0="called so")
        self.assertEqual((code, err), (SUCCESS, ""))
        self.assertEqual(out, "called so\0--help\0run\0--\0-x\0")

    def test_options_of_run(self):
        program = self.make(self.wat(MODULE), "--", "--invoke", "sum")
        self.assertEqual(self.run_program(program, "1000"), (SUCCESS, "500500\n", ""))
        self.assertEqual(self.run_program(program)[0], USAGE)
        program = self.make(self.wat(MODULE), "--", "--invoke=sum", "--fuel", "200")
        self.assertEqual(self.run_program(program, "10"), (SUCCESS, "55\n", ""))
        self.assertEqual(self.run_program(program, "1000")[0], TRAP)
        program = self.make(self.wat(MODULE), "--", "--invoke", "sum", "--bounds-checks", "explicit")
        self.assertEqual(self.run_program(program, "10")[1], "55\n")
        for wrong in (["--no-such"], ["word"], ["--invoke", "sum", "--", "word"], ["--help"]):
            code, _, _ = self.run_cli("compile", "--exe", self.wat(MODULE), "-o", str(self.dir / "y"), "--", *wrong)
            self.assertFalse((self.dir / "y").exists(), wrong)

    def test_the_same_bytes_each_time(self):
        first = self.make(self.wat(MODULE)).read_bytes()
        self.assertEqual(self.make(self.wat(MODULE)).read_bytes(), first)

    def test_cut_off(self):
        program = self.make(self.wat(MODULE), "--", "--invoke", "sum")
        content = program.read_bytes()
        for size in (len(content) - 1, os.path.getsize(WASIRUN), len(content) - 5000):
            os.unlink(program)
            program.write_bytes(content[:size])
            program.chmod(0o755)
            code, out, err = self.run_program(program, "5")
            self.assertEqual((code, out), (FAILURE, ""))
            self.assertIn("was cut off", err)
        damaged = bytearray(content)
        at = content.rindex(b"\0cwasm\r\n") + 100
        damaged[at] ^= 1
        os.unlink(program)
        program.write_bytes(damaged)
        program.chmod(0o755)
        code, out, err = self.run_program(program, "5")
        self.assertEqual((code, out), (FAILURE, ""))
        self.assertIn("compiled module", err)

    def test_moved_and_linked(self):
        program = self.make(self.wat(MODULE), "--", "--invoke", "sum")
        moved = self.dir / "elsewhere"
        program.rename(moved)
        link = self.dir / "link"
        link.symlink_to(moved)
        self.assertEqual(self.run_program(link, "10"), (SUCCESS, "55\n", ""))
        # Without a directory of its own to look at.
        done = subprocess.run([str(moved), "10"], capture_output=True, timeout=TIMEOUT, cwd="/", env={})
        self.assertEqual((done.returncode, done.stdout), (SUCCESS, b"55\n"))


class Caching(CliTest):
    def setUp(self):
        super().setUp()
        self.cache = self.dir / "caches" / "wasirun"
        self.env = {"XDG_CACHE_HOME": str(self.dir / "caches")}
        self.module = self.wat(MODULE)

    def sum(self, *options, n=HOT, expected=SUM, module=None, **more):
        """Runs what becomes hot; returns how many functions were compiled."""
        code, out, err = self.run_cli(*options, "--profile", "tiers", "--invoke", "sum", module or self.module, n,
                                      env=more.pop("env", self.env), **more)
        self.assertEqual((code, out), (SUCCESS, expected), err)
        line = [line for line in err.splitlines() if line.startswith("baseline ")][-1]
        return int(line.split(" functions into")[0].split()[-1])

    def files(self):
        return sorted(path.name for path in self.cache.iterdir()) if self.cache.exists() else []

    def test_a_second_run_compiles_nothing(self):
        self.assertEqual(self.sum(), 2)
        self.assertEqual(len(self.files()), 1)
        self.assertEqual(stat.S_IMODE(os.stat(self.cache).st_mode), 0o700)
        self.assertEqual(stat.S_IMODE(os.stat(self.cache / self.files()[0]).st_mode), 0o600)
        # What the cache is asked for in the background, a function may have been compiled for before the answer came.
        self.assertIn(self.sum(), (0, 1, 2))
        self.assertEqual(self.sum("--tier-threads", "0"), 0)
        self.assertEqual(self.sum("--tier", "baseline"), 2)  # what has not run
        self.assertEqual(self.sum("--tier", "baseline"), 0)

    def test_where_it_is(self):
        self.assertEqual(self.run_cli("cache", "path", env=self.env), (SUCCESS, f"{self.cache}\n", ""))
        home = {"HOME": "/home/somebody", "XDG_CACHE_HOME": ""}
        self.assertEqual(self.run_cli("cache", "path", env=home)[1], "/home/somebody/.cache/wasirun\n")
        self.assertEqual(self.run_cli("cache", "path", env={**home, "XDG_CACHE_HOME": "not/absolute"})[1],
                         "/home/somebody/.cache/wasirun\n")
        self.check_error(FAILURE, ["cache", "path"], "there is no cache", env={"HOME": "", "XDG_CACHE_HOME": ""})
        self.sum(env={"HOME": "", "XDG_CACHE_HOME": ""})

    def test_options(self):
        own = str(self.dir / "own")
        self.assertEqual(self.sum("--cache", own), 2)
        self.assertEqual(self.files(), [])
        self.assertEqual(len(os.listdir(own)), 1)
        self.assertEqual(self.sum("--no-cache"), 2)
        self.assertEqual(self.files(), [])
        self.assertEqual(self.run_cli("cache", "--cache", own, "path")[1], own + "\n")
        self.check_error(USAGE, ["--no-cache", "--cache", own, self.module], "--cache")
        _, _, err = self.run_cli("--cache", own + "2", "--cache-size", "100", "--invoke", "sum", self.module, HOT)
        self.assertIn("more than the cache's limit of 100", err)

    def test_list_and_clear(self):
        self.assertEqual(self.run_cli("cache", "list", env=self.env), (SUCCESS, f"0 files, 0 bytes in {self.cache}\n", ""))
        self.assertEqual(self.run_cli("cache", "clear", env=self.env), (SUCCESS, "", ""))
        self.sum()
        name = self.files()[0]
        size = os.path.getsize(self.cache / name)
        code, out, _ = self.run_cli("cache", "list", env=self.env)
        self.assertEqual(code, SUCCESS)
        self.assertRegex(out, rf"^\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d +{size} {name}\n1 file, {size} bytes in ")
        self.assertEqual(self.run_cli("cache", "clear", env=self.env), (SUCCESS, "", ""))
        self.assertEqual(self.files(), [])
        self.check_error(USAGE, ["cache"], "list, clear or path?")
        self.check_error(USAGE, ["cache", "burn"], "list, clear or path?")

    def test_short_programs_leave_nothing(self):
        self.assertEqual(self.sum(n="10", expected="55\n"), 0)
        self.assertEqual(self.run_cli(self.wat(ARGS, "args.wasm"), env=self.env)[0], SUCCESS)
        self.assertFalse((self.dir / "caches").exists())

    def test_a_directory_that_cannot_be_written(self):
        (self.dir / "caches").write_text("a file")
        self.assertEqual(self.sum(), 2)
        code, out, err = self.run_cli("--cache", str(self.dir / "caches"), "--invoke", "sum", self.module, HOT)
        self.assertEqual((code, out), (SUCCESS, SUM))
        self.assertIn("wasirun: warning: machine code is not kept for the next run: cannot use", err)

    def in_small_file_system(self, script):
        """In a file system of 64 KiB at $DIR, which `script` may make read-only; None where we may not do that."""
        folder = self.dir / "small"
        folder.mkdir()
        done = subprocess.run(
            ["unshare", "--map-root-user", "--mount", "sh", "-c",
             f"mount -t tmpfs -o size=64k,mode=700 none {folder} || exit 77\n{script}"],
            capture_output=True, timeout=TIMEOUT, env={**os.environ, "DIR": str(folder), "WASIRUN": WASIRUN,
                                                       "MODULE": self.module})
        if done.returncode == 77 or b"unshare" in done.stderr:
            self.skipTest("no file systems can be mounted here: " + done.stderr.decode())
        return done.stdout.decode(), done.stderr.decode()

    def test_a_full_disk(self):
        out, err = self.in_small_file_system(
            'dd if=/dev/zero of="$DIR/fill" bs=1k count=200 2>/dev/null\n'
            f'"$WASIRUN" --tier-threads 0 --cache "$DIR/cache" --invoke sum "$MODULE" {HOT}\n'
            'rm "$DIR/fill"; ls -A "$DIR/cache" | wc -l\n'
            f'"$WASIRUN" --tier-threads 0 --cache "$DIR/cache" --invoke sum "$MODULE" {HOT}\n'
            'ls -A "$DIR/cache" | wc -l\n')
        self.assertEqual(out, f"{SUM}0\n{SUM}1\n")
        self.assertRegex(err, "^wasirun: warning: machine code is not kept for the next run: cannot [^\n]*"
                              "No space left on device\n$")

    def test_a_read_only_directory(self):
        out, err = self.in_small_file_system(
            f'"$WASIRUN" --tier-threads 0 --cache "$DIR/cache" --invoke sum "$MODULE" {HOT}\n'
            'mount -o remount,ro none "$DIR"\n'
            f'"$WASIRUN" --tier-threads 0 --cache "$DIR/cache" --invoke sum "$MODULE" {HOT}\n'
            f'"$WASIRUN" --cache "$DIR/cache" --tier baseline --invoke sum "$MODULE" {HOT}\n'
            'ls -A "$DIR/cache" | wc -l\n')
        self.assertEqual(out, f"{SUM}{SUM}{SUM}1\n")
        self.assertRegex(err, "^wasirun: warning: machine code is not kept for the next run: cannot [^\n]*"
                              "Read-only file system\n$")

    def test_processes_at_the_same_time(self):
        modules = [self.module, self.wat(MODULE.replace("(memory 1)", "(memory 2)"), "other.wasm")]
        failures = []

        def work(number):
            for turn in range(6):
                try:
                    self.sum(*(["--tier", "baseline"] if turn % 2 else []), module=modules[(number + turn) % 2])
                    if number == 0:
                        self.run_cli("cache", "clear", env=self.env)
                except AssertionError as error:
                    failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertTrue(all(name.endswith(".cwasm") for name in self.files()), self.files())

    def test_processes_that_are_killed(self):
        # The end of a run is when it is written: from when it has run for a while to when it is over.
        seed = random.Random(7)
        begin = time.monotonic()
        self.sum()
        whole = time.monotonic() - begin
        for turn in range(60):
            if turn % 3 == 0:
                self.run_cli("cache", "clear", env=self.env)
            process = subprocess.Popen([WASIRUN, "--invoke", "sum", self.module, HOT], env={**os.environ, **self.env},
                                       stdout=subprocess.DEVNULL)
            time.sleep(seed.uniform(0.2, 1.1) * whole)
            process.kill()
            process.wait(TIMEOUT)
            if turn % 5 == 0:
                self.sum()
        self.sum("--tier", "baseline")
        self.assertEqual(self.sum("--tier", "baseline"), 0)
        self.assertEqual(len([name for name in self.files() if name.endswith(".cwasm")]), 1)

    def test_another_users_cache(self):
        if os.geteuid() != 0:
            self.skipTest("only root can run as somebody else")
        self.sum()
        os.chown(self.cache, 12345, 12345)
        before = self.files()
        self.assertEqual(self.sum(), 2)
        self.assertEqual(self.files(), before)


if __name__ == "__main__":
    unittest.main()
