#!/usr/bin/env python3
"""Applications of Spin and slight under `wasirun serve`, asked by curl. `--list` names the cases.
"""
import contextlib
import http.server
import pathlib
import re
import shutil
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
GUESTS = HERE.parent / "guest" / "http"
sys.path.insert(0, str(HERE.parent / "guest"))

import harness  # noqa: E402
from harness import Failure, Skip, expect_equal  # noqa: E402

PATIENCE = 60  # seconds, for anything that takes none
WARNINGS = ["-O1", "-Wall", "-Wextra", "-Werror"]
# Without a start of their own: their exports call constructors, as those of the SDKs of Rust do.
LIBRARY = ["-nostartfiles", "-Wl,--no-entry"]
# With _initialize.
REACTOR = ["-mexec-model=reactor"]


def expect_text(needle, text, context=""):
    harness.expect_in(needle.encode(), text.encode(), context)


def compile_guest(session, source, name, *flags):
    return session.compile([GUESTS / source], flags=[*WARNINGS, *flags], name=name, headers=[GUESTS / "wit.h"])


def go_component(session):
    go = harness.require("go")
    version = harness.run([go, "env", "GOVERSION"]).stdout.decode()
    found = re.match(r"go1\.(\d+)", version)
    if not found or int(found[1]) < 24:
        raise Skip(f"Go 1.24 or newer is needed for exported functions, this is {version.strip() or 'unknown'}")

    def make(out):
        harness.check_run([go, "build", "-buildmode=c-shared", "-trimpath", "-o", out, "."], cwd=GUESTS / "spin_go",
                          timeout=600, env={"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod",
                                            "GOOS": "wasip1", "GOARCH": "wasm"})
    return session.cached("http-spin-go", [GUESTS / "spin_go" / "main.go", GUESTS / "spin_go" / "go.mod", version], make)


class Server:
    def __init__(self, url):
        self.url = url
        self.log = ""

    def ask(self, path, *options):
        """The status and the body."""
        outcome = harness.run([harness.require("curl"), "--silent", "--show-error", "--max-time", PATIENCE, "--noproxy",
                               "*", "--write-out", "\n%{http_code}", *options, self.url + path], timeout=2 * PATIENCE)
        if outcome.code != 0:
            raise Failure(str(outcome))
        body, _, status = outcome.stdout.rpartition(b"\n")
        return int(status), body.decode()

    def expect(self, path, status, body, *options):
        expect_equal(path, (status, body), self.ask(path, *options))


@contextlib.contextmanager
def serving(session, application, *options, env=()):
    """A running server, which is asked to end and has to say so by its exit code. Its log is there afterwards."""
    command = [session.wasirun, "serve", "--listen", "127.0.0.1:0", "--no-cache", *session.run_command[3:], *options,
               application]
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, env={"PATH": "/usr/bin:/bin", **dict(env)})
    alarm = threading.Timer(3 * PATIENCE, process.kill)
    alarm.start()
    lines = []
    try:
        found = None
        while not found:
            line = process.stdout.readline().decode()
            if not line:
                raise Failure("no address: " + "".join(lines))
            lines.append(line)
            found = re.fullmatch(r"wasirun: serving: tcp:(127\.0\.0\.1:\d+)\n", line)
        server = Server(f"http://{found[1]}")
        rest = []
        reader = threading.Thread(target=lambda: rest.append(process.stdout.read().decode("utf-8", "replace")))
        reader.start()
        yield server
        process.terminate()
        reader.join(PATIENCE)
        server.log = "".join(lines + rest)
        expect_equal("exit code", 0, process.wait(PATIENCE), server.log)
    finally:
        alarm.cancel()
        process.kill()
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def copied(folder, **modules):
    """A copy of a sample's folder with modules in it, by their names without the ending."""
    with harness.folder() as here:
        application = here / "application"
        shutil.copytree(GUESTS / folder, application)
        for name, module in modules.items():
            shutil.copy(module, application / f"{name}.wasm")
        yield application


def spin_sample(session, *flags):
    return copied("spin", hello=compile_guest(session, "spin/hello.c", f"http-spin{len(flags)}", *flags),
                  program=compile_guest(session, "spin/program.c", "http-spin-program"))


