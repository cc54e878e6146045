"""Containers run code that `wasirun compile --all` put into the cache before, optimised. WASIRUN names the command."""

import os
import pathlib
import signal
import subprocess

import harness
from harness import MockContainerd, compile_guest, of, process_state, task, wait_for

WASIRUN = os.environ.get("WASIRUN")
if WASIRUN is None:
    harness.skip("the variable WASIRUN does not name the command")


class CompiledAhead(MockContainerd):
    def setUp(self):
        super().setUp()
        self.cache = self.folder / "cache"
        # Who runs optimised code does without the compiler that made it.
        self.environment |= {"WASIRUN_CACHE": str(self.cache), "WASIRUN_LLVM_PLUGIN": "/nowhere"}

    def compile_ahead(self, module):
        done = subprocess.run([WASIRUN, "compile", "--all", "--cache", self.cache, module], capture_output=True,
                              timeout=10 * harness.TIMEOUT)
        said = done.stderr.decode()
        self.assertEqual(done.returncode, 0, said)
        self.assertRegex(said, r"llvm +[1-9]\d* functions")
        self.assertNotIn("baseline", said)  # none of them

    def kept(self):
        """(name, inode, size) of the one file that there is."""
        file, = self.cache.glob("*.cwasm")
        return file.name, file.stat().st_ino, file.stat().st_size

    @staticmethod
    def mapping_of_counter(pid):
        """What the process is executing, as a line of its maps: [addresses, rights, offset, device, inode, ...]."""
        os.kill(pid, signal.SIGSTOP)
        wait_for(lambda: process_state(pid) == "T", "the process to stop")
        counter = int(pathlib.Path(f"/proc/{pid}/syscall").read_text().split()[-1], 16)
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            begin, end = (int(address, 16) for address in line.split()[0].split("-"))
            if begin <= counter < end:
                return line.split()
        raise AssertionError(f"nothing is mapped at {counter:#x}")

    def test_takes_the_place_of_quick_code(self):
        """As on a node where containers of the module ran before it was optimised."""
        self.assertEqual(self.run_container(self.bundle("before", ["/app.wasm", "exit", "3"]))[0], 3)
        quick = self.kept()
        self.compile_ahead(compile_guest("job"))
        optimised = self.kept()
        self.assertEqual(optimised[0], quick[0])
        self.assertNotEqual(optimised[1:], quick[1:])

        bundle = self.bundle("loop", ["/app.wasm", "loop"])
        client = self.start_shim(bundle)
        pid = self.create(client, bundle)
        client.call("Start", of(bundle), task.StartResponse)
        wait_for(lambda: "looping" in self.output(bundle), "the guest's first words")
        mapping = self.mapping_of_counter(pid)
        self.assertEqual((mapping[1], int(mapping[4])), ("r-xp", optimised[1]), mapping)
        client.call("Kill", task.KillRequest(id=bundle.name, signal=signal.SIGKILL))
        client.call("Wait", of(bundle), task.WaitResponse)
        self.delete(client, bundle)
        self.shut_down(client, bundle)

        code, out, err = self.run_container(self.bundle("trap", ["/app.wasm", "trap"]))
        self.assertEqual((code, out), (134, ""))
        self.assertIn("main", err)  # its backtrace
        # Nothing had to be compiled beside it.
        self.assertEqual(self.kept(), optimised)


if __name__ == "__main__":
    harness.main()
