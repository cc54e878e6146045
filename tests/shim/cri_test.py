"""Pods as the kubelet asks for them, of a real containerd with a pod network."""

import concurrent.futures
import contextlib
import itertools
import os
import pathlib
import signal
import socket
import subprocess
import time
import unittest

import grpc

import containerd
import harness
from containerd import cri
from harness import SCRATCH, is_running, wait_for
from http_guests import (SLIGHT_MANIFEST, SPIN_MANIFEST, asking_guest, asking_manifest, server_guest, slight_guest,
                         spin_guest, wagi_guest)
from oci_images import Registry, image_of_files, image_of_module
from servers import NameServer, Upstream

CREATED, RUNNING, EXITED = 0, 1, 2
HOST_NETWORK = 2
GROUP = f"/{containerd.NAMESPACE}-pods"

class Pod:
    """A sandbox and its containers."""

    numbers = itertools.count(1)  # several are made at once

    def __init__(self, daemon, handler="wasirun", network=0, pid=1, annotations=None, dns=None):
        self.name = name = f"pod{next(self.numbers)}"
        self.daemon = daemon
        self.logs = SCRATCH / name
        self.logs.mkdir()
        self.config = cri.PodSandboxConfig(
            metadata=cri.PodSandboxMetadata(name=name, uid=f"uid-{name}", namespace="test"), hostname=name,
            log_directory=str(self.logs), dns_config=dns, annotations=annotations or {},
            linux=cri.LinuxPodSandboxConfig(
                cgroup_parent=f"{GROUP}/{name}", security_context=cri.LinuxSandboxSecurityContext(
                    namespace_options=cri.NamespaceOption(network=network, pid=pid))))
        self.id = daemon.cri("RunPodSandbox", cri.RunPodSandboxRequest(config=self.config, runtime_handler=handler),
                             cri.Pod).pod_sandbox_id

    def status(self):
        # The request has the sandbox's id as its first field, as this message has.
        return self.daemon.cri("PodSandboxStatus", cri.Pod(pod_sandbox_id=self.id), cri.PodSandboxStatusResponse).status

    def create(self, name, image, command, args=(), memory=0, **parts):
        """`image`: the name of one that was imported, or all of its name."""
        image = image if "/" in image else f"localhost/{image}:1"
        resources = cri.LinuxContainerResources(memory_limit_in_bytes=memory, cpu_shares=10, cpu_quota=50000,
                                                cpu_period=100000)
        config = cri.ContainerConfig(metadata=cri.ContainerMetadata(name=name), log_path=f"{name}.log",
                                     image=cri.ImageSpec(image=image), command=command, args=args,
                                     linux=cri.LinuxContainerConfig(resources=resources), **parts)
        return self.daemon.cri("CreateContainer", cri.CreateContainerRequest(
            pod_sandbox_id=self.id, config=config, sandbox_config=self.config), cri.Container).container_id

    def start(self, name, image, command, args=(), memory=0, **parts):
        container = self.create(name, image, command, args, memory, **parts)
        self.daemon.cri("StartContainer", cri.Container(container_id=container))
        return container

    def container_status(self, container):
        return self.daemon.cri("ContainerStatus", cri.Container(container_id=container),
                               cri.ContainerStatusResponse).status

    def wait(self, container):
        return wait_for(lambda: (status := self.container_status(container)).state == EXITED and status,
                        f"the end of a container; {self.all_logs()}")

    def log(self, name):
        path = self.logs / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def all_logs(self):
        return {path.name: path.read_text()[-500:] for path in self.logs.iterdir()}

    def remove(self):
        self.daemon.cri("StopPodSandbox", cri.Pod(pod_sandbox_id=self.id))

        def is_removed():
            """Tried again, as by the kubelet, where containerd 2.x is yet to notice that the shim has gone."""
            try:
                self.daemon.cri("RemovePodSandbox", cri.Pod(pod_sandbox_id=self.id))
            except grpc.RpcError as error:
                if "ttrpc: closed" not in error.details():
                    raise
                return False
            return True

        wait_for(is_removed, f"the end of {self.name}")


