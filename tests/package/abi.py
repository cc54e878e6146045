#!/usr/bin/env python3
"""abi.py CLANG SHARED INCLUDE_DIR GOLDEN [--bless]: what programs that are built already rely on has not changed.

That is the names of the library's functions, in which their parameters are, and how the types of its headers lie in
memory: both are compared with the file GOLDEN, which --bless writes. Exits with 77 where there is no such file.
"""
import difflib
import pathlib
import re
import subprocess
import sys


def symbols(shared):
    lines = subprocess.run(["nm", "-D", "--defined-only", shared], check=True, capture_output=True, text=True).stdout
    # What compilers did not inline of the standard library's templates is weak.
    # The symbols' version is an absolute one itself.
    names = sorted(re.findall(r"^[0-9a-f]+ [B-VX-Z] (\S+)$", lines, re.M))
    return names


def layouts(clang, include):
    """Types of ours, with the offsets of their members. How the standard library's lie is its own matter."""
    source = "#include <wasi/wasi.h>\n"
    text = subprocess.run([clang, "-std=c++23", "-fsyntax-only", "-I", include, "-x", "c++", "-Xclang",
                           "-fdump-record-layouts-complete", "-"], input=source, check=True, capture_output=True, text=True).stdout
    found = {}
    for block in text.split("*** Dumping AST Record Layout\n")[1:]:
        lines = block.splitlines()
        head = re.match(r"\s*0 \| (?:struct|class|union) (wasi::[\w:]+)( \(empty\))?$", lines[0])
        if not head or "::detail::" in head[1]:
            continue
        members = []
        for line in lines[1:]:
            # The members of a type are two columns in, theirs further.
            if member := re.match(r"\s*(\d+(?::\d+-\d+)?) \|   (\S.*)$", line):
                members.append(f"  {member[1]} {member[2]}")
            elif size := re.match(r"\s*\| \[sizeof=(\d+).*? align=(\d+)", line):
                found[head[1]] = [f"{head[1]}: {size[1]} bytes, aligned to {size[2]}", *members]
    return [line for name in sorted(found) for line in found[name]]


def main():
    clang, shared, include, golden, *flags = sys.argv[1:]
    names, types = symbols(shared), layouts(clang, include)
    if len(names) < 100 or len(types) < 100:
        sys.exit(f"only {len(names)} symbols and {len(types)} lines of types were found")
    lines = ["# tests/package/abi.py writes this: functions by their names in the library, then types by their members.", *names,
             "", *types]
    path = pathlib.Path(golden)
    if flags == ["--bless"]:
        path.write_text("\n".join(lines) + "\n")
        return 0
    if not path.exists():
        print(f"SKIPPED: {path.name} is not there yet; cmake --build BUILD --target wasirun_bless_abi writes it")
        return 77
    before = path.read_text().splitlines()
    changes = list(difflib.unified_diff(before, lines, str(path), "this build", lineterm="", n=1))
    if not changes:
        print(f"{len(names)} symbols and the types are as before")
        return 0
    print("\n".join(changes))
    print("\nWhat is new can be blessed: cmake --build BUILD --target wasirun_bless_abi. What is gone or lies elsewhere breaks "
          "programs that are built already: then WASIRUN_ABI (cmake/WasirunPackage.cmake) is raised, too, once a release.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
