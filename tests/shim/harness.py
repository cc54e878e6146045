"""What the tests of the shim share: ttrpc, a containerd of ours that drives a shim without one, guests, skipping.

A test's arguments: SHIM SCRATCH [unittest arguments]. They need root, for mounts and control groups.
"""

import contextlib
import errno
import importlib
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

SKIPPED = 77
TIMEOUT = 60
HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parents[1]

INVALID, NOT_FOUND, EXISTS, EXHAUSTED, PRECONDITION, UNIMPLEMENTED = 3, 5, 6, 8, 9, 12
UNKNOWN = 2
REQUEST, RESPONSE, DATA = 1, 2, 3
LARGEST = 4 << 20


def skip(reason):
    print(f"SKIPPED: {reason}", file=sys.stderr)
    sys.exit(SKIPPED)


if len(sys.argv) < 2:
    sys.exit(f"usage: {sys.argv[0]} SHIM [unittest arguments]")
SHIM = pathlib.Path(os.path.abspath(sys.argv.pop(1)))
if os.geteuid() != 0:
    skip("the shim's tests need root, for mounts and control groups")
for tool in ("protoc", "clang-19", "wat2wasm"):
    if shutil.which(tool) is None:
        skip(f"{tool} is not installed")
try:
    import google.protobuf  # noqa: F401
except ImportError:
    skip("python3-protobuf is not installed")
if subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True,
                  timeout=TIMEOUT).returncode != 0:
    skip("file systems cannot be mounted here")

SCRATCH = pathlib.Path(tempfile.mkdtemp(prefix=f"wasirun-shim-{os.getpid()}-"))
CGROUPS = pathlib.Path("/sys/fs/cgroup")


def process_state(pid):
    """The letter of /proc/PID/stat; empty when there is no such process."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def is_running(pid):
    return process_state(pid) not in ("", "Z", "X")


def end_processes(pids):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(is_running(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.01)


def unmount_below(folder):
    for line in reversed(pathlib.Path("/proc/self/mounts").read_text().splitlines()):
        if line.split()[1].startswith(f"{folder}/"):
            subprocess.run(["umount", "-l", line.split()[1]], timeout=TIMEOUT, check=False)


def remove_cgroups(pattern):
    """Groups below the hierarchies' roots, with what is in them."""
    for top in [*CGROUPS.glob(pattern), *CGROUPS.glob(f"*/{pattern}")]:
        groups = [top, *(path for path in top.rglob("*") if path.is_dir())]
        for group in sorted(groups, key=lambda path: len(path.parts), reverse=True):
            with contextlib.suppress(OSError):
                end_processes([int(line) for line in (group / "cgroup.procs").read_text().split()])
                group.rmdir()


def remove_leftovers():
    """What tests left that were killed: all that they make has the number of their process in its name."""
    def is_left(name):
        number = re.match(r"wasirun-(?:test|shim)-(\d+)", name)
        return number is not None and not is_running(int(number[1]))

    for folder in pathlib.Path(tempfile.gettempdir()).glob("wasirun-shim-*"):
        if not is_left(folder.name):
            continue
        processes = []
        for entry in pathlib.Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and f"{folder}/".encode() in (entry / "cmdline").read_bytes():
                    processes.append(int(entry.name))
        end_processes(processes)
        unmount_below(folder)
        shutil.rmtree(folder, ignore_errors=True)
    for group in {path.name for path in [*CGROUPS.glob("wasirun-test-*"), *CGROUPS.glob("*/wasirun-test-*")]}:
        if is_left(group):
            remove_cgroups(group)
    for network in pathlib.Path("/run/netns").glob("wasirun-test-*"):
        if is_left(network.name):
            subprocess.run(["ip", "netns", "del", network.name], timeout=TIMEOUT, check=False)
    for path in pathlib.Path("/run/containerd/s").glob("wasirun-*"):
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == errno.ECONNREFUSED:
                path.unlink(missing_ok=True)


remove_leftovers()


def load_messages():
    """The modules of the shim's own messages."""
    folder = SCRATCH / "messages"
    folder.mkdir()
    proto = PROJECT / "tools/shim/proto"
    subprocess.run(["protoc", f"--proto_path={proto}", f"--python_out={folder}", *map(str, sorted(proto.iterdir()))],
                   check=True, timeout=TIMEOUT)
    sys.path.insert(0, str(folder))
    return [importlib.import_module(f"{name}_pb2") for name in ("rpc", "task", "metrics")]


rpc, task, metrics = load_messages()


def compile_guest(name, folder=SCRATCH):
    made = folder / f"{name}.wasm"
    if not made.exists():
        subprocess.run(["clang-19", "--target=wasm32-wasi", "--sysroot=/usr", "-O1", "-o", str(made),
                        str(HERE / "guest" / f"{name}.c")], check=True, timeout=TIMEOUT)
    return made


def compile_wat(text, made):
    source = SCRATCH / "source.wat"
    source.write_text(text)
    subprocess.run(["wat2wasm", str(source), "-o", str(made)], check=True, timeout=TIMEOUT)


