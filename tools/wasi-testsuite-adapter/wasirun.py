"""Adapter for the runner of WebAssembly/wasi-testsuite: how wasirun is called for one of its programs.

In a checkout of that suite:

    WASIRUN=/path/to/wasirun ./run-tests --runtime-adapter /path/to/wasi-testsuite-adapter/wasirun.py

WASIRUN is split as a shell would, so it may have options of its own (WASIRUN="wasirun --tier interp"). The runner
imports this file; https://github.com/WebAssembly/wasi-testsuite/blob/main/doc/adapters.md says what it looks for.
"""

import os
import shlex
import subprocess
from typing import Dict, List, Optional, Tuple

WASIRUN = shlex.split(os.getenv("WASIRUN", "wasirun"))


def get_name() -> str:
    return "wasirun"


def get_version() -> str:
    done = subprocess.run(WASIRUN[:1] + ["--version"], encoding="UTF-8", capture_output=True, check=True)
    return done.stdout.split()[1]


def get_wasi_versions() -> List[str]:
    return ["wasm32-wasip1"]


def get_wasi_worlds() -> List[str]:
    return ["wasi:cli/command"]


def get_timeout_seconds() -> float:
    """Longer than the runner's own 5 s: the machine may be busy with other tests, or the program emulated."""
    return 30.0


def compute_argv(test_path: str,
                 args_env_root: Tuple[List[str], Dict[str, str], Optional[os.PathLike]],
                 _proposals: List[str],
                 _wasi_world: str,
                 _wasi_version: str) -> List[str]:
    """The command line that runs one program. Proposals and worlds are other WASI versions' matters."""
    args, env, root = args_env_root
    argv = list(WASIRUN)
    for name, value in env.items():
        argv += ["--env", f"{name}={value}"]
    if root:
        argv += ["--dir", f"{root}::/"]
    return argv + [test_path] + args
