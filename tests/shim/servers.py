"""Servers of the tests, each on a socket that is theirs from then on: of HTTP, by TLS or not, and of names."""

import contextlib
import socket
import ssl
import struct
import subprocess
import threading
from http import server as http_server


def make_certificate(folder, alternative_name):
    """For a server of TLS that is called so ("DNS:upstream.test"): (the file of its certificate, its context)."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test",
                    "-addext", f"subjectAltName={alternative_name}", "-keyout", key, "-out", certificate], check=True,
                   capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context


def serve(listener, handler, context=None):
    """Answers by a class of http.server on a listening socket of TCP, by TLS where there is a context of it. The function that
    ends it."""
    server = http_server.ThreadingHTTPServer(listener.getsockname(), handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener if context is None else context.wrap_socket(listener, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def end():
        server.shutdown()
        server.server_close()

    return end


class Quiet(http_server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Upstream:
    """What guests ask: answers each GET with its host and path."""

    def __init__(self, listener, context=None):
        self.port = listener.getsockname()[1]
        self.requests = []  # (address of who asked, host and path)

        class Handler(Quiet):
            requests = self.requests

            def do_GET(self):
                asked = self.headers["Host"].split(":")[0] + self.path
                self.requests.append((self.client_address[0], asked))
                self.send_response(203)
                self.end_headers()
                self.wfile.write(f"from {asked}".encode())

        self.close = serve(listener, Handler, context)


class NameServer:
    """Answers questions of DNS on a socket of UDP: `names` are those that there are, with their IPv4 addresses. It keeps those
    that it was asked for, and ends with the process."""

    ADDRESS_OF_IPV4 = 1
    ANSWER, NO_SUCH_NAME = 0x8180, 0x8183

    def __init__(self, listener, names):
        self.names = names
        self.asked = []
        threading.Thread(target=self.serve, args=(listener,), daemon=True).start()

    def serve(self, listener):
        with contextlib.suppress(OSError):
            while True:
                query, client = listener.recvfrom(512)
                listener.sendto(self.answer(query), client)

    def answer(self, query):
        labels, at = [], 12
        while query[at] != 0:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        kind, = struct.unpack_from(">H", query, at + 1)
        name = ".".join(labels)
        self.asked.append(name)
        records = b""
        if name in self.names and kind == self.ADDRESS_OF_IPV4:
            # Of the name in the question, of the internet, for a minute.
            records = struct.pack(">HHHIH", 0xC00C, kind, 1, 60, 4) + socket.inet_aton(self.names[name])
        flags = self.ANSWER if name in self.names else self.NO_SUCH_NAME
        return query[:2] + struct.pack(">HHHHH", flags, 1, 1 if records else 0, 0, 0) + query[12:at + 5] + records
