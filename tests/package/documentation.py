#!/usr/bin/env python3
"""documentation.py DOCS_DIR INCLUDE_DIR COMPILER: every C++ example in the pages about embedding compiles.

They are compiled as one unit, each as the body of a function that has what the pages speak of: an engine, a module, a
store, a linker, an instance.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

docs, include, compiler = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]

HEADERS = ("wasi/wasi.h", "array", "chrono", "cstdio", "cstdlib", "expected", "memory", "optional", "span", "string", "thread", "vector")
GIVEN = ("[[maybe_unused]] wasi::Engine& engine, [[maybe_unused]] wasi::Module& module, [[maybe_unused]] wasi::Store& store, "
         "[[maybe_unused]] wasi::Linker& linker, [[maybe_unused]] wasi::Instance& instance")


def examples(page):
    """(line, text) of each."""
    text = page.read_text()
    for found in re.finditer(r"^```cpp\n(.*?)^```$", text, re.M | re.S):
        yield text.count("\n", 0, found.start(1)) + 1, found[1]


def main():
    pages = [docs / "embedding.md", docs / "signals.md", *sorted((docs / "embedding").glob("*.md"))]
    unit = "".join(f"#include <{header}>\n" for header in HEADERS)
    count = 0
    for page in pages:
        for line, text in examples(page):
            count += 1
            included = re.findall(r"^#include .*\n", text, re.M)
            body = re.sub(r"^#include .*$", "", text, flags=re.M)
            # What defines a function stands for itself, else what is in a body. Within one, names may be declared anew.
            is_whole = re.search(r"^(?:int main|void \w+|[\w:]+ \w+)\(.*\) (?:noexcept )?\{$", body, re.M)
            place = f'#line {line} "{page}"\n'
            if is_whole:
                unit += "".join(included) + f"namespace example_{count} {{\n{place}{body}}}\n"
            else:
                unit += "".join(included) + f"void example_{count}({GIVEN}) {{ {{\n{place}{body}}} }}\n"
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "examples.cc"
        source.write_text(unit)
        done = subprocess.run([compiler, "-std=gnu++2b", "-fsyntax-only", f"-I{include}", source], capture_output=True, text=True)
    if count < 15:
        print(f"only {count} examples were found")
        return True
    print(done.stderr or f"{count} examples of {len(pages)} pages")
    return done.returncode != 0


if __name__ == "__main__":
    sys.exit(main())
