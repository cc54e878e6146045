"""What is there to deploy: the manifests are what Kubernetes and the AKS preview have, and the installer does its work."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import tomllib
import unittest

from servers import Quiet, make_certificate, serve

SKIPPED = 77
try:
    import yaml
except ImportError:
    print("SKIPPED: python3-yaml is not installed", file=sys.stderr)
    sys.exit(SKIPPED)
try:
    import kubernetes
except ImportError:
    kubernetes = None

if len(sys.argv) < 2:
    sys.exit(f"usage: {sys.argv[0]} SHIM [unittest arguments]")
SHIM = pathlib.Path(os.path.abspath(sys.argv.pop(1)))
DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "tools/shim/deploy"
CLASSES = {"wasirun": "wasirun", "wasmtime-spin-v1": "spin", "wasmtime-slight-v1": "slight"}
SECTIONS = {"containerd-1.toml": "io.containerd.grpc.v1.cri", "containerd-2.toml": "io.containerd.cri.v1.runtime"}


def documents(name):
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


class Deploy(unittest.TestCase):
    def test_every_manifest_is_one(self):
        files = sorted(DEPLOY.glob("*.yaml"))
        self.assertGreaterEqual(len(files), 5)
        for file in files:
            for document in documents(file.name):
                self.assertTrue({"apiVersion", "kind", "metadata"} <= document.keys(), file.name)
                self.assertIn("name", document["metadata"])

    def test_classes(self):
        found = {}
        for document in documents("runtime-classes.yaml"):
            name = document["metadata"]["name"]
            self.assertEqual((document["kind"], document["apiVersion"]), ("RuntimeClass", "node.k8s.io/v1"))
            self.assertEqual(document["scheduling"]["nodeSelector"], {name: "true"})
            found[name] = document["handler"]
        self.assertEqual(found, CLASSES)

    def test_samples(self):
        for kind in ("spin", "slight"):
            deployment, service = documents(f"sample-{kind}.yaml")
            self.assertEqual(deployment["metadata"]["name"], f"wasm-{kind}")
            template = deployment["spec"]["template"]
            self.assertEqual(template["spec"]["runtimeClassName"], f"wasmtime-{kind}-v1")
            (container,) = template["spec"]["containers"]
            self.assertEqual(container["command"], ["/"])
            self.assertEqual(container["resources"], {"requests": {"cpu": "10m", "memory": "10Mi"},
                                                      "limits": {"cpu": "500m", "memory": "128Mi"}})
            self.assertEqual(service["spec"]["type"], "LoadBalancer")
            self.assertEqual(service["spec"]["ports"][0]["port"], 80)

    def test_services_find_their_pods(self):
        for file in DEPLOY.glob("sample-*.yaml"):
            deployment, service = documents(file.name)
            labels = deployment["spec"]["template"]["metadata"]["labels"]
            self.assertEqual(deployment["spec"]["selector"]["matchLabels"], labels)
            self.assertEqual(service["spec"]["selector"], labels)
            self.assertIn(deployment["spec"]["template"]["spec"]["runtimeClassName"], CLASSES)

    def test_configurations(self):
        for file, section in SECTIONS.items():
            config = tomllib.loads((DEPLOY / file).read_text())
            self.assertEqual(list(config["plugins"]), [section])
            runtimes = config["plugins"][section]["containerd"]["runtimes"]
            self.assertEqual(set(runtimes), set(CLASSES.values()))
            for runtime in runtimes.values():
                self.assertEqual(runtime, {"runtime_type": "io.containerd.wasirun.v1",
                                           "pod_annotations": ["wasirun.dev/*"],
                                           "container_annotations": ["wasirun.dev/*"],
                                           "options": {"ConfigPath": "/etc/wasirun/shim.toml"}})

    def test_options(self):
        """All are there, as comments, and are TOML when they are not; docs/kubernetes.md has the same."""
        text = (DEPLOY / "shim.toml").read_text()
        self.assertEqual(tomllib.loads(text), {})
        options = tomllib.loads("\n".join(line[1:] for line in text.splitlines() if line.startswith("#") and line[1:2] != " "))
        self.assertEqual(list(options), ["cache_directory", "cache_limit", "tier", "log_level", "runc", "systemd_cgroup"])
        documented = (DEPLOY.parents[2] / "docs/kubernetes.md").read_text()
        for name in options:
            self.assertIn(f"| `{name}`", documented)

    def test_labels(self):
        text = (DEPLOY / "label-node").read_text()
        for name in CLASSES:
            self.assertIn(f'"{name}":"true"', text)


class Schema(unittest.TestCase):
    """The manifests against the types of Kubernetes's API, as its own client has them."""

    PLAIN = {"str": str, "int": int, "bool": bool, "float": (int, float), "object": object}

    def check(self, value, kind, place):
        if container := re.fullmatch(r"list\[(.*)\]", kind):
            self.assertIsInstance(value, list, place)
            for i, element in enumerate(value):
                self.check(element, container[1], f"{place}[{i}]")
        elif container := re.fullmatch(r"dict\(str, (.*)\)", kind):
            self.assertIsInstance(value, dict, place)
            for name, element in value.items():
                self.check(name, "str", place)
                self.check(element, container[1], f"{place}.{name}")
        elif kind in self.PLAIN:
            self.assertIsInstance(value, self.PLAIN[kind], place)
        else:
            model = getattr(kubernetes.client, kind)
            attributes = {name: attribute for attribute, name in model.attribute_map.items()}
            self.assertLessEqual(value.keys(), attributes.keys(), place)
            for name, part in value.items():
                self.check(part, model.openapi_types[attributes[name]], f"{place}.{name}")
            # Complains about what is missing.
            model(**{attributes[name]: part for name, part in value.items()})

    def test_manifests(self):
        if kubernetes is None:
            self.skipTest("python3-kubernetes is not installed")
        for file in sorted(DEPLOY.glob("*.yaml")):
            for document in documents(file.name):
                version = document["apiVersion"].rpartition("/")[2]
                self.check(document, version.capitalize() + document["kind"], f"{file.name}: {document['kind']}")

    def test_mistakes_are_found(self):
        if kubernetes is None:
            self.skipTest("python3-kubernetes is not installed")
        for mistake in (lambda spec: spec.pop("selector"), lambda spec: spec.update(replica=1),
                        lambda spec: spec["template"]["metadata"].update(labels={"app": 1})):
            document = documents("sample-http.yaml")[0]
            self.check(document, "V1Deployment", "")
            mistake(document["spec"])
            with self.assertRaises((AssertionError, ValueError)):
                self.check(document, "V1Deployment", "")


