"""The shim driven by a containerd of ours: every method, in every order, and every error that it can give."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest

import harness
from harness import (EXHAUSTED, EXISTS, INVALID, LARGEST, NOT_FOUND, PRECONDITION, SHIM, UNIMPLEMENTED, UNKNOWN, Client,
                     FifoReader, MockContainerd, cgroup_directories, compile_wat, is_running, metrics, of, rpc, task,
                     wait_for)

CREATED, RUNNING, STOPPED, PAUSED = 1, 2, 3, 4


class CommandLine(unittest.TestCase):
    def run_shim(self, *words):
        return subprocess.run([SHIM, *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=harness.TIMEOUT)

    def test_version(self):
        for flag in ("-v", "--v"):
            self.assertIn(b"Version:", self.run_shim(flag).stdout)

    def test_info(self):
        info = task.RuntimeInfo.FromString(self.run_shim("-info").stdout)
        self.assertEqual(info.name, "io.containerd.wasirun.v1")
        self.assertNotEqual(info.version.version, "")

    def test_mistakes(self):
        for words, text in (((), b"run by containerd"), (("halt",), b'"halt" is no action'), (("-id",), b"needs a value")):
            done = self.run_shim(*words)
            self.assertEqual((done.returncode, done.stdout), (1, b""))
            self.assertIn(text, done.stderr)

    def test_start_outside_of_a_bundle(self):
        done = subprocess.run([SHIM, "-namespace", "n", "-id", "x", "start"], cwd="/proc", stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=harness.TIMEOUT)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"config.json: No such file or directory", done.stderr)

    def test_flags_of_later_versions(self):
        done = self.run_shim("-later", "value", "--other=1", "-v")
        self.assertEqual((done.returncode, b"Version:" in done.stdout), (0, True))


class Running(MockContainerd):
    def test_arguments_and_environment(self):
        bundle = self.bundle("hello", ["/app.wasm", "show", "two words"], env=["A=1", "EMPTY=", "B=x=y"])
        code, out, err = self.run_container(bundle)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(out.splitlines(), ["arg 0 /app.wasm", "arg 1 show", "arg 2 two words", "env A=1", "env EMPTY=",
                                            "env B=x=y", "env PWD=/"])

    def test_exit_codes(self):
        for code in (0, 7, 255):
            bundle = self.bundle(f"exit{code}", ["/app.wasm", "exit", str(code)])
            self.assertEqual(self.run_container(bundle), (code, "", ""))

    def test_trap(self):
        code, out, err = self.run_container(self.bundle("trap", ["/app.wasm", "trap"]))
        self.assertEqual((code, out), (134, ""))
        self.assertIn("unreachable", err)
        self.assertIn("main", err)  # its backtrace

    def test_function(self):
        code, out, _ = self.run_container(self.bundle("function", ["/app.wasm#other"]))
        self.assertEqual((code, out), (0, "the other function\n"))

    def test_program_by_path_and_working_directory(self):
        module = harness.compile_guest("job").read_bytes()
        bundle = self.bundle("path", ["tool.wasm"], env=["PATH=/nowhere:/bin"], files={"/bin/tool.wasm": module})
        self.assertIn("arg 0 tool.wasm", self.run_container(bundle)[1])
        bundle = self.bundle("cwd", ["./tool.wasm"], files={"/work/tool.wasm": module}, process={"cwd": "/work"})
        self.assertIn("env PWD=/work", self.run_container(bundle)[1])

    def test_program_behind_a_link_stays_inside(self):
        bundle = self.bundle("link", ["/link.wasm"])
        (bundle / "rootfs/link.wasm").symlink_to("/../../../../app.wasm")
        self.assertIn("arg 0 /link.wasm", self.run_container(bundle)[1])

    def test_input(self):
        bundle = self.bundle("input", ["/app.wasm", "echo"])
        os.mkfifo(bundle / "stdin")
        client = self.start_shim(bundle)
        self.create(client, bundle, stdin=str(bundle / "stdin"))
        client.call("Start", of(bundle), task.StartResponse)
        with open(bundle / "stdin", "w") as writer:
            writer.write("one\ntwo\n")
        wait_for(lambda: "read two" in self.seen(bundle), "the guest's answer")
        # Whoever wrote is gone, but only CloseIO is the end.
        self.assertNotIn("end of input", self.seen(bundle))
        client.call("CloseIO", task.CloseIORequest(id="input", stdin=True))
        self.assertEqual(client.call("Wait", of(bundle), task.WaitResponse).exit_status, 0)
        self.assertIn("end of input", self.seen(bundle))
        self.delete(client, bundle)
        self.shut_down(client, bundle)

    def seen(self, bundle):
        self.text = getattr(self, "text", "") + self.output(bundle)
        return self.text

    def test_reader_that_comes_late(self):
        bundle = self.bundle("late", ["/app.wasm", "show"])
        client = self.start_shim(bundle)
        client.call("Create", self.create_request(bundle, stderr=""), task.CreateResponse)
        client.call("Start", of(bundle), task.StartResponse)
        wait_for(lambda: self.state(client, bundle).status == STOPPED, "the end of the task")
        with contextlib.closing(FifoReader(bundle / "stdout")) as reader:
            self.assertEqual(client.call("Wait", of(bundle), task.WaitResponse).exit_status, 0)
            self.assertIn("arg 1 show", reader.take())
        self.delete(client, bundle)
        self.shut_down(client, bundle)

    def test_reader_that_never_comes(self):
        bundle = self.bundle("alone", ["/app.wasm", "trap"])
        client = self.start_shim(bundle)
        client.call("Create", self.create_request(bundle), task.CreateResponse)
        client.call("Start", of(bundle), task.StartResponse)
        self.assertEqual(client.call("Wait", of(bundle), task.WaitResponse).exit_status, 134)
        self.delete(client, bundle)
        self.shut_down(client, bundle)

    def test_output_to_files(self):
        bundle = self.bundle("file", ["/app.wasm", "show"])
        self.run_container(bundle, stdout=f"file://{bundle}/out.log")
        self.assertIn("arg 1 show", (bundle / "out.log").read_text())

    def test_output_cannot_be_read(self):
        code, out, _ = self.run_container(self.bundle("steal", ["/app.wasm", "steal"]))
        self.assertEqual((code, "possible" in out), (0, False))

    def test_code_is_shared(self):
        self.run_container(self.bundle("first", ["/app.wasm", "show"]))
        bundle = self.bundle("second", ["/app.wasm", "sleep"])
        client = self.start_shim(bundle)
        pid = self.create(client, bundle)
        maps = pathlib.Path(f"/proc/{pid}/maps").read_text()
        self.assertRegex(maps, rf"r-xp .*{harness.SCRATCH}/cache/")
        # The module's own bytes, too: once where the code is looked up, and once where they were read to.
        self.assertEqual(len([line for line in maps.splitlines() if " r--p " in line and f"{harness.SCRATCH}/cache/" in line]), 2,
                         maps)
        client.call("Delete", of(bundle), task.DeleteResponse)
        self.shut_down(client, bundle)


class Files(MockContainerd):
    def test_mounts(self):
        data = self.folder / "data"
        data.mkdir()
        (data / "read.txt").write_text("from the host")
        (self.folder / "hosts").write_text("127.0.0.1 localhost")
        bundle = self.bundle(
            "mounts", ["/app.wasm", "files", "read", "/data/read.txt", "write", "/data/new.txt", "write", "/ro/x",
                       "read", "/etc/hosts", "write", "/memory/x", "read", "/proc/self/status", "read", "/root-file"],
            mounts=[{"destination": "/data", "type": "bind", "source": str(data), "options": ["rbind", "rw"]},
                    {"destination": "/ro", "type": "bind", "source": str(data), "options": ["rbind", "ro"]},
                    {"destination": "/etc/hosts", "type": "bind", "source": str(self.folder / "hosts"),
                     "options": ["bind", "ro"]},
                    {"destination": "/memory", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k", "nosuid"]},
                    {"destination": "/proc", "type": "proc", "source": "proc"},
                    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["ro"]}])
        code, out, _ = self.run_container(bundle)
        self.assertEqual(code, 0)
        self.assertEqual(out.splitlines(), [
            "read /data/read.txt: from the host", "write /data/new.txt: done", "write /ro/x: Read-only file system",
            "read /etc/hosts: 127.0.0.1 localhost", "write /memory/x: done",
            "read /proc/self/status: No such file or directory", "read /root-file: No such file or directory"])
        self.assertEqual((data / "new.txt").read_text(), "written by the guest")
        self.assertEqual(list((bundle / "rootfs/memory").iterdir()), [])

    def test_mounts_over_links_stay_inside(self):
        outside = self.folder / "outside"
        outside.mkdir()
        (self.folder / "given").write_text("given")
        bundle = self.bundle("links", ["/app.wasm", "files", "read", "/there/file"],
                             mounts=[{"destination": "/there/file", "type": "bind", "source": str(self.folder / "given"),
                                      "options": ["bind"]}])
        (bundle / "rootfs/there").symlink_to(outside)
        code, _, _ = self.create_and_fail(bundle)
        self.assertEqual(list(outside.iterdir()), [])
        self.assertEqual(code, UNKNOWN)

    def create_and_fail(self, bundle, **fields):
        client = self.start_shim(bundle)
        with self.assertRaises(harness.RpcFailure) as raised:
            self.create(client, bundle, **fields)
        self.shut_down(client, bundle)
        return raised.exception.code, raised.exception.message, client

    def test_root_read_only(self):
        bundle = self.bundle("readonly", ["/app.wasm", "files", "write", "/new"], root={"path": "rootfs", "readonly": True})
        self.assertEqual(self.run_container(bundle)[1], "write /new: Read-only file system\n")

    def test_root_of_snapshots(self):
        upper, work, lower = (self.folder / name for name in ("upper", "work", "lower"))
        for directory in (upper, work, lower):
            directory.mkdir()
        (lower / "app.wasm").write_bytes(harness.compile_guest("job").read_bytes())
        bundle = self.bundle("overlay", ["/app.wasm", "files", "write", "/new"])
        (bundle / "rootfs/app.wasm").unlink()
        mount = task.Mount(type="overlay", source="overlay",
                           options=[f"upperdir={upper}", f"workdir={work}", f"lowerdir={lower}"])
        self.assertEqual(self.run_container(bundle, rootfs=[mount])[:2], (0, "write /new: done\n"))
        self.assertEqual((upper / "new").read_text(), "written by the guest")

    def test_user(self):
        data = self.folder / "data"
        data.mkdir()
        data.chmod(0o777)
        (data / "secret").write_text("secret")
        (data / "secret").chmod(0o600)
        bundle = self.bundle("user", ["/app.wasm", "files", "write", "/data/new", "read", "/data/secret"],
                             process={"user": {"uid": 1234, "gid": 2345, "additionalGids": [3456], "umask": 0o027}},
                             mounts=[{"destination": "/data", "type": "bind", "source": str(data), "options": ["rbind"]}])
        self.assertEqual(self.run_container(bundle)[1].splitlines(),
                         ["write /data/new: done", "read /data/secret: Permission denied"])
        made = (data / "new").stat()
        self.assertEqual((made.st_uid, made.st_gid, made.st_mode & 0o777), (1234, 2345, 0o640))

    def test_rights_of_the_process(self):
        bundle = self.bundle("rights", ["/app.wasm", "sleep"],
                             process={"user": {"uid": 77, "gid": 78, "additionalGids": [5, 6]}, "oomScoreAdj": 321,
                                      "capabilities": {"effective": ["CAP_SYS_ADMIN"]},
                                      "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 99, "hard": 111}]})
        client = self.start_shim(bundle)
        pid = self.create(client, bundle)
        client.call("Start", of(bundle), task.StartResponse)
        status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
                      if ":\t" in line)
        self.assertEqual((status["Uid"], status["Gid"]), ("77\t77\t77\t77", "78\t78\t78\t78"))
        self.assertEqual(status["Groups"].split(), ["5", "6"])
        for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb"):
            self.assertEqual(int(status[f"Cap{kind}"], 16), 0, kind)
        self.assertEqual(status["NoNewPrivs"], "1")
        self.assertEqual(pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text(), "321\n")
        self.assertRegex(pathlib.Path(f"/proc/{pid}/limits").read_text(), r"Max open files +99 +111")
        self.assertEqual(os.readlink(f"/proc/{pid}/root"), "/")
        # Nothing of the shim's or of containerd's is open in it but its streams, and their other halves.
        targets = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        self.assertEqual([target for target in targets if "socket" in target or "epoll" in target], [])
        client.call("Kill", task.KillRequest(id="rights", signal=9))
        client.call("Wait", of(bundle), task.WaitResponse)
        self.delete(client, bundle)
        self.shut_down(client, bundle)


class Lifecycle(MockContainerd):
    def create_sleeper(self, name, **parts):
        bundle = self.bundle(name, ["/app.wasm", "sleep"], **parts)
        client = self.start_shim(bundle)
        return bundle, client, self.create(client, bundle)

    def end(self, client, bundle):
        client.call("Kill", task.KillRequest(id=bundle.name, signal=9, all=True))
        client.call("Wait", of(bundle), task.WaitResponse)
        self.delete(client, bundle)
        self.shut_down(client, bundle)

    def test_states_and_events(self):
        bundle, client, pid = self.create_sleeper("states")
        state = self.state(client, bundle)
        self.assertEqual((state.id, state.bundle, state.pid, state.status), ("states", str(bundle), pid, CREATED))
        self.assertEqual((state.stdout, state.exit_status), (str(bundle / "stdout"), 0))
        self.assertTrue(is_running(pid))
        waiting = client.send("Wait", of(bundle))
        self.assertEqual(client.call("Start", of(bundle), task.StartResponse).pid, pid)
        self.assertEqual(self.state(client, bundle).status, RUNNING)
        self.assertFalse(client.is_answered(waiting))
        client.call("Kill", task.KillRequest(id="states", signal=signal.SIGTERM))
        ended = client.finish(waiting, task.WaitResponse)
        self.assertEqual(ended.exit_status, 143)
        self.assertLess(abs(ended.exited_at.seconds - time.time()), 10)
        state = self.state(client, bundle)
        self.assertEqual((state.status, state.exit_status, state.exited_at), (STOPPED, 143, ended.exited_at))
        # Also for who comes late.
        self.assertEqual(client.call("Wait", of(bundle), task.WaitResponse), ended)
        deleted = self.delete(client, bundle)
        self.assertEqual((deleted.pid, deleted.exit_status), (pid, 143))
        self.shut_down(client, bundle)
        self.events.wait("states", "delete")
        events = self.events.of("states")
        self.assertEqual([name for name, _ in events], ["create", "start", "exit", "delete"])
        self.assertEqual(events[0][1].bundle, str(bundle))
        self.assertEqual(events[2][1], task.TaskExit(container_id="states", id="states", pid=pid, exit_status=143,
                                                     exited_at=ended.exited_at))
        self.assertEqual({envelope.namespace for envelope in self.events.envelopes}, {"test"})
        self.assertEqual({envelope.event.type_url for envelope in self.events.envelopes},
                         {f"containerd.events.Task{kind}" for kind in ("Create", "Start", "Exit", "Delete")})

    def test_signals_end(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGWINCH, signal.SIGRTMIN):
            for what in ("sleep", "loop"):
                bundle = self.bundle(f"signal{int(number)}{what}", ["/app.wasm", what],
                                     process={"rlimits": [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]})
                client = self.start_shim(bundle)
                self.create(client, bundle)
                client.call("Start", of(bundle), task.StartResponse)
                wait_for(lambda: self.output(bundle), "the guest's first words")  # noqa: B023
                client.call("Kill", task.KillRequest(id=bundle.name, signal=number))
                self.assertEqual(client.call("Wait", of(bundle), task.WaitResponse).exit_status, 128 + number)
                self.delete(client, bundle)
                self.shut_down(client, bundle)

    def test_kill_before_start(self):
        bundle, client, pid = self.create_sleeper("early")
        client.call("Kill", task.KillRequest(id="early", signal=signal.SIGTERM))
        self.assertEqual(client.call("Wait", of(bundle), task.WaitResponse).exit_status, 143)
        self.assert_fails(PRECONDITION, "started before", lambda: client.call("Start", of(bundle)))
        self.assert_fails(NOT_FOUND, "process already finished",
                          lambda: client.call("Kill", task.KillRequest(id="early", signal=9)))
        self.delete(client, bundle)
        self.shut_down(client, bundle)
        self.assertFalse(is_running(pid))

    def test_delete_before_start(self):
        bundle, client, pid = self.create_sleeper("unstarted")
        self.assertEqual(self.delete(client, bundle).exit_status, 137)
        self.assertFalse(is_running(pid))
        self.assert_fails(NOT_FOUND, "no container", lambda: self.state(client, bundle))
        self.shut_down(client, bundle)

    def test_delete_while_it_runs(self):
        bundle, client, _ = self.create_sleeper("running")
        client.call("Start", of(bundle), task.StartResponse)
        self.assert_fails(PRECONDITION, "has not ended", lambda: self.delete(client, bundle))
        self.assert_fails(PRECONDITION, "started before", lambda: client.call("Start", of(bundle)))
        self.end(client, bundle)

    def test_shutdown_with_containers_is_none(self):
        bundle, client, _ = self.create_sleeper("kept")
        self.shut_down(client, bundle)
        self.assertEqual(self.state(client, bundle).status, CREATED)
        self.delete(client, bundle)
        self.shut_down(client, bundle)

    def test_pids_and_stats(self):
        bundle, client, pid = self.create_sleeper("figures")
        client.call("Start", of(bundle), task.StartResponse)
        pids = client.call("Pids", task.ContainerRequest(id="figures"), task.PidsResponse)
        self.assertEqual([process.pid for process in pids.processes], [pid])
        stats = client.call("Stats", task.ContainerRequest(id="figures"), task.StatsResponse).stats
        if stats.type_url == "io.containerd.cgroups.v1.Metrics":
            figures = metrics.MetricsV1.FromString(stats.value)
            self.assertGreater(figures.cpu.usage.total, 0)
            self.assertGreater(figures.memory.usage.usage, 0)
        else:
            self.assertEqual(stats.type_url, "io.containerd.cgroups.v2.Metrics")
            figures = metrics.MetricsV2.FromString(stats.value)
            self.assertGreater(figures.cpu.usage_usec, 0)
            self.assertGreater(figures.memory.usage, 0)
        self.assertEqual(figures.pids.current, 1)
        self.end(client, bundle)

    def limit(self, name):
        """memory.limit_in_bytes or memory.max of a container."""
        for directory in cgroup_directories(f"{self.group}/{name}"):
            for file in ("memory.limit_in_bytes", "memory.max"):
                if (directory / file).exists():
                    return int((directory / file).read_text())
        self.skipTest("no memory controller")

    def test_limits_and_update(self):
        bundle, client, _ = self.create_sleeper(
            "limits", linux={"cgroupsPath": f"{self.group}/limits",
                             "resources": {"memory": {"limit": 64 << 20}, "cpu": {"shares": 100, "quota": 50000,
                                                                                  "period": 100000},
                                           "pids": {"limit": 50}}})
        self.assertEqual(self.limit("limits"), 64 << 20)
        client.call("Start", of(bundle), task.StartResponse)

        def update(text):
            client.call("Update", task.UpdateRequest(id="limits", resources=rpc.Any(
                type_url="types.containerd.io/opencontainers/runtime-spec/1/LinuxResources", value=text)))

        update(json.dumps({"memory": {"limit": 96 << 20, "swap": 96 << 20}, "cpu": {"shares": 200}}).encode())
        self.assertEqual(self.limit("limits"), 96 << 20)
        update(json.dumps({"memory": {"limit": 48 << 20, "swap": 48 << 20}}).encode())
        self.assertEqual(self.limit("limits"), 48 << 20)
        self.assert_fails(INVALID, "memory.limit: expected an integer", lambda: update(b'{"memory": {"limit": "all"}}'))
        self.assert_fails(INVALID, "parse error", lambda: update(b"{"))
        self.end(client, bundle)

    def test_out_of_memory(self):
        bundle = self.bundle("oom", ["/app.wasm", "allocate"],
                             linux={"cgroupsPath": f"{self.group}/oom",
                                    "resources": {"memory": {"limit": 24 << 20, "swap": 24 << 20}}})
        client = self.start_shim(bundle)
        self.create(client, bundle)
        client.call("Start", of(bundle), task.StartResponse)
        self.assertEqual(client.call("Wait", of(bundle), task.WaitResponse).exit_status, 137)
        self.events.wait("oom", "exit")
        names = [name for name, _ in self.events.of("oom")]
        self.assertLess(names.index("oom"), names.index("exit"))
        self.delete(client, bundle)
        self.shut_down(client, bundle)

    def test_pause_and_resume(self):
        bundle = self.bundle("pause", ["/app.wasm", "loop"])
        client = self.start_shim(bundle)
        pid = self.create(client, bundle)
        client.call("Start", of(bundle), task.StartResponse)
        self.assert_fails(PRECONDITION, "not paused", lambda: client.call("Resume", task.ContainerRequest(id="pause")))
        client.call("Pause", task.ContainerRequest(id="pause"))
        self.assertEqual(self.state(client, bundle).status, PAUSED)
        wait_for(lambda: harness.process_state(pid) != "R", "the process to be frozen")
        self.assert_fails(PRECONDITION, "not running", lambda: client.call("Pause", task.ContainerRequest(id="pause")))
        client.call("Resume", task.ContainerRequest(id="pause"))
        self.assertEqual(self.state(client, bundle).status, RUNNING)
        wait_for(lambda: harness.process_state(pid) == "R", "the process to run")
        client.call("Pause", task.ContainerRequest(id="pause"))
        self.end(client, bundle)  # also while it is frozen
        self.events.wait("pause", "delete")
        self.assertEqual([name for name, _ in self.events.of("pause")],
                         ["create", "start", "paused", "resumed", "paused", "resumed", "exit", "delete"])

    def test_what_is_not_there(self):
        bundle, client, _ = self.create_sleeper("only")
        for method, request in (("State", task.ProcessRequest(id="none")), ("Start", task.ProcessRequest(id="none")),
                                ("Wait", task.ProcessRequest(id="none")), ("Delete", task.ProcessRequest(id="none")),
                                ("Kill", task.KillRequest(id="none", signal=9)),
                                ("Pids", task.ContainerRequest(id="none")), ("Stats", task.ContainerRequest(id="none")),
                                ("Update", task.UpdateRequest(id="none")), ("Pause", task.ContainerRequest(id="none")),
                                ("Resume", task.ContainerRequest(id="none")), ("CloseIO", task.CloseIORequest(id="none")),
                                ("Exec", task.ProcessRequest(id="none")), ("State", task.ProcessRequest(id="only", exec_id="e")),
                                ("Kill", task.KillRequest(id="only", exec_id="e", signal=9)),
                                ("Delete", task.ProcessRequest(id="only", exec_id="e"))):
            self.assert_fails(NOT_FOUND, '"none"' if request.id == "none" else '"e"',
                              lambda m=method, r=request: client.call(m, r))
        for method, text in (("Exec", "exec is not supported"), ("ResizePty", "no terminal"),
                             ("Checkpoint", "no checkpoints"), ("Migrate", '"Migrate"')):
            self.assert_fails(UNIMPLEMENTED, text,
                              lambda m=method: client.call(m, task.ContainerRequest(id="only")))
        stream = client.send("State", of(bundle), service="containerd.task.v3.Task")
        self.assert_fails(UNIMPLEMENTED, "containerd.task.v2.Task", lambda: client.finish(stream, task.Empty))
        for number in (0, 65, 1 << 31):
            self.assert_fails(INVALID, "no signal", lambda n=number: client.call("Kill", task.KillRequest(id="only",
                                                                                                          signal=n)))
        # Asked about containers that are still to come.
        self.assertGreater(client.call("Connect", task.ContainerRequest(id="none"), task.ConnectResponse).shim_pid, 0)
        self.delete(client, bundle)
        self.shut_down(client, bundle)

    def test_pod(self):
        """Containers of one sandbox share a shim, which ends with the last of them."""
        annotations = {"io.kubernetes.cri.sandbox-id": "pod1"}
        first = self.bundle("one", ["/app.wasm", "sleep"], annotations=annotations)
        second = self.bundle("two", ["/app.wasm", "sleep"], annotations=annotations)
        client = self.start_shim(first)
        self.create(client, first)
        other = self.start_shim(second)
        self.create(other, second)
        pids = [c.call("Connect", task.ContainerRequest(id=b.name), task.ConnectResponse) for c, b in
                ((client, first), (other, second))]
        self.assertEqual(pids[0].shim_pid, pids[1].shim_pid)
        self.assertNotEqual(pids[0].task_pid, pids[1].task_pid)
        self.delete(client, first)
        self.shut_down(client, first)
        self.assertEqual(self.state(other, second).status, CREATED)
        client.close()
        self.delete(other, second)
        self.shut_down(other, second)

    def test_wait_is_dropped_with_its_connection(self):
        bundle, client, _ = self.create_sleeper("waits")
        other = Client((bundle / "address").read_text())
        other.send("Wait", of(bundle))
        other.close()
        client.call("Start", of(bundle), task.StartResponse)
        self.end(client, bundle)


class Creation(MockContainerd):
    def fails(self, bundle, code, text, **fields):
        done = self.shim("start", bundle)
        if done.returncode != 0:  # what `start` sees already
            self.assertIn(text, done.stderr.decode())
            return
        client = self.start_shim(bundle)
        self.assert_fails(code, text, lambda: self.create(client, bundle, **fields))
        self.assert_fails(NOT_FOUND, "no container", lambda: client.call("State", of(bundle)))
        self.shut_down(client, bundle)

    def test_requests(self):
        bundle = self.bundle("requests", ["/app.wasm"])
        client = self.start_shim(bundle)
        for code, text, fields in ((INVALID, "terminal", {"terminal": True}),
                                   (UNIMPLEMENTED, "checkpoint", {"checkpoint": "/x"}),
                                   (INVALID, "id", {"id": ""}), (INVALID, "id", {"id": "a/b"}),
                                   (INVALID, "absolute", {"bundle": "x"}),
                                   (UNKNOWN, "config.json", {"bundle": "/nowhere"}),
                                   (UNKNOWN, "/nowhere/fifo", {"stdout": "/nowhere/fifo"}),
                                   (UNIMPLEMENTED, "binary:///bin/logger", {"stdout": "binary:///bin/logger"}),
                                   (UNKNOWN, "mount nonesuch", {"rootfs": [task.Mount(type="nonesuch")]})):
            self.assert_fails(code, text, lambda f=fields: client.call("Create", self.create_request(bundle, **f)))
        self.create(client, bundle)
        self.assert_fails(EXISTS, "exists", lambda: client.call("Create", self.create_request(bundle)))
        self.delete(client, bundle)
        self.shut_down(client, bundle)

    def test_options(self):
        def options(text="", path=""):
            return rpc.Any(type_url="runtimeoptions.v1.Options",
                           value=task.RuntimeOptions(config_body=text.encode(), config_path=path).SerializeToString())

        bundle = self.bundle("options", ["/app.wasm", "show"])
        client = self.start_shim(bundle)
        for text, given in (('no option "cash_directory"', options('cash_directory = "/x"')),
                            ("expected one of baseline, interp", options('tier = "fast"')),
                            ("expected an integer", options('cache_limit = "all"'))):
            self.assert_fails(INVALID, text, lambda g=given: client.call("Create", self.create_request(bundle, options=g)))
        self.assert_fails(UNKNOWN, "/nowhere.toml: No such file", lambda: client.call(
            "Create", self.create_request(bundle, options=options(path="/nowhere.toml"))))
        cache = self.folder / "own-cache"
        file = self.folder / "shim.toml"
        file.write_text(f'cache_directory = "{cache}"\ncache_limit = 100000000\n')
        self.create(client, bundle, options=options(path=str(file)))
        self.assertEqual(len(list(cache.iterdir())), 1)
        self.delete(client, bundle)
        # The interpreter keeps no code, and does the same.
        self.create(client, bundle, options=options(f'tier = "interp"\ncache_directory = "{cache}/other"'))
        client.call("Start", of(bundle), task.StartResponse)
        self.assertEqual(client.call("Wait", of(bundle), task.WaitResponse).exit_status, 0)
        self.assertIn("arg 1 show", self.output(bundle))
        self.assertEqual(len(list(cache.iterdir())), 1)
        self.delete(client, bundle)
        native = self.bundle("native", ["/bin/sh"], files={"/bin/sh": b"#!/bin/sh"}, annotations={
            "io.kubernetes.cri.sandbox-id": "options"})
        self.assert_fails(UNKNOWN, "/nowhere/crun is not installed", lambda: client.call("Create", self.create_request(
            native, options=options('runc = "/nowhere/crun"'))))
        self.shut_down(client, bundle)

    def test_configurations(self):
        good = {"args": ["/app.wasm"], "cwd": "/"}
        for name, text, parts in (
                ("badarg", "process.args[1]: expected a string, got number", {"process": {"args": ["/app.wasm", 1]}}),
                ("badenv", "process.env[0]: expected NAME=value", {"process": {**good, "env": ["A"]}}),
                ("badcwd", "process.cwd: expected an absolute path", {"process": {**good, "cwd": "x"}}),
                ("baduid", "process.user.uid: -1 is out of range", {"process": {**good, "user": {"uid": -1}}}),
                ("terminal", "no terminal", {"process": {**good, "terminal": True}}),
                ("limit", "rlimits[0].type: expected the name of a limit",
                 {"process": {**good, "rlimits": [{"type": "RLIMIT_X"}]}}),
                ("cgroup", "leads elsewhere", {"linux": {"cgroupsPath": "/a/../../b"}}),
                ("slice", "is no slice", {"linux": {"cgroupsPath": "x:y:z"}}),
                ("space", "namespaces[0].type", {"linux": {"namespaces": [{"type": "x"}]}}),
                ("mount", "mounts[0].destination: expected an absolute path", {"mounts": [{"destination": "x"}]})):
            with self.subTest(name):
                self.fails(self.bundle(name, ["/app.wasm"], **parts), INVALID, text)
        self.fails(self.bundle("user-namespace", ["/app.wasm"], linux={"namespaces": [{"type": "user"}],
                                                                       "cgroupsPath": f"{self.group}/user-namespace"}),
                   UNKNOWN, "user namespaces are not supported")

    def test_programs(self):
        compile_wat("(module (import \"x\" \"y\" (func)) (func (export \"_start\")))", harness.SCRATCH / "imports.wasm")
        imports = (harness.SCRATCH / "imports.wasm").read_bytes()
        for name, args, code, text in (
                ("absent", ["/no.wasm"], UNKNOWN, "/no.wasm: there is no such file"),
                ("text", ["/text"], INVALID, "/text: neither a WebAssembly module nor a program"),
                ("directory", ["/"], UNKNOWN, "/: there is no such file"),
                ("no-arguments", [], UNKNOWN, "/: there is no such file"),
                ("cut", ["/cut.wasm"], UNKNOWN, "/cut.wasm: malformed module"),
                ("entry", ["/app.wasm#nothing"], UNKNOWN, 'exports no function "nothing"'),
                ("component", ["/component.wasm"], UNKNOWN, "component")):
            with self.subTest(name):
                self.fails(self.bundle(name, args, files={
                    "/text": b"hello", "/cut.wasm": b"\0asm\1\0\0\0\1", "/component.wasm": b"\0asm\x0d\0\1\0"}), code, text)
        bundle = self.bundle("unlinkable", ["/imports.wasm"], files={"/imports.wasm": imports})
        code, _, err = self.run_container(bundle)
        self.assertEqual(code, 1)
        self.assertIn('missing import "x"."y"', err)

    def test_many_at_once(self):
        """A slow one holds up nobody."""
        bundles = [self.bundle(f"many{i}", ["/app.wasm", "exit", str(i)],
                               annotations={"io.kubernetes.cri.sandbox-id": "many"}) for i in range(12)]
        client = [self.start_shim(bundle) for bundle in bundles][0]
        self.readers = {}
        streams = [client.send("Create", self.create_request(bundle)) for bundle in bundles]
        for stream in streams:
            client.finish(stream, task.CreateResponse)
        waits = [client.send("Wait", of(bundle)) for bundle in bundles]
        for bundle in bundles:
            client.call("Start", of(bundle), task.StartResponse)
        for i, wait in reversed(list(enumerate(waits))):
            self.assertEqual(client.finish(wait, task.WaitResponse).exit_status, i)
        for bundle in bundles:
            self.delete(client, bundle)
        self.shut_down(client, bundles[0])


class Recovery(MockContainerd):
    def rootfs(self, name):
        return [task.Mount(type="bind", source=str(self.folder / f"{name}-lower"), options=["rbind", "ro"])]

    def running(self, name):
        """A container on a root that the shim has mounted."""
        bundle = self.bundle(name, ["/app.wasm", "sleep"])
        lower = self.folder / f"{name}-lower"
        (bundle / "rootfs").rename(lower)
        (bundle / "rootfs").mkdir()
        client = self.start_shim(bundle)
        pid = self.create(client, bundle, rootfs=self.rootfs(name))
        client.call("Start", of(bundle), task.StartResponse)
        return bundle, client, pid

    def test_shim_killed(self):
        bundle, client, pid = self.running("killed")
        shim = client.call("Connect", task.ContainerRequest(id="killed"), task.ConnectResponse).shim_pid
        os.kill(shim, signal.SIGKILL)
        done = self.shim("delete", bundle, "-bundle", str(bundle))
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        response = task.DeleteResponse.FromString(done.stdout)
        self.assertEqual((response.pid, response.exit_status), (pid, 137))
        wait_for(lambda: not is_running(pid), "the end of the container")
        # check_clean sees to the rest; again, it finds nothing to do.
        self.assertEqual(self.shim("delete", bundle).returncode, 0)

    def test_socket_left_behind(self):
        bundle, client, pid = self.running("stale")
        shim = client.call("Connect", task.ContainerRequest(id="stale"), task.ConnectResponse).shim_pid
        path = (bundle / "address").read_text().removeprefix("unix://")
        os.kill(shim, signal.SIGKILL)
        wait_for(lambda: not is_running(pid), "the container to end with its shim")
        self.assertTrue(os.path.exists(path))
        self.shim("delete", bundle)
        # Had nobody cleaned up, the next one of its name would have taken the place.
        stale = socket.socket(socket.AF_UNIX)
        stale.bind(path)
        stale.close()
        again = self.start_shim(bundle)
        self.create(again, bundle, rootfs=self.rootfs("stale"))
        self.delete(again, bundle)
        self.shut_down(again, bundle)

    def test_number_of_another_process(self):
        """`delete` ends no process but the one that it was written for."""
        bundle = self.bundle("reused", ["/app.wasm"])
        innocent = subprocess.Popen(["sleep", "100"])
        self.addCleanup(innocent.kill)
        (bundle / "wasirun.json").write_text(json.dumps({"pid": innocent.pid, "startTime": 1, "cgroup": ""}))
        self.assertEqual(self.shim("delete", bundle).returncode, 0)
        self.assertTrue(is_running(innocent.pid))
        innocent.kill()
        innocent.wait(harness.TIMEOUT)

    def test_events_survive_a_restart(self):
        bundle, client, _ = self.running("restart")
        self.events.wait("restart", "start")
        self.events.stop()
        client.call("Kill", task.KillRequest(id="restart", signal=9))
        client.call("Wait", of(bundle), task.WaitResponse)
        self.delete(client, bundle)
        self.assertEqual([name for name, _ in self.events.of("restart")], ["create", "start"])
        self.events.listen()
        self.events.wait("restart", "delete")
        self.assertEqual([name for name, _ in self.events.of("restart")], ["create", "start", "exit", "delete"])
        self.shut_down(client, bundle)

    def test_reconnecting(self):
        bundle, client, pid = self.running("reconnect")
        client.close()
        again = Client((bundle / "address").read_text())
        self.addCleanup(again.close)
        self.assertEqual(again.call("Connect", task.ContainerRequest(id="reconnect"), task.ConnectResponse).task_pid, pid)
        again.call("Kill", task.KillRequest(id="reconnect", signal=9))
        self.assertEqual(again.call("Wait", of(bundle), task.WaitResponse).exit_status, 137)
        self.delete(again, bundle)
        self.shut_down(again, bundle)

    def test_told_to_end(self):
        bundle, client, pid = self.running("term")
        shim = client.call("Connect", task.ContainerRequest(id="term"), task.ConnectResponse).shim_pid
        os.kill(shim, signal.SIGTERM)
        wait_for(lambda: not is_running(pid) and not is_running(shim), "both to end")


class Protocol(MockContainerd):
    def sleeper(self, name):
        bundle = self.bundle(name, ["/app.wasm", "sleep"])
        client = self.start_shim(bundle)
        self.create(client, bundle)
        return bundle, client

    def end(self, client, bundle):
        self.delete(client, bundle)
        self.shut_down(client, bundle)

    def test_frames_in_pieces(self):
        bundle, client = self.sleeper("pieces")
        request = rpc.Request(service=Client.SERVICE, method="State", payload=of(bundle).SerializeToString())
        for byte in harness.frame(client.next_stream, harness.REQUEST, request.SerializeToString()):
            client.socket.sendall(bytes([byte]))
        stream, client.next_stream = client.next_stream, client.next_stream + 2
        self.assertEqual(client.finish(stream, task.StateResponse).status, CREATED)
        self.end(client, bundle)

    def test_too_large_message(self):
        bundle, client = self.sleeper("large")
        client.socket.sendall(struct.pack(">IIBB", LARGEST + 1, client.next_stream, harness.REQUEST, 0))
        stream, client.next_stream = client.next_stream, client.next_stream + 2
        self.assert_fails(EXHAUSTED, "larger than 4 MiB", lambda: client.finish(stream, task.Empty))
        client.socket.sendall(bytes(LARGEST + 1))
        self.assertEqual(client.call("State", of(bundle), task.StateResponse).status, CREATED)
        self.end(client, bundle)

    def test_no_messages(self):
        bundle, client = self.sleeper("garbage")
        for message in (b"\xff", b"\x0a\xff\xff\xff\xff\x0f", b"\x00" * 100):
            client.socket.sendall(harness.frame(client.next_stream, harness.REQUEST, message))
            stream, client.next_stream = client.next_stream, client.next_stream + 2
            self.assert_fails(INVALID, "no ttrpc request", lambda s=stream: client.finish(s, task.Empty))
        stream = client.send("State", b"\x0a\x05a")
        self.assert_fails(INVALID, "State", lambda: client.finish(stream, task.Empty))
        # Frames of other types are passed over.
        for kind in (0, harness.RESPONSE, harness.DATA, 200):
            client.socket.sendall(harness.frame(client.next_stream, kind, b"x"))
        self.assertEqual(client.call("State", of(bundle), task.StateResponse).status, CREATED)
        self.end(client, bundle)

    def test_client_that_never_reads(self):
        """It is disconnected, and nobody else notices."""
        bundle, client = self.sleeper("deaf")
        deaf = Client((bundle / "address").read_text())
        self.addCleanup(deaf.close)
        deaf.socket.settimeout(10)

        def flood():
            try:
                while True:
                    deaf.send("Migrate" + "x" * 10000, task.Empty())
            except OSError:
                pass

        flooding = threading.Thread(target=flood, daemon=True)
        flooding.start()
        flooding.join(harness.TIMEOUT)
        self.assertFalse(flooding.is_alive())
        self.assertEqual(client.call("State", of(bundle), task.StateResponse).status, CREATED)
        deaf.close()
        self.end(client, bundle)

    def test_too_many_waiters(self):
        bundle, client = self.sleeper("waiters")
        streams = [client.send("Wait", of(bundle)) for _ in range(4097)]
        self.assert_fails(EXHAUSTED, "too many", lambda: client.finish(streams[-1], task.Empty))
        self.end(client, bundle)


if __name__ == "__main__":
    harness.main()
