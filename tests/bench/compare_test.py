"""Comparing two runs: what counts as slower."""
import contextlib
import io
import json
import pathlib
import tempfile
import unittest

import support
from wasirun_bench import compare

OURS = ("peak", "fib", "wasirun:interp")


def around(middle):
    """Five rounds that differ by a percent."""
    return [middle * factor for factor in (0.995, 1.0, 1.005, 0.998, 1.002)]


def peers(factor=1.0):
    return {("peak", f"kernel{i}", "node"): around(100 * factor) for i in range(5)}


def run(old, new, *options):
    """(exit code, stdout) of bench/compare."""
    with tempfile.TemporaryDirectory() as folder:
        places = []
        for name, data in (("old", old), ("new", new)):
            places.append(pathlib.Path(folder) / f"{name}.json")
            places[-1].write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = compare.main([*options, *map(str, places)])
        return code, out.getvalue()


class Comparing(unittest.TestCase):
    def judge(self, old, new, **changes):
        return run(support.results({OURS: old, **peers()}), support.results({OURS: new, **peers()}, **changes))

    def test_the_same_is_no_change(self):
        code, text = self.judge(around(100), around(100))
        self.assertEqual(code, 0)
        self.assertIn("slower or larger: 0 of 1", text)
        self.assertIn("faster or smaller: 0 of 1", text)

    def test_slower_beyond_noise_is_named_and_fails(self):
        code, text = self.judge(around(100), around(110))
        self.assertEqual(code, 1)
        self.assertIn("peak/fib time, wasirun:interp: 100 ns -> 110 ns, +10.0%", text)

    def test_faster_is_named_and_passes(self):
        code, text = self.judge(around(110), around(100))
        self.assertEqual(code, 0)
        self.assertIn("faster or smaller: 1 of 1", text)

    def test_a_small_change_is_noise_even_where_rounds_agree(self):
        self.assertEqual(self.judge([100] * 5, [102] * 5)[0], 0)

    def test_a_change_within_the_rounds_is_noise(self):
        self.assertEqual(self.judge([90, 95, 100, 112, 118], [92, 104, 108, 113, 120])[0], 0)

    def test_noisy_rounds_need_a_larger_change(self):
        noisy = [80, 90, 100, 110, 120]
        self.assertEqual(self.judge(noisy, [value * 1.25 for value in noisy])[0], 0)
        self.assertEqual(self.judge(noisy, [value * 3 for value in noisy])[0], 1)

    def test_one_disturbed_round_does_not_hide_a_change(self):
        self.assertEqual(self.judge(around(100), [120, 121, 119, 120, 500])[0], 1)

    def test_drift_of_the_machine_widens_what_counts(self):
        old = support.results({OURS: around(100), **peers()})
        new = support.results({OURS: around(106), **peers(1.05)})
        code, text = run(old, new)
        self.assertEqual(code, 0)
        self.assertIn("drift of peak: contenders that are the same in both took +5.0%", text)

    def test_peers_of_another_version_say_nothing_of_drift(self):
        old = support.results({OURS: around(100), **peers()})
        new = support.results({OURS: around(106), **peers(1.05)})
        new["contenders"]["node"]["version"] = "2"
        code, text = run(old, new)
        self.assertEqual(code, 1)
        self.assertNotIn("drift", text)

    def test_peers_are_judged_only_when_asked(self):
        old = support.results({OURS: around(100), ("peak", "fib", "node"): around(100)})
        new = support.results({OURS: around(100), ("peak", "fib", "node"): around(200)})
        self.assertEqual(run(old, new)[0], 0)
        self.assertEqual(run(old, new, "--all")[0], 1)

    def test_what_is_no_longer_measured_is_told(self):
        old = support.results({OURS: around(100), ("peak", "gone", "wasirun:interp"): around(5)})
        _, text = run(old, support.results({OURS: around(100)}))
        self.assertIn("no longer measured: 1, among them peak/gone", text)

    def test_runs_that_cannot_be_compared(self):
        old = support.results({OURS: around(100)})
        for new in (support.results({OURS: around(100)}, machine=support.machine(cpu="another")),
                    support.results({OURS: around(100)}, quick=True), support.results({}),
                    "not JSON", "[]", json.dumps({"format": 99}), json.dumps({"format": 1})):
            with self.subTest(new=str(new)[:40]):
                self.assertEqual(run(old, new)[0], 2)

    def test_force(self):
        old = support.results({OURS: around(100)})
        self.assertEqual(run(old, support.results({OURS: around(100)}, quick=True), "--force")[0], 0)

    def test_warnings_are_repeated(self):
        noisy = support.noise(reasons=["others were busy"])
        _, text = self.judge(around(100), around(100), noise=noisy, finished=None)
        self.assertIn("new: The machine was too noisy: others were busy", text)
        self.assertIn("new: The run was interrupted", text)


if __name__ == "__main__":
    support.main()
