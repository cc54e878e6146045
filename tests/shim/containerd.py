"""A containerd of the test's own, from the distribution's packages: everything of it lies in one folder, its network in
a namespace, its control groups below one of the test's."""

import contextlib
import gzip
import hashlib
import importlib
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tarfile

from harness import (CGROUPS, HERE, SCRATCH, SHIM, TIMEOUT, compile_guest, end_processes, is_running, remove_cgroups, skip,
                     unmount_below, wait_for)

for tool in ("containerd", "ctr", "runc", "ip", "nsenter", "busybox"):
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

NAMESPACE = f"wasirun-test-{os.getpid()}"
BUSYBOX = pathlib.Path(shutil.which("busybox")).read_bytes()


def blob(folder, data):
    digest = hashlib.sha256(data).hexdigest()
    (folder / "blobs/sha256").mkdir(parents=True, exist_ok=True)
    (folder / "blobs/sha256" / digest).write_bytes(data)
    return {"digest": f"sha256:{digest}", "size": len(data)}


def make_image(path, name, files, command, platform=("linux", "amd64"), **config):
    """An archive with one image of one layer; `files`: {path: (content, mode)}."""
    folder = SCRATCH / "image"
    shutil.rmtree(folder, ignore_errors=True)
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        for file, (content, mode) in files.items():
            entry = tarfile.TarInfo(file.strip("/"))
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))
    system, architecture = platform
    image = {"os": system, "architecture": architecture, "config": {"Entrypoint": command, **config},
             "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer.getvalue()).hexdigest()}"]}}
    kinds = "application/vnd.oci.image."
    manifest = {"schemaVersion": 2, "mediaType": kinds + "manifest.v1+json",
                "config": {"mediaType": kinds + "config.v1+json", **blob(folder, json.dumps(image).encode())},
                "layers": [{"mediaType": kinds + "layer.v1.tar+gzip",
                            **blob(folder, gzip.compress(layer.getvalue(), mtime=0))}]}
    index = {"schemaVersion": 2, "manifests": [{
        "mediaType": kinds + "manifest.v1+json", **blob(folder, json.dumps(manifest).encode()),
        "platform": {"os": system, "architecture": architecture},
        "annotations": {"io.containerd.image.name": name}}]}
    write_layout(folder, index, path)


def make_artifact(path, name, module):
    """An archive with one image whose layer is a module."""
    folder = SCRATCH / "artifact"
    shutil.rmtree(folder, ignore_errors=True)
    config = {"architecture": "wasm", "os": "wasip1"}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": {"mediaType": "application/vnd.wasm.config.v0+json", **blob(folder, json.dumps(config).encode())},
                "layers": [{"mediaType": "application/wasm", **blob(folder, module)}]}
    index = {"schemaVersion": 2, "manifests": [{
        "mediaType": manifest["mediaType"], **blob(folder, json.dumps(manifest).encode()),
        "platform": {"os": "wasip1", "architecture": "wasm"}, "annotations": {"io.containerd.image.name": name}}]}
    write_layout(folder, index, path)


def write_layout(folder, index, path):
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    with tarfile.open(path, "w") as archive:
        for entry in sorted(folder.rglob("*")):
            archive.add(entry, entry.relative_to(folder), recursive=False)


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
        runtimes = "\n".join(f"""
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{name}]
              runtime_type = "io.containerd.wasirun.v1"
              pod_annotations = ["wasirun.dev/*"]
              container_annotations = ["wasirun.dev/*"]
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{name}.options]
              ConfigPath = "{self.folder}/shim.toml"
            """ for name in ("wasirun", "spin", "slight"))
        (self.folder / "config.toml").write_text(f"""
            version = 2
            root = "{self.folder}/root"
            state = "{self.folder}/state"
            disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
                                "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
            [grpc]
              address = "{self.address}"
            [plugins."io.containerd.internal.v1.opt"]
              path = "{self.folder}/opt"
            [plugins."io.containerd.grpc.v1.cri"]
              sandbox_image = "localhost/pause:1"
              disable_tcp_service = true
              restrict_oom_score_adj = true
              netns_mounts_under_state_dir = true
              stream_server_port = "0"
            [plugins."io.containerd.grpc.v1.cri".containerd]
              default_runtime_name = "wasirun"
            [plugins."io.containerd.grpc.v1.cri".cni]
              bin_dir = "/usr/lib/cni"
              conf_dir = "{self.folder}/cni"
            {runtimes}
            """)
        (self.folder / "shim.toml").write_text(f'cache_directory = "{self.folder}/cache"\nlog_level = "debug"\n')
        (self.folder / "cni").mkdir()
        (self.folder / "cni/10-test.conflist").write_text(json.dumps({
            "cniVersion": "0.4.0", "name": NAMESPACE,
            "plugins": [{"type": "bridge", "bridge": "wasirun-test0", "isGateway": True, "ipMasq": False,
                         "ipam": {"type": "host-local", "dataDir": str(self.folder / "ipam"),
                                  "ranges": [[{"subnet": "10.213.0.0/16"}]]}}]}))

    def start(self):
        environment = {**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}",
                       "WASIRUN_CACHE": str(self.folder / "cache")}
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(["nsenter", f"--net=/run/netns/{self.network}", "containerd", "--config",
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
        done = subprocess.run(["timeout", "-k", "1", str(timeout), "ctr", "--address", self.address, "-n", namespace,
                               *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout + 10)
        if check and done.returncode != 0:
            raise AssertionError(f"ctr {' '.join(words)}: {done.stderr.decode()}\n{self.log_text()}")
        return done

    def log_text(self):
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    def cri(self, method, request, answer=cri.Empty, timeout=TIMEOUT):
        call = self.channel.unary_unary(f"/runtime.v1.RuntimeService/{method}",
                                        request_serializer=type(request).SerializeToString,
                                        response_deserializer=answer.FromString)
        return call(request, timeout=timeout, wait_for_ready=True)

    def import_image(self, name, files, command, platform=("linux", "amd64"), **config):
        archive = self.folder / "image.tar"
        make_image(archive, f"localhost/{name}:1", files, command, platform, **config)
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
