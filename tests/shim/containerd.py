"""A containerd of the test's own: everything of it lies in one folder, its network in a namespace, its control groups
below one of the test's. It is the distribution's, or the one that the variable CONTAINERD names, with its ctr beside it.
"""

import concurrent.futures
import contextlib
import ctypes
import importlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

from harness import (CGROUPS, HERE, SCRATCH, SHIM, TIMEOUT, compile_guest, end_processes, is_running, remove_cgroups, skip,
                     unmount_below, wait_for)
from oci_images import image_of_files

PROGRAM = os.environ.get("CONTAINERD") or shutil.which("containerd")
if PROGRAM is None:
    skip("containerd is not installed")
CTR = os.path.join(os.path.dirname(PROGRAM), "ctr")
for tool in (CTR, "runc", "ip", "nsenter", "busybox"):
    if shutil.which(tool) is None:
        skip(f"{tool} is not installed")
if not pathlib.Path("/usr/lib/cni/bridge").exists():
    skip("containernetworking-plugins is not installed")
try:
    import grpc
except ImportError:
    skip("python3-grpcio is not installed")

subprocess.run(["protoc", f"--proto_path={HERE}", f"--python_out={SCRATCH / 'messages'}", str(HERE / "cri.proto")],
               check=True, timeout=TIMEOUT)
cri = importlib.import_module("cri_pb2")


def version_of(program):
    """(major, minor, patch)"""
    text = subprocess.run([program, "--version"], check=True, capture_output=True, timeout=TIMEOUT).stdout.decode()
    return tuple(map(int, re.search(r"\sv?(\d+)\.(\d+)\.(\d+)", text).groups()))


VERSION = version_of(PROGRAM)
# Earlier ones do not take images whose layers are modules.
UNPACKS_MODULES = VERSION >= (1, 7, 7) or (1, 6, 25) <= VERSION < (1, 7)
NAMESPACE = f"wasirun-test-{os.getpid()}"
NODE_ADDRESS = "10.213.0.1"  # for pods
BUSYBOX = pathlib.Path(shutil.which("busybox")).read_bytes()


