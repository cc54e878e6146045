#!/usr/bin/env python3
"""Options from a file, modules that are there before the program, features and limits.

usage: options_test.py WASIRUN [unittest arguments]
"""

import unittest

from cli_case import CliTest, FAILURE, PRINT_STRINGS, SUCCESS, TRAP, USAGE


class Configuring(CliTest):
    """The configuration file: where it is, what it may say, who wins."""

    def setUp(self):
        super().setUp()
        self.environment = {"XDG_CONFIG_HOME": str(self.dir)}
        (self.dir / "wasirun").mkdir()
        self.prints = self.wat(PRINT_STRINGS.format(name="environ"), "environ.wasm")
        self.loops = self.wat('(module (func (export "_start") (loop (br 0))))', "loops.wasm")

    def configure(self, text, name="wasirun/config.toml"):
        return self.file(name, text.encode())

    def test_usual_file(self):
        self.configure('[run]\nenv = ["A=1", "B=2"]\n')
        self.assertEqual(self.run_cli(self.prints, env=self.environment), (SUCCESS, "A=1\0B=2\0", ""))
        self.assertEqual(self.run_cli("run", self.prints, env=self.environment), (SUCCESS, "A=1\0B=2\0", ""))
        # Without XDG_CONFIG_HOME it is below the home directory.
        home = {"XDG_CONFIG_HOME": "", "HOME": str(self.dir)}
        self.assertEqual(self.run_cli(self.prints, env=home), (SUCCESS, "", ""))
        (self.dir / ".config").symlink_to(self.dir)
        self.assertEqual(self.run_cli(self.prints, env=home), (SUCCESS, "A=1\0B=2\0", ""))

    def test_named_file(self):
        self.configure('[run]\nenv = ["A=1"]\n')
        other = self.configure('[run]\nenv = "B=2"\n[serve]\nroute = "/x"\n', "other.toml")
        for words in (["--config", other], ["--config=" + other]):
            self.assertEqual(self.run_cli(*words, self.prints, env=self.environment), (SUCCESS, "B=2\0", ""))
        self.assertEqual(self.run_cli("--no-config", self.prints, env=self.environment), (SUCCESS, "", ""))
        self.check_error(FAILURE, ["--config", str(self.dir / "none.toml"), self.prints], "none.toml", "No such file")
        self.check_error(USAGE, ["--config", "", self.prints], "is not the name of a file")

    def test_the_command_line_wins(self):
        self.configure('[run]\nfuel = 100\nenv = ["A=1"]\ncache = "kept"\n')
        code, _, err = self.run_cli(self.loops, env=self.environment, cwd=self.dir)
        self.assertEqual(code, TRAP)
        self.assertIn("out of fuel", err)
        code, _, err = self.run_cli("--fuel", "9999999999", "--deadline", "50ms", self.loops, env=self.environment, cwd=self.dir)
        self.assertEqual(code, TRAP)
        self.assertIn("deadline exceeded", err)
        # All of an option that may be repeated.
        self.assertEqual(self.run_cli("--env", "C=3", "--fuel", "99999", self.prints, env=self.environment, cwd=self.dir),
                         (SUCCESS, "C=3\0", ""))
        # What excludes an option of the file takes its place, too.
        self.assertEqual(self.run_cli("--no-cache", "--fuel=99999", self.prints, env=self.environment), (SUCCESS, "A=1\0", ""))

    def test_flags(self):
        self.configure("[run]\ninherit-env = true\nno-cache = false\n")
        code, out, err = self.run_cli(self.prints, env={**self.environment, "WASIRUN_CONFIGURED": "yes"})
        self.assertEqual((code, err), (SUCCESS, ""))
        self.assertIn("WASIRUN_CONFIGURED=yes\0", out)

    def test_what_is_wrong(self):
        for text, parts in [("[run]\nfule = 1\n", ["config.toml:2:8", "fule is no option of run", "did you mean fuel?"]),
                            ("[run]\nfuel = true\n", ["config.toml:2:8", "fuel is a boolean, expected a string or an integer"]),
                            ("[run]\ninherit-env = 1\n", ["config.toml:2:15", "inherit-env is an integer, expected true or false"]),
                            ("[run]\nfuel = [1]\n", ["config.toml:2:8", "fuel is an array"]),
                            ("[run]\ndir = [[]]\n", ["config.toml:2:8", "dir is an array"]),
                            ("[run]\nfuel = \"much\"\n", ["config.toml:2:8", "--fuel", "is not a number"]),
                            ("[run]\nenv = [\"A=1\", \"=\"]\n", ["config.toml:2:", "--env", "is not NAME=VALUE"]),
                            ("[run]\nconfig = \"x\"\n", ["config is no option of run"]),
                            ("[rnu]\n", ["config.toml:1:1", "rnu is none of the tables that there are: [run], [serve], [compile]"]),
                            ("run = 1\n", ["run is an integer, expected a table"]),
                            ("[run\n", ["config.toml:1:"])]:
            self.configure(text)
            self.check_error(FAILURE, [self.prints], *parts, env=self.environment)
            # Help is there all the same, and a program of its own does not care.
            code, out, _ = self.run_cli("run", "--help", env=self.environment)
            self.assertEqual(code, SUCCESS)
            self.assertTrue(out.startswith("Runs a program"), out)

    def test_other_commands(self):
        self.configure("[compile]\ncpu = \"x86-64-v9\"\n[run]\nfuel = 1\n")
        self.check_error(FAILURE, ["compile", self.prints, "-o", str(self.dir / "x.cwasm")], "config.toml:2:7", "--cpu",
                         env=self.environment)
        self.assertFalse((self.dir / "x.cwasm").exists())
        # Those that have no table read no file.
        self.assertEqual(self.run_cli("validate", self.prints, env=self.environment)[0], SUCCESS)


