"""Control groups of containers that systemd is asked for, by a stand-in for its client."""

import json
import os
import pathlib

import harness
from harness import UNKNOWN, MockContainerd, cgroup_directories, of, rpc, task, wait_for

# In the place of systemd's own client: does what systemd would, as far as a container sees it, and keeps what it was asked.
BUSCTL = """#!/usr/bin/python3
import json, pathlib, sys
words, here = sys.argv[1:], pathlib.Path(sys.argv[0]).parent
with open(here / "asked", "a") as asked:
    asked.write(json.dumps(words) + "\\n")
if (here / "refuse").exists():
    sys.exit("Call failed: Unit is not welcome")
if "StartTransientUnit" in words:
    name, pid = words[words.index("replace") - 1], words[words.index("PIDs") + 3]
    slice = words[words.index("Slice") + 2].removesuffix(".slice").split("-")
    path = [*("-".join(slice[:i + 1]) + ".slice" for i in range(len(slice))), name]
    top = pathlib.Path("/sys/fs/cgroup")
    roots = [top] if (top / "cgroup.controllers").exists() else [top / c for c in ("memory", "cpu", "cpuacct", "pids")]
    for root in roots:
        if root.exists():
            root.joinpath(*path).mkdir(parents=True, exist_ok=True)
            root.joinpath(*path, "cgroup.procs").write_text(pid)
"""


class Systemd(MockContainerd):
    """Groups that systemd is asked for."""

    def setUp(self):
        super().setUp()
        self.slice = f"wasirun-test-{os.getpid()}.slice"
        self.addCleanup(harness.remove_cgroups, "wasirun.slice")
        programs = self.folder / "bin"
        programs.mkdir()
        (programs / "busctl").write_text(BUSCTL)
        (programs / "busctl").chmod(0o755)
        self.asked = programs / "asked"
        self.environment["PATH"] = f"{programs}:{os.environ['PATH']}"
        self.options = rpc.Any(type_url="runtimeoptions.v1.Options",
                               value=task.RuntimeOptions(config_body=b"SystemdCgroup = true").SerializeToString())

    def calls(self):
        return [json.loads(line) for line in self.asked.read_text().splitlines()]

    def test_scope(self):
        bundle = self.bundle("scoped", ["/app.wasm", "sleep"], linux={
            "cgroupsPath": f"{self.slice}:cri-containerd:scoped", "resources": {"memory": {"limit": 64 << 20}}})
        client = self.start_shim(bundle)
        pid = self.create(client, bundle, options=self.options)
        path = f"/wasirun.slice/wasirun-test.slice/{self.slice}/cri-containerd-scoped.scope"
        groups = [line.rpartition(":")[2] for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines()]
        self.assertIn(path, groups)
        limits = [int((directory / file).read_text()) for directory in cgroup_directories(path)
                  for file in ("memory.limit_in_bytes", "memory.max") if (directory / file).exists()]
        self.assertEqual(limits, [64 << 20])
        start, = self.calls()
        for words in (["Slice", "s", self.slice], ["PIDs", "au", "1", str(pid)], ["Delegate", "b", "true"], ["t", str(64 << 20)]):
            self.assertIn(" ".join(words), " ".join(start))
        client.call("Start", of(bundle), task.StartResponse)
        client.call("Update", task.UpdateRequest(id="scoped", resources=rpc.Any(
            type_url="types.containerd.io/opencontainers/runtime-spec/1/LinuxResources",
            value=b'{"memory": {"limit": 100663296}}')))
        wait_for(lambda: len(self.calls()) == 2, "systemd to be told of the new limit")
        self.assertIn("SetUnitProperties", self.calls()[1])
        self.assertIn("100663296", self.calls()[1])
        client.call("Kill", task.KillRequest(id="scoped", signal=9))
        client.call("Wait", of(bundle), task.WaitResponse)
        self.delete(client, bundle)
        self.shut_down(client, bundle)
        self.assertEqual(cgroup_directories(path), [])

    def test_refused(self):
        (self.folder / "bin/refuse").touch()
        bundle = self.bundle("refused", ["/app.wasm"], linux={"cgroupsPath": f"{self.slice}:cri-containerd:refused"})
        client = self.start_shim(bundle)
        self.assert_fails(UNKNOWN, "scope cri-containerd-refused.scope: Call failed: Unit is not welcome",
                          lambda: self.create(client, bundle, options=self.options))
        self.shut_down(client, bundle)


if __name__ == "__main__":
    harness.main()
