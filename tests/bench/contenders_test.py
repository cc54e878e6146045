"""Who is measured: peers.toml, placeholders, what is missing and why."""
import pathlib
import tempfile
import unittest
from unittest import mock

import support
from wasirun_bench import contenders, measures, paths, process, workloads


class Filling(unittest.TestCase):
    def test_placeholders(self):
        words = contenders.fill(["{bin}", "--out={compiled}", "{dirs}", "{module}", "{args}"],
                                {"bin": "/b", "compiled": "/c", "module": "/m"}, ["1", "two words"], [("/h", "/g")],
                                ["--dir", "{host}::{guest}"])
        self.assertEqual(words, ["/b", "--out=/c", "--dir", "/h::/g", "/m", "1", "two words"])

    def test_values_are_not_filled_again(self):
        self.assertEqual(contenders.fill(["{module}"], {"module": "{bin}", "bin": "x"}), ["{bin}"])

    def test_unknown_placeholders_are_mistakes(self):
        with self.assertRaisesRegex(process.Failed, r"\{modul\}"):
            contenders.fill(["{modul}"], {"module": "/m"})

    def test_sources_and_flags_are_words(self):
        words = contenders.fill(["cc", "{cflags}", "{source}"], {"cflags": ["-O3", "-g"], "source": ["a.c", "b.c"]})
        self.assertEqual(words, ["cc", "-O3", "-g", "a.c", "b.c"])


