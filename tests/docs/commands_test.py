#!/usr/bin/env python3
"""What the documentation says of the command line is true: options, usage, the configuration file, the first hour.

usage: commands_test.py WASIRUN [unittest arguments]
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

if len(sys.argv) < 2:
    sys.exit(f"usage: {sys.argv[0]} WASIRUN [unittest arguments]")
WASIRUN = os.path.abspath(sys.argv.pop(1))
ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT = 60
ENVIRONMENT = {**os.environ, "XDG_CACHE_HOME": os.devnull, "XDG_CONFIG_HOME": os.devnull}


def run(*words, **options):
    return subprocess.run([WASIRUN, *words], capture_output=True, text=True, timeout=TIMEOUT, check=False, env=ENVIRONMENT, **options)


def read(name):
    return (ROOT / name).read_text()


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def section(text, title):
    return re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)[1]


def commands():
    lines = re.findall(r"^  wasirun (.*)", run("--help").stdout, re.M)
    return [re.sub(r"^\[run\]", "run", line).split()[0] for line in lines]


def options_of(command):
    return set(re.findall(r"^  (?:-\w,)?(--[\w-]+)", run(command, "--help").stdout, re.M)) - {"--help"}


class Options(unittest.TestCase):
    def test_every_option_is_described(self):
        cli, serve = read("docs/cli.md"), read("docs/serve.md")
        for command in commands():
            text = cli + (serve if command == "serve" else "")
            for option in options_of(command):
                self.assertTrue(re.search(rf"`[^`]*{option}\b(?!-)", text), f"{option} of {command} is not described")

    def test_every_option_that_is_described_exists(self):
        known = {option for command in commands() for option in options_of(command)} | {"--help", "--version"}
        for name in ("docs/cli.md", "docs/serve.md", "docs/tiers.md", "docs/wasi.md", "docs/first-hour.md"):
            # In tables: the first column; elsewhere other programs are spoken of, too.
            for cell in re.findall(r"^\| (`-.*?) \|", read(name), re.M):
                for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", cell):
                    self.assertIn(option, known, f"{name}: {cell}")

    def test_usage(self):
        described = re.findall(r"^    wasirun (\S+(?: \S+)*)", read("docs/cli.md"), re.M)
        shown = re.findall(r"^  wasirun (\S+(?: \S+)*)", run("--help").stdout, re.M)
        # A long usage has its explanation right behind it.
        self.assertEqual(len(described), len(shown))
        for one, other in zip(described, shown):
            self.assertTrue(other == one or other.startswith(one + " "), (one, other))


class Configuration(unittest.TestCase):
    def test_example(self):
        examples = blocks(section(read("docs/cli.md"), "The configuration file"), "toml")
        self.assertEqual(len(examples), 1)
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "config.toml").write_text(examples[0])
            (folder / "data").mkdir()
            (folder / "guest.wat").write_text('(module (func (export "_start")))')
            done = run("--config", "config.toml", "guest.wat", cwd=folder)
            self.assertEqual((done.returncode, done.stderr), (0, ""))


class FirstHour(unittest.TestCase):
    """The modules of docs/first-hour.md, as far as the command alone is needed."""

    def setUp(self):
        self.text = read("docs/first-hour.md")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="wasirun-docs-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def shown(self, command):
        """What stands below a command."""
        return re.search(rf"^\$ {re.escape(command)}\n(.*?)(?=^\$ |^```)", self.text, re.M | re.S)[1]

    def test_hello(self):
        (self.folder / "hello.wat").write_text(blocks(section(self.text, "Run something"), "wat")[0])
        for command in ("wasirun hello.wat", "wasirun explain-caps hello.wat"):
            done = run(*command.split()[1:], cwd=self.folder)
            self.assertEqual((done.stdout, done.stderr), (self.shown(command), ""), command)

    def test_trap(self):
        command = "wasirun --invoke div - 1 0 <<'WAT'"
        module, shown = self.shown(command).split("WAT\n")
        done = run("--invoke", "div", "-", "1", "0", input=module)
        self.assertEqual((done.returncode, done.stderr), (134, shown))
        self.assertEqual(self.shown("echo $?"), "134\n")


if __name__ == "__main__":
    unittest.main()
