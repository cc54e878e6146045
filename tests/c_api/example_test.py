#!/usr/bin/env python3
"""example_test.py PROGRAM EXPECTED FOLDER: runs an example with its module of FOLDER and compares what it prints.

The module of `hostref` is older than the standard's final ref.null, which names a type: it runs with that put right.

A line of EXPECTED that begins with "~ " is a regular expression for the whole line. "# any order" as the first line:
the lines come in any order. The program ends with 0 and prints nothing to stderr.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

program, expected_file, folder = sys.argv[1:]
expected = pathlib.Path(expected_file).read_text().splitlines()
with tempfile.TemporaryDirectory() as scratch:
    name = pathlib.Path(expected_file).stem + ".wasm"
    module = (pathlib.Path(folder) / name).read_bytes()
    # The section of globals: an externref, variable, null.
    module = module.replace(bytes.fromhex("06 85808080 00 01 6f01 d0 0b"), bytes.fromhex("06 86808080 00 01 6f01 d06f 0b"))
    (pathlib.Path(scratch) / name).write_bytes(module)
    run = subprocess.run([program], cwd=scratch, capture_output=True, text=True, check=False)
if run.returncode != 0 or run.stderr:
    sys.exit(f"exit status {run.returncode}\n{run.stdout}{run.stderr}")
printed = run.stdout.splitlines()
if expected[0] == "# any order":
    expected, printed = sorted(expected[1:]), sorted(printed)
for number, line in enumerate(expected):
    if number >= len(printed):
        sys.exit(f"line {number + 1} is missing: {line}")
    fits = re.fullmatch(line[2:], printed[number]) if line.startswith("~ ") else line == printed[number]
    if not fits:
        sys.exit(f"line {number + 1} is\n  {printed[number]}\nexpected\n  {line}")
if len(printed) > len(expected):
    sys.exit(f"printed besides: {printed[len(expected):]}")
