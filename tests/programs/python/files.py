"""Reads and writes files below the directory that was given, and lists it."""
import errno
import json
import os
import pathlib
import shutil
import sys

here = pathlib.Path(sys.argv[1])
print((here / "input.txt").read_text().splitlines())
data = {"numbers": list(range(10)), "text": "ünïcödé"}
(here / "made").mkdir()
with open(here / "made" / "data.json", "w", encoding="utf-8") as file:
    json.dump(data, file, ensure_ascii=False)
with open(here / "made" / "data.json", encoding="utf-8") as file:
    print(json.load(file) == data)
with open(here / "made" / "big.bin", "wb") as file:
    for i in range(1000):
        file.write(bytes([i % 256]) * 1000)
    file.seek(500)
    file.write(b"marked")
with open(here / "made" / "big.bin", "rb") as file:
    file.seek(498)
    print(file.read(10), file.seek(0, 2))
(here / "made" / "big.bin").rename(here / "renamed.bin")
shutil.copy(here / "made" / "data.json", here / "copy.json")
os.remove(here / "made" / "data.json")
os.rmdir(here / "made")
with open(here / "lines.txt", "a", encoding="utf-8") as file:
    for i in range(5):
        print("line", i, file=file)
for entry in sorted(os.scandir(here), key=lambda e: e.name):
    print(entry.name, entry.is_dir(), entry.stat().st_size if entry.is_file() else "-")
try:
    open(here / "absent", encoding="utf-8")
except FileNotFoundError as error:
    print("not found:", error.errno == errno.ENOENT)
try:
    open("/etc/passwd", encoding="utf-8")
except OSError as error:
    print("outside:", type(error).__name__)
sys.path.insert(0, str(here))
import helper  # pylint: disable=wrong-import-position,import-error

print(helper.greet("module"))
