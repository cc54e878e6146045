"""Images as OCI has them, made by hand: in archives, and in a registry."""

import gzip
import hashlib
import io
import json
import pathlib
import tarfile

from servers import Quiet, serve

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def describe(media_type, data, **fields):
    """Bytes, or what is written as JSON: (the bytes, their descriptor)."""
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    return data, {"mediaType": media_type, "digest": digest, "size": len(data), **fields}


class Image:
    """One manifest with a configuration and one layer, by their digests."""

    def __init__(self, platform, config_type, config, layer_type, layer):
        self.blobs = {}
        self.platform = dict(zip(("os", "architecture"), platform))
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": self.add(config_type, {**self.platform, **config}),
                    "layers": [self.add(layer_type, layer)]}
        self.manifest = self.add(MANIFEST, manifest)

    def add(self, media_type, data):
        data, descriptor = describe(media_type, data)
        self.blobs[descriptor["digest"]] = data
        return descriptor

    def write(self, path, name):
        """An archive that has it by this name."""
        index = {"schemaVersion": 2, "manifests": [{**self.manifest, "platform": self.platform,
                                                    "annotations": {"io.containerd.image.name": name}}]}
        files = {"index.json": json.dumps(index).encode(), "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
                 **{f"blobs/{digest.replace(':', '/')}": data for digest, data in self.blobs.items()}}
        pathlib.Path(path).write_bytes(archive({name: (data, 0o644) for name, data in files.items()}))


def archive(files):
    """`files`: {path: (content, mode)}"""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for file, (content, mode) in files.items():
            entry = tarfile.TarInfo(file.strip("/"))
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def image_of_files(files, command, platform=("linux", "amd64"), **config):
    layer = archive(files)
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]}
    return Image(platform, "application/vnd.oci.image.config.v1+json",
                 {"config": {"Entrypoint": command, **config}, "rootfs": rootfs},
                 "application/vnd.oci.image.layer.v1.tar+gzip", gzip.compress(layer, mtime=0))


def image_of_module(module):
    """Its layer is the module itself."""
    return Image(("wasip1", "wasm"), "application/vnd.wasm.config.v0+json", {}, "application/wasm", module)


class Registry:
    """Gives out images, on a listening socket of TCP; `images`: {name: Image}, each with the tag 1."""

    def __init__(self, listener, images):
        class Handler(Quiet):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                _, _, *words = self.path.partition("?")[0].split("/")  # of /v2/NAME/manifests/REFERENCE, /v2/NAME/blobs/DIGEST
                if len(words) != 3 or words[0] not in images:
                    return self.answer(200 if self.path == "/v2/" else 404, "application/json", b"{}", "")
                image, (_, kind, digest) = images[words[0]], words
                if kind == "manifests" and digest == "1":
                    digest = image.manifest["digest"]
                media_type = MANIFEST if kind == "manifests" else "application/octet-stream"
                found = digest in image.blobs
                return self.answer(200 if found else 404, media_type, image.blobs.get(digest, b""), digest)

            do_HEAD = do_GET

            def answer(self, status, media_type, body, digest):
                self.send_response(status)
                for name, value in (("Content-Type", media_type), ("Content-Length", len(body)),
                                    ("Docker-Content-Digest", digest)):
                    self.send_header(name, str(value))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

        self.address = f"localhost:{listener.getsockname()[1]}"
        self.close = serve(listener, Handler)
