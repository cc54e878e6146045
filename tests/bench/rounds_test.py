"""Rounds: the order of measuring, and what is kept when something fails."""
import json
import pathlib
import tempfile
import time
import unittest
from unittest import mock

import support
from wasirun_bench import machine, process, results, rounds


class Quiet:
    def __init__(self):
        self.failures = []

    def show(self, *_):
        pass

    def failed(self, _batch, step, error):
        self.failures.append((step.contender, str(error)))


class Rounds(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "results" / "now.json"
        self.results = results.Results(self.path, {"started": "now"})
        self.display = Quiet()
        patch = mock.patch.object(machine.Watch, "measure", lambda watch: watch.yardstick.append(100))
        patch.start()
        self.addCleanup(patch.stop)
        self.order = []

    def step(self, name, values):
        """Takes one of `values` at a time; exceptions among them are raised."""
        left = list(values)

        def measure():
            self.order.append(name)
            value = left.pop(0)
            if isinstance(value, BaseException):
                raise value
            return [rounds.Figure("time", "ns", value)]
        return rounds.Step(name, measure)

    def run_batches(self, *batches, count=2):
        rounds.Runner(self.results, count, self.display).run(list(batches))

    def saved(self):
        return json.loads(self.path.read_text(encoding="utf-8"))

    def values(self, contender, benchmark="b"):
        return next((one["values"] for one in self.saved()["series"] if (one["contender"], one["benchmark"]) ==
                     (contender, benchmark)), None)

    def test_rounds_are_interleaved_and_the_first_does_not_count(self):
        self.run_batches(rounds.Batch("m", "b", [self.step("A", [9, 1, 2]), self.step("B", [8, 3, 4])]))
        self.assertEqual("".join(self.order), "ABABAB")
        self.assertEqual(self.values("A"), [1, 2])
        self.assertEqual(self.values("B"), [3, 4])
        self.assertIsNotNone(self.saved()["finished"])

    def test_without_warm_up(self):
        self.run_batches(rounds.Batch("m", "b", [self.step("A", [5, 6])], has_warm_up=False))
        self.assertEqual(self.values("A"), [5, 6])

    def test_steps_of_many_seconds_have_fewer_rounds(self):
        with mock.patch.object(rounds, "LONG_STEP", -1):
            self.run_batches(rounds.Batch("m", "b", [self.step("A", [9, 1, 2])]), count=7)
        self.assertEqual(self.values("A"), [1, 2])

    def test_one_that_fails_is_named_and_the_others_go_on(self):
        failure = process.Failed("exit code 1", "something\ntrap: unreachable\n", ["wasirun", "x.wasm"])
        self.run_batches(rounds.Batch("m", "b", [self.step("A", [1, failure]), self.step("B", [1, 2, 3])]),
                         rounds.Batch("m", "c", [self.step("A", [1, 2, 3])]))
        self.assertEqual("".join(self.order), "ABABBAAA")
        self.assertEqual(self.values("B"), [2, 3])
        self.assertEqual(self.values("A", "c"), [2, 3])
        self.assertEqual(self.saved()["failures"], [{
            "measure": "m", "benchmark": "b", "contender": "A", "reason": "exit code 1", "line": "exit code 1: trap: unreachable",
            "stderr": "something\ntrap: unreachable\n", "command": "wasirun x.wasm"}])
        self.assertEqual(self.display.failures, [("A", "exit code 1")])

    def test_not_applicable_is_no_failure(self):
        self.run_batches(rounds.Batch("m", "b", [self.step("A", [rounds.NotApplicable()]), self.step("B", [1, 2, 3])]))
        self.assertEqual(self.saved()["failures"], [])
        self.assertIsNone(self.values("A"))

    def test_an_interrupt_keeps_what_there_is(self):
        with self.assertRaises(KeyboardInterrupt):
            self.run_batches(rounds.Batch("m", "b", [self.step("A", [1, 2, 3]), self.step("B", [1, 2, KeyboardInterrupt()])]))
        self.assertEqual(self.values("A"), [2, 3])
        self.assertEqual(self.values("B"), [2])
        self.assertIsNone(self.saved()["finished"])
        self.assertEqual([one.name for one in self.path.parent.iterdir()], ["now.json"])

    def test_several_figures_of_one_step(self):
        figures = [rounds.Figure("time", "ns", 1, "call/x"), rounds.Figure("time", "ns", 2, "call/y")]
        self.run_batches(rounds.Batch("m", "all", [rounds.Step("A", lambda: figures)]))
        self.assertEqual(self.values("A", "call/x"), [1, 1])
        self.assertEqual(self.saved()["benchmarks"]["m/call/y"]["group"], "call")

    def test_time_left_is_of_what_is_still_to_be_done(self):
        runner = rounds.Runner(self.results, 2, self.display)
        batch = rounds.Batch("m", "b", [self.step("A", []), self.step("B", [])])
        runner.estimate.add(batch, batch.steps[0], 10)
        runner.estimate.add(batch, batch.steps[1], 30)
        self.assertEqual(runner.seconds_left([batch]), 3 * 40)
        self.assertEqual(runner.seconds_left([batch], number_in_first=2), 40)


class Noise(unittest.TestCase):
    def test_each_reason(self):
        quiet = {"yardstick_spread": 0.01, "foreign_cpus": 0.01, "steal": 0.0}
        self.assertEqual(machine.reasons(quiet), [])
        for name, value, said in (("yardstick_spread", 0.2, "native work"), ("foreign_cpus", 1.5, "other processes"),
                                  ("steal", 0.3, "hypervisor")):
            found = machine.reasons({**quiet, name: value})
            self.assertEqual(len(found), 1)
            self.assertIn(said, found[0])


class Processes(unittest.TestCase):
    """With the launcher that is compiled for the machine."""

    def test_cost_output_and_code(self):
        outcome = process.Launcher().execute(["sh", "-c", "echo out; echo err >&2; exit 3"])
        self.assertEqual((outcome.code, outcome.stdout, outcome.stderr), (3, b"out\n", b"err\n"))
        self.assertGreater(outcome.peak_kib, 0)
        with self.assertRaisesRegex(process.Failed, "exit code 3"):
            outcome.expect_code(0)

    def test_a_limit_ends_the_process_and_its_children(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "pid"
            with self.assertRaisesRegex(process.Failed, "not finished after 1 s"):
                process.Launcher().execute(["sh", "-c", f"sleep 1000 & echo $! > {file}; wait"], timeout=1)
            child = int(file.read_text(encoding="utf-8"))
            # It was killed; the kernel takes a moment.
            deadline = time.monotonic() + 30
            while is_running(child) and time.monotonic() < deadline:
                time.sleep(0.01)
            self.assertFalse(is_running(child))

    def test_a_command_that_is_not_there(self):
        with self.assertRaisesRegex(process.Failed, "cannot be run"):
            process.Launcher().execute(["/nowhere/at/all"])


def is_running(pid):
    """Whether the process is there and no zombie."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


if __name__ == "__main__":
    support.main()
