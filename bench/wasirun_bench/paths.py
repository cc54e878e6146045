"""Where things lie."""
import os
import pathlib

BENCH = pathlib.Path(__file__).resolve().parent.parent
ROOT = BENCH.parent
KERNELS = BENCH / "kernels"
PEERS = BENCH / "peers"
RESULTS = BENCH / "results"
BUILD = ROOT / "build"
RELEASE = BUILD / "release"
INSTALLED = BUILD / "bench" / "peers"  # what bench/peers/install makes
WORK = BUILD / "bench" / "work"  # what is compiled here: kernels, precompiled modules, generated modules
SHARED = pathlib.Path(os.environ.get("WASIRUN_SHARED_DIR") or ROOT.parent / "shared") / "bench"
PACKAGES = pathlib.Path(os.environ.get("WASIRUN_TEST_CACHE") or BUILD / "cache")  # of npm, shared with the tests
