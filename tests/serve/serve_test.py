#!/usr/bin/env python3
"""`wasirun serve` over sockets: what clients and guests can do right and wrong. `serve_test.py --list` names the cases.

Requests are written as bytes, so that nothing between the test and the server mends them.
"""
import contextlib
import json
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
GUESTS = HERE.parent / "guest"
sys.path.insert(0, str(GUESTS))

import harness  # noqa: E402
from harness import Failure, Skip, expect_equal, expect_in  # noqa: E402

PATIENCE = 60  # seconds, for anything that takes none


def answers(session):
    return session.compile([GUESTS / "http" / "answers.c"], flags=["-O1"], name="http-answers")


class Response:
    def __init__(self, status, fields, body):
        self.status = status
        self.fields = fields  # of the lower-case name
        self.body = body

    def __str__(self):
        return f"{self.status} {self.fields} {self.body[:200]!r}"


class Client:
    """A connection. What was read and belongs to the next response is kept."""

    def __init__(self, address):
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(address)
        else:
            self.socket = socket.create_connection(address)
        self.socket.settimeout(PATIENCE)
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            raise Failure(f"the connection ended in the middle of {self.pending!r}")
        self.pending += data

    def interim(self):
        """A response without a body, like 100 Continue."""
        while b"\r\n\r\n" not in self.pending:
            self.more()
        head, self.pending = self.pending.split(b"\r\n\r\n", 1)
        return head

    def response(self, has_body=True):
        lines = self.interim().decode("latin-1").split("\r\n")
        found = re.fullmatch(r"HTTP/1\.1 (\d{3}) .+", lines[0])
        if not found:
            raise Failure(f"no status line: {lines[0]!r}")
        fields = {}
        for line in lines[1:]:
            name, value = line.split(": ", 1)
            if name.lower() in fields:
                raise Failure(f"two fields {name}")
            fields[name.lower()] = value
        length = int(fields.get("content-length", "0")) if has_body else 0
        while len(self.pending) < length:
            self.more()
        body, self.pending = self.pending[:length], self.pending[length:]
        return Response(int(found[1]), fields, body)

    def ask(self, request, has_body=True):
        self.send(request)
        return self.response(has_body)

    def expect_end(self):
        try:
            rest = self.pending + self.socket.recv(65536)
        except ConnectionResetError:
            rest = b""
        expect_equal("what comes behind the last response", b"", rest)


def get(path, *fields, version="1.1", method="GET", body=b""):
    lines = [f"{method} {path} HTTP/{version}", "Host: test", *fields]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Server:
    def __init__(self, process, lines):
        self.process = process
        self.lines = lines  # of stderr, as they come
        self.address = None
        self.metrics_address = None

    def client(self):
        return Client(self.address)

    def ask(self, *args, **options):
        has_body = options.get("method") != "HEAD"
        with self.client() as client:
            return client.ask(get(*args, **options), has_body)

    def expect(self, status, path, *fields, **options):
        response = self.ask(path, *fields, **options)
        expect_equal(f"status of {path}", status, response.status, str(response))
        return response

    def metrics(self):
        with Client(self.metrics_address) as client:
            text = client.ask(get("/metrics")).body.decode()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
                for line in text.splitlines() if not line.startswith("#")}

    def wait_for_line(self, part):
        return wait_for(f"{part!r} in the log", lambda: next((line for line in self.lines if part in line), None),
                        lambda: "".join(self.lines))

    def end(self, code=0, signals=(signal.SIGTERM,)):
        for number in signals:
            self.process.send_signal(number)
        expect_equal("exit code", code, self.process.wait(PATIENCE), "".join(self.lines))


def wait_for(what, condition, context=lambda: ""):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise Failure(f"not after {PATIENCE} s: {what}\n{context()}")


def parse_address(text):
    if text.startswith("unix:"):
        return text[len("unix:"):]
    host, port = text[len("tcp:"):].rsplit(":", 1)
    return host.strip("[]"), int(port)