class Node(unittest.TestCase):
    """A node's root directory, and a folder with what the installer's image has."""

    RESTART = "-t 1 -m -u -i -n -p -- systemctl restart containerd"

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="wasirun-install-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.root = self.folder / "root"
        self.config = self.root / "etc/containerd/config.toml"
        self.config.parent.mkdir(parents=True)
        self.program = self.root / "usr/local/bin/containerd-shim-wasirun-v1"
        self.options = self.root / "etc/wasirun/shim.toml"
        self.files = self.folder / "files"
        self.files.mkdir()
        copied, = re.findall(r"^COPY (.*) /wasirun/$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
        for name in copied.split():
            shutil.copy(SHIM if name == self.program.name else DEPLOY / name, self.files)
        # What would restart containerd keeps what it was asked, and fails when it is told to.
        self.programs = self.folder / "programs"
        self.programs.mkdir()
        (self.programs / "nsenter").write_text(
            '#!/bin/sh\nhere=$(dirname "$0")\necho "$*" >>"$here/asked"\n! [ -e "$here/fails" ]\n')
        (self.programs / "nsenter").chmod(0o755)

    def restarts(self):
        """What was asked since the last time."""
        asked = self.programs / "asked"
        lines = asked.read_text().splitlines() if asked.exists() else []
        asked.unlink(missing_ok=True)
        return lines

    def contents(self):
        """{path: content} of all files of the node."""
        return {str(path.relative_to(self.root)): path.read_bytes() for path in self.root.rglob("*") if path.is_file()}


class Install(Node):
    def install(self, *options):
        return subprocess.run([self.files / "install", "--root", str(self.root), *options], capture_output=True, timeout=60,
                              env={**os.environ, "PATH": f"{self.programs}:{os.environ['PATH']}"})

    def test_versions(self):
        for version, file in ((2, "containerd-1.toml"), (3, "containerd-2.toml"), (4, "containerd-2.toml")):
            self.config.write_text(f'version = {version}\n[grpc]\n  address = "/run/x.sock"')
            self.config.chmod(0o640)
            self.assertEqual(self.install().returncode, 0)
            config = tomllib.loads(self.config.read_text())
            self.assertEqual(config["grpc"]["address"], "/run/x.sock")
            self.assertEqual(config["plugins"], tomllib.loads((DEPLOY / file).read_text())["plugins"])
            self.assertEqual(self.config.stat().st_mode & 0o777, 0o640)
            self.assertTrue(os.access(self.program, os.X_OK))
            self.assertTrue(self.options.exists())
            # Again: nothing changes, whatever somebody has written there.
            self.options.write_text("tier = 'interp'\n")
            before = self.contents()
            self.assertEqual(self.install().returncode, 0)
            self.assertEqual(self.contents(), before)
            self.options.unlink()

    def test_runtimes_of_others_stay(self):
        """Of a configuration that containerd wrote itself, with a table of runtimes of its own."""
        for version, section in ((2, '"io.containerd.grpc.v1.cri"'), (3, "'io.containerd.cri.v1.runtime'")):
            self.config.write_text(f"""version = {version}
[plugins]
  [plugins.{section}]
    [plugins.{section}.containerd]
      default_runtime_name = "runc"
      [plugins.{section}.containerd.runtimes]
        [plugins.{section}.containerd.runtimes.runc]
          runtime_type = "io.containerd.runc.v2"
""")
            self.assertEqual(self.install().returncode, 0)
            runtimes = tomllib.loads(self.config.read_text())["plugins"][section.strip("\"'")]["containerd"]["runtimes"]
            self.assertEqual(set(runtimes), {"runc", *CLASSES.values()})

    def test_removal(self):
        for text in ("version = 2\n[grpc]\n", 'version = 3\n[grpc]\n  address = "/run/x.sock"'):
            self.config.write_text(text)
            before = self.contents()
            self.assertEqual(self.install().returncode, 0)
            cache = self.root / "var/lib/wasirun/cache"
            cache.mkdir(parents=True)
            (cache / "code.cwasm").touch()
            done = self.install("--remove", "--restart")
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.assertEqual(self.contents(), before)
            self.assertEqual(self.restarts(), [self.RESTART])
            self.assertFalse(self.options.parent.exists() or cache.parent.exists())
            # Where there is nothing of ours nothing is done.
            self.assertEqual(self.install("--remove", "--restart").returncode, 0)
            self.assertEqual((self.contents(), self.restarts()), (before, []))

    def test_removal_keeps_what_somebody_changed(self):
        self.config.write_text("version = 2\n")
        self.assertEqual(self.install().returncode, 0)
        self.options.write_text("tier = 'interp'\n")
        self.config.write_text(self.config.read_text() + "[debug]\n")
        done = self.install("--remove")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"etc/wasirun is kept", done.stdout)
        self.assertIn(b"restart containerd, as by", done.stdout)
        self.assertEqual(self.config.read_text(), "version = 2\n[debug]\n")
        self.assertEqual(set(self.contents()), {"etc/containerd/config.toml", "etc/containerd/config.toml.before-wasirun",
                                                "etc/wasirun/shim.toml"})

    def test_removal_while_containers_run(self):
        self.config.write_text("version = 2\n")
        self.assertEqual(self.install().returncode, 0)
        self.program.unlink()
        shutil.copy(shutil.which("sleep"), self.program)
        container = subprocess.Popen([self.program, "100"])
        self.addCleanup(container.wait)
        self.addCleanup(container.kill)
        for _ in range(2):
            before = self.contents()
            done = self.install("--remove")
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"containers of wasirun run here, process {container.pid}".encode(), done.stderr)
            self.assertEqual(self.contents(), before)
            # Also those of a shim that has been replaced.
            self.assertEqual(self.install().returncode, 0)

    def test_restarts(self):
        """When something has changed, and until it has succeeded."""
        self.config.write_text("version = 2\n")
        (self.programs / "fails").touch()
        self.assertNotEqual(self.install("--restart").returncode, 0)
        (self.programs / "fails").unlink()
        for _ in range(2):
            self.assertEqual(self.install("--restart").returncode, 0)
        self.assertEqual(self.restarts(), 2 * [self.RESTART])

    def test_no_configuration(self):
        self.assertEqual(self.install().returncode, 0)
        self.assertEqual(tomllib.loads(self.config.read_text())["version"], 2)

    def test_what_is_not_touched(self):
        for text, message in (("oom_score = 0\n", b"expected a line"),
                              ("version = 2\n# wasirun: begin\n[grpc]\n", b'"# wasirun: end"'),
                              ("version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.'wasirun']\n", b"already"),
                              ('version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.spin]\n', b"already")):
            self.config.write_text(text)
            done = self.install()
            self.assertEqual(done.returncode, 1)
            self.assertIn(message, done.stderr)
            self.assertEqual(self.contents(), {"etc/containerd/config.toml": text.encode()})

    def test_wrong_options(self):
        done = self.install("--purge")
        self.assertEqual((done.returncode, self.contents()), (2, {}))
        self.assertIn(b'what is "--purge"', done.stderr)


