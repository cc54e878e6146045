"""bench/run as a process: what it writes, and what an interrupted run keeps."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import support
from wasirun_bench import paths


class Run(unittest.TestCase):
    def setUp(self):
        if shutil.which("clang-19") is None:
            self.skipTest("clang-19 is not installed")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def command(self, *words):
        return [str(support.BENCH / "run"), "--build", str(support.BUILD), "--no-build", "--no-install", "--quick", "--output",
                str(self.folder), *words]

    def run_to_the_end(self, *words):
        return subprocess.run(self.command(*words), capture_output=True, text=True, timeout=240, check=False)

    def newest(self):
        found = sorted(self.folder.glob("*.json"))
        return json.loads(found[-1].read_text(encoding="utf-8")) if found else None

    def test_a_whole_run(self):
        done = self.run_to_the_end("--only", "start/instances-(1|100)$", "--peers", "none")
        self.assertEqual(done.returncode, 0, done.stderr)
        data = self.newest()
        self.assertEqual({(one["benchmark"], one["metric"]) for one in data["series"]},
                         {("instances-1", "time"), ("instances-100", "time")})
        self.assertTrue(all(len(one["values"]) == 3 for one in data["series"]))
        self.assertIsNotNone(data["finished"])
        self.assertTrue("wasirun:interp" in (self.folder / "report.html").read_text(encoding="utf-8"))

    def test_signals_keep_what_was_measured(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number=number):
                words = self.command("--only", "start/instances-1$", "--peers", "none", "--rounds", "100000")
                child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
                try:
                    deadline = time.monotonic() + 200
                    while time.monotonic() < deadline and child.poll() is None:
                        data = self.newest()
                        if data and data["series"] and data["finished"] is None:
                            break
                        time.sleep(0.05)
                    child.send_signal(number)
                    output, _ = child.communicate(timeout=60)
                finally:
                    if child.poll() is None:
                        os.killpg(child.pid, signal.SIGKILL)
                        child.wait()
                self.assertEqual(child.returncode, 130, output)
                data = self.newest()
                self.assertIsNone(data["finished"])
                self.assertGreaterEqual(len(data["series"][0]["values"]), 1)
                self.assertTrue("was interrupted" in (self.folder / "report.html").read_text(encoding="utf-8"))
                for file in self.folder.iterdir():
                    file.unlink()

    def test_a_peer_that_is_missing_is_named(self):
        environment = {**os.environ, "WASMEDGE": "/nowhere/wasmedge"}
        done = subprocess.run(self.command("--only", "start/instances-1$", "--peers", "wasmedge"), capture_output=True, text=True,
                              timeout=240, check=False, env=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        if shutil.which("wasmedge") is None:
            self.assertIn("missing: wasmedge: WASMEDGE is not an executable file", done.stderr)
            self.assertEqual([one["name"] for one in self.newest()["missing"]], ["wasmedge"])

    def test_words_that_mean_nothing(self):
        for words, said in ((["--only", "["], "--only"), (["--only", "no such thing"], "nothing to measure"),
                            (["--peers", "nodd", "--only", "start/"], "nothing is called 'nodd'"), (["--rounds", "0"], "--rounds")):
            with self.subTest(words=words):
                done = self.run_to_the_end(*words)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(said, done.stderr)
        self.assertIsNone(self.newest())


if __name__ == "__main__":
    paths.WORK.mkdir(parents=True, exist_ok=True)
    support.main("rich", "jinja2")