class Containerd:
    def __init__(self):
        self.folder = SCRATCH / "containerd"
        self.folder.mkdir()
        self.address = str(self.folder / "containerd.sock")
        self.network = NAMESPACE
        self.sockets_before = self.sockets()
        self.write_configuration()
        shutil.copy(SHIM, self.folder / "containerd-shim-wasirun-v1")
        subprocess.run(["ip", "netns", "add", self.network], check=True, timeout=TIMEOUT)
        subprocess.run(["ip", "-n", self.network, "link", "set", "lo", "up"], check=True, timeout=TIMEOUT)
        try:
            self.start()
            self.import_images()
        except BaseException:
            print(self.log_text(), file=sys.stderr)
            self.close()
            raise

    def write_configuration(self):
        (self.folder / "config.toml").write_text(self.configuration())
        (self.folder / "shim.toml").write_text(f'cache_directory = "{self.folder}/cache"\nlog_level = "debug"\n')
        (self.folder / "cni").mkdir()
        (self.folder / "cni/10-test.conflist").write_text(json.dumps({
            "cniVersion": "0.4.0", "name": NAMESPACE,
            "plugins": [{"type": "bridge", "bridge": "wasirun-test0", "isGateway": True, "ipMasq": False,
                         "ipam": {"type": "host-local", "dataDir": str(self.folder / "ipam"),
                                  "ranges": [[{"subnet": "10.213.0.0/16"}]]}}]}))

    def configuration(self):
        if VERSION < (2,):
            format_version, runtime = 2, '"io.containerd.grpc.v1.cri"'
            plugins = f"""
            [plugins."io.containerd.grpc.v1.cri"]
              sandbox_image = "localhost/pause:1"
              disable_tcp_service = true
              restrict_oom_score_adj = true
              netns_mounts_under_state_dir = true
              stream_server_port = "0"
            [plugins."io.containerd.grpc.v1.cri".cni]
              bin_dir = "/usr/lib/cni"
              conf_dir = "{self.folder}/cni"
            """
        else:
            format_version, runtime = 3, '"io.containerd.cri.v1.runtime"'
            cni_programs = 'bin_dirs = ["/usr/lib/cni"]' if VERSION >= (2, 1) else 'bin_dir = "/usr/lib/cni"'
            plugins = f"""
            [plugins."io.containerd.grpc.v1.cri"]
              disable_tcp_service = true
              stream_server_port = "0"
            [plugins."io.containerd.cri.v1.images".registry]
              config_path = "{self.folder}/registries"
            [plugins."io.containerd.cri.v1.images".pinned_images]
              sandbox = "localhost/pause:1"
            [plugins."io.containerd.cri.v1.runtime"]
              restrict_oom_score_adj = true
              netns_mounts_under_state_dir = true
            [plugins."io.containerd.cri.v1.runtime".cni]
              {cni_programs}
              conf_dir = "{self.folder}/cni"
            [plugins."io.containerd.nri.v1.nri"]
              disable = true
            """
        runtimes = "".join(f"""
            [plugins.{runtime}.containerd.runtimes.{name}]
              runtime_type = "io.containerd.wasirun.v1"
              pod_annotations = ["wasirun.dev/*"]
              container_annotations = ["wasirun.dev/*"]
            [plugins.{runtime}.containerd.runtimes.{name}.options]
              ConfigPath = "{self.folder}/shim.toml"
            """ for name in ("wasirun", "spin", "slight"))
        return f"""
            version = {format_version}
            root = "{self.folder}/root"
            state = "{self.folder}/state"
            disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
                                "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
            [grpc]
              address = "{self.address}"
            [plugins."io.containerd.internal.v1.opt"]
              path = "{self.folder}/opt"
            {plugins}
            [plugins.{runtime}.containerd]
              default_runtime_name = "wasirun"
            {runtimes}
            """

    def start(self):
        environment = {**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}",
                       "WASIRUN_CACHE": str(self.folder / "cache")}
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(["nsenter", f"--net=/run/netns/{self.network}", PROGRAM, "--config",
                                         str(self.folder / "config.toml")], stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, env=environment, start_new_session=True)
        wait_for(lambda: self.ctr("version", check=False).returncode == 0, "containerd to start")
        # With connections of its own: those that failed while containerd was away are tried again only after a while.
        self.channel = grpc.insecure_channel(f"unix://{self.address}",
                                             options=[("grpc.use_local_subchannel_pool", 1)])
        wait_for(self.is_ready, "containerd's CRI plugin to start", timeout=10)

    def is_ready(self):
        with contextlib.suppress(grpc.RpcError):
            return self.cri("Version", cri.VersionRequest(), cri.VersionResponse).runtime_name == "containerd"

    def stop(self):
        self.channel.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(TIMEOUT)
        self.log.close()

    def ctr(self, *words, timeout=TIMEOUT, check=True, namespace=NAMESPACE):
        done = subprocess.run(["timeout", "-k", "1", str(timeout), CTR, "--address", self.address, "-n", namespace, *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout + 10)
        if check and done.returncode != 0:
            raise AssertionError(f"ctr {' '.join(words)}: {done.stderr.decode()}\n{self.log_text()}")
        return done

    def log_text(self):
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    def in_network(self, make):
        """What make() gives, called in the network of containerd: a socket that it makes is one of that."""
        def make_there():
            with open(f"/run/netns/{self.network}") as network:
                libc = ctypes.CDLL(None, use_errno=True)
                if libc.setns(network.fileno(), 0) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            return make()

        with concurrent.futures.ThreadPoolExecutor(1) as thread:  # which alone goes there
            return thread.submit(make_there).result()

    def cri(self, method, request, answer=cri.Empty, timeout=TIMEOUT, service="RuntimeService"):
        call = self.channel.unary_unary(f"/runtime.v1.{service}/{method}",
                                        request_serializer=type(request).SerializeToString,
                                        response_deserializer=answer.FromString)
        return call(request, timeout=timeout, wait_for_ready=True)

    def use_plain_http(self, registry):
        """Which containerd 1.x does for registries on this machine by itself."""
        folder = self.folder / "registries" / registry
        folder.mkdir(parents=True)
        (folder / "hosts.toml").write_text(f'[host."http://{registry}"]\n')

    def import_image(self, name, files, command, platform=("linux", "amd64"), **config):
        archive = self.folder / "image.tar"
        image_of_files(files, command, platform, **config).write(archive, f"localhost/{name}:1")
        for namespace in (NAMESPACE, "k8s.io"):
            self.ctr("image", "import", "--platform", "/".join(platform), str(archive), namespace=namespace)

    def import_images(self):
        module = compile_guest("job").read_bytes()
        self.import_image("hello", {"/app.wasm": (module, 0o644)}, ["/app.wasm"], Env=["FROM_IMAGE=yes"])
        self.import_image("wasip1", {"/app.wasm": (module, 0o644)}, ["/app.wasm"], platform=("wasip1", "wasm"))
        busybox = {"/bin/busybox": (BUSYBOX, 0o755)}
        self.import_image("busybox", busybox, ["/bin/busybox"])
        self.import_image("empty", {}, ["/app.wasm"])
        self.import_image("pause", busybox, ["/bin/busybox", "sleep", "1000000"])

    def run(self, name, *words, image="hello", flags=(), timeout=TIMEOUT):
        """ctr run of one container: (exit code, stdout, stderr)."""
        platform = ("--platform", "wasip1/wasm") if image == "wasip1" else ()
        done = self.ctr("run", "--rm", "--runtime", "io.containerd.wasirun.v1", *platform, *flags,
                        f"localhost/{image}:1", name, *words, check=False, timeout=timeout)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    @staticmethod
    def sockets():
        return set(pathlib.Path("/run/containerd/s").glob("wasirun-*"))

    def processes(self, name="containerd-shim-wasirun-v1"):
        """Those that are, or began as, shims of this containerd."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
                if words and words[0].decode().endswith(name) and self.address.encode() in words:
                    found.append(int(entry.name))
        return [pid for pid in found if is_running(pid)]

    def leftovers(self):
        """What should not be there any more when no container is. Groups of pods are the kubelet's to remove: ours."""
        for group in CGROUPS.glob(f"*/{NAMESPACE}-pods/*"):
            with contextlib.suppress(OSError):
                group.rmdir()
        mounts = [line for line in pathlib.Path("/proc/self/mounts").read_text().splitlines() if str(self.folder) in line]
        groups = []
        for parent in (NAMESPACE, f"{NAMESPACE}-pods"):
            groups += [str(path) for path in CGROUPS.glob(f"*/{parent}/*") if path.is_dir()]
            groups += [str(path) for path in CGROUPS.glob(f"{parent}/*") if path.is_dir()]
        bundles = [str(path) for path in (self.folder / "state/io.containerd.runtime.v2.task").glob("*/*")]
        processes = [f"process {pid}" for pid in self.processes()]
        return mounts + groups + bundles + processes

    def check_clean(self):
        found = []

        def is_clean():
            found[:] = self.leftovers()
            return not found

        try:
            wait_for(is_clean, "nothing to be left", timeout=20)
        except AssertionError as late:
            raise AssertionError(f"{late}: {found}") from late

    def close(self):
        self.stop()
        end_processes(self.processes())
        unmount_below(self.folder)
        subprocess.run(["ip", "netns", "del", self.network], timeout=TIMEOUT)
        for group in (NAMESPACE, f"{NAMESPACE}-pods"):
            remove_cgroups(group)


def main(containerd_tests):
    """Runs the tests with one containerd, given to them as `containerd`."""
    import unittest  # noqa: PLC0415

    containerd = None
    try:
        containerd = Containerd()
        for case in containerd_tests:
            case.containerd = containerd
        unittest.main(module="__main__", verbosity=2)
    finally:
        if containerd is not None:
            containerd.close()
        shutil.rmtree(SCRATCH, ignore_errors=True)
        sys.stdout.flush()
