"""Containers of the tests that answer HTTP."""

import signal
import socket
import urllib.request

from harness import MockContainerd, of, task, wait_for


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class HttpCase(MockContainerd):
    def serve(self, name, args, files, **annotations):
        """A running server: (client, bundle, port)."""
        port = free_port()
        bundle = self.bundle(name, args, files=files, annotations={
            "wasirun.dev/http": f"127.0.0.1:{port}",
            **{f"wasirun.dev/{key.replace('_', '-')}": value for key, value in annotations.items()}})
        return self.run_server(bundle), bundle, port

    def run_server(self, bundle):
        """The connection to its shim."""
        client = self.start_shim(bundle)
        self.create(client, bundle)
        client.call("Start", of(bundle), task.StartResponse)
        return client

    def ask(self, port, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return answer.read().decode()
        except OSError:
            return ""

    def wait_for_answer(self, bundle, port, path, text):
        wait_for(lambda: text in self.ask(port, path), f"an answer; stderr: {self.output(bundle, 2)}", timeout=20)

    def end(self, client, bundle):
        client.call("Kill", task.KillRequest(id=bundle.name, signal=signal.SIGTERM))
        self.assertEqual(client.call("Wait", of(bundle), task.WaitResponse).exit_status, 0)
        self.delete(client, bundle)
        self.shut_down(client, bundle)
