"""Containers that answer HTTP, driven by a containerd of ours."""

import pathlib
import socket
import time
import urllib.error
import urllib.request

import harness
from harness import INVALID, UNKNOWN, of, task, wait_for
from http_case import HttpCase, free_port
from http_guests import (SLIGHT_MANIFEST, SPIN_MANIFEST, asking_guest, asking_manifest, slight_guest, spin_guest,
                         wagi_guest)
from servers import Upstream, make_certificate


class Http(HttpCase):
    def test_program(self):
        metrics_port = free_port()
        client, bundle, port = self.serve("wagi", ["/wagi.wasm"], {"/wagi.wasm": wagi_guest()}, http_contract="wagi",
                                          http_metrics=f"127.0.0.1:{metrics_port}")
        self.wait_for_answer(bundle, port, "/any", "hello")
        self.assertNotEqual(self.ask(port, "/healthz"), "")
        self.assertIn("# TYPE", self.ask(metrics_port, "/metrics"))
        wait_for(lambda: "GET /any" in self.output(bundle, 2), "the access log")
        self.end(client, bundle)

    def test_applications(self):
        for kind, manifest, files in (
                ("spin", "/spin.toml", {"/spin.toml": SPIN_MANIFEST, "/app.wasm": spin_guest()}),
                ("slight", "/slightfile.toml", {"/slightfile.toml": SLIGHT_MANIFEST, "/app.wasm": slight_guest()})):
            for number, argument in enumerate(("/", manifest)):
                client, bundle, port = self.serve(f"{kind}{number}", [argument], files)
                self.wait_for_answer(bundle, port, "/hello", f"hello by {kind}")
                self.end(client, bundle)

    def test_code_of_applications_is_shared(self):
        """Also of those that name their modules in a manifest."""
        files = {"/spin.toml": SPIN_MANIFEST, "/app.wasm": spin_guest()}
        client, bundle, port = self.serve("first", ["/"], files)
        self.wait_for_answer(bundle, port, "/hello", "hello by spin")
        self.end(client, bundle)
        client, bundle, port = self.serve("second", ["/"], files)
        pid = client.call("State", of(bundle), task.StateResponse).pid
        self.assertRegex(pathlib.Path(f"/proc/{pid}/maps").read_text(), rf"r-xp .*{harness.SCRATCH}/cache/")
        self.wait_for_answer(bundle, port, "/hello", "hello by spin")
        self.end(client, bundle)

    def test_modules_of_manifests(self):
        """They are found in the container alone, and machine code is none of them."""
        outside = self.folder / "outside.wasm"
        outside.write_bytes(spin_guest())
        link = self.bundle("link", ["/"], files={"/spin.toml": SPIN_MANIFEST})
        (link / "rootfs/app.wasm").unlink()
        (link / "rootfs/app.wasm").symlink_to(outside)
        absent = self.bundle("absent", ["/"], files={"/spin.toml": SPIN_MANIFEST.replace(b"app.wasm", b"no.wasm")})
        code = self.bundle("code", ["/"], files={"/spin.toml": SPIN_MANIFEST.replace(b"app.wasm", b"app.cwasm"),
                                                 "/app.cwasm": b"\0wasirun"})
        broken = self.bundle("broken", ["/"], files={"/spin.toml": b"name ="})
        for bundle, text in ((link, "/app.wasm: No such file"), (absent, "/no.wasm: No such file"),
                             (code, "/app.cwasm: malformed module"), (broken, "/spin.toml:1:")):
            client = self.start_shim(bundle)
            self.assert_fails(UNKNOWN, text, lambda c=client, b=bundle: self.create(c, b))
            self.shut_down(client, bundle)

    def upstream(self, context=None):
        """The port of another server, which guests ask."""
        upstream = Upstream(socket.create_server(("127.0.0.1", 0)), context)
        self.addCleanup(upstream.close)
        return upstream.port

    def fetch(self, port, url):
        """(status, body) of what the guest got from there."""
        request = urllib.request.Request(f"http://127.0.0.1:{port}/hello/fetch", data=url.encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def test_requests_of_guests(self):
        """A guest asks other servers, by address, by a name of the container's own /etc/hosts, and by TLS."""
        certificate, context = make_certificate(self.folder, "DNS:upstream.test")
        plain, secure = self.upstream(), self.upstream(context)
        manifest = asking_manifest(f"127.0.0.1:{plain}", f"upstream.test:{plain}", f"upstream.test:{secure}")
        files = {"/spin.toml": manifest, "/app.wasm": asking_guest(), "/etc/hosts": b"127.0.0.1 upstream.test\n",
                 # Not asked: modules that it names would be code of the image's.
                 "/etc/nsswitch.conf": b"hosts: nonsense\n"}
        for name, trusts, answer in (("trusts", {"/etc/ssl/certs/ca-certificates.crt": certificate.read_bytes()},
                                      (203, "from upstream.test/z")), ("doubts", {}, (502, "error 4"))):
            client, bundle, port = self.serve(name, ["/"], {**files, **trusts})
            self.wait_for_answer(bundle, port, "/hello/x", "Hello from Spin")
            self.assertEqual(self.fetch(port, f"http://127.0.0.1:{plain}/x"), (203, "from 127.0.0.1/x"))
            self.assertEqual(self.fetch(port, f"http://upstream.test:{plain}/y"), (203, "from upstream.test/y"))
            self.assertEqual(self.fetch(port, f"https://upstream.test:{secure}/z"), answer, self.output(bundle, 2))
            self.assertEqual(self.fetch(port, f"http://127.0.0.1:{secure}/"), (502, "error 1"))
            self.end(client, bundle)

    def test_idle_connections_hold_nobody_up(self):
        client, bundle, port = self.serve("drain", ["/wagi.wasm"], {"/wagi.wasm": wagi_guest()})
        self.wait_for_answer(bundle, port, "/", "hello")
        for _ in range(5):
            self.addCleanup(socket.create_connection(("127.0.0.1", port)).close)
        begun = time.monotonic()
        self.end(client, bundle)
        self.assertLess(time.monotonic() - begun, 8)  # less than the time for requests that are under way

    def test_mistakes(self):
        for name, annotations, text in (
                ("address", {"wasirun.dev/http": "80,,81"}, "annotation wasirun.dev/http"),
                ("contract", {"wasirun.dev/http": "80", "wasirun.dev/http-contract": "x"}, "wagi, spin, slight, server")):
            bundle = self.bundle(name, ["/app.wasm"], annotations=annotations)
            client = self.start_shim(bundle)
            self.assert_fails(INVALID, text, lambda c=client, b=bundle: self.create(c, b))
            self.shut_down(client, bundle)
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        bundle = self.bundle("taken", ["/app.wasm"],
                             annotations={"wasirun.dev/http": f"127.0.0.1:{taken.getsockname()[1]}"})
        client = self.start_shim(bundle)
        self.assert_fails(UNKNOWN, "127.0.0.1", lambda: self.create(client, bundle))
        self.shut_down(client, bundle)


if __name__ == "__main__":
    harness.main()
