#!/usr/bin/env python3
"""header_includes.py INCLUDE_DIR: public headers include each other and the standard library, nothing else.

The C headers lie in INCLUDE_DIR itself and find each other beside themselves.
"""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
headers = sorted(root.rglob("*.h"))
wrong = []
for header in headers:
    for number, line in enumerate(header.read_text().splitlines(), 1):
        found = re.match(r"\s*#\s*include\s+(\S+)", line)
        if not found:
            continue
        name = found.group(1)
        in_c = header.parent == root
        ours = re.fullmatch(r'"(\w+\.h)"' if in_c else r"<(wasi/[\w/]+\.(?:h|def))>", name)
        # In C++ also light parts of it (detail/chrono.h, detail/memory.h), and the file that is not there (detail/language.h).
        standard = re.fullmatch(r"<(assert|stdbool|stddef|stdint|string)\.h>" if in_c
                                else r"<[a-z_]+>|<bits/(?:chrono|shared_ptr|std_function)\.h>|<C\+\+23>", name)
        if not standard and not (ours and (root / ours.group(1)).is_file()):
            wrong.append(f"{header}:{number}: {name}")
if not headers:
    wrong.append(f"{root}: no headers")
print("\n".join(wrong) or f"{len(headers)} headers")
sys.exit(bool(wrong))
