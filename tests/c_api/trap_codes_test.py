#!/usr/bin/env python3
"""trap_codes_test.py INCLUDE_DIR: the trap codes of wasirun.h are those of traps.def, in their order."""
import pathlib
import re
import sys

include = pathlib.Path(sys.argv[1])
codes = re.findall(r"^WASI_TRAP\((\w+),", (include / "wasi/traps.def").read_text(), re.M)
enum = re.search(r"enum wasirun_trap_code_enum \{(.*?)\};", (include / "wasirun.h").read_text(), re.S)[1]
names = re.findall(r"^\s*WASIRUN_TRAP_(\w+),", enum, re.M)
if len(codes) < 29 or [name.lower() for name in names] != codes:
    sys.exit(f"traps.def has\n  {codes}\nand wasirun.h\n  {[name.lower() for name in names]}")