def wait_for(condition, what, timeout=TIMEOUT):
    """Until condition() gives something true, which is returned."""
    deadline = time.monotonic() + timeout
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(0.01)


def of(bundle):
    """What asks for the process of a bundle's container."""
    return task.ProcessRequest(id=bundle.name)


class RpcFailure(Exception):
    def __init__(self, code, message):
        super().__init__(f"code {code}: {message}")
        self.code = code
        self.message = message


def receive(connection, size):
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def receive_frame(connection):
    size, stream, kind, flags = struct.unpack(">IIBB", receive(connection, 10))
    return stream, kind, flags, receive(connection, size)


def frame(stream, kind, message):
    return struct.pack(">IIBB", len(message), stream, kind, 0) + message


class Client:
    """One connection to a shim."""

    SERVICE = "containerd.task.v2.Task"

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect(address.removeprefix("unix://"))
        self.next_stream = 1
        self.answers = {}

    def close(self):
        self.socket.close()

    def send(self, method, message, service=SERVICE):
        """Asks; finish() has the answer."""
        payload = message if isinstance(message, bytes) else message.SerializeToString()
        request = rpc.Request(service=service, method=method, payload=payload)
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.socket.sendall(frame(stream, REQUEST, request.SerializeToString()))
        return stream

    def finish(self, stream, answer, timeout=TIMEOUT):
        self.socket.settimeout(timeout)
        while stream not in self.answers:
            number, kind, _, message = receive_frame(self.socket)
            assert kind == RESPONSE, f"a frame of type {kind}"
            self.answers[number] = rpc.Response.FromString(message)
        response = self.answers.pop(stream)
        if response.status.code != 0:
            raise RpcFailure(response.status.code, response.status.message)
        return answer.FromString(response.payload)

    def is_answered(self, stream):
        """Whether the answer is there, without waiting for it."""
        while stream not in self.answers and select.select([self.socket], [], [], 0)[0]:
            number, _, _, message = receive_frame(self.socket)
            self.answers[number] = rpc.Response.FromString(message)
        return stream in self.answers

    def call(self, method, message, answer=task.Empty, timeout=TIMEOUT):
        return self.finish(self.send(method, message), answer, timeout)


class EventServer:
    """containerd's side of events: keeps those that come."""

    NAMES = {"create": task.TaskCreate, "start": task.TaskStart, "exit": task.TaskExit, "delete": task.TaskDelete,
             "oom": task.TaskNotice, "paused": task.TaskNotice, "resumed": task.TaskNotice}

    def __init__(self, path):
        self.path = str(path)
        self.envelopes = []
        self.connections = []
        self.listen()

    def listen(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(16)
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self.connections.append(connection)
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError, EOFError):
            while True:
                stream, _, _, message = receive_frame(connection)
                request = rpc.Request.FromString(message)
                assert (request.service, request.method) == ("containerd.services.events.ttrpc.v1.Events", "Forward")
                self.envelopes.append(task.ForwardRequest.FromString(request.payload).envelope)
                connection.sendall(frame(stream, RESPONSE, rpc.Response().SerializeToString()))

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        os.unlink(self.path)
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self.connections = []

    def of(self, container):
        """[(topic, event)] of a container, in order."""
        found = []
        for envelope in list(self.envelopes):
            name = envelope.topic.removeprefix("/tasks/")
            event = self.NAMES[name].FromString(envelope.event.value)
            if event.container_id == container:
                found.append((name, event))
        return found

    def wait(self, container, name):
        return wait_for(lambda: next((event for topic, event in self.of(container) if topic == name), None),
                        f"the event {name} of {container}")


def cgroup_directories(path):
    """Those of a group that exist, in all hierarchies."""
    roots = [CGROUPS, *(path for path in CGROUPS.iterdir() if path.is_dir())]
    return [root / path.strip("/") for root in roots if (root / path.strip("/")).is_dir()]


class FifoReader:
    """Reads all the time, as containerd does: the end of a container waits for it."""

    def __init__(self, path):
        self.file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.text = b""
        self.lock = threading.Lock()
        self.is_closed = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.is_closed.wait(0.002):
            self.read()

    def read(self):
        # What was read is in `text` whenever the lock is free.
        with self.lock, contextlib.suppress(BlockingIOError):
            while piece := os.read(self.file, 65536):
                self.text += piece

    def take(self):
        """What came since it was last asked."""
        self.read()
        with self.lock:
            text, self.text = self.text, b""
        return text.decode()

    def close(self):
        if not self.is_closed.is_set():
            self.is_closed.set()
            self.thread.join()
            os.close(self.file)


