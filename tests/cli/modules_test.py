#!/usr/bin/env python3
"""The commands about modules: validate, wasm, inspect, wat, objdump.

usage: modules_test.py WASIRUN [unittest arguments]
"""

import json
import os
import pathlib
import re
import subprocess
import unittest

from cli_case import CliTest, FAILURE, SUCCESS, TIMEOUT, USAGE, WASIRUN


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


class Scripting(CliTest):
    """wasirun wast."""
    GOOD = b"""
        (module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
                (func (export "v") (result v128) (v128.const i32x4 1 2 3 4)))
        (assert_return (invoke "add" (i32.const 1) (i32.const 2)) (i32.const 3))
        (assert_return (invoke "v") (v128.const i32x4 1 2 3 4))
        (assert_invalid (module (func (result i32))) "type mismatch")
    """

    def test_good(self):
        path = self.file("good.wast", self.GOOD)
        for tier in ("interp", "baseline", "auto"):
            self.assertEqual(self.run_cli("wast", "--tier", tier, path), (SUCCESS, f"{path}: 4 commands, 0 failed\n", ""))
        self.assertEqual(self.run_cli("wast", "-", stdin=self.GOOD), (SUCCESS, "standard input: 4 commands, 0 failed\n", ""))

    def test_what_fails(self):
        path = self.file("wrong.wast", self.GOOD.replace(b"i32.const 3)", b"i32.const 4)"))
        good = self.file("good.wast", self.GOOD)
        code, out, err = self.run_cli("wast", path, good)
        self.assertEqual((code, out), (FAILURE, f"{path}: 4 commands, 1 failed\n{good}: 4 commands, 0 failed\n"))
        self.assert_one_line(err, f"{path}:4: ", "4")
        code, out, err = self.run_cli("wast", "-W", "simd=n", good)
        self.assertEqual((code, out), (FAILURE, f"{good}: 4 commands, 3 failed\n"))
        self.assertIn("simd", err)

    def test_what_is_no_script(self):
        path = self.file("text.wast", b"(module (func)")
        code, out, err = self.run_cli("wast", path)
        self.assertEqual((code, out), (FAILURE, f"{path}: 1 commands, 1 failed\n"))
        self.assert_one_line(err, path, "the script cannot be read")
        self.check_error(FAILURE, ["wast", "none.wast"], "none.wast", "No such file")
        self.check_error(USAGE, ["wast"], "which file?")


if __name__ == "__main__":
    unittest.main()