@contextlib.contextmanager
def serving(session, module, *options, args=(), listen="127.0.0.1:0", metrics=True, code=0, popen=None):
    """A server, which is told to end when the case is over, unless the case did."""
    command = [session.wasirun, "serve", "--no-cache", *session.options, "--listen", listen, *options]
    if metrics:
        command += ["--metrics", "127.0.0.1:0"]
    process = subprocess.Popen([str(word) for word in [*command, module, *args]], stdin=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, errors="replace",
                               **(popen or {}))
    lines = []
    alarm = threading.Timer(4 * PATIENCE, process.kill)
    alarm.start()
    server = Server(process, lines)

    def read():
        for line in process.stderr:
            lines.append(line)
    reader = threading.Thread(target=read)
    reader.start()
    try:
        said = server.wait_for_line("wasirun: serving: ")
        server.address = parse_address(said.split("serving: ")[1].strip())
        if metrics:
            server.metrics_address = parse_address(server.wait_for_line("wasirun: metrics: ").split("metrics: ")[1].strip())
        yield server
        if process.poll() is None:
            server.end(code)
    finally:
        alarm.cancel()
        process.kill()
        process.wait()
        reader.join()
        process.stderr.close()


def in_threads(calls):
    """Runs them at once; their results, or the first failure."""
    results = [None] * len(calls)

    def guarded(index):
        try:
            results[index] = calls[index]()
        except Exception as failure:  # pylint: disable=broad-except
            results[index] = failure
    threads = [threading.Thread(target=guarded, args=[i]) for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


# WAGI

def environment(session):
    with serving(session, answers(session), "--env", "OWN=value", "--route", "/app", args=["first"]) as server:
        response = server.expect(200, "/app/env?a=1&b=%20", "X-Two: one", "x-two: two", "Authorization: secret",
                                 "Proxy: http://evil", "Content-Type: text/x", "Content-Length: 2",
                                 method="PUT", body=b"ab")
        lines = response.body.decode().splitlines()
        expect_equal("arguments", ["argv: /app", "argv: first", "argv: a=1", "argv: b=%20"],
                     [line for line in lines if line.startswith("argv: ")])
        variables = dict(line.split("=", 1) for line in lines if not line.startswith("argv: "))
        port = str(server.address[1])
        for name, value in {"REQUEST_METHOD": "PUT", "SCRIPT_NAME": "/app", "PATH_INFO": "/env",
                            "QUERY_STRING": "a=1&b=%20", "HTTP_X_TWO": "one, two", "CONTENT_TYPE": "text/x",
                            "CONTENT_LENGTH": "2", "REMOTE_ADDR": "127.0.0.1", "SERVER_PORT": port,
                            "SERVER_NAME": "test", "SERVER_PROTOCOL": "HTTP/1.1", "OWN": "value",
                            "X_FULL_URL": "http://test/app/env?a=1&b=%20", "X_MATCHED_ROUTE": "/app/...",
                            "GATEWAY_INTERFACE": "CGI/1.1"}.items():
            expect_equal(name, value, variables.get(name))
        for name in ("HTTP_AUTHORIZATION", "HTTP_PROXY", "PATH", "HOME"):
            expect_equal(name, None, variables.get(name))
        server.expect(404, "/other")
        server.expect(404, "/apple")
        server.expect(400, "/app/%00")


def responses(session):
    with serving(session, answers(session)) as server:
        response = server.expect(200, "/")
        expect_equal("body", b"hello\n", response.body)
        expect_equal("type", "text/plain", response.fields["content-type"])
        if not re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", response.fields["date"]):
            raise Failure(f"no date: {response.fields['date']}")
        response = server.expect(418, "/status?418")
        expect_equal("body", b"told\n", response.body)
        expect_equal("its own field", "yes", response.fields["x-own"])
        if "connection" in response.fields:
            raise Failure(f"the guest's word about the connection was passed on: {response}")
        response = server.expect(302, "/elsewhere")
        expect_equal("where", "/there", response.fields["location"])
        expect_equal("204 has no length", None, server.expect(204, "/status?204").fields.get("content-length"))
        expect_equal("a large response", 5_000_000, len(server.expect(200, "/many?5000000").body))
        expect_equal("as fresh as the first", [b"1\n"] * 5, [server.expect(200, "/count").body for _ in range(5)])
        # However a program ends, what it printed counts.
        expect_equal("after an exit code", b"all the same\n", server.expect(200, "/exit?3").body)
        server.wait_for_line("exited with code 3")


def wrong_responses(session):
    with serving(session, answers(session)) as server:
        for path, said in [("/nothing", "printed nothing"), ("/headless", '"hello", is no field'),
                           ("/split", "control characters"), ("/status?99", "is no status")]:
            response = server.expect(500, path)
            expect_equal("what a client learns", b"Internal Server Error\n", response.body)
            server.wait_for_line(said)
        server.expect(200, "/")
        expect_equal("counted", 4, server.metrics()['wasirun_failures_total{reason="answer"}'])


def standard_error(session):
    with serving(session, answers(session)) as server:
        server.expect(200, "/stderr")
        for line in ("guest: one\n", "guest: two \\x1b[31m\n", "guest: three\n"):
            server.wait_for_line(line)


def files(session):
    with harness.folder() as here:
        (here / "file").write_text("")
        with serving(session, answers(session), "--dir", f"{here}::/data") as server:
            for _ in range(3):
                expect_equal("writing", b"written\n", server.expect(200, "/append").body)
        expect_equal("file", "xxx", (here / "file").read_text())
        with serving(session, answers(session), "--dir", f"{here}::/data:ro") as server:
            expect_equal("writing", b"refused\n", server.expect(200, "/append").body)


def go_guest(session):
    go = harness.require("go")
    version = harness.run([go, "env", "GOVERSION"]).stdout.decode()
    found = re.match(r"go1\.(\d+)", version)
    if not found or int(found[1]) < 21:
        raise Skip(f"Go 1.21 or newer is needed for wasip1, this is {version.strip() or 'unknown'}")
    source = GUESTS / "http" / "go_wagi"

    def make(out):
        harness.check_run([go, "build", "-trimpath", "-o", out, "."], cwd=source, timeout=600,
                          env={"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOOS": "wasip1",
                               "GOARCH": "wasm"})
    module = session.cached("http-go-wagi", [source / "main.go", GUESTS / "http" / "go.mod", version], make)
    with serving(session, module, "--timeout", f"{int(30 * session.patience)}s") as server:
        response = server.expect(202, "/a%20b?x=1", "Content-Length: 4", method="POST", body=b"body")
        expect_equal("what Go says", b'POST test /a b x=1 "body"\n', response.body)
        expect_equal("a field", "Go", response.fields["x-guest"])


# HTTP

def keep_alive(session):
    with serving(session, answers(session)) as server:
        with server.client() as client:
            for _ in range(3):
                expect_equal("body", b"hello\n", client.ask(get("/")).body)
            response = client.ask(get("/", "Connection: close"))
            expect_equal("connection", "close", response.fields["connection"])
            client.expect_end()
        with server.client() as client:
            response = client.ask(get("/", version="1.0"))
            expect_equal("connection", "close", response.fields["connection"])
            client.expect_end()
        with server.client() as client:
            for _ in range(2):
                response = client.ask(get("/", "Connection: keep-alive", version="1.0"))
                expect_equal("connection", "keep-alive", response.fields["connection"])
        expect_equal("connections", 0, wait_for("no connections", lambda: server.metrics()["wasirun_http_connections"] == 0)
                     and 0)


def pipelining(session):
    """Answers in the order of the requests, also where a later one takes less time."""
    with serving(session, answers(session)) as server, server.client() as client:
        client.send(get("/sleep?200") + get("/echo", "Content-Length: 3", method="POST", body=b"abc") + get("/healthz") +
                    get("/many?100000") + get("/status?404") + get("/", "Connection: close"))
        expect_equal("first", b"slept\n", client.response().body)
        expect_equal("second", b"abc", client.response().body)
        expect_equal("third", b"OK", client.response().body)
        expect_equal("fourth", 100_000, len(client.response().body))
        expect_equal("fifth", 404, client.response().status)
        expect_equal("sixth", b"hello\n", client.response().body)
        client.expect_end()
    with serving(session, answers(session)) as server, server.client() as client:
        # More than the server reads ahead, by a client that reads nothing until it has sent all.
        count = 3000
        sender = threading.Thread(target=client.send, args=[get("/healthz", "X: " + "x" * 100) * count])
        sender.start()
        for _ in range(count):
            expect_equal("body", b"OK", client.response().body)
        sender.join()


def half_closed(session):
    """A client that has said all waits for its answers all the same."""
    with serving(session, answers(session)) as server, server.client() as client:
        client.send(get("/sleep?200") + get("/"))
        client.socket.shutdown(socket.SHUT_WR)
        expect_equal("first", b"slept\n", client.response().body)
        expect_equal("second", b"hello\n", client.response().body)
        client.expect_end()


def bodies(session):
    large = bytes(range(256)) * 8000
    with serving(session, answers(session)) as server, server.client() as client:
        for body in (b"", b"abc", large):
            response = client.ask(get("/echo", f"Content-Length: {len(body)}", method="POST", body=body))
            expect_equal("echo", body, response.body)
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part)
                          for part in (b"a", b"bc" * 5000, large)) + b"0\r\nX-Trailer: 1\r\n\r\n"
        request = get("/echo", "Transfer-Encoding: chunked", method="POST", body=chunks)
        expect_equal("chunked", b"a" + b"bc" * 5000 + large, client.ask(request).body)
        # A byte at a time.
        for byte in get("/echo", "Transfer-Encoding: chunked", method="POST", body=b"3\r\nabc\r\n0\r\n\r\n"):
            client.send(bytes([byte]))
        expect_equal("slowly", b"abc", client.response().body)
        # The body only when the server wants it.
        client.send(get("/echo", "Content-Length: 3", "Expect: 100-continue", method="POST"))
        expect_equal("interim", b"HTTP/1.1 100 Continue", client.interim())
        expect_equal("continued", b"abc", client.ask(b"abc").body)


