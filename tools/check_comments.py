#!/usr/bin/env python3
"""Checks that files which comments name exist.

A word like `frame.h`, `lib/wasm/opcodes.def` or `wasi.md` in a comment of a source file, or of a script, names a file of
the repository, by the end of its path. Exits with 1 and a line per name of which there is none.
"""
import io
import pathlib
import re
import subprocess
import sys
import tokenize

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Names of files that are not ours, each with the reason why a comment speaks of it.
OUTSIDE = {
    "format.h": "{fmt}'s declarations, which lib/base compiles",
    "format-inl.h": "{fmt}'s definitions, the same",
    "doc/specification.md": "of the official WASI suite, which says what its tests ask for",
    "tests/fuzz/x_fuzz.cc": "stands for any fuzz target",
}

SLASHES = {".h", ".cc", ".def", ".c", ".cpp", ".hpp", ".inc"}
NAME = re.compile(r"(?<![\w.*/>-])[\w.+-]*(?:/[\w.+-]+)*\w\.(?:h|hpp|cc|cpp|def|md|py|cmake|map)\b(?![\w(]|\.\w)")
ADDRESS = re.compile(r"\w+://\S+")
# Comments, and what could look like one: strings, characters, raw strings.
C_TOKENS = re.compile(r"""R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'|(//[^\n]*|/\*.*?\*/)""", re.S)


def comments_of(path, text):
    """(line number, text) of each comment."""
    if path.suffix in SLASHES:
        for match in C_TOKENS.finditer(text):
            if match[2]:
                first = text.count("\n", 0, match.start()) + 1
                yield from enumerate(match[2].splitlines(), first)
    elif path.suffix == ".py":
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
    else:
        for number, line in enumerate(text.splitlines(), 1):
            if match := re.search(r"(?:^|\s)#\s.*", line):
                yield number, match[0]


def is_source(path):
    if path.suffix in SLASHES | {".py", ".cmake", ".sh"} or path.name == "CMakeLists.txt":
        return True
    with path.open("rb") as file:
        return not path.suffix and file.read(2) == b"#!"


def main():
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            check=True, capture_output=True, text=True).stdout.split("\0")
    files = [name for name in listed if name and (ROOT / name).is_file()]
    known = set()
    for name in files:
        parts = name.split("/")
        known.update("/".join(parts[i:]) for i in range(len(parts)))
    wrong = []
    for name in files:
        path = ROOT / name
        if not is_source(path):
            continue
        for number, comment in comments_of(path, path.read_text(encoding="utf-8", errors="replace")):
            for found in NAME.findall(ADDRESS.sub("", comment)):
                if found not in known and found not in OUTSIDE:
                    wrong.append(f"{name}:{number}: there is no file {found}")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