class MockContainerd(unittest.TestCase):
    """A shim is started as containerd does it, by a mock of which the test is the client."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=SCRATCH))
        self.group = f"/wasirun-test-{os.getpid()}"
        self.events = EventServer(self.folder / "events.sock")
        self.grpc_address = str(self.folder / "containerd.sock")
        self.bundles = []
        self.environment = {}  # of shims, beside what containerd gives them
        self.addCleanup(self.check_clean)

    def check_clean(self):
        """Nothing is left of any container, and no shim."""
        try:
            self.check_that_nothing_is_left()
        finally:
            end_processes(self.processes())

    def check_that_nothing_is_left(self):
        for bundle in self.bundles:
            self.shim("delete", bundle, "-bundle", str(bundle))
            address = bundle / "address"
            if address.exists():
                path = address.read_text().removeprefix("unix://")
                wait_for(lambda path=path: not os.path.exists(path), f"the end of the shim at {path}")
            wait_for(lambda: not self.processes(), "the end of every process of the shim's")
            self.assertEqual(cgroup_directories(f"{self.group}/{bundle.name}"), [])
            mounts = pathlib.Path("/proc/self/mounts").read_text()
            self.assertNotIn(str(bundle), mounts)
        for directory in cgroup_directories(self.group):
            directory.rmdir()
        shutil.rmtree(self.folder)

    def processes(self):
        """Numbers of the processes that this test's shims have become."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and self.events.path.encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
        return [pid for pid in found if is_running(pid)]

    def shim(self, action, bundle, *flags):
        environment = {**os.environ, "TTRPC_ADDRESS": self.events.path, "WASIRUN_CACHE": str(SCRATCH / "cache"),
                       **self.environment}
        return subprocess.run([SHIM, "-namespace", "test", "-address", self.grpc_address, "-publish-binary",
                               "containerd", "-id", bundle.name, *flags, action], cwd=bundle, env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT)

    def bundle(self, name, args, *, env=("PATH=/bin",), files=None, **parts):
        """Makes the bundle of a container; `parts` replace or add to its config.json. Its root has /app.wasm."""
        directory = self.folder / name
        root = directory / "rootfs"
        root.mkdir(parents=True)
        shutil.copy(compile_guest("job"), root / "app.wasm")
        for path, content in (files or {}).items():
            (root / path.strip("/")).parent.mkdir(parents=True, exist_ok=True)
            (root / path.strip("/")).write_bytes(content)
        process = {"args": args, "env": list(env), "cwd": "/", "user": {"uid": 0, "gid": 0}}
        process.update(parts.pop("process", {}))
        linux = {"cgroupsPath": f"{self.group}/{name}", "namespaces": [{"type": "mount"}]}
        linux.update(parts.pop("linux", {}))
        config = {"ociVersion": "1.0.2", "process": process, "root": {"path": "rootfs"}, "linux": linux, **parts}
        (directory / "config.json").write_text(json.dumps(config))
        os.mkfifo(directory / "log")
        for stream in ("stdout", "stderr"):
            os.mkfifo(directory / stream)
        self.bundles.append(directory)
        return directory

    def start_shim(self, bundle):
        """A connection to the bundle's shim."""
        done = self.shim("start", bundle)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        address = done.stdout.decode()
        self.assertTrue(address.startswith("unix:///run/containerd/s/"), address)
        self.assertEqual((bundle / "address").read_text(), address)
        client = Client(address)
        self.addCleanup(client.close)
        return client

    def state(self, client, bundle):
        return client.call("State", of(bundle), task.StateResponse)

    def create_request(self, bundle, /, **fields):
        return task.CreateRequest(**{"id": bundle.name, "bundle": str(bundle), "stdout": str(bundle / "stdout"),
                                     "stderr": str(bundle / "stderr"), **fields})

    def create(self, client, bundle, **fields):
        """The number of the container's process. What it writes is kept for output()."""
        self.readers = getattr(self, "readers", {})
        for reader in self.readers.get(bundle.name, ()):
            reader.close()
        self.readers[bundle.name] = [FifoReader(bundle / name) for name in ("stdout", "stderr")]
        for reader in self.readers[bundle.name]:
            self.addCleanup(reader.close)
        return client.call("Create", self.create_request(bundle, **fields), task.CreateResponse).pid

    def output(self, bundle, stream=1):
        """What has been written to stdout (1) or stderr (2) since it was last asked for."""
        return self.readers[bundle.name][stream - 1].take()

    def delete(self, client, bundle):
        return client.call("Delete", of(bundle), task.DeleteResponse)

    def shut_down(self, client, bundle):
        client.call("Shutdown", task.ShutdownRequest(id=bundle.name))

    def run_container(self, bundle, **fields):
        """From start to delete: (exit code, stdout, stderr)."""
        client = self.start_shim(bundle)
        self.create(client, bundle, **fields)
        client.call("Start", of(bundle), task.StartResponse)
        code = client.call("Wait", of(bundle), task.WaitResponse).exit_status
        outputs = self.output(bundle), self.output(bundle, 2)
        self.assertEqual(self.delete(client, bundle).exit_status, code)
        self.shut_down(client, bundle)
        return (code, *outputs)

    def assert_fails(self, code, text, call):
        with self.assertRaises(RpcFailure) as raised:
            call()
        self.assertEqual(raised.exception.code, code, raised.exception)
        self.assertIn(text, raised.exception.message)


def main():
    try:
        unittest.main(verbosity=2)
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)