def head(session):
    with serving(session, answers(session)) as server, server.client() as client:
        response = client.ask(get("/many?1000", method="HEAD"), has_body=False)
        expect_equal("length", "1000", response.fields["content-length"])
        expect_equal("the next one", b"hello\n", client.ask(get("/")).body)


def limits(session):
    with serving(session, answers(session), "--max-header", "2k", "--max-body", "1000", "--max-response", "10k") as server:
        server.expect(200, "/echo", "Content-Length: 1000", method="POST", body=b"x" * 1000)
        for status, request in [
                (431, get("/", "X: " + "x" * 4000)), (414, get("/" + "x" * 4000)),
                (413, get("/echo", "Content-Length: 1001", method="POST")),
                (413, get("/echo", "Content-Length: 99999999999999999999", method="POST")),
                (413, get("/echo", "Content-Length: 1001", "Expect: 100-continue", method="POST")),
                (413, get("/echo", "Transfer-Encoding: chunked", method="POST", body=b"3e9\r\n" + b"x" * 1001)),
                # With much behind it, which must not keep the client from reading the answer.
                (413, get("/echo", "Content-Length: 200000", method="POST", body=b"x" * 200_000))]:
            with server.client() as client:
                response = client.ask(request)
                if response.status == 400 and b"99999999999999999999" in request:
                    response.status = 413  # a number that is none is as good an answer
                expect_equal(f"status of {request[:60]}", status, response.status, str(response))
                expect_equal("connection", "close", response.fields["connection"])
                client.expect_end()
        expect_equal("as large as may be", 10240, len(server.expect(200, "/many?10240").body))
        server.expect(500, "/many?10241")
        server.wait_for_line("larger than the limit")


