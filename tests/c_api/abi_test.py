#!/usr/bin/env python3
"""abi_test.py COMPILER OURS STANDARD SCRATCH: programs built with the standard's wasm.h link with our library.

OURS and STANDARD are folders with a wasm.h each. Every function and callback type that the standard declares is
declared again behind our header, which compilers refuse unless the types are compatible; its inline functions and
macros exist; structs and enumerations have the same layout and values.
"""
import pathlib
import re
import subprocess
import sys

compiler, ours, standard, scratch = sys.argv[1:]
scratch = pathlib.Path(scratch)
scratch.mkdir(parents=True, exist_ok=True)

STRUCTS = {
    "wasm_limits_t": ["min", "max"],
    "wasm_val_t": ["kind", "of", "of.i32", "of.i64", "of.f32", "of.f64", "of.ref"],
}
SCALARS = ["byte_t", "wasm_byte_t", "float32_t", "float64_t", "wasm_mutability_t", "wasm_valkind_t", "wasm_externkind_t",
           "wasm_table_size_t", "wasm_memory_pages_t", "wasm_name_t", "wasm_message_t"]


def compile_c(arguments):
    run = subprocess.run([compiler, *arguments], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        sys.exit(f"{' '.join(map(str, arguments))}\n{run.stderr}")
    return run.stdout


def preprocessed(folder, *options):
    return compile_c(["-E", "-P", *options, "-DWASM_API_EXTERN=DECLARED", "-x", "c", f"{folder}/wasm.h"])


def macros(folder):
    listed = compile_c(["-E", "-dM", "-x", "c", f"{folder}/wasm.h"])
    return set(re.findall(r"^#define ((?:WASM|wasm)_\w+)", listed, re.M)) - {"WASM_H"}


def tidy(text):
    return re.sub(r"\s+", " ", text).strip()


text = preprocessed(standard)
functions = [tidy(found) for found in re.findall(r"\bDECLARED\b([^;{]*);", text)]
callbacks = [tidy(found) for found in re.findall(r"\btypedef[^;{]*\(\s*\*\s*wasm_\w+\s*\)[^;{]*;", text)]
inlines = re.findall(r"\bstatic inline [^;{(]*?\b(wasm_\w+)\s*\(", text)
enumerators = re.findall(r"\bWASM_\w+\b", " ".join(re.findall(r"\benum \w+ \{([^}]*)\}", text)))
vectors = re.findall(r"\}\s*(wasm_\w+_vec_t)\s*;", text)
if len(functions) < 280 or len(callbacks) != 2 or len(inlines) < 20 or len(enumerators) != 12 or len(vectors) < 12:
    sys.exit(f"the standard's header is not understood: {len(functions)} functions, {len(callbacks)} callbacks, "
             f"{len(inlines)} inline functions, {len(enumerators)} enumerators, {len(vectors)} vectors")

again = scratch / "again.c"
used = "\n".join(f"  (void)&{name};" for name in inlines)
again.write_text('#include "wasm.h"\n' + "\n".join(f"extern {declaration};" for declaration in functions) + "\n"
                 + "\n".join(callbacks) + f"\nvoid use(void);\nvoid use(void) {{\n{used}\n}}\n")
compile_c(["-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{ours}", "-fsyntax-only", again])
# What the compiler would take for a new function is none of our header's.
declared_here = set(re.findall(r"\b(wasm_\w+)\s*\(", preprocessed(ours)))
missing = [name for declaration in functions if (name := re.search(r"\b(wasm_\w+)\s*\(", declaration)[1]) not in declared_here]
missing += sorted(macros(standard) - macros(ours))
if missing:
    sys.exit(f"missing in our header: {', '.join(missing)}")

layout = scratch / "layout.c"
lines = [f'  printf("{name} %zu\\n", sizeof({name}));' for name in [*SCALARS, *STRUCTS, *vectors]]
lines += [f'  printf("{name}.{field} %zu\\n", offsetof({name}, {field}));' for name in STRUCTS for field in STRUCTS[name]]
lines += [f'  printf("{name}.{field} %zu\\n", offsetof({name}, {field}));' for name in vectors for field in ("size", "data")]
lines += [f'  printf("{name} %d\\n", (int){name});' for name in enumerators]
lines += ['  printf("%d %d\\n", (byte_t)-1 < 0, (wasm_valkind_t)-1 < 0);',
          '  printf("%u %zu\\n", wasm_limits_max_default, MEMORY_PAGE_SIZE);']
layout.write_text('#include <stdio.h>\n#include "wasm.h"\nint main(void) {\n' + "\n".join(lines) + "\n}\n")
printed = []
for folder in (ours, standard):
    program = scratch / "layout"
    # Functions that inline ones call are nowhere.
    compile_c(["-std=c11", "-w", "-O2", f"-I{folder}", layout, "-o", program])
    printed.append(subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines())
differences = [f"{a}, the standard has {b}" for a, b in zip(*printed) if a != b]
if differences or len(printed[0]) != len(printed[1]):
    sys.exit("\n".join(differences) or "different lines")
print(f"{len(functions)} functions, {len(inlines)} inline functions, {len(printed[0])} sizes and values are the same")
