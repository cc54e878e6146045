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


made = ninja("-t", "inputs", "wasirun_installed")
if made.returncode != 0:
    sys.exit(f"there is no target wasirun_installed: {made.stderr or made.stdout}")
inputs = {(build / line).resolve() for line in made.stdout.splitlines()}
checked = 0
for script in build.rglob("cmake_install.cmake"):
    for path in re.findall(r'"(/[^"]+)"', "\n".join(re.findall(r"file\(INSTALL .*", script.read_text()))):
        path = pathlib.Path(path)
        if build not in path.parents or ninja("-t", "query", path.relative_to(build)).returncode != 0:
            continue  # a source, or made by cmake itself
        checked += 1
        if path not in inputs:
            sys.exit(f"{path} is installed, but not built by wasirun_installed")
if checked < 2:
    sys.exit("the library and the command are not among what is installed")