class Peers(unittest.TestCase):
    def load(self, **table):
        return contenders.load_peer({"name": "x", "kind": "jit", "mode": [{"name": "", "run": ["{bin}"]}], **table})

    def test_a_binary_that_is_not_there_is_missing_with_every_place(self):
        with mock.patch.dict("os.environ", {"X_BIN": "/nowhere/x"}):
            found, missing = self.load(binary=["env:X_BIN", "path:no-such-program-x", "installed:bin/x"])
        self.assertEqual(found, [])
        self.assertIn("X_BIN is not an executable file", missing[0].reason)
        self.assertIn("no-such-program-x is not on PATH", missing[0].reason)
        self.assertIn("bench/peers/install", missing[0].reason)

    def test_what_install_said_is_the_reason(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(paths, "INSTALLED", pathlib.Path(folder)):
            (pathlib.Path(folder) / "x").mkdir()
            (pathlib.Path(folder) / "x" / "missing").write_text("the registry does not answer\n", encoding="utf-8")
            _, missing = self.load(files=["{installed}/library.so"])
        self.assertEqual(missing[0].reason, "the registry does not answer")

    def test_versions_and_modes(self):
        found, missing = self.load(
            version=["echo", "1.2.3"], lacks=["gc"],
            mode=[{"name": "fast", "run": ["true"], "lacks": ["simd"]}, {"name": "broken", "check": ["false"], "run": ["true"]}])
        self.assertEqual([(one.name, one.version, one.lacks) for one in found], [("x:fast", "1.2.3", {"gc", "simd"})])
        self.assertEqual([one.name for one in missing], ["x:broken"])

    def test_a_peer_that_does_not_tell_its_version_is_missing(self):
        _, missing = self.load(version=["sh", "-c", "echo no >&2; exit 3"])
        self.assertIn("does not tell its version: no", missing[0].reason)

    def test_mistakes_in_the_table(self):
        for wrong in ({"mode": [{"name": "", "rum": []}]}, {"kind": "magic"}, {"binary": ["somewhere:else"]}):
            with self.subTest(wrong=wrong), self.assertRaises(ValueError):
                self.load(**wrong)

    def test_the_table_of_the_suite_can_be_read(self):
        tables = contenders.peer_tables()
        self.assertGreaterEqual({table["name"] for table in tables},
                                {"native", "node", "wasmtime", "wasmer", "wazero", "wasmi", "wasm2c", "wasm3", "iwasm", "wasmedge"})
        self.assertEqual(len({table["name"] for table in tables}), len(tables))
        for table in tables:
            # As if it were installed: nothing is looked for, no command runs.
            present = {key: value for key, value in table.items() if key not in ("binary", "files", "version")}
            present["mode"] = [{key: value for key, value in mode.items() if key != "check"} for mode in table["mode"]]
            found, missing = contenders.load_peer(present)
            self.assertEqual(missing, [])
            for one in found:
                one.places["bin"] = "/bin/true"
                for action in one.actions:
                    command = one.command(action, module="m", compiled="c", report="r", count=1, source=["s"], cflags=[])
                    self.assertFalse([word for word in command if "{" in word], command)


class Choosing(unittest.TestCase):
    def setUp(self):
        def make(name, is_default=True):
            return contenders.Contender(name, name.split(":")[0], name, "jit", "1", {}, is_default=is_default)
        self.all = [make("wasirun:interp"), make("node:default"), make("node:liftoff"), make("slow", False)]
        self.missing = [contenders.Missing("wasmer", "Wasmer", "why")]

    def names(self, patterns):
        return [one.name for one in contenders.choose(self.all, self.missing, patterns)[0]]

    def test_everyone_by_default(self):
        self.assertEqual(self.names(None), ["wasirun:interp", "node:default", "node:liftoff"])

    def test_a_peer_is_all_its_modes_and_we_are_always_there(self):
        self.assertEqual(self.names(["node"]), ["wasirun:interp", "node:default", "node:liftoff"])
        self.assertEqual(self.names(["node:l*", "slow"]), ["wasirun:interp", "node:liftoff", "slow"])

    def test_a_missing_peer_is_told_a_mistyped_one_is_an_error(self):
        self.assertEqual([one.name for one in contenders.choose(self.all, self.missing, ["wasmer"])[1]], ["wasmer"])
        with self.assertRaisesRegex(SystemExit, "nodd"):
            self.names(["nodd"])


class Ourselves(unittest.TestCase):
    def test_tiers_are_read_from_the_binary(self):
        wasirun = support.BUILD / "tools" / "wasirun" / "wasirun"
        self.assertIn("interp", contenders.our_tiers(wasirun))
        names = [one.name for one in contenders.ours(wasirun, support.BUILD / "bench" / "bench-run")]
        self.assertIn("wasirun:interp", names)
        self.assertIn("wasirun:interp:explicit", names)

    def test_help_of_versions_with_more_tiers(self):
        text = "  --tier TIER    What executes the program: auto (default), interp, baseline or llvm\n"
        with mock.patch("subprocess.run", return_value=mock.Mock(stdout=text)):
            self.assertEqual(contenders.our_tiers("wasirun"), ["interp", "baseline", "llvm"])


class Workloads(unittest.TestCase):
    def test_every_kernel_has_what_it_should_print(self):
        tables = workloads.kernel_tables()
        self.assertGreaterEqual(len(tables), 25)
        for table in tables:
            self.assertTrue((paths.KERNELS / f"{table['name']}.expected").exists(), table["name"])

    def test_times_of_a_kernel_are_those_of_its_second_half(self):
        self.assertEqual(measures.repetition(b"hello\nbench: 900 500 100 110 120\n"), 110)
        for wrong in (b"", b"bench: \n", b"bench: 0 0\n"):
            with self.subTest(wrong=wrong), self.assertRaises(process.Failed):
                measures.repetition(wrong)

    def test_google_benchmark(self):
        figures, errors = measures.micro_figures({"benchmarks": [
            {"name": "a/real_time", "run_type": "iteration", "real_time": 2.0, "time_unit": "us"},
            {"name": "b/10", "run_type": "iteration", "real_time": 9.0, "time_unit": "ns", "per_item_ns": 3.0, "bytes_per_instance": 64},
            {"name": "c", "run_type": "iteration", "error_occurred": True, "error_message": "no"},
            {"name": "a_mean", "run_type": "aggregate", "real_time": 1.0, "time_unit": "s"}]})
        self.assertEqual([(one.benchmark, one.metric, one.value) for one in figures],
                         [("a", "time", 2000.0), ("b/10", "time", 3.0), ("b/10", "bytes", 64)])
        self.assertEqual(errors, ["c: no"])


if __name__ == "__main__":
    support.main("rich")
