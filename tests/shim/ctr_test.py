"""Containers by `ctr run`, of a real containerd."""

import concurrent.futures
import os
import signal
import subprocess
import unittest

import containerd
from harness import TIMEOUT, is_running, wait_for
from oci_images import image_of_module


class Ctr(unittest.TestCase):
    containerd = None

    def tearDown(self):
        self.containerd.check_clean()

    def test_hello(self):
        code, out, err = self.containerd.run("hello", "/app.wasm", "show", "two words", flags=("--env", "GIVEN=1"))
        self.assertEqual((code, err), (0, ""))
        lines = out.splitlines()
        self.assertEqual(lines[:3], ["arg 0 /app.wasm", "arg 1 show", "arg 2 two words"])
        self.assertIn("env FROM_IMAGE=yes", lines)
        self.assertIn("env GIVEN=1", lines)

    def test_image_of_another_platform(self):
        self.assertIn("arg 1 show", self.containerd.run("wasip1", "/app.wasm", "show", image="wasip1")[1])

    def test_exit_codes(self):
        for code in (0, 7):
            self.assertEqual(self.containerd.run(f"exit{code}", "/app.wasm", "exit", str(code)), (code, "", ""))

    def test_trap(self):
        code, out, err = self.containerd.run("trap", "/app.wasm", "trap")
        self.assertEqual((code, out), (134, ""))
        self.assertIn("unreachable", err)

    def test_limits_and_read_only(self):
        code, out, _ = self.containerd.run("readonly", "/app.wasm", "files", "write", "/x", flags=("--read-only",))
        self.assertEqual((code, out), (0, "write /x: Read-only file system\n"))
        code, _, _ = self.containerd.run("oom", "/app.wasm", "allocate", flags=("--memory-limit", "25000000"))
        self.assertEqual(code, 137)

    def test_native_program(self):
        code, out, err = self.containerd.run("native", "/bin/busybox", "sh", "-c", "echo native; exit 5", image="busybox")
        self.assertEqual((code, out, err), (5, "native\n", ""))
        code, _, err = self.containerd.run("nonative", "/bin/nothing", image="busybox")
        self.assertEqual(code, 1)
        self.assertIn("/bin/nothing: there is no such file in the container", err)
        self.assertIn("nor is there a module in the image localhost/busybox:1: none of its layers is a module", err)

    def test_module_in_a_layer(self):
        """`ctr run` takes no image of such a configuration, nor do all versions unpack it, but all keep it: a container with an
        empty root comes from another image, whose name it then gets."""
        ctr, archive = self.containerd.ctr, self.containerd.folder / "module.tar"
        image_of_module(containerd.compile_guest("job").read_bytes()).write(archive, "localhost/module:1")
        ctr("image", "import", "--no-unpack", "--platform", "wasip1/wasm", str(archive))
        ctr("container", "create", "--runtime", "io.containerd.wasirun.v1", "localhost/empty:1", "layer", "/module.wasm",
            "exit", "9")
        ctr("image", "tag", "--force", "localhost/module:1", "localhost/empty:1")
        done = ctr("task", "start", "layer", check=False)
        self.assertEqual((done.returncode, done.stderr), (9, b""))
        self.remove("layer")

    def test_native_program_that_cannot_start(self):
        code, _, err = self.containerd.run("badcwd", "/bin/busybox", "true", image="busybox", flags=("--user", "nobody-here"))
        self.assertEqual(code, 1)
        self.assertNotEqual(err, "")

    def test_many(self):
        """80 runs, 8 at a time."""
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            runs = [pool.submit(self.containerd.run, f"many{i}", "/app.wasm", "show", str(i)) for i in range(80)]
            for i, run in enumerate(runs):
                code, out, err = run.result()
                self.assertEqual((code, err), (0, ""))
                self.assertIn(f"arg 2 {i}\n", out)

    def start(self, name, *words):
        self.containerd.ctr("run", "-d", "--null-io", "--runtime", "io.containerd.wasirun.v1", "localhost/hello:1", name,
                            *words)

    def task(self, name):
        """(pid, status) as ctr lists it."""
        for line in self.containerd.ctr("task", "ls").stdout.decode().splitlines()[1:]:
            words = line.split()
            if words[0] == name:
                return int(words[1]), words[2]
        return None

    def remove(self, name):
        self.containerd.ctr("task", "rm", "-f", name, check=False)
        self.containerd.ctr("container", "rm", name)

    def test_signals_pause_and_metrics(self):
        self.start("signals", "/app.wasm", "loop")
        self.assertEqual(self.task("signals")[1], "RUNNING")
        self.containerd.ctr("task", "pause", "signals")
        self.assertEqual(self.task("signals")[1], "PAUSED")
        self.containerd.ctr("task", "resume", "signals")
        figures = self.containerd.ctr("task", "metrics", "signals").stdout.decode()
        self.assertRegex(figures, r"memory\S*usage\S* +[1-9]")
        refused = self.containerd.ctr("task", "exec", "--exec-id", "e", "signals", "/app.wasm", check=False)
        self.assertIn("exec is not supported", refused.stderr.decode())
        self.containerd.ctr("task", "kill", "--signal", "SIGTERM", "signals")
        wait_for(lambda: self.task("signals")[1] == "STOPPED", "the end of the task")
        self.remove("signals")

    def test_shim_killed(self):
        self.start("killed", "/app.wasm", "sleep")
        pid, _ = self.task("killed")
        for shim in self.containerd.processes():
            if shim != pid:
                os.kill(shim, signal.SIGKILL)
        wait_for(lambda: not is_running(pid), "the container to end with its shim")
        wait_for(lambda: self.task("killed") is None or self.task("killed")[1] == "STOPPED", "containerd to notice")
        self.remove("killed")

    def test_restart(self):
        self.start("restart", "/app.wasm", "sleep")
        pid, _ = self.task("restart")
        self.containerd.stop()
        self.assertTrue(is_running(pid))
        self.containerd.start()
        self.assertEqual(self.task("restart"), (pid, "RUNNING"))
        self.containerd.ctr("task", "kill", "--signal", "SIGTERM", "restart")
        wait_for(lambda: self.task("restart")[1] == "STOPPED", "the end of the task")
        self.remove("restart")

    def test_end_while_containerd_is_away(self):
        self.start("away", "/app.wasm", "sleep")
        pid, _ = self.task("away")
        self.containerd.stop()
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not is_running(pid), "the end of the container")
        self.containerd.start()
        wait_for(lambda: self.task("away") is None or self.task("away")[1] == "STOPPED", "containerd to notice")
        self.remove("away")

    def test_hostile_modules(self):
        """They loop, allocate, open files, write without end: others keep running, and they can be ended."""
        for what in ("loop", "open", "flood"):
            self.start(f"hostile-{what}", "/app.wasm", what)
        for i in range(5):
            self.assertEqual(self.containerd.run(f"other{i}", "/app.wasm", "exit", str(i))[0], i)
        for what in ("loop", "open", "flood"):
            self.containerd.ctr("task", "kill", "--signal", "SIGTERM", f"hostile-{what}", check=False)
            wait_for(lambda: self.task(f"hostile-{what}")[1] == "STOPPED", "the end of the task")  # noqa: B023
            self.remove(f"hostile-{what}")

    def test_flood_with_a_slow_reader(self):
        flooding = subprocess.Popen(["timeout", "-k", "1", "20", containerd.CTR, "--address", self.containerd.address,
                                     "-n", containerd.NAMESPACE, "run", "--rm", "--runtime", "io.containerd.wasirun.v1",
                                     "localhost/hello:1", "slow", "/app.wasm", "flood"], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE)
        self.assertTrue(flooding.stdout.read(1000))
        wait_for(lambda: self.task("slow"), "the task")
        self.assertEqual(self.task("slow")[1], "RUNNING")
        self.containerd.ctr("task", "kill", "--signal", "SIGTERM", "slow")
        with flooding.stdout as output:
            while output.read(1 << 16):
                pass
        self.assertEqual(flooding.wait(TIMEOUT), 143)


if __name__ == "__main__":
    containerd.main([Ctr])
