#!/usr/bin/env python3
"""Whether everything that `cmake --install` copies out of the build folder is built by the target wasirun_installed.

usage: installed_files.py BUILD_FOLDER   exits with 77 where the build folder is none of Ninja's
"""
import pathlib
import re
import subprocess
import sys

build = pathlib.Path(sys.argv[1]).resolve()
if not (build / "build.ninja").exists():
    print("SKIPPED: only Ninja tells what a target consists of")
    sys.exit(77)


def ninja(*args):
    return subprocess.run(["ninja", "-C", build, *args], capture_output=True, text=True, check=False)


def inputs_of(target):
    """What an edge of the build names as its inputs, of whatever kind."""
    answer = ninja("-t", "query", target)
    if answer.returncode != 0:
        sys.exit(f"Ninja knows no {target}: {answer.stderr or answer.stdout}")
    head = answer.stdout.partition("\n  outputs:")[0]
    return [line.strip().lstrip("|").strip() for line in head.splitlines() if line.startswith("    ")]


# The target's own edges lead to the files within a step or two.
inputs = set()
level = ["wasirun_installed"]
for _ in range(3):
    level = [name for target in level for name in inputs_of(target) if name not in inputs]
    inputs.update(level)
inputs = {(build / name).resolve() for name in inputs}
checked = 0
for script in build.rglob("cmake_install.cmake"):
    # Parts that have to be asked for by name have no "OR NOT" in their condition.
    parts = re.split(r"(?m)^(?=if\(CMAKE_INSTALL_COMPONENT )", script.read_text())
    usual = "\n".join(part for part in parts if "OR NOT CMAKE_INSTALL_COMPONENT" in part.partition("\n")[0])
    for path in re.findall(r'"(/[^"]+)"', "\n".join(re.findall(r"file\(INSTALL .*", usual))):
        path = pathlib.Path(path)
        if build not in path.parents or ninja("-t", "query", path.relative_to(build)).returncode != 0:
            continue  # a source, or made by cmake itself
        checked += 1
        if path not in inputs:
            sys.exit(f"{path} is installed, but not built by wasirun_installed")
if checked < 2:
    sys.exit("the library and the command are not among what is installed")