def check_spin(session, *flags):
    with spin_sample(session, *flags) as application:
        with serving(session, application, "--env", "GREETING=for all") as server:
            server.expect("/hello", 200, "Hello from Spin\n")
            server.expect("/hello/file", 200, "a file\n")
            server.expect("/hello/write", 200, "read-only")
            server.expect("/hello/environment", 200, "from the environment")
            server.expect("/patterns/environment", 200, "for all")
            server.expect("/hello/config", 200, "Hello, world")
            server.expect("/patterns/pattern", 200, "shown\n")
            server.expect("/patterns/excluded", 200, "no file")
            server.expect("/program/x", 200, "program /x to a program\n")
            server.expect("/nothing", 404, "no component has this route\n")
            server.expect("/.well-known/spin/health", 200, "OK")
            expect_equal("one store for all requests", ["1", "2", "3"], [server.ask("/hello/count")[1] for _ in range(3)])
            server.expect("/patterns/count", 200, "no store")
            status, body = server.ask("/hello/describe?x=1", "--data", "sent", "--header", "X-Mine: own",
                                      "--header", "Spin-Base-Path: forged")
            expect_equal("status", 200, status)
            for line in ["method 1", "uri /hello/describe?x=1", "x-mine: own", "body sent", "spin-path-info: /describe",
                         f"spin-full-url: {server.url}/hello/describe?x=1", "spin-matched-route: /hello/...",
                         "spin-base-path: /", "spin-raw-component-route: /hello/...", "spin-component-route: /hello"]:
                expect_text(line + "\n", body)
            if "forged" in body:
                raise Failure(body)
            server.expect("/hello/log", 200, "logged\n")
        expect_text("guest: from the component\n", server.log)


def spin_c(session):
    check_spin(session, *LIBRARY)


def spin_c_reactor(session):
    check_spin(session, *REACTOR)


def spin_hostile(session):
    """What goes wrong with one request is of no matter to the next."""
    with spin_sample(session, *LIBRARY) as application, serving(session, application, "--timeout", "2s") as server:
        for _ in range(2):
            server.expect("/hello/large", 500, "Internal Server Error\n")
            server.expect("/hello/abort", 500, "Internal Server Error\n")
            expect_equal("status", 504, server.ask("/hello/loop")[0])
            server.expect("/hello", 200, "Hello from Spin\n")
    expect_text("the body lies outside of the memory", server.log)
    expect_text("unreachable", server.log)


def spin_variables(session):
    with spin_sample(session, *LIBRARY) as application:
        with serving(session, application, env={"SPIN_VARIABLE_NAME": "process"}) as server:
            server.expect("/hello/config", 200, "Hello, process")
        with serving(session, application, "--env", "SPIN_VARIABLE_NAME=option",
                     env={"SPIN_VARIABLE_NAME": "process"}) as server:
            server.expect("/hello/config", 200, "Hello, option")


def spin_errors(session):
    """A manifest that is wrong is told, with its place, and nothing is served."""
    with spin_sample(session, *LIBRARY) as application:
        manifest = application / "spin.toml"
        right = manifest.read_text(encoding="utf-8")
        for old, new, message in [("route = \"/hello/...\"", "route = 3", "spin.toml:19:9: route"),
                                  ("hello.wasm", "none.wasm", "none.wasm"),
                                  ("program.wasm\"", "program.wasm\"\nfiles = [\"../*\"]", "in it"),
                                  ("executor = { type = \"wagi\" }", "", "it exports no function"),
                                  ("{{ name }}", "{{ nobody }}", "there is no variable \"nobody\"")]:
            manifest.write_text(right.replace(old, new), encoding="utf-8")
            outcome = harness.run([session.wasirun, "serve", "--listen", "127.0.0.1:0", application], timeout=PATIENCE)
            if outcome.code == 0:
                raise Failure(str(outcome))
            expect_text(message, outcome.stderr.decode(), str(outcome))


