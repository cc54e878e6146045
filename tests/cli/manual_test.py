#!/usr/bin/env python3
"""The manual and what shells complete with: whole, well-formed, and of use in the shells themselves.

usage: manual_test.py WASIRUN [unittest arguments]
"""

import os
import pty
import re
import select
import shutil
import subprocess
import time
import unittest

from cli_case import CliTest, FAILURE, SUCCESS, TIMEOUT, USAGE, WASIRUN


def commands():
    help_text = subprocess.run([WASIRUN, "--help"], capture_output=True, text=True, timeout=TIMEOUT, check=True).stdout
    return [next(word for word in line.split()[1:] if not word.startswith("["))
            if "[run]" not in line else "run" for line in re.findall(r"^  wasirun .*", help_text, re.M)]


class Manual(CliTest):
    def test_every_page(self):
        self.assertEqual(self.run_cli("man", str(self.dir)), (SUCCESS, "", ""))
        names = commands()
        self.assertIn("explain-caps", names)
        self.assertEqual({path.name for path in self.dir.iterdir()}, {"wasirun.1", *(f"wasirun-{name}.1" for name in names)})
        overview = (self.dir / "wasirun.1").read_text()
        for name in names:
            page = (self.dir / f"wasirun-{name}.1").read_text()
            help_text = self.run_cli(name, "--help")[1]
            options = re.findall(r"^  (?:-\w,)?(--[\w-]+)", help_text, re.M)
            self.assertIn("--help", options)
            for option in options:
                self.assertIn("\\fB" + option.replace("-", "\\-") + "\\fR", page)
            self.assertIn(f"wasirun\\-{name}".replace("explain-caps", "explain\\-caps"), overview)

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_lint(self):
        self.run_cli("man", str(self.dir))
        pages = sorted(map(str, self.dir.iterdir()))
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *pages], capture_output=True, text=True, timeout=TIMEOUT,
                              check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_where_nothing_can_be_written(self):
        self.check_error(FAILURE, ["man", str(self.dir / "none")], "none", "No such file")
        self.check_error(USAGE, ["man"], "write it where?")


class Completing(CliTest):
    def script(self, shell):
        code, out, err = self.run_cli("completion", shell)
        self.assertEqual((code, err), (SUCCESS, ""))
        return self.file("_wasirun", out.encode())

    def bash(self, *words):
        script = self.script("bash")
        code = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _wasirun 2>/dev/null; '
                'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", code, "bash", script, *words], capture_output=True, text=True, timeout=TIMEOUT,
                              check=True, cwd=self.dir)
        return done.stdout.split()

    def test_which_shell(self):
        self.check_error(USAGE, ["completion"], "for bash, zsh or fish?")
        self.check_error(USAGE, ["completion", "csh"], '"csh" is not one of bash, zsh, fish')

    def test_bash(self):
        self.assertEqual(self.bash("wasirun", "va"), ["validate"])
        self.assertEqual(self.bash("wasirun", "--tier", ""), ["auto", "interp", "baseline", "llvm"])
        self.assertEqual(self.bash("wasirun", "--tier", "=", "ba"), ["baseline"])
        self.assertEqual(self.bash("wasirun", "run", "--tier", "llvm", "--fu"), ["--fuel"])
        self.assertEqual(self.bash("wasirun", "run", "--tier", "=", "llvm", "--fu"), ["--fuel"])
        self.assertEqual(self.bash("wasirun", "serve", "--log-format", "j"), ["json"])
        self.assertEqual(self.bash("wasirun", "compile", "x.wasm", "--cp"), ["--cpu"])
        self.assertEqual(self.bash("wasirun", "completion", ""), ["bash", "zsh", "fish"])
        # Behind a module options are the program's.
        self.assertEqual(self.bash("wasirun", "x.wasm", "--fu"), [])
        self.assertEqual(self.bash("wasirun", "--fuel", "5", "x.wasm", "--fu"), [])
        self.assertEqual(self.bash("wasirun", "--fuel", "5", "--ti"), ["--tier", "--tier-threshold", "--tier-threads"])
        (self.dir / "folder").mkdir()
        self.assertEqual(self.bash("wasirun", "--dir", "fol"), ["folder"])

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish(self):
        script = self.script("fish")

        def complete(line):
            done = subprocess.run(["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"], capture_output=True,
                                  text=True, timeout=TIMEOUT, check=True, cwd=self.dir)
            return [word.split("\t")[0] for word in done.stdout.splitlines()]
        self.assertEqual(complete("wasirun va"), ["validate"])
        self.assertEqual(complete("wasirun run --tier "), ["auto", "baseline", "interp", "llvm"])
        self.assertEqual(complete("wasirun serve --log-format j"), ["json"])
        self.assertEqual(complete("wasirun --max-mem"), ["--max-memory"])

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh(self):
        self.script("zsh")
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.dir)
            os.environ.update(TERM="dumb", PS1="% ", HOME=str(self.dir))
            os.execvp("zsh", ["zsh", "-f", "-i"])
        self.addCleanup(os.close, terminal)

        def type_and_expect(keys, expected):
            os.write(terminal, keys.encode())
            seen = ""
            end = time.monotonic() + TIMEOUT
            while expected not in seen:
                self.assertLess(time.monotonic(), end, f"{expected!r} did not come, but {seen!r}")
                if select.select([terminal], [], [], 0.1)[0]:
                    seen += os.read(terminal, 65536).decode(errors="replace").replace("\a", "")
        type_and_expect(f"fpath=({self.dir} $fpath); autoload -Uz compinit; compinit -u -D; echo re''ady\n", "ready")
        for typed, completed in [("va", "validate"), ("--tier ba", "--tier baseline"), ("serve --log-format js", "json "),
                                 ("run --max-mem", "--max-memory=")]:
            type_and_expect(f"wasirun {typed}\t", completed)
            os.write(terminal, b"\x15")
        os.write(terminal, b"exit\n")
        os.waitpid(pid, 0)


if __name__ == "__main__":
    unittest.main()
