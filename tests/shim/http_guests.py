"""Guests that answer HTTP requests, one for each contract, and the manifests of those that have one."""

import subprocess

from harness import PROJECT, SCRATCH, TIMEOUT, compile_wat

# Answers every request with a text.
SPIN_GUEST = """
(module
  (memory (export "memory") 1)
  (data (i32.const 1024) "hello by spin\\n")
  (global $top (mut i32) (i32.const 4096))
  (func (export "canonical_abi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $top (i32.and (i32.add (i32.add (global.get $top) (local.get 3)) (i32.const 15)) (i32.const -8)))
    (i32.and (i32.sub (global.get $top) (local.get 3)) (i32.const -8)))
  (func (export "canonical_abi_free") (param i32 i32 i32))
  (func (export "handle-http-request") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.store16 (i32.const 64) (i32.const 200))
    (i32.store8 (i32.const 80) (i32.const 1))
    (i32.store (i32.const 84) (i32.const 1024))
    (i32.store (i32.const 88) (i32.const 14))
    (i32.const 64)))
"""
SPIN_MANIFEST = b"""
spin_version = "1"
name = "hello"
trigger = { type = "http", base = "/" }
version = "1.0.0"
[[component]]
id = "hello"
source = "app.wasm"
[component.trigger]
route = "/hello"
"""
# Says at its start that /hello is answered by its function "hello".
SLIGHT_GUEST = """
(module
  (import "http" "router::new" (func $new (param i32)))
  (import "http" "router::get" (func $get (param i32 i32 i32 i32 i32 i32)))
  (import "http" "server::serve" (func $serve (param i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 1024) "/hellohello0.0.0.0:80hello by slight\\n")
  (global $top (mut i32) (i32.const 4096))
  (func (export "canonical_abi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $top (i32.and (i32.add (i32.add (global.get $top) (local.get 3)) (i32.const 15)) (i32.const -8)))
    (i32.and (i32.sub (global.get $top) (local.get 3)) (i32.const -8)))
  (func (export "canonical_abi_free") (param i32 i32 i32))
  (func (export "_start")
    (call $new (i32.const 16))
    (call $get (i32.load (i32.const 20)) (i32.const 1024) (i32.const 6) (i32.const 1030) (i32.const 5) (i32.const 16))
    (call $serve (i32.const 1035) (i32.const 10) (i32.load (i32.const 20)) (i32.const 16)))
  (func (export "hello") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.store16 (i32.const 68) (i32.const 200))
    (i32.store8 (i32.const 84) (i32.const 1))
    (i32.store (i32.const 88) (i32.const 1045))
    (i32.store (i32.const 92) (i32.const 16))
    (i32.const 64)))
"""
SLIGHT_MANIFEST = b'specversion = "0.1"\n[[capability]]\nname = "http"\n'


def compiled(name, source, *flags):
    made = SCRATCH / f"{name}.wasm"
    if not made.exists():
        subprocess.run(["clang-19", "--target=wasm32-wasi", "--sysroot=/usr", "-O1", *flags, "-o", str(made),
                        str(PROJECT / "tests/guest" / source)], check=True, timeout=TIMEOUT)
    return made.read_bytes()


def wagi_guest():
    return compiled("wagi", "http/hello.c")


def server_guest():
    """A server of its own, on the socket that it is handed: /hello, /large, /echo, /quit."""
    return compiled("server", "servers/http.c", "-D_GNU_SOURCE")


def asking_guest():
    """A component of Spin, which sends the request that the body of one to /fetch names."""
    return compiled("asking", "http/spin/hello.c", "-nostartfiles", "-Wl,--no-entry")


def asking_manifest(*hosts):
    """Of that component, at /hello/..., which may ask these."""
    allowed = ", ".join(f'"{host}"' for host in hosts)
    return SPIN_MANIFEST.replace(b'"/hello"', b'"/hello/..."').replace(
        b'id = "hello"', f'id = "hello"\nallowed_http_hosts = [{allowed}]'.encode())


def assembled(name, text):
    made = SCRATCH / f"{name}.wasm"
    if not made.exists():
        compile_wat(text, made)
    return made.read_bytes()


def spin_guest():
    return assembled("spin", SPIN_GUEST)


def slight_guest():
    return assembled("slight", SLIGHT_GUEST)
