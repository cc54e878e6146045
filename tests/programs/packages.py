"""Programs that others built, as npm packages pinned by version and hash (packages.json), and sources from crates."""
import base64
import hashlib
import json
import os
import pathlib
import shutil
import tarfile

import harness

HERE = pathlib.Path(__file__).resolve().parent
PINS = json.loads((HERE / "packages.json").read_text(encoding="utf-8"))


def reason(stderr):
    """What a package manager said, on one line."""
    lines = (line.strip() for line in stderr.decode("utf-8", "replace").splitlines())
    return harness.shorten("; ".join(line for line in lines if line).encode(), 300).replace("\n", " ")


def npm(session, name):
    """The folder of an npm package, fetched when it is not in the cache. Skips where the registry cannot be reached."""
    pin = PINS[name]
    label = name.strip("@").replace("/", "-")

    def fetch(out):
        tool = harness.require("npm")
        with harness.folder() as here:
            # A registry that does not answer is asked again after seconds, not after minutes, as npm would.
            patience = ["--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]
            done = harness.run([tool, "pack", "--loglevel=error", *patience, f"{name}@{pin['version']}"], cwd=here, timeout=300)
            archives = list(here.glob("*.tgz"))
            if done.code != 0 or len(archives) != 1:
                raise harness.Skip(f"{name}@{pin['version']} cannot be fetched: {reason(done.stderr)}")
            content = archives[0].read_bytes()
            found = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
            if found != pin["integrity"]:
                raise harness.Failure(f"{name}@{pin['version']} is not what was pinned: {found}")
            with tarfile.open(archives[0]) as archive:
                # The archive is the pinned one, whose names are plain.
                archive.extractall(out)

    return session.cached("npm-" + label, [json.dumps(pin)], fetch) / "package"


def crate(session, project, name):
    """The folder of a crate that `project` (a folder with Cargo.toml and Cargo.lock) depends on."""
    def fetch(out):
        tool = harness.require("cargo")
        done = harness.run([tool, "vendor", "--locked", "--versioned-dirs", "--quiet", out / "vendor"], cwd=project,
                           timeout=300)
        if done.code != 0:
            shutil.rmtree(out, ignore_errors=True)
            raise harness.Skip(f"the crate {name} cannot be fetched: {reason(done.stderr)}")

    vendored = session.cached("crate-" + name, [project / "Cargo.lock"], fetch) / "vendor"
    return next(vendored.glob(name + "-*"))


def executable(path):
    os.chmod(path, 0o755)
    return path