class Cri(unittest.TestCase):
    containerd = None

    @classmethod
    def setUpClass(cls):
        module = harness.compile_guest("job").read_bytes()
        daemon = cls.containerd
        daemon.import_image("wagi", {"/app.wasm": (wagi_guest(), 0o644)}, ["/app.wasm"])
        daemon.import_image("spin", {"/app.wasm": (spin_guest(), 0o644),
                                     "/spin.toml": (SPIN_MANIFEST, 0o644)}, ["/"])
        daemon.import_image("slight", {"/app.wasm": (slight_guest(), 0o644),
                                       "/slightfile.toml": (SLIGHT_MANIFEST, 0o644)}, ["/"])
        daemon.import_image("server", {"/app.wasm": (server_guest(), 0o644)}, ["/app.wasm"])
        daemon.import_image("plain", {"/job.wasm": (module, 0o644)}, ["/job.wasm"])

    def setUp(self):
        self.pods = []

    def tearDown(self):
        with contextlib.ExitStack() as stack:
            stack.callback(self.containerd.check_clean)
            for pod in self.pods:
                stack.callback(pod.remove)

    def pod(self, **options):
        pod = Pod(self.containerd, **options)
        self.pods.append(pod)
        return pod

    def ask(self, pod, path="/hello", port=80):
        """What the pod answers to a request from its node."""
        return self.curl(f"http://{pod.status().network.ip}:{port}{path}")

    def curl(self, address, *options):
        done = subprocess.run(["nsenter", f"--net=/run/netns/{self.containerd.network}", "curl", "-s", "-m", "10",
                               "--noproxy", "*", *options, address], capture_output=True, timeout=harness.TIMEOUT)
        return done.stdout.decode()

    def wait_for_answer(self, pod, text, **where):
        wait_for(lambda: text in self.ask(pod, **where), f"the pod to answer {text!r}; {pod.all_logs()}", timeout=20)

    def stats(self, container):
        return self.containerd.cri("ContainerStats", cri.Container(container_id=container),
                                   cri.ContainerStatsResponse).stats

    def pid_of(self, container):
        for line in self.containerd.ctr("task", "ls", namespace="k8s.io").stdout.decode().splitlines():
            if line.startswith(container):
                return int(line.split()[1])
        return None

    def test_pod_with_three_containers(self):
        pod = self.pod()
        self.assertEqual(pod.status().state, 0)
        server = pod.start("server", "wagi", [], annotations={"wasirun.dev/http": "8080"}, memory=128 << 20)
        job = pod.start("job", "hello", ["/app.wasm"], ["show", "from the pod"],
                        envs=[cri.KeyValue(key="GIVEN", value="yes")])
        native = pod.start("native", "busybox", ["/bin/busybox", "sh", "-c", "echo native; exec /bin/busybox sleep 1000"])
        self.wait_for_answer(pod, "hello", path="/", port=8080)
        ended = pod.wait(job)
        self.assertEqual((ended.exit_code, ended.reason), (0, "Completed"))
        self.assertIn("stdout F arg 2 from the pod\n", pod.log("job"))
        self.assertIn("stdout F env GIVEN=yes\n", pod.log("job"))
        wait_for(lambda: "stdout F native" in pod.log("native"), "the native container's log")
        for container in (server, native):
            stats = self.stats(container)
            self.assertGreater(stats.cpu.usage_core_nano_seconds.value, 0)
            self.assertGreater(stats.memory.working_set_bytes.value, 0)
        with self.assertRaises(grpc.RpcError) as refused:
            self.containerd.cri("ExecSync", cri.ExecSyncRequest(container_id=server, cmd=["ls"], timeout=5))
        self.assertIn("exec is not supported", refused.exception.details())

        # All are in the pod's network, and each in its control group.
        network = os.readlink(f"/proc/{self.pid_of(server)}/ns/net")
        self.assertEqual(os.readlink(f"/proc/{self.pid_of(native)}/ns/net"), network)
        self.assertNotEqual(os.readlink("/proc/self/ns/net"), network)
        for container in (server, native):
            groups = pathlib.Path(f"/proc/{self.pid_of(container)}/cgroup").read_text()
            self.assertIn(f"{GROUP}/{pod.name}/{container}\n", groups)

        self.containerd.cri("UpdateContainerResources", cri.UpdateContainerResourcesRequest(
            container_id=server, linux=cri.LinuxContainerResources(memory_limit_in_bytes=64 << 20)))
        limits = [(directory / name).read_text().strip()
                  for directory in harness.cgroup_directories(f"{GROUP}/{pod.name}/{server}")
                  for name in ("memory.limit_in_bytes", "memory.max") if (directory / name).exists()]
        self.assertEqual(limits, [str(64 << 20)])

        for container, code in ((server, 0), (native, 143)):
            self.containerd.cri("StopContainer", cri.StopContainerRequest(container_id=container, timeout=20))
            self.assertEqual(pod.wait(container).exit_code, code)
        for container in (server, job, native):
            self.containerd.cri("RemoveContainer", cri.Container(container_id=container))

    def test_samples(self):
        """The pods of the AKS preview: command "/", its handlers, requests and limits."""
        for handler in ("spin", "slight"):
            pod = self.pod(handler=handler)
            container = pod.start("testwasm", handler, ["/"], memory=128 << 20)
            self.wait_for_answer(pod, f"hello by {handler}")
            self.assertEqual(pod.container_status(container).state, RUNNING)
            self.assertLess(self.stats(container).memory.working_set_bytes.value, 10 << 20)
            self.containerd.cri("StopContainer", cri.StopContainerRequest(container_id=container, timeout=10))
            self.assertEqual(pod.wait(container).exit_code, 0)

    def test_requests_of_guests(self):
        """A guest asks a server on its node from the network of its pod, by address and by a name that the pod's name server
        knows, and no server that its manifest does not have."""
        def upstream():
            made = Upstream(self.containerd.in_network(lambda: socket.create_server(("0.0.0.0", 0))))
            self.addCleanup(made.close)
            return made

        def bound():
            listener = socket.socket(type=socket.SOCK_DGRAM)
            listener.bind(("0.0.0.0", 53))
            return listener

        node, allowed, other = containerd.NODE_ADDRESS, upstream(), upstream()
        names = NameServer(self.containerd.in_network(bound), {"backend.shop.svc.test": node})
        manifest = asking_manifest(f"{node}:{allowed.port}", f"backend:{allowed.port}", f"nobody:{allowed.port}")
        self.containerd.import_image("asking", {"/app.wasm": (asking_guest(), 0o644), "/spin.toml": (manifest, 0o644)}, ["/"])
        pod = self.pod(handler="spin", dns=cri.DNSConfig(servers=[node], searches=["shop.svc.test"], options=["ndots:5"]))
        container = pod.start("asking", "asking", ["/"], memory=128 << 20)
        self.wait_for_answer(pod, "Hello from Spin", path="/hello/x")

        def fetch(url):
            """(status, body) of what the guest got from there."""
            answer = self.curl(f"http://{pod.status().network.ip}/hello/fetch", "-d", url, "-w", "\n%{http_code}")
            body, _, status = answer.rpartition("\n")
            return int(status), body

        self.assertEqual(fetch(f"http://{node}:{allowed.port}/x"), (203, f"from {node}/x"))
        self.assertEqual(fetch(f"http://backend:{allowed.port}/y"), (203, "from backend/y"))
        self.assertEqual([address for address, _ in allowed.requests], 2 * [pod.status().network.ip])
        self.assertEqual(names.asked.pop(), "backend.shop.svc.test")
        self.assertEqual(fetch(f"http://{node}:{other.port}/"), (502, "error 1"))
        self.assertEqual(fetch(f"http://nobody:{allowed.port}/"), (502, "error 4"))
        for text in (f"allowed_http_hosts does not have the host of http://{node}:{other.port}/",
                     f"http://nobody:{allowed.port}/: "):
            wait_for(lambda t=text: t in pod.log("asking"), f"{text!r} in {pod.all_logs()}", timeout=10)
        self.assertEqual(other.requests, [])
        self.containerd.cri("StopContainer", cri.StopContainerRequest(container_id=container, timeout=10))
        self.assertEqual(pod.wait(container).exit_code, 0)

    def test_server_of_its_own(self):
        """A guest that accepts connections itself, on the socket that it is handed, in the pod's network."""
        pod = self.pod()
        container = pod.start("server", "server", [], annotations={"wasirun.dev/http": "80"}, memory=128 << 20)
        self.wait_for_answer(pod, "hello from C")
        self.containerd.cri("StopContainer", cri.StopContainerRequest(container_id=container, timeout=10))
        self.assertEqual(pod.wait(container).state, EXITED)

    def test_images_from_a_registry(self):
        """Of files; and modules themselves, by versions of containerd that take them."""
        module = harness.compile_guest("job").read_bytes()
        images = {"files": image_of_files({"/app.wasm": (module, 0o644)}, ["/app.wasm"])}
        if containerd.UNPACKS_MODULES:
            images["module"] = image_of_module(module)
        registry = Registry(self.containerd.in_network(lambda: socket.create_server(("127.0.0.1", 0))), images)
        self.addCleanup(registry.close)
        self.containerd.use_plain_http(registry.address)
        pod = self.pod(network=HOST_NETWORK)
        for name in images:
            image = f"{registry.address}/{name}:1"
            self.containerd.cri("PullImage", cri.PullImageRequest(image=cri.ImageSpec(image=image)), cri.PullImageResponse,
                                service="ImageService")
            ended = pod.wait(pod.start(name, image, ["/app.wasm"], ["exit", "3"]))
            self.assertEqual(ended.exit_code, 3, pod.log(name))

    def test_options_of_the_runtime(self):
        """They come from the file that containerd's configuration names: this one says where code is kept."""
        pod = self.pod(network=HOST_NETWORK)
        container = pod.start("sleeper", "hello", ["/app.wasm"], ["sleep"])
        maps = pathlib.Path(f"/proc/{self.pid_of(container)}/maps").read_text()
        self.assertRegex(maps, rf"r-xp .*{self.containerd.folder}/cache/")

    def test_out_of_memory(self):
        pod = self.pod(network=HOST_NETWORK)
        ended = pod.wait(pod.start("greedy", "hello", ["/app.wasm"], ["allocate"], memory=24 << 20))
        self.assertEqual((ended.exit_code, ended.reason), (137, "OOMKilled"))

    def test_ends(self):
        pod = self.pod(network=HOST_NETWORK)
        for name, args, code, reason in (("seven", ["exit", "7"], 7, "Error"), ("trap", ["trap"], 134, "Error"),
                                         ("none", ["exit", "0"], 0, "Completed")):
            ended = pod.wait(pod.start(name, "hello", ["/app.wasm"], args))
            self.assertEqual((ended.exit_code, ended.reason), (code, reason))
        self.assertIn("unreachable", pod.log("trap"))

    def test_what_cannot_start(self):
        pod = self.pod(network=HOST_NETWORK)
        container = pod.create("absent", "hello", ["/no.wasm"])
        with self.assertRaises(grpc.RpcError) as refused:
            self.containerd.cri("StartContainer", cri.Container(container_id=container))
        self.assertIn("/no.wasm: there is no such file in the container", refused.exception.details())

    def test_stop_within_grace(self):
        pod = self.pod(network=HOST_NETWORK)
        for what in ("sleep", "loop"):
            container = pod.start(what, "hello", ["/app.wasm"], [what])
            begun = time.monotonic()
            self.containerd.cri("StopContainer", cri.StopContainerRequest(container_id=container, timeout=20))
            self.assertLess(time.monotonic() - begun, 10)
            self.assertEqual(pod.wait(container).exit_code, 143)

    def test_user_and_volumes(self):
        data = SCRATCH / "volume"
        data.mkdir()
        data.chmod(0o777)
        pod = self.pod(network=HOST_NETWORK)
        ended = pod.wait(pod.start(
            "files", "hello", ["/app.wasm"], ["files", "write", "/data/x", "write", "/ro/x", "write", "/root"],
            mounts=[cri.Mount(container_path="/data", host_path=str(data)),
                    cri.Mount(container_path="/ro", host_path=str(data), readonly=True)]))
        self.assertEqual(ended.exit_code, 0)
        self.assertIn("F write /data/x: done\n", pod.log("files"))
        self.assertIn("F write /ro/x: Read-only file system\n", pod.log("files"))
        pod.wait(pod.start(
            "other", "hello", ["/app.wasm"], ["files", "write", "/data/y", "write", "/z"],
            mounts=[cri.Mount(container_path="/data", host_path=str(data))]))
        self.assertTrue((data / "y").exists())

    def test_shared_process_namespace(self):
        pod = self.pod(network=HOST_NETWORK, pid=0)
        container = pod.start("shared", "hello", ["/app.wasm"], ["sleep"])
        pause = os.readlink(f"/proc/{self.pid_of(pod.id)}/ns/pid")
        self.assertNotEqual(pause, os.readlink("/proc/self/ns/pid"))
        self.containerd.cri("StopContainer", cri.StopContainerRequest(container_id=container, timeout=20))
        self.assertEqual(pod.wait(container).exit_code, 143)

    def test_shim_killed(self):
        pod = self.pod()
        container = pod.start("server", "wagi", [], annotations={"wasirun.dev/http": "8080"})
        self.wait_for_answer(pod, "hello", path="/", port=8080)
        pid = self.pid_of(container)
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        shim = int(next(line.split()[1] for line in status.splitlines() if line.startswith("PPid:")))
        os.kill(shim, signal.SIGKILL)
        wait_for(lambda: not is_running(pid), "the container to end with its shim")
        self.assertNotEqual(pod.wait(container).exit_code, 0)
        wait_for(lambda: pod.status().state == 1, "the sandbox not to be ready any more")

    def test_restart(self):
        pod = self.pod()
        container = pod.start("server", "wagi", [], annotations={"wasirun.dev/http": "8080"})
        self.wait_for_answer(pod, "hello", path="/", port=8080)
        pid = self.pid_of(container)
        self.containerd.stop()
        self.assertTrue(is_running(pid))
        self.containerd.start()
        self.assertEqual(pod.container_status(container).state, RUNNING)
        self.wait_for_answer(pod, "hello", path="/", port=8080)
        self.assertGreater(self.stats(container).cpu.usage_core_nano_seconds.value, 0)
        self.containerd.cri("StopContainer", cri.StopContainerRequest(container_id=container, timeout=5))
        self.assertEqual(pod.wait(container).exit_code, 0)

    def test_many_pods(self):
        """A hundred at once, of which each answers."""
        def make(_):
            pod = Pod(self.containerd)
            pod.start("server", "wagi", [], annotations={"wasirun.dev/http": "8080"})
            return pod

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.pods = list(pool.map(make, range(100)))
        for pod in self.pods:
            self.wait_for_answer(pod, "hello", path="/", port=8080)
        pods, self.pods = self.pods, []
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(Pod.remove, pods))

    def test_hostile_containers(self):
        """Beside them the pod's server, and others, keep answering."""
        pod = self.pod()
        pod.start("server", "wagi", [], annotations={"wasirun.dev/http": "8080"})
        for what in ("loop", "open", "flood"):
            pod.start(what, "hello", ["/app.wasm"], [what], memory=64 << 20)
        greedy = pod.start("allocate", "hello", ["/app.wasm"], ["allocate"], memory=64 << 20)
        self.wait_for_answer(pod, "hello", path="/", port=8080)
        self.assertEqual(pod.wait(greedy).reason, "OOMKilled")
        other = self.pod()
        other.start("server", "wagi", [], annotations={"wasirun.dev/http": "8080"})
        self.wait_for_answer(other, "hello", path="/", port=8080)
        self.wait_for_answer(pod, "hello", path="/", port=8080)


if __name__ == "__main__":
    containerd.main([Cri])
