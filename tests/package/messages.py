#!/usr/bin/env python3
"""messages.py INCLUDE_DIR COMPILER...: what compilers say of mistakes in a program that uses the public headers.

Each mistake is told in one sentence, and by nothing else; each header says by itself that it needs C++23. A compiler
that is not there is left out, the first one excepted.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

include = pathlib.Path(sys.argv[1])
compilers = [sys.argv[2], *(found for name in sys.argv[3:] if (found := shutil.which(name)) and found != sys.argv[2])]

# What is written, and the sentences that it is answered with.
PARAMETER = "a parameter has a type that stands for no Wasm value"
RESULT = "a result has a type that stands for no Wasm value"
MISTAKES = {
    'linker.define("m", "f", [](std::string) { return 1; });': [PARAMETER],
    'linker.define("m", "f", [](int, short, const char*) {});': [PARAMETER, PARAMETER],
    'linker.define("m", "f", [](int, wasi::Caller&) {});': [PARAMETER],
    'linker.define("m", "f", [](int) { return std::string(); });': [RESULT],
    'linker.define("m", "f", [] { return std::tuple<int, short>(); });': [RESULT],
    'linker.define("m", "f", [](int) -> std::expected<std::string, wasi::Trap> { return ""; });': [RESULT],
    'linker.define("m", "f", [](auto value) { return value; });': ["a single operator() that is no template"],
    'linker.define("m", "f", 1);': ["a single operator() that is no template"],
    'auto f = instance.function<int(std::string)>("f"); (void)(*f)("");': [PARAMETER],
    'auto f = instance.function<std::string(int)>("f"); (void)(*f)(1);': [RESULT],
    'auto f = instance.function<int>("f"); (void)f;': ["the type of a function is written as in"],
    'auto f = instance.func("f")->typed<void(int, short)>(); (void)f;': [PARAMETER],
}
CORRECT = 'linker.define("m", "f", [](wasi::Caller&, int) { return 1; }); (void)instance.function<int(int)>("f");'
MOST_LINES = 40  # for each sentence: which code it is about, and by which way


def compile_text(compiler, text, standard):
    """(ok, what the compiler says)"""
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "unit.cc"
        source.write_text(text)
        done = subprocess.run([compiler, f"-std={standard}", "-Wall", "-Wextra", "-fsyntax-only", f"-I{include}", source],
                              capture_output=True, text=True)
        return done.returncode == 0, done.stderr


def errors(said):
    return re.findall(r"^.*\b(?:fatal )?error: .*$", said, re.M)


def check(compiler):
    wrong = []

    def unit(statement):
        return ("#include <wasi/wasi.h>\n#include <string>\n"
                "void user([[maybe_unused]] wasi::Linker& linker, [[maybe_unused]] wasi::Instance& instance) {\n"
                f"  {statement}\n}}\n")

    ok, said = compile_text(compiler, unit(CORRECT), "gnu++2b")
    if not ok:
        wrong.append(f"what is correct does not compile:\n{said}")
    for statement, sentences in MISTAKES.items():
        ok, said = compile_text(compiler, unit(statement), "gnu++2b")
        told = errors(said)
        fits = len(told) == len(sentences) and all(s in t for s, t in zip(sentences, told))
        if ok or not fits or len(said.splitlines()) > MOST_LINES * len(sentences):
            wrong.append(f"{statement}\n  expected {sentences}, it says in {len(said.splitlines())} lines:\n{said}")
    headers = sorted(path.relative_to(include) for path in (include / "wasi").glob("*.h"))
    for header in headers:
        ok, said = compile_text(compiler, f"#include <{header}>\n", "gnu++20")
        told = errors(said)
        if ok or len(told) != 2 or "wasi needs C++23" not in told[0] or "C++23" not in told[1]:
            wrong.append(f"<{header}> in C++20 says:\n{said}")
    if not headers:
        wrong.append(f"no headers in {include}")
    return [f"{compiler}: {each}" for each in wrong]


failures = [each for compiler in compilers for each in check(compiler)]
print("\n".join(failures) or f"{len(MISTAKES)} mistakes, told by {', '.join(compilers)}")
sys.exit(bool(failures))
