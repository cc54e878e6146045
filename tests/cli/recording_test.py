#!/usr/bin/env python3
"""What is recorded of a program while it runs: samples, and core dumps of traps.

usage: recording_test.py WASIRUN [unittest arguments]
"""

import json
import pathlib
import re
import struct
import unittest

from cli_case import CliTest, FAILURE, SUCCESS, TRAP, USAGE

# Runs for about so many turns; $inner is small enough to be inlined.
BUSY = """
(module $busy
  (func $inner (param i32) (result i32) (i32.mul (i32.add (local.get 0) (i32.const 7)) (i32.const 31)))
  (func $work (param $n i32) (result i32) (local $x i32)
    (loop $l
      (local.set $x (call $inner (local.get $x)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $x))
  (func (export "_start") (drop (call $work (i32.const {turns})))))
"""
TURNS = {"interp": 20_000_000, "baseline": 200_000_000}


class Sampling(CliTest):
    def profile(self, tier):
        path = self.wat(BUSY.format(turns=TURNS[tier]), f"{tier}.wasm", flags=["--debug-names"])
        files = [self.dir / f"{tier}.json", self.dir / f"{tier}.html"]
        options = [word for file in files for word in ("--profile", f"guest:{file}")]
        self.assertEqual(self.run_cli("--tier", tier, *options, path), (SUCCESS, "", ""))
        return json.loads(files[0].read_text()), files[1].read_text()

    def check_tables(self, profile):
        """Every index leads somewhere, every column has as many rows as the table."""
        shared = profile["shared"]
        for table in (*(value for key, value in shared.items() if key != "stringArray"), profile["threads"][0]["markers"],
                      profile["threads"][0]["samples"]):
            for name, column in table.items():
                if isinstance(column, list):
                    self.assertEqual(len(column), table["length"], name)

        def check(column, size):
            self.assertTrue(all(number is None or 0 <= number < size for number in column), (column[:9], size))
        check(shared["funcTable"]["name"], len(shared["stringArray"]))
        check(shared["frameTable"]["func"], shared["funcTable"]["length"])
        check(shared["frameTable"]["category"], len(profile["meta"]["categories"]))
        check(shared["stackTable"]["frame"], shared["frameTable"]["length"])
        check(shared["stackTable"]["prefix"], shared["stackTable"]["length"])
        check(profile["threads"][0]["samples"]["stack"], shared["stackTable"]["length"])
        self.assertTrue(all(prefix is None or prefix < number for number, prefix in enumerate(shared["stackTable"]["prefix"])))

    def stacks(self, profile, thread=0):
        """For each sample of a thread the functions with their categories, oldest first."""
        shared = profile["shared"]
        found = []
        for stack in profile["threads"][thread]["samples"]["stack"]:
            names = []
            while stack is not None:
                frame = shared["stackTable"]["frame"][stack]
                function = shared["frameTable"]["func"][frame]
                names.append((shared["stringArray"][shared["funcTable"]["name"][function]],
                              profile["meta"]["categories"][shared["frameTable"]["category"][frame]]["name"]))
                stack = shared["stackTable"]["prefix"][stack]
            found.append(names[::-1])
        return found

    def test_threads(self):
        path = self.wat("""
          (module $threads
            (import "env" "memory" (memory 1 1 shared))
            (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
            (export "memory" (memory 0))
            (func $work (local $n i32)
              (local.set $n (i32.const 30000000))
              (loop $l (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
            (func $theirs (call $work))
            (func $own (call $work))
            (func (export "wasi_thread_start") (param i32 i32)
              (call $theirs)
              (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1))))
            (func (export "_start")
              (drop (call $spawn (i32.const 0)))
              (drop (call $spawn (i32.const 0)))
              (call $own)
              (loop $l (br_if $l (i32.lt_u (i32.atomic.load (i32.const 0)) (i32.const 2))))))""", "threads.wasm",
                        flags=["--debug-names", "--enable-threads"])
        json_file, page = self.dir / "threads.json", self.dir / "threads.html"
        self.assertEqual(self.run_cli("--tier", "interp", "--profile", f"guest:{json_file}", "--profile", f"guest:{page}",
                                      path), (SUCCESS, "", ""))
        profile = json.loads(json_file.read_text())
        self.check_tables(profile)
        threads = profile["threads"]
        self.assertEqual([thread["name"] for thread in threads], [path, "thread 1", "thread 2"])
        self.assertEqual([thread["isMainThread"] for thread in threads], [True, False, False])
        self.assertEqual(len({thread["tid"] for thread in threads}), 3)
        for number in range(3):
            names = {name for stack in self.stacks(profile, number) for name, _ in stack}
            self.assertIn("threads!work", names)
            self.assertEqual({"threads!theirs", "threads!own"} & names, {"threads!theirs" if number else "threads!own"})

    def test_tiers(self):
        for tier, category in (("interp", "interpreter"), ("baseline", "baseline")):
            profile, page = self.profile(tier)
            self.check_tables(profile)
            self.assertEqual(profile["meta"]["preprocessedProfileVersion"], 62)
            stacks = self.stacks(profile)
            # However slow the machine is, so much work takes some milliseconds.
            self.assertGreater(len(stacks), 3)
            self.assertTrue(all(delta >= 0 for delta in profile["threads"][0]["samples"]["timeDeltas"]))
            for stack in stacks:
                self.assertEqual(stack[0], ("busy!_start", category))
            working = [stack for stack in stacks if ("busy!work", category) in stack]
            self.assertGreater(len(working), len(stacks) / 2)
            self.check_page(page, stacks)

    def check_page(self, page, stacks):
        self.assertNotRegex(page, r"(?:src|href)=")  # all in one
        data = json.loads(re.search(r"const profile = (.*);\nconst rows", page)[1])
        self.assertEqual(data["samples"], len(stacks))
        rows = {(row[0], row[4]): row for row in data["rows"]}
        self.assertEqual(rows[0, "busy!_start"][2], len(stacks))
        self.assertEqual(rows[1, "busy!work"][2], sum(len(stack) > 1 for stack in stacks))
        self.assertEqual(sum(row[3] for row in data["rows"]), len(stacks))

    def test_names_stay_in_the_page(self):
        path = self.file("names.wat", b'(module (func $f (export "_start") (local $n i32) (loop (br_if 0 (i32.lt_u (local.tee $n '
                         b'(i32.add (local.get $n) (i32.const 1))) (i32.const 20000000))))) (@custom "name" (after last) '
                         b'"\\01\\0c\\01\\00\\09</script>"))')
        page = self.dir / "names.html"
        self.assertEqual(self.run_cli("--tier", "interp", "--profile", f"guest:{page}", path), (SUCCESS, "", ""))
        self.assertEqual(page.read_text().count("</script>"), 1)

    def test_usual_names_and_what_is_wrong(self):
        path = self.wat('(module (func (export "_start") unreachable))')
        self.assertEqual(self.run_cli("--profile", "guest", path, cwd=self.dir)[0], TRAP)
        self.assertEqual(json.loads((self.dir / "wasirun-guest.json").read_text())["libs"], [])
        self.assertIn("<!doctype html>", (self.dir / "wasirun-guest.html").read_text())
        self.check_error(USAGE, ["--profile", "guest:x.txt", path], "FILE that ends in .json or .html")
        self.check_error(USAGE, ["--profile", "gust", path], "is not one of guest, phases, tiers, codegen")
        self.check_error(FAILURE, ["--profile", f"guest:{self.dir}/none/x.json", path], "none/x.json")


