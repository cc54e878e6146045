#!/usr/bin/env python3
"""Checks that includes follow the architecture's arrows (docs/architecture.md).

Every folder may include itself, the folders listed for it here, and the leaf headers of the public API.
Exits with 1 and a line per wrong include.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Folder -> folders that it may include besides itself. The order is that of the picture, bottom up.
ALLOWED = {
    "lib/base": set(),
    "lib/os": {"lib/base"},
    "lib/wasm": {"lib/base"},
    "lib/binary": {"lib/base", "lib/wasm"},
    "lib/text": {"lib/base", "lib/wasm", "lib/binary"},
    "lib/validate": {"lib/base", "lib/wasm", "lib/binary"},
    "lib/runtime": {"lib/base", "lib/os", "lib/wasm", "lib/binary", "lib/validate"},
    "lib/wasi": {"lib/base", "lib/os", "lib/wasm", "lib/runtime"},
    "interp": {"lib/base", "lib/wasm", "lib/binary", "lib/validate", "lib/runtime"},
    "jit/common": {"lib/base", "lib/os", "lib/wasm", "lib/binary", "lib/runtime"},
    "jit/plan": {"lib/base", "lib/wasm", "lib/validate"},
    "jit/baseline": {"lib/base", "lib/wasm", "lib/binary", "lib/validate", "lib/runtime", "jit/common"},
    "lib/engine": {"lib/base", "lib/os", "lib/wasm", "lib/binary", "lib/text", "lib/validate", "lib/runtime", "lib/wasi",
                   "interp", "jit/common", "jit/plan", "jit/baseline", "include/wasi"},
    "lib/c_api": {"lib/base", "lib/os", "lib/wasm", "lib/binary", "lib/runtime", "lib/engine", "include/wasi"},
    "include/wasi": set(),
    "tools": {"include/wasi", "lib/base", "lib/os", "lib/wasm", "lib/binary", "lib/text", "lib/wasi", "lib/engine"},
}

# Public headers without dependencies: the errors, traps and figures that every folder speaks of.
LEAVES = {"wasi/error.h", "wasi/trap.h", "wasi/traps.def", "wasi/metrics.h", "wasi/virtual_files.h",
          "wasi/detail/call_gate.h"}

# Headers that only these folders may see, so that a change elsewhere never recompiles against them.
RESERVED = {"llvm/": ("jit/llvm",), "asmjit/": ("jit/common",), "CLI/": ("tools",), "uv.h": ("lib/wasi", "tools"),
            "xxhash.h": ("lib/base",), "boost/": ("tools/serve",)}

INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^">]+)[">]')


def folder_of(path):
    """The longest key of ALLOWED that holds this path, or None."""
    text = path.relative_to(ROOT).as_posix()
    return max((key for key in ALLOWED if text.startswith(key + "/")), key=len, default=None)


def target_of(header):
    """The folder that an included header belongs to, or None for headers from outside."""
    if header.startswith("wasi/") and (ROOT / "include" / header).exists():
        return "include/wasi"
    for base in ("lib", ""):
        path = ROOT / base / header
        if path.exists():
            return folder_of(path)
    return None


def main():
    wrong = []
    for path in sorted(p for key in ALLOWED for p in (ROOT / key).rglob("*") if p.suffix in {".h", ".cc", ".def", ".inc"}):
        folder = folder_of(path)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            header = match.group(1)
            place = f"{path.relative_to(ROOT)}:{number}"
            for prefix, owners in RESERVED.items():
                if header.startswith(prefix) and not path.relative_to(ROOT).as_posix().startswith(owners):
                    wrong.append(f"{place}: {header} is for {' and '.join(owners)} alone")
            target = target_of(header)
            if target and target != folder and target not in ALLOWED[folder] and header not in LEAVES:
                wrong.append(f"{place}: {folder} must not include {header} of {target}")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