class DaemonSet(Node):
    """What its containers run, in a root directory that has the installer's files and the node's root where the manifest
    wants them; this machine's programs take the place of the image's."""

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("only root may change the root directory")
        self.container = self.folder / "container"
        for name in ("dev", "host", "programs", "proc", "usr", "wasirun", "var/run/secrets/kubernetes.io/serviceaccount"):
            (self.container / name).mkdir(parents=True)
        for name in ("bin", "sbin", "lib", "lib64"):
            (self.container / name).symlink_to(f"usr/{name}")
        objects = {document["kind"]: document for document in documents("daemonset.yaml")}
        self.spec = objects["DaemonSet"]["spec"]["template"]["spec"]
        self.rules = objects["ClusterRole"]["rules"]

    def start(self, container, **environment):
        """The first process of a container of the manifest."""
        for mount in container.get("volumeMounts", []):
            volume, = (volume for volume in self.spec["volumes"] if volume["name"] == mount["name"])
            self.assertEqual((volume["hostPath"]["path"], mount["mountPath"]), ("/", "/host"))
        mounts = {"/dev": "dev", "/proc": "proc", "/usr": "usr", self.files: "wasirun", self.root: "host",
                  self.programs: "programs"}
        script = " && ".join(f"mount --rbind {source} {self.container / target}" for source, target in mounts.items())
        process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", f'{script} && exec chroot {self.container} "$@"', "sh", *container["command"]],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
            env={"PATH": "/programs:/usr/sbin:/usr/bin", **environment})

        def end():
            # A container's other processes end with its first one.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.stdout.close()
            process.wait()

        self.addCleanup(end)
        return process

    def test_install(self):
        container, = self.spec["initContainers"]
        self.assertTrue(self.spec["hostPID"] and container["securityContext"]["privileged"])
        self.config.write_text("version = 3\n")
        for restarts in ([self.RESTART], []):
            process = self.start(container)
            out = process.communicate(timeout=60)[0]
            self.assertEqual(process.returncode, 0, out)
            self.assertEqual(self.program.read_bytes(), SHIM.read_bytes())
            self.assertTrue(self.options.exists())
            plugins = tomllib.loads(self.config.read_text())["plugins"]
            self.assertEqual(set(plugins[SECTIONS["containerd-2.toml"]]["containerd"]["runtimes"]), set(CLASSES.values()))
            self.assertEqual(self.restarts(), restarts)

    def test_label(self):
        certificate, context = make_certificate(self.folder, "IP:127.0.0.1")
        asked = []

        class Api(Quiet):
            def do_PATCH(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                asked.append((self.path, self.headers["Authorization"], self.headers["Content-Type"], json.loads(body)))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"{}")

        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        self.addCleanup(serve(listener, Api, context))
        account = self.container / "var/run/secrets/kubernetes.io/serviceaccount"
        shutil.copy(certificate, account / "ca.crt")
        (account / "token").write_text("secret")

        container, = self.spec["containers"]
        variable, = container["env"]
        self.assertEqual((variable["name"], variable["valueFrom"]["fieldRef"]["fieldPath"]), ("NODE_NAME", "spec.nodeName"))
        process = self.start(container, NODE_NAME="node-7", KUBERNETES_SERVICE_HOST="127.0.0.1",
                             KUBERNETES_SERVICE_PORT=str(port))
        self.assertEqual(process.stdout.readline(), b"label-node: labelled node-7\n")
        self.assertEqual(asked, [("/api/v1/nodes/node-7", "Bearer secret", "application/merge-patch+json",
                                  {"metadata": {"labels": {name: "true" for name in CLASSES}}})])
        self.assertTrue(any("nodes" in rule["resources"] and "patch" in rule["verbs"] for rule in self.rules))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
