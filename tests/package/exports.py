#!/usr/bin/env python3
"""exports.py SHARED STATIC INCLUDE_DIR SONAME COMPILER: the shared library exports the functions of the public headers,
no more.

Each exported symbol is a function that a header marks with WASI_API, or that the C headers declare; and each function
that the library defines for a class of a header, or that a header declares by itself, is exported. STATIC is made of the
same objects; needs nm, readelf and a compiler that preprocesses C.
"""
import pathlib
import re
import subprocess
import sys

shared, static, include, soname, compiler = sys.argv[1:]

CLASS = re.compile(r"^(?:class|struct) (\w+)(?: final)? (?::[^;]*)?\{$", re.M)
FUNCTION = re.compile(r"^(?:\[\[nodiscard\]\] )?WASI_API [^(=]*?\b(\w+)\(", re.M)
MEMBER = re.compile(r"\bWASI_API\b[^(]*?(~?\w+|operator=)\(")


def symbols(*arguments):
    """(kind, demangled name without parameters) of what nm lists."""
    lines = subprocess.run(["nm", "-C", "--defined-only", *arguments], check=True, capture_output=True, text=True).stdout
    found = re.findall(r"^[0-9a-f]+ (\w) (.+)$", lines, re.M)
    return {(kind, re.sub(r"\[abi:\w+\]|@@?\w+$", "", name).partition("(")[0]) for kind, name in found}


def declared():
    """The names that headers mark, the classes that they define, and the functions that they declare by themselves."""
    marked, classes, functions = set(), set(), set()
    for header in sorted(pathlib.Path(include, "wasi").rglob("*.h")):
        text = re.sub(r"//.*", "", header.read_text())
        scope = "wasi::"
        position = 0
        in_function = False
        # A class begins and ends at the start of a line; what lies between is its own.
        for line in text.splitlines(keepends=True):
            if found := re.match(r"namespace ([\w:]+) \{$", line.strip()):
                scope = "wasi::" if found[1] == "wasi" else f"wasi::{found[1].removeprefix('wasi::')}::"
            elif re.match(r"\}\s*$", line):
                scope = scope if in_function else "wasi::"
                in_function = False
            elif re.match(r"(?!struct|class)\w.*\)[^;]* \{$", line):
                in_function = True
            if found := CLASS.match(line):
                end = text.index("\n};", position)
                classes.add(scope + found[1])
                for member in MEMBER.findall(text[position:end]):
                    marked.add(f"{scope}{found[1]}::{member}")
            elif found := FUNCTION.match(line):
                marked.add(scope + found[1])
            position += len(line)
            if found := re.match(r"(?!using|template|friend|return|static_assert|#)[\w\[].* \*?(\w+)\([^{]*\)[^{=]*;$", line):
                functions.add(scope + found[1])
    return marked, classes, functions


def declared_in_c():
    """The functions of wasm.h, wasi.h and wasirun.h, most of which macros declare."""
    options = ["-x", "c", "-E", "-P", "-DWASM_API_EXTERN=EXPORTED"]
    text = subprocess.run([compiler, *options, f"{include}/wasirun.h"], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"\bEXPORTED\b[^;(]*?\b(\w+)\s*\(", text))


def main():
    marked, classes, functions = declared()
    in_c = declared_in_c()
    marked |= in_c
    # What a compiler did not inline of the standard library's templates is weak, and visible as that library has it.
    # The symbols' version is an absolute symbol itself.
    exported = {name for kind, name in symbols("-D", shared)
                if kind != "A" and not (kind == "W" and re.search(r"(^|[ *&])std::", name))}
    # Strong: what is defined in a header is weak, and each program has its own.
    defined = {name for kind, name in symbols(static) if kind == "T"}
    public = {name for name in defined if name.rpartition("::")[0] in classes or name in functions}
    wrong = [f"exported, and no function of a public header: {name}" for name in sorted(exported - marked)]
    wrong += [f"public, and not exported: {name}" for name in sorted((public | marked) - exported)]
    if len(exported - in_c) < 100 or len(in_c) < 390:
        wrong.append(f"only {len(exported - in_c)} functions are exported for C++, and {len(in_c)} for C")
    dynamic = subprocess.run(["readelf", "-d", "-W", shared], check=True, capture_output=True, text=True).stdout
    found = re.search(r"SONAME.*\[(.*)\]", dynamic)
    if not found or found[1] != soname:
        wrong.append(f"the SONAME is {found and found[1]}, expected {soname}")
    # Each under the version that goes with the name, so that programs find the library that they were built against.
    version = "@@WASIRUN_" + soname.rpartition(".")[2]
    versions = {line.split()[-1].partition("@@")[2] for line in subprocess.run(
        ["nm", "-D", "--defined-only", shared], check=True, capture_output=True, text=True).stdout.splitlines()}
    if versions - {"", version.lstrip("@")}:
        wrong.append(f"versions of symbols are {sorted(versions)}, expected {version}")
    print("\n".join(wrong) or f"{len(exported)} functions are exported by {soname}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
