"""What is there to deploy: the manifests are what Kubernetes and the AKS preview have, and the installer does its work."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import tomllib
import unittest

SKIPPED = 77
try:
    import yaml
except ImportError:
    print("SKIPPED: python3-yaml is not installed", file=sys.stderr)
    sys.exit(SKIPPED)

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


class Install(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="wasirun-install-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.root = self.folder / "root"
        self.config = self.root / "etc/containerd/config.toml"
        self.config.parent.mkdir(parents=True)
        self.files = self.folder / "files"
        shutil.copytree(DEPLOY, self.files)
        shutil.copy(SHIM, self.files)

    def install(self):
        return subprocess.run([self.files / "install", "--root", str(self.root)], capture_output=True, timeout=60)

    def test_both_versions(self):
        for version, file in ((2, "containerd-1.toml"), (3, "containerd-2.toml")):
            self.config.write_text(f'version = {version}\n[grpc]\n  address = "/run/x.sock"')
            self.assertEqual(self.install().returncode, 0)
            config = tomllib.loads(self.config.read_text())
            self.assertEqual(config["grpc"]["address"], "/run/x.sock")
            self.assertIn("wasirun", config["plugins"][SECTIONS[file]]["containerd"]["runtimes"])
            self.assertTrue(os.access(self.root / "usr/local/bin/containerd-shim-wasirun-v1", os.X_OK))
            options = self.root / "etc/wasirun/shim.toml"
            self.assertTrue(options.exists())
            # Again: nothing changes, whatever somebody has written there.
            options.write_text("tier = 'interp'\n")
            before = self.config.read_text()
            self.assertEqual(self.install().returncode, 0)
            self.assertEqual(self.config.read_text(), before)
            self.assertEqual(options.read_text(), "tier = 'interp'\n")

    def test_no_configuration(self):
        self.assertEqual(self.install().returncode, 0)
        self.assertEqual(tomllib.loads(self.config.read_text())["version"], 2)

    def test_what_is_not_touched(self):
        for text, message in (("oom_score = 0\n", b"expected a line"),
                              ('version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.spin]\n', b"already")):
            self.config.write_text(text)
            done = self.install()
            self.assertEqual(done.returncode, 1)
            self.assertIn(message, done.stderr)
            self.assertEqual(self.config.read_text(), text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
