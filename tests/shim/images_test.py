"""Modules in the layers of images, asked for at a containerd of ours: its services Containers, Images and Content."""

import concurrent.futures
import importlib
import itertools
import socket
import threading

import harness
from harness import UNKNOWN, MockContainerd, compile_guest, task
from http_case import HttpCase, free_port
from http_guests import wagi_guest
from oci_images import MANIFEST, describe

try:
    import grpc
except ImportError:
    harness.skip("python3-grpcio is not installed")

containerd = importlib.import_module("containerd_pb2")

MODULE_TYPES = ("application/wasm", "application/vnd.wasm.content.layer.v1+wasm",
                "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm")
CONFIG_TYPES = ("application/vnd.wasm.config.v0+json", "application/vnd.wasm.config.v1+json")
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"


class FakeContainerd(grpc.GenericRpcHandler):
    """Answers from dictionaries; a function in the place of an answer is called for it."""

    PIECE = 1000

    def __init__(self, path):
        self.containers = {}  # name: image
        self.images = {}  # name: descriptor
        self.content = {}  # digest: bytes, or a function that gives pieces
        self.reads = []
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
        self.server.add_generic_rpc_handlers((self,))
        self.server.add_insecure_port(f"unix:{path}")
        self.server.start()

    def service(self, details):
        unary, stream = grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler
        kind, call, request = {
            "/containerd.services.containers.v1.Containers/Get": (unary, self.container, containerd.GetContainerRequest),
            "/containerd.services.images.v1.Images/Get": (unary, self.image, containerd.GetImageRequest),
            "/containerd.services.content.v1.Content/Read": (stream, self.read, containerd.ReadContentRequest),
        }.get(details.method, (None, None, None))
        return kind and kind(call, request.FromString, lambda answer: answer.SerializeToString())

    @staticmethod
    def look_up(table, name, context):
        if dict(context.invocation_metadata()).get("containerd-namespace") != "test":
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "another namespace")
        if name not in table:
            context.abort(grpc.StatusCode.NOT_FOUND, f'"{name}": not found, 100% ä')
        return table[name]() if callable(table[name]) else table[name]

    def container(self, request, context):
        image = self.look_up(self.containers, request.id, context)
        return containerd.GetContainerResponse(container={"id": request.id, "image": image})

    def image(self, request, context):
        target = self.look_up(self.images, request.name, context)
        fields = {"media_type": target["mediaType"], "digest": target["digest"], "size": target["size"]}
        return containerd.GetImageResponse(image={"name": request.name, "target": fields})

    def read(self, request, context):
        self.reads.append(request.digest)
        data = self.look_up(self.content, request.digest, context)
        pieces = data
        if isinstance(data, bytes):
            pieces = (data[i:i + self.PIECE] for i in range(0, len(data), self.PIECE))
        offset = 0
        for piece in pieces:
            yield containerd.ReadContentResponse(offset=offset, data=piece)
            offset += len(piece)

    def add(self, media_type, data, **fields):
        """Keeps it; its descriptor."""
        data, descriptor = describe(media_type, data, **fields)
        self.content[descriptor["digest"]] = data
        return descriptor

    def add_manifest(self, layers, config_type=CONFIG_TYPES[0], system="wasip1", **fields):
        config = self.add(config_type, {"architecture": "wasm", "os": system})
        return self.add(MANIFEST, {"schemaVersion": 2, "config": config, "layers": layers}, **fields)