class Reader:
    """Reads a core dump."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def bytes(self, count):
        self.at += count
        assert self.at <= len(self.data)
        return self.data[self.at - count:self.at]

    def unsigned(self):
        value, shift = 0, 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def signed(self):
        value, shift = 0, 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value - (1 << shift) if byte & 0x40 else value

    def name(self):
        return self.bytes(self.unsigned()).decode()

    def vector(self, read):
        return [read() for _ in range(self.unsigned())]

    def zero(self):
        assert self.byte() == 0

    def value(self):
        kind = self.byte()
        return {0x01: lambda: None, 0x7F: self.signed, 0x7E: self.signed, 0x7D: lambda: struct.unpack("<f", self.bytes(4))[0],
                0x7C: lambda: struct.unpack("<d", self.bytes(8))[0]}[kind]()


def read_dump(data):
    whole = Reader(data)
    assert whole.bytes(8) == b"\0asm\1\0\0\0"
    dump = {}
    while whole.at < len(data):
        section = whole.byte()
        part = Reader(whole.bytes(whole.unsigned()))

        def item(*reads, part=part):
            part.zero()
            return tuple(read() for read in reads)

        def memory(part=part):
            flags = part.byte()
            return flags, part.unsigned()

        def constant(part=part):
            kind = part.byte()
            part.zero()
            op = part.byte()
            value = {0x41: part.signed, 0x42: part.signed, 0x43: lambda: struct.unpack("<f", part.bytes(4))[0],
                     0x44: lambda: struct.unpack("<d", part.bytes(8))[0], 0xFD: lambda: (part.unsigned(), part.bytes(16))[1],
                     0xD0: lambda: (part.byte(), None)[1]}[op]()
            assert part.byte() == 0x0B
            return kind, value

        def segment(part=part):
            assert part.byte() == 2
            memory = part.unsigned()
            assert part.byte() in (0x41, 0x42)
            offset = part.signed()
            assert part.byte() == 0x0B
            return memory, offset, part.bytes(part.unsigned())
        if section == 0:
            name = part.name()
            if name == "core":
                dump[name] = item(part.name)[0]
            elif name == "coremodules":
                dump[name] = part.vector(lambda: item(part.name)[0])
            elif name == "coreinstances":
                dump[name] = part.vector(lambda: item(part.unsigned, lambda: part.vector(part.unsigned),
                                                      lambda: part.vector(part.unsigned)))
            elif name == "corestack":
                thread = item(part.name)[0]
                stack = part.vector(lambda: item(part.unsigned, part.unsigned, part.unsigned,
                                                 lambda: part.vector(part.value), lambda: part.vector(part.value)))
                dump.setdefault("thread", thread)
                dump.setdefault(name, stack)
                dump.setdefault("threads", []).append((thread, stack))
        else:
            kind, read = {5: ("memories", memory), 6: ("globals", constant), 11: ("data", segment)}[section]
            dump[kind] = part.vector(read)
        assert part.at == len(part.data), (section, part.at, len(part.data))
    return dump


class CoreDumps(CliTest):
    TRAPS = """
      (module $traps
        (memory (export "memory") 2)
        (global $g (mut i32) (i32.const -5))
        (global $d f64 (f64.const 1.5))
        (global $v v128 (v128.const i64x2 1 2))
        (global $r externref (ref.null extern))
        (data (i32.const 100) "secret")
        (func $deep (param $a i32) (param $b i64) (local $c f64) (local $v v128) (local $e f32)
          (local.set $c (f64.const 2.5))
          (local.set $e (f32.const -0.5))
          (i32.store8 (i32.const 70000) (i32.const 42))
          (global.set $g (i32.const 77))
          (drop (i32.load (i32.const 1000000))))
        (func (export "_start") (local $x i32)
          (local.set $x (i32.const 9))
          (call $deep (i32.const -3) (i64.const 1234567890123))
          (drop (local.get $x))))"""

    def dump(self, *options, text=None, flags=()):
        path = self.wat(text or self.TRAPS, "traps.wasm", flags=["--debug-names", *flags])
        core = self.dir / "core"
        code, out, err = self.run_cli(*options, "--coredump", str(core), path)
        self.assertEqual((code, out), (TRAP, ""))
        self.assertIn(f"note: core dumped: {core}", err)
        return read_dump(core.read_bytes()), err, pathlib.Path(path).read_bytes()

    def check(self, dump, err, module):
        self.assertEqual(dump["core"], str(self.dir / "traps.wasm"))
        self.assertEqual(dump["coremodules"], ["traps"])
        self.assertEqual(dump["coreinstances"], [(0, [0], [0, 1, 2, 3])])
        self.assertEqual(dump["thread"], "main")
        self.assertEqual([(frame[0], frame[1]) for frame in dump["corestack"]], [(0, 0), (0, 1)])
        # The offsets are those of the backtrace, from the function's first byte on.
        offsets = [int(text, 16) for text in re.findall(r"@ (0x[0-9a-f]+)|offset (0x[0-9a-f]+)", err) for text in text if text]
        if len(offsets) == 2:
            begins = [offset - frame[2] for offset, frame in zip(offsets, dump["corestack"])]
            self.assertLess(begins[0], begins[1])
            self.assertTrue(all(0 < begin < len(module) for begin in begins))
        self.assertEqual(dump["globals"], [(0x7F, 77), (0x7C, 1.5), (0x7B, struct.pack("<QQ", 1, 2)), (0x6F, None)])
        self.assertEqual(dump["memories"], [(0, 2)])
        self.assertEqual(dump["data"], [(0, 100, b"secret"), (0, 70000, b"*")])

    def test_interpreted(self):
        dump, err, module = self.dump("--tier", "interp")
        self.check(dump, err, module)
        self.assertEqual([frame[3] for frame in dump["corestack"]], [[-3, 1234567890123, 2.5, None, -0.5], [9]])

    def test_machine_code(self):
        dump, err, module = self.dump("--tier", "baseline")
        self.check(dump, err, module)
        # Parameters that the function never looks at are nowhere.
        self.assertEqual([frame[3][:2] for frame in dump["corestack"]], [[None, None], [9]])

    # Locals in registers that calls keep and that they do not, in loops within loops, unused ones, and many.
    LOCALS = """
      (module $locals
        (memory 1)
        (func $trap (param $kind i32) (param $n i64) (param $unused f32)
          (local $i i32) (local $sum i64) (local $f f64) (local $g f32)
          (local.set $g (f32.const 0.5))
          (loop $outer
            (local.set $f (f64.add (local.get $f) (f64.const 1.25)))
            (loop $inner
              (local.set $sum (i64.add (local.get $sum) (i64.mul (local.get $n) (i64.extend_i32_u (local.get $i)))))
              (local.set $i (i32.add (local.get $i) (i32.const 1)))
              (if (i32.eq (local.get $i) (i32.const 25)) (then
                (if (i32.eq (local.get $kind) (i32.const 0)) (then unreachable))
                (if (i32.eq (local.get $kind) (i32.const 1)) (then
                  (drop (i32.div_s (local.get $i) (i32.sub (local.get $kind) (i32.const 1))))))
                (if (i32.eq (local.get $kind) (i32.const 2)) (then
                  (local.set $i (i32.load (i32.sub (i32.const 8) (local.get $i))))))
                (if (i32.eq (local.get $kind) (i32.const 3)) (then
                  (memory.fill (i32.const 65536) (i32.const 0) (local.get $i))))))
              (br_if $inner (i32.rem_u (local.get $i) (i32.const 10))))
            (br_if $outer (i32.lt_u (local.get $i) (i32.const 50))))
          (global.set $keep (f64.add (local.get $f) (f64.promote_f32 (local.get $g)))))
        (global $keep (mut f64) (f64.const 0))
        (func $middle (param $kind i32) (param $n i64)
          (local $a i32) (local $b i32) (local $c i32) (local $d i32) (local $e i32) (local $x f64)
          (local.set $a (i32.const 1)) (local.set $b (i32.const 2)) (local.set $c (i32.const 3))
          (local.set $d (i32.const 4)) (local.set $e (i32.const 5)) (local.set $x (f64.const 0.75))
          (loop $again
            (local.set $a (i32.add (local.get $a) (i32.const 10)))
            (br_if $again (i32.lt_u (local.get $a) (i32.const 100))))
          (call $trap (local.get $kind) (i64.mul (local.get $n) (i64.const 2)) (f32.const 1))
          (drop (i32.add (local.get $a) (i32.add (local.get $b)
            (i32.add (local.get $c) (i32.add (local.get $d) (local.get $e))))))
          (global.set $keep (local.get $x)))
        (func (export "_start") (call $middle (i32.const KIND) (i64.const 3))))"""

    def test_locals_of_machine_code(self):
        for kind in range(4):
            text = self.LOCALS.replace("KIND", str(kind))
            expected, _, _ = self.dump("--tier", "interp", text=text)
            found, _, _ = self.dump("--tier", "baseline", text=text)
            for interpreted, machine in zip(expected["corestack"], found["corestack"], strict=True):
                self.assertEqual(interpreted[:3], machine[:3], kind)
                for number, (right, known) in enumerate(zip(interpreted[3], machine[3], strict=True)):
                    self.assertIn(known, (right, None), (kind, interpreted[1], number))
            trapped, middle, _ = (frame[3] for frame in found["corestack"])
            interpreted = expected["corestack"][0][3]
            self.assertEqual(interpreted[3], 25)
            # What callees keep, and all of it where it is at home: of every frame but the newest that is everything.
            self.assertEqual(middle, [kind, 3, 101, 2, 3, 4, 5, 0.75], kind)
            self.assertIsNone(trapped[2])  # never used
            self.assertEqual(trapped[0], kind)
            self.assertEqual((trapped[1], trapped[3], trapped[4]), (6, 25, interpreted[4]), kind)
            # A call of the runtime stores the others before.
            if kind == 3:
                self.assertEqual(trapped[5:], interpreted[5:])

    def test_optimised_code_says_nothing(self):
        if "no llvm" in self.run_cli("--version")[1]:
            self.skipTest("there is no optimising compiler")
        dump, _, _ = self.dump("--tier", "llvm", text=self.LOCALS.replace("KIND", "0"))
        self.assertEqual([value for frame in dump["corestack"] for value in frame[3]], [None] * 15)

    # A thread runs in $run for ever, or traps there, once both are where they should be; the other way round for main.
    THREADS = """
      (module $threads
        (import "env" "memory" (memory 1 1 shared))
        (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
        (export "memory" (memory 0))
        (global $who (mut i32) (i32.const 5))
        (func $run (param $traps i32) (local $turns i64)
          (local.set $turns (i64.const 6))
          (if (local.get $traps) (then unreachable))
          (loop $l
            (local.set $turns (i64.or (local.get $turns) (i64.const 1)))
            (br_if $l (i64.ne (local.get $turns) (i64.const 0)))))
        (func $wait (param $place i32)
          (loop $l (br_if $l (i32.eqz (i32.atomic.load (local.get $place))))))
        (func (export "wasi_thread_start") (param $id i32) (param $traps i32)
          (global.set $who (i32.const 6))
          (i32.atomic.store (i32.const 0) (i32.const 1))
          (call $run (local.get $traps)))
        (func (export "_start")
          (drop (call $spawn (i32.const TRAPS)))
          (call $wait (i32.const 0))
          (call $run (i32.const MAIN))))"""

    def test_threads(self):
        for tier in ("interp", "baseline"):
            for traps in (0, 1):
                text = self.THREADS.replace("TRAPS", str(traps)).replace("MAIN", str(1 - traps))
                dump, _, _ = self.dump("--tier", tier, text=text, flags=["--enable-threads"])
                first, second = dump["threads"]
                self.assertEqual(first[0], ["main", "thread 1"][traps])
                self.assertEqual(sorted([first[0], second[0]]), ["main", "thread 1"])
                trapped = first[1]
                self.assertEqual([frame[1] for frame in trapped], [1, [4, 3][traps]])
                self.assertEqual(trapped[0][3], [1, 6])
                # Wherever the other one was when it had to stop: main may have been waiting still, or on the way.
                entry = [3, 4][traps]
                self.assertIn([frame[1] for frame in second[1]], [[1, entry], [2, 4], [entry]])
                # They have the memory in common and nothing else.
                self.assertEqual(len(dump["coreinstances"]), 2)
                self.assertEqual([instance[1] for instance in dump["coreinstances"]], [[0], [0]])
                self.assertEqual([instance[2] for instance in dump["coreinstances"]], [[0], [1]])
                self.assertEqual([value for _, value in dump["globals"]], [[5, 6], [6, 5]][traps])
                self.assertEqual(dump["data"], [(0, 0, b"\1")])

    def test_64_bit_memory_and_several(self):
        dump, _, _ = self.dump("--tier", "interp", text="""
          (module (memory 1) (memory $m i64 1) (data (memory $m) (i64.const 65535) "x")
            (func (export "_start") unreachable))""", flags=["--enable-memory64", "--enable-multi-memory"])
        self.assertEqual(dump["memories"], [(0, 1), (4, 1)])
        self.assertEqual(dump["data"], [(1, 65535, b"x")])

    def test_several_instances(self):
        library = self.wat('(module $lib (memory 1) (func (export "f") unreachable))', "lib.wasm", flags=["--debug-names"])
        dump, _, _ = self.dump("--preload", f"lib={library}", text="""
          (module $main (import "lib" "f" (func $f)) (func (export "_start") (call $f)))""")
        self.assertEqual(dump["coremodules"], ["lib", "main"])
        self.assertEqual(dump["coreinstances"], [(0, [0], []), (1, [], [])])

    def test_deep_recursion(self):
        dump, _, _ = self.dump("--tier", "interp", text='(module (func $f (export "_start") (call $f)))')
        self.assertEqual(len(dump["corestack"]), 10000)

    def test_no_trap_leaves_no_file(self):
        core = self.dir / "core"
        path = self.wat("""
          (module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (func (export "_start") (call $exit (i32.const 134))))""")
        self.assertEqual(self.run_cli("--coredump", str(core), path), (134, "", ""))
        self.assertEqual([entry.name for entry in self.dir.iterdir() if entry.name.startswith("core")], [])
        self.check_error(FAILURE, ["--coredump", str(self.dir / "none/core"), path], "none/core")


if __name__ == "__main__":
    unittest.main()