class Preloading(CliTest):
    LIBRARY = """
      (module
        (global $n (mut i32) (i32.const {n}))
        (func (export "_initialize") (global.set $n (i32.add (global.get $n) (i32.const 1))))
        (func (export "number") (result i32) (global.get $n)))"""
    PROGRAM = """
      (module
        (import "{module}" "number" (func $number (result i32)))
        (func (export "number") (result i32) (i32.mul (call $number) (i32.const 2))))"""

    def test_exports_can_be_imported(self):
        library = self.wat(self.LIBRARY.format(n=20), "library.wasm")
        twice = self.wat(self.PROGRAM.format(module="library"), "twice.wasm")
        for tier in ("interp", "baseline"):
            self.assertEqual(self.run_cli("--tier", tier, "--preload", "library=" + library, "--invoke", "number", twice),
                             (SUCCESS, "42\n", ""))
        # In order, each for the ones behind it.
        fourfold = self.wat(self.PROGRAM.format(module="twice"), "fourfold.wasm")
        self.assertEqual(self.run_cli("--preload", "library=" + library, "--preload", "twice=" + twice, "--invoke", "number",
                                      fourfold), (SUCCESS, "84\n", ""))
        self.check_error(FAILURE, ["--preload", "twice=" + twice, "--preload", "library=" + library, "--invoke", "number",
                                   fourfold], "twice.wasm", "library")

    def test_what_cannot_be_preloaded(self):
        library = self.wat(self.LIBRARY.format(n=1), "library.wasm")
        self.check_error(USAGE, ["--preload", library, library], "is not NAME=FILE, like env=lib.wasm")
        self.check_error(USAGE, ["--preload", "=" + library, library], "is not NAME=FILE")
        self.check_error(FAILURE, ["--preload", "a=none.wasm", library], "none.wasm", "No such file")
        traps = self.wat('(module (func $f unreachable) (start $f))', "traps.wasm")
        code, out, err = self.run_cli("--preload", "a=" + traps, library)
        self.assertEqual((code, out), (TRAP, ""))
        self.assertIn("unreachable", err)

    def test_name_of_the_program(self):
        path = self.wat(PRINT_STRINGS.format(name="args"))
        self.assertEqual(self.run_cli("--argv0", "other", path, "x"), (SUCCESS, "other\0x\0", ""))
        self.assertEqual(self.run_cli("--argv0", "", path), (SUCCESS, "\0", ""))


class Features(CliTest):
    def setUp(self):
        super().setUp()
        self.simd = self.wat('(module (func (export "_start") (drop (v128.const i64x2 1 2))))', "simd.wasm")
        self.plain = self.wat('(module (func (export "_start")))', "plain.wasm")

    def test_off_and_on(self):
        for words in (["-W", "simd=n"], ["--features", "gc=n,simd=n"], ["--features=all=n"], ["-W", "gc=n", "-W", "simd=n"]):
            self.check_error(FAILURE, [*words, self.simd], "simd")
            self.check_error(FAILURE, ["validate", *words, self.simd], "simd")
            self.assertEqual(self.run_cli(*words, self.plain), (SUCCESS, "", ""))
        for words in (["-W", "all=n,simd"], ["-W", "simd=n,simd=y"], ["-W", "all=n", "-W", "all"], ["-W", "gc=n"]):
            self.assertEqual(self.run_cli(*words, self.simd), (SUCCESS, "", ""))

    def test_compile(self):
        output = self.dir / "simd.cwasm"
        self.check_error(FAILURE, ["compile", "-W", "simd=n", self.simd, "-o", str(output)], "simd")
        self.assertFalse(output.exists())

    def test_what_is_wrong(self):
        self.check_error(USAGE, ["-W", "smid=n", self.simd], '"smid" is not one of all, sign-extension', "simd")
        self.check_error(USAGE, ["-W", "simd=off", self.simd], '"off" is not one of y, n')
        self.check_error(USAGE, ["-W", "", self.simd], '"" is not one of')


class Limits(CliTest):
    def test_table_elements(self):
        grows = self.wat("""
          (module (table $t 10 funcref)
            (func (export "grow") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0))))""")
        self.assertEqual(self.run_cli("--max-table-elements", "12", "--invoke", "grow", grows, "2"), (SUCCESS, "10\n", ""))
        self.assertEqual(self.run_cli("--max-table-elements", "12", "--invoke", "grow", grows, "3"), (SUCCESS, "-1\n", ""))
        self.check_error(FAILURE, ["--max-table-elements", "9", "--invoke", "grow", grows, "0"], "table")

    def test_instances(self):
        path = self.wat('(module (func (export "_start")))')
        self.assertEqual(self.run_cli("--max-instances", "2", "--preload", "a=" + path, path), (SUCCESS, "", ""))
        self.check_error(FAILURE, ["--max-instances", "1", "--preload", "a=" + path, path], "instances")


if __name__ == "__main__":
    unittest.main()