class Images(HttpCase):
    def setUp(self):
        super().setUp()
        self.containerd = FakeContainerd(self.grpc_address)
        self.addCleanup(lambda: self.containerd.server.stop(None).wait(harness.TIMEOUT))
        self.module = compile_guest("job").read_bytes()

    def layer(self, media_type=MODULE_TYPES[0], data=None, **fields):
        return self.containerd.add(media_type, data or self.module, **fields)

    def container(self, name, target, args=("/module.wasm", "show"), **parts):
        """The bundle of a container, whose root does not have the module, of an image."""
        self.containerd.containers[name] = f"registry/{name}:1"
        self.containerd.images[f"registry/{name}:1"] = target
        return self.bundle(name, list(args), **parts)

    def fails(self, bundle, *texts):
        client = self.start_shim(bundle)
        for text in texts:
            self.assert_fails(UNKNOWN, text, lambda: self.create(client, bundle))
        self.shut_down(client, bundle)

    def test_every_kind_of_layer(self):
        for i, (layer, config) in enumerate(itertools.product(MODULE_TYPES, CONFIG_TYPES)):
            target = self.containerd.add_manifest([self.layer(layer)], config)
            code, out, err = self.run_container(self.container(f"layer{i}", target))
            self.assertEqual((code, err), (0, ""))
            self.assertEqual(out.splitlines()[:2], ["arg 0 /module.wasm", "arg 1 show"])

    def test_arguments(self):
        target = self.containerd.add_manifest([self.layer()])
        for i, (args, first) in enumerate(((["/", "show"], "arg 0 /\n"), ([], "arg 0 /\n"),
                                           (["plain", "show"], "arg 0 plain\n"))):
            self.assertIn(first, self.run_container(self.container(f"args{i}", target, args))[1])
        self.assertEqual(self.run_container(self.container("function", target, ["/module.wasm#other"]))[1],
                         "the other function\n")

    def test_files_of_the_root_come_first(self):
        target = self.containerd.add_manifest([self.layer(data=b"no module")])
        self.assertEqual(self.run_container(self.container("root", target, ["/app.wasm", "exit", "3"]))[0], 3)
        self.assertEqual(self.containerd.reads, [])

    def test_server(self):
        target = self.containerd.add_manifest([self.layer(data=wagi_guest())])
        port = free_port()
        bundle = self.container("server", target, ["/"], annotations={"wasirun.dev/http": f"127.0.0.1:{port}"})
        client = self.run_server(bundle)
        self.wait_for_answer(bundle, port, "/hello", "hello")
        self.end(client, bundle)

    def test_index(self):
        manifests = [{**self.containerd.add_manifest([]), "platform": {"os": "linux", "architecture": "amd64"}},
                     {**self.containerd.add_manifest([], system="wasi"), "platform": {"os": "wasi", "architecture": "wasm"}},
                     {**self.containerd.add_manifest([self.layer()]),
                      "platform": {"os": "wasip1", "architecture": "wasm"}}]
        index = self.containerd.add(INDEX_TYPE, {"schemaVersion": 2, "manifests": manifests})
        self.assertIn("arg 1 show", self.run_container(self.container("index", index))[1])
        others = self.containerd.add(INDEX_TYPE, {"schemaVersion": 2, "manifests": manifests[:1]})
        self.fails(self.container("others", others), "wasip1/wasm is none of them")

    def test_several_modules(self):
        def titled(title, data):
            return self.layer(data=data, annotations={"org.opencontainers.image.title": title})

        target = self.containerd.add_manifest([titled("other.wasm", b"no module"), titled("module.wasm", self.module)])
        self.assertIn("arg 1 show", self.run_container(self.container("titled", target))[1])
        self.fails(self.container("untitled", target, ["/x.wasm"]),
                   'and none is "x.wasm": "other.wasm" "module.wasm"')

    def test_damaged_content(self):
        for name, text, change in (("changed", "damaged, its digest is sha256:", lambda data: b"x" + data[1:]),
                                   ("short", "bytes instead of", lambda data: data[:-1]),
                                   ("long", "longer than the", lambda data: data + b"x"),
                                   ("endless", "longer than the", lambda data: lambda: itertools.repeat(data[:9000])),
                                   ("empty", "bytes instead of", lambda data: lambda: iter(()))):
            layer = self.layer(data=self.module + name.encode())
            target = self.containerd.add_manifest([layer])
            self.containerd.content[layer["digest"]] = change(self.containerd.content[layer["digest"]])
            self.fails(self.container(name, target), text)

    def test_missing(self):
        target = self.containerd.add_manifest([self.layer()])
        bundle = self.container("noimage", target)
        del self.containerd.images["registry/noimage:1"]
        self.fails(bundle, "exec: /module.wasm: there is no such file in the container",
                   'nor is there a module in the image registry/noimage:1: /containerd.services.images.v1.Images/Get: '
                   '"registry/noimage:1": not found, 100% ä (NOT_FOUND)')
        bundle = self.container("nocontainer", target)
        del self.containerd.containers["nocontainer"]
        self.fails(bundle, "its image cannot be looked into: /containerd.services.containers.v1.Containers/Get",
                   "(NOT_FOUND)")
        del self.containerd.content[target["digest"]]
        self.fails(self.container("nocontent", target), "/containerd.services.content.v1.Content/Read", "(NOT_FOUND)")

    def test_images_without_modules(self):
        files = self.containerd.add_manifest([self.layer("application/vnd.oci.image.layer.v1.tar", b"files")])
        self.fails(self.container("files", files), "none of its layers is a module")
        component = self.containerd.add_manifest([self.layer()], system="wasip2")
        self.fails(self.container("component", component), "it is for wasip2/wasm; what runs here is wasip1/wasm")
        text = self.containerd.add(MANIFEST, b"text")
        self.fails(self.container("text", text), "its manifest: parse error at line 1")
        nonsense = self.containerd.add_manifest([self.layer(data=b"no module")])
        self.fails(self.container("nonsense", nonsense), "registry/nonsense:1, layer sha256:")

    def test_sizes(self):
        target = self.containerd.add_manifest([self.layer()])
        self.fails(self.container("document", {**target, "size": 1 << 40}), "at most 4194304 are taken")
        digest = {**target, "digest": "md5:0"}
        self.fails(self.container("digest", digest), "expected a digest by SHA-256")
        layer = {**self.layer(), "size": 1 << 40}
        self.fails(self.container("layer", self.containerd.add_manifest([layer])), "at most 1073741824 are taken")
        large = self.layer(data=b"large")
        large["size"] = 1 << 29
        self.containerd.content[large["digest"]] = lambda: iter([bytes(17 << 20)])
        self.fails(self.container("message", self.containerd.add_manifest([large])), "a message of 178",
                   "bytes; at most 16777216 are taken")

    def test_hanging(self):
        """The shim answers others while it waits for an answer, and does not wait for ever."""
        target = self.containerd.add_manifest([self.layer()])
        bundle = self.container("hanging", target)
        release = threading.Event()
        self.addCleanup(release.set)
        self.containerd.images["registry/hanging:1"] = lambda: release.wait(harness.TIMEOUT) and target
        client = self.start_shim(bundle)
        creating = client.send("Create", self.create_request(bundle))
        client.call("Connect", task.ContainerRequest(id="hanging"), task.ConnectResponse)
        self.assertFalse(client.is_answered(creating))
        self.assert_fails(UNKNOWN, "no answer in time", lambda: client.finish(creating, task.CreateResponse))
        release.set()
        self.shut_down(client, bundle)