def malformed(session):
    with serving(session, answers(session)) as server:
        for request in [b"hello\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n",
                        get("/", "Content-Length: 1", "Content-Length: 2", body=b"ab"),
                        get("/", "Content-Length: 1", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
                        get("/", "Transfer-Encoding: chunked", body=b"zz\r\n"), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\r\n",
                        b"GET / HTTP/1.1\r\nHost: a\r\nX\x00: 1\r\n\r\n"]:
            with server.client() as client:
                response = client.ask(request)
                expect_equal(f"status of {request!r}", 400, response.status)
                client.expect_end()
        server.expect(501, "/", "Transfer-Encoding: gzip, chunked")
        server.expect(417, "/", "Expect: money")
        with server.client() as client:
            expect_equal("HTTP/2", 505, client.ask(b"GET / HTTP/2.0\r\n\r\n").status)
        server.expect(200, "/")


def slow_clients(session):
    options = ("--request-timeout", "300ms", "--idle-timeout", "300ms")
    with serving(session, answers(session), *options) as server:
        for start in (b"GET / HT", get("/echo", "Content-Length: 3", method="POST", body=b"a")):
            with server.client() as client:
                client.send(start)
                expect_equal("status", 408, client.response().status)
                client.expect_end()
        # Nothing at all, and nothing after a request: there is nobody to be told.
        with server.client() as client:
            client.expect_end()
        with server.client() as client:
            client.ask(get("/"))
            client.expect_end()


def reader_that_stops(session):
    """A client that does not read its response is given up; others are answered meanwhile."""
    with serving(session, answers(session), "--request-timeout", "300ms") as server, server.client() as client:
        client.send(get("/many?30000000"))
        server.expect(200, "/")
        server.wait_for_line('"GET /many?30000000 HTTP/1.1" 499')


def over_unix(session):
    with harness.folder() as here:
        with serving(session, answers(session), listen=f"unix:{here}/socket", metrics=False) as server:
            expect_equal("body", b"hello\n", server.expect(200, "/").body)
        expect_equal("the socket's file", False, (here / "socket").exists())


def given_descriptor(session):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    with listener, serving(session, answers(session), listen=f"fd:{listener.fileno()}",
                           popen={"pass_fds": [listener.fileno()]}) as server:
        expect_equal("address", listener.getsockname(), server.address)
        expect_equal("body", b"hello\n", server.expect(200, "/").body)


# Bounds

def full_queue(session):
    with serving(session, answers(session), "--concurrency", "1", "--queue", "2") as server:
        clients = [server.client() for _ in range(3)]
        for client in clients:
            client.send(get("/sleep?1500"))
        wait_for("all to be there", lambda: server.metrics()["wasirun_http_queued"] == 2)
        response = server.expect(503, "/")
        expect_equal("when to come again", "1", response.fields["retry-after"])
        expect_equal("health", b"OK", server.expect(200, "/healthz").body)
        for client in clients:
            expect_equal("those that were there", b"slept\n", client.response().body)
            client.socket.close()
        server.expect(200, "/")
        expect_equal("refused", 1, server.metrics()["wasirun_http_refused_total"])


def deadline(session):
    with serving(session, answers(session), "--timeout", "300ms", "--concurrency", "1") as server:
        for path in ("/loop", "/sleep?600000", "/chatter"):
            server.expect(504, path)
        # One that waits for the others until its own time is over has not even begun.
        loop, late = in_threads([lambda: server.ask("/loop"), lambda: server.ask("/loop")])
        if sorted([loop.status, late.status]) not in ([503, 504], [504, 504]):
            raise Failure(f"{loop} {late}")
        expect_equal("afterwards", b"hello\n", server.expect(200, "/").body)


def memory_limit(session):
    with serving(session, answers(session), "--max-memory", "16m") as server:
        got = int(server.expect(200, "/allocate").body)
        if not 4 << 20 <= got <= 16 << 20:
            raise Failure(f"{got} bytes were had with a limit of 16 MiB")


def hostile_guests(session):
    """All at once, again and again, beside requests that have nothing to do with them."""
    with serving(session, answers(session), "--timeout", "2s", "--max-memory", "32m", "--max-response", "1m",
                 "--concurrency", "8") as server:
        expected = {"/loop": 504, "/allocate": 200, "/flood": 500, "/chatter": 504, "/trap": 500}

        def one(path):
            return lambda: server.expect(expected[path], path)
        for _ in range(2):
            in_threads([one(path) for path in expected] + [lambda: server.expect(200, "/healthz")] * 5)
        server.wait_for_line("unreachable")
        expect_equal("afterwards", b"hello\n", server.expect(200, "/").body)
        metrics = server.metrics()
        expect_equal("traps", 2, metrics['wasirun_failures_total{reason="trap"}'])
        expect_equal("out of time", 4, metrics['wasirun_failures_total{reason="deadline"}'])
        expect_equal("running", 0, metrics["wasirun_http_running"])
        if metrics["process_resident_memory_bytes"] > 500e6 * session.patience:
            raise Failure(f"{metrics['process_resident_memory_bytes']} bytes are in use")


def clients_that_leave(session):
    """Their guests are stopped, so that one worker is free for others long before the time is over."""
    with serving(session, answers(session), "--timeout", "600s", "--concurrency", "1") as server:
        client = server.client()
        client.send(get("/loop"))
        wait_for("it to run", lambda: server.metrics()["wasirun_http_running"] == 1)
        # Reset, not ended: nobody is there any more.
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.socket.close()
        expect_equal("the next one", b"hello\n", server.expect(200, "/").body)
        server.wait_for_line('"GET /loop HTTP/1.1" 499')


def many_clients(session):
    with serving(session, answers(session), "--max-connections", "20") as server:
        def several():
            with server.client() as client:
                return [client.ask(get("/count")).body for _ in range(10)]
        results = in_threads([several] * 50)
        expect_equal("all", [[b"1\n"] * 10] * 50, results)
        expect_equal("instances", 500, server.metrics()["wasirun_instances_total"])


# Ends

def drain(session):
    for number in (signal.SIGTERM, signal.SIGINT):
        with serving(session, answers(session)) as server:
            idle = server.client()
            expect_equal("before", b"hello\n", idle.ask(get("/")).body)
            busy = server.client()
            busy.send(get("/sleep?1000"))
            wait_for("it to run", lambda: server.metrics()["wasirun_http_running"] == 1)
            server.process.send_signal(number)
            idle.expect_end()
            response = busy.response()
            expect_equal("what was under way", b"slept\n", response.body)
            expect_equal("connection", "close", response.fields["connection"])
            busy.expect_end()
            expect_equal("exit code", 0, server.process.wait(PATIENCE))
            with contextlib.suppress(ConnectionRefusedError):
                server.client()
                raise Failure("it still accepts connections")


def drain_that_takes_too_long(session):
    with serving(session, answers(session), "--drain", "300ms") as server:
        with server.client() as client:
            client.send(get("/loop"))
            wait_for("it to run", lambda: server.metrics()["wasirun_http_running"] == 1)
            server.end()


def second_signal(session):
    with serving(session, answers(session), "--drain", "600s") as server:
        with server.client() as client:
            client.send(get("/loop"))
            wait_for("it to run", lambda: server.metrics()["wasirun_http_running"] == 1)
            server.process.send_signal(signal.SIGTERM)
            wait_for("it to refuse others", lambda: not accepts(server.address))
            server.end()


def accepts(address):
    try:
        socket.create_connection(address, timeout=PATIENCE).close()
        return True
    except ConnectionRefusedError:
        return False


# Logs and metrics

def access_log(session):
    with harness.folder() as here:
        log = here / "log"
        with serving(session, answers(session), "--access-log", log, "--log-format", "combined") as server:
            server.expect(200, "/?x", 'User-Agent: a "b"', "Referer: http://r/")
            with server.client() as client:
                client.ask(b"nonsense\r\n\r\n")
        lines = log.read_text().splitlines()
        expect_equal("lines", 2, len(lines), str(lines))
        stamp = r"\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000\]"
        for line, pattern in zip(lines, (rf'127\.0\.0\.1 - - {stamp} "GET /\?x HTTP/1\.1" 200 6 "http://r/" "a \\"b\\""',
                                         rf'127\.0\.0\.1 - - {stamp} "-" 400 \d+ "-" "-"')):
            if not re.fullmatch(pattern, line):
                raise Failure(f"{line!r} is not {pattern}")
        with serving(session, answers(session), "--access-log", log, "--log-format", "json") as server:
            server.expect(500, "/trap")
            server.wait_for_line('"kind":"wasirun"')
        entry = json.loads(log.read_text().splitlines()[-1])
        expect_equal("status", 500, entry["status"])
        expect_equal("target", "/trap", entry["target"])
        with serving(session, answers(session), "--access-log", "none") as server:
            server.expect(200, "/")
        expect_equal("nothing", [], [line for line in server.lines if "GET" in line])


def metrics(session):
    with serving(session, answers(session)) as server:
        server.expect(200, "/")
        server.expect(404, "/status?404")
        server.expect(500, "/trap")
        found = server.metrics()
        for name, value in {'wasirun_http_requests_total{code="200"}': 1, 'wasirun_http_requests_total{code="404"}': 1,
                            'wasirun_http_requests_total{code="500"}': 1, "wasirun_instances_total": 3,
                            'wasirun_failures_total{reason="trap"}': 1,
                            "wasirun_http_request_duration_seconds_count": 3,
                            'wasirun_http_request_duration_seconds_bucket{le="+Inf"}': 3}.items():
            expect_equal(name, value, found.get(name))
        with Client(server.metrics_address) as client:
            expect_equal("health", b"OK", client.ask(get("/healthz")).body)
            expect_equal("elsewhere", 404, client.ask(get("/")).status)


# Contracts and the command line

def own_server(session):
    module = session.compile([GUESTS / "servers" / "http.c"], flags=["-O1", "-D_GNU_SOURCE"], name="server-http")
    with serving(session, module) as server:
        expect_equal("answer", b"hello from C\n", server.expect(200, "/hello").body)
        with Client(server.metrics_address) as client:
            expect_equal("health", b"OK", client.ask(get("/healthz")).body)
        if "process_resident_memory_bytes" not in server.metrics():
            raise Failure("no metrics")
    with serving(session, module) as server:
        with server.client() as client:
            client.send(get("/quit", "Connection: close"))
            expect_equal("exit code", 0, server.process.wait(PATIENCE))


def refusals(session):
    def refused(code, *words, said):
        outcome = harness.run([session.wasirun, "serve", "--no-cache", *words], timeout=PATIENCE)
        expect_equal(f"exit code of {words}", code, outcome.code, str(outcome))
        expect_in(said.encode(), outcome.stderr)
        expect_equal("lines", 1, outcome.stderr.count(b"\n"), str(outcome))

    module = answers(session)
    with harness.folder() as here:
        (here / "none.wat").write_text("(module)")
        refused(2, here / "none.wat", said="handle-http-request")
        refused(1, here, said="neither spin.toml nor slightfile.toml")
        refused(1, here / "missing.wasm", said="No such file")
        refused(2, "--listen", "nowhere", module, said="tcp:HOST:PORT")
        refused(2, "--listen", "fd:77", module, said="descriptor 77")
        refused(2, "--contract", "fastcgi", module, said="wagi, spin, slight, server")
        refused(2, "--route", "app", module, said="is not a path")
        refused(2, "--concurrency", "0", module, said="answer nobody")
        refused(2, "--max-body", "0", module, said="between 1 and")
        refused(1, "--access-log", here / "no" / "log", module, said="cannot write the log")
        refused(2, said="serve what?")
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            refused(1, "--listen", "127.0.0.1:%d" % taken.getsockname()[1], module, said="cannot listen")


CASES = {
    "WAGI: environment and arguments": environment,
    "WAGI: responses": responses,
    "WAGI: what is no response": wrong_responses,
    "WAGI: standard error": standard_error,
    "WAGI: files": files,
    "WAGI: a guest in Go": go_guest,
    "HTTP: keep-alive": keep_alive,
    "HTTP: pipelining": pipelining,
    "HTTP: half-closed connections": half_closed,
    "HTTP: bodies": bodies,
    "HTTP: HEAD": head,
    "HTTP: limits": limits,
    "HTTP: malformed requests": malformed,
    "HTTP: slow clients": slow_clients,
    "HTTP: a client that stops reading": reader_that_stops,
    "HTTP: unix socket": over_unix,
    "HTTP: a listener that is handed in": given_descriptor,
    "bounds: a full queue": full_queue,
    "bounds: deadline": deadline,
    "bounds: memory": memory_limit,
    "bounds: hostile guests": hostile_guests,
    "bounds: clients that leave": clients_that_leave,
    "bounds: many clients": many_clients,
    "end: drain": drain,
    "end: a drain that takes too long": drain_that_takes_too_long,
    "end: a second signal": second_signal,
    "log: access log": access_log,
    "log: metrics": metrics,
    "contract: the guest's own server": own_server,
    "command line: refusals": refusals,
}

if __name__ == "__main__":
    sys.exit(harness.main(CASES))