@contextlib.contextmanager
def loopback():
    """A server of HTTP: its port, and the paths that it was asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # pylint: disable=invalid-name
            asked.append(self.path)
            if self.path.startswith("/away="):
                self.send_response(302)
                self.send_header("Location", self.path.removeprefix("/away="))
                self.end_headers()
                return
            self.send_response(203)
            self.send_header("X-From", "loopback")
            self.end_headers()
            self.wfile.write(b"outside\n")

        def log_message(self, format, *args):  # pylint: disable=redefined-builtin
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1], asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def spin_outbound(session):
    """Requests of guests go to allowed hosts alone, also by redirects, and to the application itself where it may."""
    with spin_sample(session, *LIBRARY) as application, loopback() as (port, asked), loopback() as (other, asked_other):
        manifest = application / "spin.toml"
        allowed = f"allowed_http_hosts = [\"127.0.0.1:{port}\", \"self\"]\n"
        manifest.write_text(manifest.read_text(encoding="utf-8").replace("id = \"hello\"\n", f"id = \"hello\"\n{allowed}"),
                            encoding="utf-8")
        with serving(session, application, env={"http_proxy": "http://127.0.0.1:1"}) as server:
            here = f"http://127.0.0.1:{port}"
            away = f"http://127.0.0.1:{other}/secret"
            server.expect("/hello/fetch", 203, "outside\n", "--data", f"{here}/x?y=1")
            server.expect("/hello/fetch", 203, "outside\n", "--data", f"{here}/away=/inside")
            server.expect("/hello/fetch", 502, "error 1", "--data", away)
            server.expect("/hello/fetch", 502, "error 1", "--data", f"{here}/away={away}")
            server.expect("/hello/fetch", 502, "error 1", "--data", "file:///etc/passwd")
            server.expect("/hello/fetch", 502, "error 1", "--data", f"{here}/away=file:///etc/passwd")
            server.expect("/hello/fetch", 502, "error 2", "--data", "nonsense")
            server.expect("/hello/fetch", 200, "a file\n", "--data", "/hello/file")
            server.expect("/patterns/fetch", 502, "error 1", "--data", f"{here}/x")
            server.expect("/patterns/fetch", 502, "error 1", "--data", "/hello/file")
        expect_equal("asked", ["/x?y=1", "/away=/inside", "/inside", f"/away={away}", "/away=file:///etc/passwd"], asked)
        expect_equal("asked elsewhere", [], asked_other)
        expect_text(f"allowed_http_hosts does not have the host of {away}", server.log)


def spin_go(session):
    module = go_component(session)
    with harness.folder() as here:
        shutil.copy(module, here / "component.wasm")
        (here / "spin.toml").write_text(
            "spin_manifest_version = \"1\"\nname = \"go\"\nversion = \"1\"\ntrigger = { type = \"http\", base = \"/go\" }\n"
            "[[component]]\nid = \"go\"\nsource = \"component.wasm\"\nenvironment = { GREETING = \"variable\" }\n"
            "config = { greeting = \"value\" }\n[component.trigger]\nroute = \"/...\"\n", encoding="utf-8")
        with serving(session, here) as server:
            for _ in range(3):
                server.expect("/go/x?y", 200, "Go: /go/x?y, config value, environment variable, body sent\n",
                              "--data", "sent")
        expect_text("guest: from Go\n", server.log)


def without_manifests(session):
    """A module alone shows by its exports and imports what it is."""
    component = compile_guest(session, "spin/hello.c", "http-spin2", *LIBRARY)
    with serving(session, component) as server:
        server.expect("/any/path", 200, "Hello from Spin\n")
    for name, *flags in [("http-slight",), ("http-slight-late", "-DLATE", *REACTOR)]:
        with serving(session, compile_guest(session, "slight/hello.c", name, *flags)) as server:
            server.expect("/person/Ann", 200, "hello: Ann")


def check_slight(session, application):
    with serving(session, application) as server:
        status, body = server.ask("/hello", "--include", "--header", "X-Mine: own")
        expect_equal("status", 200, status)
        for line in ["x-mine: own\r\n", "Access-Control-Allow-Origin: *\r\n", "\r\n\r\nhello"]:
            expect_text(line, body)
        server.expect("/hello/", 200, "hello")
        server.expect("/person/J%C3%B6rg%20B", 200, "hello: Jörg B")
        server.expect("/get", 404, "no such key")
        server.expect("/set", 204, "", "--request", "PUT", "--data", "value")
        server.expect("/get", 200, "value")
        server.expect("/none", 404, "there is no such route\n")
        server.expect("/hello", 405, "the route is for other methods\n", "--data", "x")
        server.expect("/fail", 500, "Internal Server Error\n", "--data", "x")
        server.expect("/hello", 204, "", "--request", "OPTIONS")
    expect_text("guest starting server\nguest moving on\n", server.log)
    expect_text("it was to fail", server.log)


def slight_c(session):
    with copied("slight", app=compile_guest(session, "slight/hello.c", "http-slight")) as application:
        check_slight(session, application)


def slight_c_late(session):
    module = compile_guest(session, "slight/hello.c", "http-slight-late", "-DLATE", *REACTOR)
    with copied("slight", app=module) as application:
        (application / "slightfile-late.toml").rename(application / "slightfile.toml")
        check_slight(session, application)


CASES = {
    "spin: C": spin_c,
    "spin: C, a reactor": spin_c_reactor,
    "spin: Go": spin_go,
    "spin: hostile": spin_hostile,
    "spin: variables": spin_variables,
    "spin: errors": spin_errors,
    "spin: outbound": spin_outbound,
    "slight: C": slight_c,
    "slight: C, 0.4": slight_c_late,
    "without manifests": without_manifests,
}

if __name__ == "__main__":
    sys.exit(harness.main(CASES))