class OtherServers(MockContainerd):
    """What listens at containerd's address does not speak gRPC."""

    def serve(self, *answers):
        """One connection for each answer, which is kept until the client has had enough; None: it is closed at once."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.grpc_address)
        listener.listen(8)
        self.addCleanup(listener.close)

        def run():
            for answer in answers:
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(harness.TIMEOUT)
                    connection.recv(65536)
                    if answer is not None:
                        connection.sendall(answer)
                        while connection.recv(65536):
                            pass

        threading.Thread(target=run, daemon=True).start()

    def test_answers(self):
        frame = b"\0\0\0\4\0\0\0\0\0"  # empty settings
        expected = {"does not keep to HTTP/2": b"HTTP/1.1 400 Bad Request\r\n\r\n" + bytes(100),
                    "Containers/Get: ": None,
                    "HTTP status 404": frame + b"\0\0\1\1\5\0\0\0\1\x8d",
                    "the answer ended without a status": frame + b"\0\0\1\1\5\0\0\0\1\x88"}
        self.serve(*expected.values())
        bundle = self.bundle("other", ["/module.wasm"])
        client = self.start_shim(bundle)
        for text in expected:
            self.assert_fails(UNKNOWN, text, lambda: client.call("Create", self.create_request(bundle)))
        self.shut_down(client, bundle)

    def test_nobody(self):
        bundle = self.bundle("nobody", ["/module.wasm"])
        client = self.start_shim(bundle)
        self.assert_fails(UNKNOWN, f"connect to {self.grpc_address}: No such file or directory",
                          lambda: client.call("Create", self.create_request(bundle)))
        self.shut_down(client, bundle)

    def test_silence(self):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.grpc_address)
        listener.listen(8)
        self.addCleanup(listener.close)
        bundle = self.bundle("silence", ["/module.wasm"])
        client = self.start_shim(bundle)
        self.assert_fails(UNKNOWN, "no answer in time", lambda: client.call("Create", self.create_request(bundle)))
        self.shut_down(client, bundle)


if __name__ == "__main__":
    harness.main()
