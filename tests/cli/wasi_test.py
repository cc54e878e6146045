#!/usr/bin/env python3
"""What the command line gives programs by WASI, and tells about it: sockets, directories, traces, explain-caps.

usage: wasi_test.py WASIRUN [unittest arguments]
"""

import ctypes
import errno
import json
import os
import pathlib
import platform
import re
import resource
import signal
import socket
import struct
import subprocess
import time
import unittest

from cli_case import CliTest, EXAMPLES, FAILURE, PRINT_STRINGS, SUCCESS, TIMEOUT, TRAP, USAGE, WASIRUN


class Sockets(CliTest):
    def environment(self, *options, **more):
        """Of a guest that is run with these options."""
        code, out, err = self.run_cli(*options, self.wat(PRINT_STRINGS.format(name="environ")), **more)
        return code, dict(variable.split("=", 1) for variable in out.split("\0") if variable), err

    def test_wrong_addresses(self):
        guest = self.wat(PRINT_STRINGS.format(name="environ"))
        for value, part in [("", "tcp:HOST:PORT or unix:PATH"), ("8080", "tcp:HOST:PORT or unix:PATH"),
                            ("tcp:127.0.0.1", "not tcp:HOST:PORT"),
                            ("tcp:127.0.0.1:x", "not a port"), ("tcp:127.0.0.1:70000", "not a port"),
                            ("tcp:::1:80", "[::1]"), ("unix:", "unix:PATH"), ("unix:" + "x" * 200, "at most 107"),
                            ("fd:x", "fd:N"), ("fd:-1", "fd:N"), ("fd:0", "it is none"), ("fd:99", "descriptor 99")]:
            self.check_error(USAGE, ["--listen", value, guest], "--listen: ", part)
        # Addresses, but none that can be had here.
        for value, part in [("tcp:192.0.2.1:0", "192.0.2.1"), (f"unix:{self.dir}/no/where", "No such file")]:
            self.check_error(FAILURE, ["--listen", value, guest], "--listen: ", part)

    def test_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"tcp:127.0.0.1:{taken.getsockname()[1]}"
            self.check_error(FAILURE, ["--listen", address, self.wat(PRINT_STRINGS.format(name="environ"))], address,
                             "in use")

    def test_the_program_is_told_how_many(self):
        code, env, err = self.environment("--listen", "tcp:127.0.0.1:0", "--listen", f"unix:{self.dir}/socket")
        self.assertEqual((code, env), (SUCCESS, {"LISTEN_FDS": "2"}))
        # The port that was chosen; the other address is known.
        self.assertRegex(err, r"^wasirun: listening: tcp:127\.0\.0\.1:[1-9][0-9]*\n$")
        self.assertFalse((self.dir / "socket").exists())
        code, env, _ = self.environment("--listen", f"unix:{self.dir}/socket", "--env", "LISTEN_FDS=own")
        self.assertEqual((code, env), (SUCCESS, {"LISTEN_FDS": "own"}))

    def test_unix_files(self):
        path = self.dir / "socket"
        guest = self.wat(PRINT_STRINGS.format(name="environ"))
        path.write_text("mine")
        self.check_error(FAILURE, ["--listen", f"unix:{path}", guest], "no socket")
        self.assertEqual(path.read_text(), "mine")
        path.unlink()
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
            server.listen()
            self.check_error(FAILURE, ["--listen", f"unix:{path}", guest], "another process")
            self.assertTrue(path.exists())
        # Whose server has gone.
        self.assertEqual(self.environment("--listen", f"unix:{path}")[0], SUCCESS)
        self.assertFalse(path.exists())

    WAITS = """
      (module
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 8) "\\20\\00\\00\\00\\10\\00\\00\\00")
        (func (export "_start") (drop (call $read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 16)))))"""

    def serve(self, **more):
        """A program with a unix socket at self.dir/socket, which waits for input."""
        path = self.dir / "socket"
        process = subprocess.Popen([WASIRUN, "--listen", "unix:socket", self.wat(self.WAITS)], cwd=self.dir,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        for stream in (process.stdin, process.stdout, process.stderr):
            self.addCleanup(stream.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        for _ in range(TIMEOUT * 100):
            with socket.socket(socket.AF_UNIX) as client:
                if client.connect_ex(str(path)) == 0:
                    break
            time.sleep(0.01)
        return path, process

    def test_signals_remove_unix_files(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGALRM, signal.SIGRTMIN):
            path, process = self.serve()
            self.assertTrue(path.is_socket())
            process.send_signal(number)
            self.assertEqual((number, process.wait(TIMEOUT)), (number, -number))
            self.assertFalse(path.exists(), number)

    def test_signals_leave_what_is_of_others(self):
        path, process = self.serve()
        path.unlink()
        path.write_text("mine")
        process.terminate()
        self.assertEqual(process.wait(TIMEOUT), -signal.SIGTERM)
        self.assertEqual(path.read_text(), "mine")

    def test_ignored_signals_stay_ignored(self):
        path, process = self.serve(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        process.send_signal(signal.SIGHUP)
        process.communicate(b"go on", timeout=TIMEOUT)
        self.assertEqual(process.returncode, SUCCESS)
        self.assertFalse(path.exists())

    def test_what_a_kill_leaves_is_replaced(self):
        path, process = self.serve()
        process.kill()
        process.wait(TIMEOUT)
        self.assertTrue(path.is_socket())
        path, process = self.serve()
        process.communicate(b"go on", timeout=TIMEOUT)
        self.assertEqual(process.returncode, SUCCESS)
        self.assertFalse(path.exists())

    def test_activation_errors(self):
        guest = self.wat(PRINT_STRINGS.format(name="environ"))
        for env, part in [({}, "LISTEN_FDS is not set"), ({"LISTEN_FDS": "x"}, "not a number"),
                          ({"LISTEN_FDS": "-1"}, "not a number"),
                          ({"LISTEN_FDS": "1", "LISTEN_PID": "1"}, "not this process"),
                          ({"LISTEN_FDS": "1"}, "descriptor 3")]:
            self.check_error(FAILURE, ["--listen-fds", guest], "--listen-fds: ", part, env=env)

    def test_activation(self):
        # So that neither socket gets the number 3 by itself.
        self.addCleanup(os.close, os.open(os.devnull, os.O_RDONLY))
        with socket.socket() as one, socket.socket() as other:
            for listener in (one, other):
                listener.bind(("127.0.0.1", 0))
                listener.listen()
            second = other.fileno()
            # The test's own descriptor 3, if it has one, comes back.
            kept = os.dup(3) if os.path.exists("/proc/self/fd/3") else None
            first = os.dup2(one.fileno(), 3, inheritable=False)
            self.addCleanup(lambda: os.close(3) if kept is None else os.dup2(kept, 3))
            variables = {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "web"}
            code, env, err = self.environment("--inherit-env", "--listen-fds", "--listen", f"fd:{second}",
                                              env=variables, pass_fds=[first, second])
            self.assertEqual((code, err), (SUCCESS, ""))
            self.assertEqual((env["LISTEN_FDS"], env["LISTEN_FDNAMES"], env.get("LISTEN_PID")), ("2", "web:unknown", None))


# Opens the directory until no descriptor is left, closes {left} of them again, and waits: for a clock, and for a clock
# together with stdin. Ends with 0, or with what failed: 1, a hundred and the errno.
OPEN_AND_WAIT = """
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) ".")
  (func $wait (param $count i32) (local $error i32)
    (if (local.tee $error (call $poll (i32.const 64) (i32.const 256) (local.get $count) (i32.const 8)))
      (then (call $exit (i32.add (i32.const 100) (local.get $error)))))
    (if (i32.ne (i32.load (i32.const 8)) (i32.const 1)) (then (call $exit (i32.const 2)))))
  (func (export "_start") (local $error i32) (local $left i32)
    (loop $more
      (local.set $error (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 2) (i64.const 0)
                                    (i64.const 0) (i32.const 0) (i32.const 4)))
      (br_if $more (i32.eqz (local.get $error))))
    (if (i32.ne (local.get $error) (i32.const 33)) (then (call $exit (i32.const 1))))
    (local.set $left (i32.const {left}))
    (block $closed
      (loop $more
        (br_if $closed (i32.eqz (local.get $left)))
        (drop (call $close (i32.load (i32.const 4))))
        (i32.store (i32.const 4) (i32.sub (i32.load (i32.const 4)) (i32.const 1)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br $more)))
    ;; Two milliseconds on the monotonic clock; descriptor 0.
    (i32.store (i32.const 80) (i32.const 1))
    (i64.store (i32.const 88) (i64.const 2000000))
    (i32.store8 (i32.const 120) (i32.const 1))
    (call $wait (i32.const 1))
    (call $wait (i32.const 2))))
"""


class Exhaustion(CliTest):
    def setUp(self):
        super().setUp()
        # From which nothing comes, and which does not end.
        self.stdin, silent = os.pipe()
        self.addCleanup(os.close, self.stdin)
        self.addCleanup(os.close, silent)
        # The sanitizer of undefined behaviour wants descriptors when it first meets a class, and takes it for a wrong
        # one where there are none.
        suppressions = self.file("suppressions", b"vptr_check:*\n")
        options = [*filter(None, [os.environ.get("UBSAN_OPTIONS")]), f"suppressions={suppressions}"]
        self.env = {**os.environ, "UBSAN_OPTIONS": ":".join(options)}

    def run_with(self, limit, guest):
        return subprocess.run([WASIRUN, "--dir", f"{self.dir}::/", guest], stdin=self.stdin, capture_output=True,
                              timeout=TIMEOUT, env=self.env,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))

    def test_no_descriptors_left(self):
        """Fewer and fewer, in a process that has not waited before."""
        for left in range(11):
            with self.subTest(left=left):
                done = self.run_with(64, self.wat(OPEN_AND_WAIT.format(left=left)))
                self.assertEqual((done.returncode, done.stderr.decode()), (SUCCESS, ""))

    def test_few_descriptors_from_the_start(self):
        """Too few for a program to be loaded is an error; whenever it is, it can wait."""
        guest = self.wat(OPEN_AND_WAIT.format(left=0))
        ran = 0
        for limit in range(3, 20):
            with self.subTest(limit=limit):
                done = self.run_with(limit, guest)
                # The loader of shared libraries gives 127.
                self.assertIn(done.returncode, (SUCCESS, FAILURE, 127), done.stderr.decode())
                ran += done.returncode == SUCCESS
        self.assertGreater(ran, 0)


# Numbers of the system calls for which there is another way.
SYSTEM_CALLS = {
    "x86_64": {"preadv2": 327, "pwritev2": 328, "openat2": 437, "getrandom": 318, "fadvise64": 221, "statx": 332,
               "copy_file_range": 326, "renameat2": 316, "faccessat2": 439, "memfd_create": 319, "close_range": 436,
               "membarrier": 324, "io_uring_setup": 425},
    "aarch64": {"preadv2": 286, "pwritev2": 287, "openat2": 437, "getrandom": 278, "fadvise64": 223, "statx": 291,
                "copy_file_range": 285, "renameat2": 276, "faccessat2": 439, "memfd_create": 279, "close_range": 436,
                "membarrier": 283, "io_uring_setup": 425},
}.get(platform.machine(), {})


class Filtered(CliTest):
    """Under filters of system calls, as old container engines and service managers install them."""

    @staticmethod
    def refuse(numbers, error):
        """For the child before it becomes the command: these calls fail with this error."""
        load, jump, give = 0x20, 0x15, 0x06  # BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, BPF_RET|BPF_K
        program = [struct.pack("HBBI", load, 0, 0, 0)]
        for number in numbers:
            program += [struct.pack("HBBI", jump, 0, 1, number), struct.pack("HBBI", give, 0, 0, 0x0005_0000 | error)]
        program.append(struct.pack("HBBI", give, 0, 0, 0x7FFF_0000))
        code = ctypes.create_string_buffer(b"".join(program))
        filter_ = ctypes.create_string_buffer(struct.pack("HP", len(program), ctypes.addressof(code)))
        libc = ctypes.CDLL(None, use_errno=True)

        def install(_alive=code):  # the filter has only its address
            no_new_privileges, seccomp, by_filter = 38, 22, 2
            zero, one = ctypes.c_ulong(0), ctypes.c_ulong(1)
            if libc.prctl(no_new_privileges, one, zero, zero, zero) != 0:
                os._exit(77)
            if libc.prctl(seccomp, ctypes.c_ulong(by_filter), ctypes.byref(filter_), zero, zero) != 0:
                os._exit(77)
        return install

    def test_hello(self):
        if not SYSTEM_CALLS:
            self.skipTest("system calls of this machine are not known here")
        hello = self.wat(PRINT_STRINGS.format(name="args"))
        kept = self.file("kept", b"kept")
        for error in (errno.ENOSYS, errno.EPERM, errno.EACCES, errno.EINVAL):
            for name, numbers in [*((name, [number]) for name, number in SYSTEM_CALLS.items()),
                                  ("all of them", list(SYSTEM_CALLS.values()))]:
                with self.subTest(call=name, error=errno.errorcode[error]):
                    code, out, err = self.run_cli("--dir", f"{self.dir}::/", hello, "hello", "world",
                                                  preexec_fn=self.refuse(numbers, error))
                    if code == 77:
                        self.skipTest("no filter of system calls can be installed here")
                    self.assertEqual((code, err), (SUCCESS, ""))
                    self.assertEqual(out.split("\0")[1:], ["hello", "world", ""])
        self.assertEqual(pathlib.Path(kept).read_bytes(), b"kept")


class Directories(CliTest):
    wordcount = str(EXAMPLES / "wordcount" / "wordcount.wasm")

    def test_missing(self):
        self.check_error(FAILURE, ["--dir", "/nowhere::/", self.wordcount], "/nowhere", "No such file or directory")

    def test_file_instead_of_directory(self):
        path = self.file("file.txt", b"")
        self.check_error(FAILURE, ["--dir", path, self.wordcount], path, "Not a directory")

    def test_names_and_files(self):
        self.file("one.txt", b"one two three\n")
        for spec, name in [(f"{self.dir}::/", "one.txt"), (f"{self.dir}::/data:ro", "/data/one.txt"),
                           (f"{self.dir}", f"{self.dir}/one.txt")]:
            code, out, err = self.run_cli("--dir", spec, self.wordcount, name)
            self.assertEqual((code, err), (SUCCESS, ""))
            self.assertIn(f"       1        3       14  {name}\n", out)

    def test_nothing_is_given_by_itself(self):
        self.file("one.txt", b"")
        code, _, err = self.run_cli(self.wordcount, "one.txt", cwd=self.dir)
        self.assertEqual(code, FAILURE)
        self.assertIn("wordcount: one.txt:", err)

    def test_read_only(self):
        guest = self.wat("""
          (module
            (import "wasi_snapshot_preview1" "path_create_directory" (func $mkdir (param i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "made")
            (func (export "_start") (call $exit (call $mkdir (i32.const 3) (i32.const 0) (i32.const 4)))))
        """)
        code, _, _ = self.run_cli("--dir", f"{self.dir}::/:ro", guest)
        self.assertNotEqual(code, SUCCESS)
        self.assertFalse((self.dir / "made").exists())
        code, _, _ = self.run_cli("--dir", f"{self.dir}::/", guest)
        self.assertEqual(code, SUCCESS)
        self.assertTrue((self.dir / "made").is_dir())

    # Creates "new" in descriptor 3 and writes 10000 bytes, again while less was written; the exit code is the errno.
    WRITER = """
      (module
        (import "wasi_snapshot_preview1" "path_open"
          (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 2)
        (data (i32.const 0) "new")
        (func (export "_start") (local $error i32)
          (local.set $error (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 3) (i32.const 1)
                                        (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 16)))
          (if (local.get $error) (then (call $exit (local.get $error))))
          (i32.store (i32.const 20) (i32.const 1024))
          (i32.store (i32.const 24) (i32.const 10000))
          (loop $more
            (local.set $error (call $write (i32.load (i32.const 16)) (i32.const 20) (i32.const 1) (i32.const 32)))
            (if (local.get $error) (then (call $exit (local.get $error))))
            (br_if $more (i32.lt_u (i32.load (i32.const 32)) (i32.const 10000))))
          (call $exit (i32.const 0))))
    """
    EDQUOT, EMFILE, ENAMETOOLONG, ENOSPC, EINVAL = 19, 33, 37, 51, 28

    def test_in_memory(self):
        guest = self.wat(self.WRITER)
        for spec, code in [("mem::/tmp", SUCCESS), ("mem::/tmp:64m", SUCCESS), ("mem::/tmp:16k", SUCCESS),
                           ("mem::/tmp:9000", self.ENOSPC), ("mem::/tmp:0", self.ENOSPC)]:
            self.assertEqual((spec, code, "", ""), (spec, *self.run_cli("--dir", spec, guest, cwd=self.dir)))
        self.assertEqual([path.name for path in self.dir.iterdir() if path.is_dir()], [])

    def test_a_folder_called_mem(self):
        guest = self.wat(self.WRITER)
        (self.dir / "mem").mkdir()
        self.assertEqual(self.run_cli("--dir", "./mem::/tmp", guest, cwd=self.dir), (SUCCESS, "", ""))
        self.assertEqual((self.dir / "mem" / "new").stat().st_size, 10000)
        (self.dir / "mem" / "new").unlink()
        self.assertEqual(self.run_cli("--dir", "mem", guest, cwd=self.dir), (SUCCESS, "", ""))
        self.assertTrue((self.dir / "mem" / "new").exists())

    def test_write_limit(self):
        guest = self.wat(self.WRITER)
        for limit, code, size in [("255", self.EDQUOT, None), ("1k", self.EDQUOT, 768), ("20k", SUCCESS, 10000)]:
            (self.dir / "new").unlink(missing_ok=True)
            self.assertEqual((limit, code, "", ""), (limit, *self.run_cli("--dir", f"{self.dir}::/:{limit}", guest)))
            self.assertEqual((self.dir / "new").stat().st_size if (self.dir / "new").exists() else None, size)

    def test_limits(self):
        guest = self.wat(self.WRITER)
        for options, code in [(["--max-descriptors", "4"], self.EMFILE), (["--max-descriptors", "5"], SUCCESS),
                              (["--max-path", "2"], self.ENAMETOOLONG), (["--max-path", "3"], SUCCESS),
                              (["--max-iovecs", "0"], self.EINVAL), (["--max-iovecs", "1"], SUCCESS),
                              (["--max-subscriptions", "1"], SUCCESS)]:
            self.assertEqual((options, code, "", ""), (options, *self.run_cli("--dir", "mem::/", *options, guest)))
        self.check_error(USAGE, ["--max-descriptors", "2", guest], "2 descriptors")
        self.check_error(USAGE, ["--max-path", "4096", guest], "--max-path", "from 0 to 4095")
        self.check_error(USAGE, ["--max-path", "-1", guest], "--max-path")

    def test_specifications(self):
        for spec, words in [("mem::/tmp:ro", "read-only"), ("data::/:64q", "is not a size"), ("mem::", "HOST"),
                            ("::/", "HOST"), ("mem::/x:99999999999999999999", "is not a size")]:
            self.check_error(USAGE, ["--dir", spec, self.wordcount], spec.rpartition(":")[2], words)
        # Names may end in what looks like one.
        (self.dir / "at:10").mkdir()
        guest = self.wat(self.WRITER)
        self.assertEqual(self.run_cli("--dir", "at:10", guest, cwd=self.dir), (SUCCESS, "", ""))
        self.assertEqual(self.run_cli("--dir", "at:10::/x:1:rw", guest, cwd=self.dir), (SUCCESS, "", ""))
        self.assertEqual((self.dir / "at:10" / "new").stat().st_size, 10000)


# Writes "hi" to stdout, closes a descriptor that there is not, and ends with 3.
TRACED = """
(module
  (import "{module}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "{module}" "fd_close" (func $close (param i32) (result i32)))
  (import "{module}" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "\\20\\00\\00\\00\\03\\00\\00\\00")
  (data (i32.const 32) "hi\\n")
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))
    (drop (call $close (i32.const 9)))
    (call $exit (i32.const 3))))
"""
# Reads from stdin, in several ways.
READING = """
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "\\20\\00\\00\\00\\10\\00\\00\\00")
  (func (export "_start") (drop (call $read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 16))) {then}))
"""
# Starts a thread, which asks for the time, and waits until that is done.
THREADED = """
(module
  (import "env" "memory" (memory 1 1 shared))
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (export "memory" (memory 0))
  (func (export "wasi_thread_start") (param i32 i32)
    (drop (call $yield))
    (i32.atomic.store (i32.const 0) (i32.const 1))
    (drop (memory.atomic.notify (i32.const 0) (i32.const 1))))
  (func (export "_start")
    (drop (call $spawn (i32.const 16)))
    (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))
    (drop (call $yield))))
"""


class Tracing(CliTest):
    LINES = ['fd_write(fd=1<stdout>, iovs=[{"hi\\n", 3}], nwritten=[3]) = 0', "fd_close(fd=9) = EBADF (Bad file descriptor)",
             "proc_exit(status=3) = ?"]

    def text(self, text, name="guest.wat"):
        return self.file(name, text.encode())

    def traced(self, *options, module="wasi_snapshot_preview1", code=3):
        got, out, err = self.run_cli("--trace", *options, self.text(TRACED.replace("{module}", module)))
        self.assertEqual((got, out), (code, "hi\n"), err)
        return err.splitlines()

    def test_lines(self):
        self.assertEqual(self.traced("wasi"), self.LINES)

    def test_snapshot_0(self):
        self.assertEqual(self.traced("wasi", module="wasi_unstable"), self.LINES)

    def test_some_functions(self):
        self.assertEqual(self.traced("wasi:fd_*"), self.LINES[:2])
        self.assertEqual(self.traced("wasi:path_*,proc_exit"), self.LINES[2:])
        for names in ("fd_reed", "", "fd_read,"):
            self.check_error(USAGE, ["--trace", "wasi:" + names, "x.wasm"], "no function of WASI is called")

    def test_details(self):
        lines = self.traced("wasi", "-T", "--trace-timestamps", "--trace-string-size", "1")
        for line, expected in zip(lines, self.LINES, strict=True):
            head, _, rest = line.partition(" ")
            self.assertRegex(head, r"^\d\d:\d\d:\d\d\.\d{6}$")
            self.assertRegex(rest, "^" + re.escape(expected.replace('"hi\\n"', '"h"...')) + r" <\d+\.\d{6}>$")

    def test_options_need_a_trace(self):
        for options in (["-T"], ["--trace-output", "x"], ["--trace-timestamps"], ["--trace-string-size", "3"]):
            self.check_error(USAGE, [*options, "x.wasm"], "--trace")

    def test_file(self):
        path = self.file("trace", b"what was there before is longer than the trace is, and goes" * 9)
        self.assertEqual(self.traced("wasi", "--trace-output", path), [])
        self.assertEqual(pathlib.Path(path).read_text(), "\n".join(self.LINES) + "\n")

    def test_file_that_cannot_be_written(self):
        program = self.text(TRACED.replace("{module}", "wasi_snapshot_preview1"))
        self.check_error(FAILURE, ["--trace", "wasi", "--trace-output", "/nowhere/trace", program], "/nowhere/trace",
                         "No such file or directory")
        # The program is not to blame: it ran, and its exit code stands.
        lines = self.traced("wasi", "--trace-output", "/dev/full")
        self.assertEqual(lines, ["wasirun: error: cannot write the trace to /dev/full: No space left on device"])

    def test_file_is_whole_after_a_trap(self):
        path = self.dir / "trace"
        program = self.text(READING.replace("{then}", "unreachable"))
        code, _, err = self.run_cli("--trace", "wasi", "--trace-output", str(path), program, stdin=b"some text")
        self.assertEqual(code, TRAP, err)
        self.assertRegex(path.read_text(), r'iovs=\[\{"some text", 16\}\], nread=\[9\]\) = 0\n$')

    def test_call_in_which_the_time_is_up(self):
        program = self.text(READING.replace("{then}", ""))
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        done = subprocess.run([WASIRUN, "--trace", "wasi", "--deadline", "100ms", program], stdin=reader, check=False,
                              capture_output=True, timeout=TIMEOUT)
        lines = done.stderr.decode().splitlines()
        self.assertEqual(lines[:2], ["fd_read(fd=0<stdin> <unfinished ...>",
                                     "<... fd_read resumed>, iovs=0x8, 0x1, nread=0x10) = ? (deadline exceeded)"])
        self.assertEqual(done.returncode, TRAP)

    def test_call_in_which_it_is_killed(self):
        path = self.dir / "trace"
        path.touch()
        program = self.text(READING.replace("{then}", ""))
        with subprocess.Popen([WASIRUN, "--trace", "wasi", "--trace-output", str(path), program],
                              stdin=subprocess.PIPE) as process:
            for _ in range(TIMEOUT * 100):
                if path.read_text():
                    break
                time.sleep(0.01)
            process.kill()
        self.assertEqual(path.read_text(), "fd_read(fd=0<stdin> <unfinished ...>\n")

    def test_threads(self):
        program = self.text(THREADED)
        code, out, err = self.run_cli("--trace", "wasi", program)
        self.assertEqual((code, out), (SUCCESS, ""), err)
        lines = err.splitlines()
        # Which of the first two comes first is up to them.
        self.assertEqual(sorted(re.sub(r"^\[tid 0\] ", "", line) for line in lines[:2]),
                         ["[tid 1] sched_yield() = 0", "thread-spawn(start_arg=0x10) = 1"])
        self.assertEqual(lines[2:], ["[tid 0] sched_yield() = 0"])
        code, _, err = self.run_cli("--trace", "wasi:thread-spawn", "--max-threads", "0", "--deadline", "500ms", program)
        self.assertIn("thread-spawn(start_arg=0x10) = EAGAIN (Resource temporarily unavailable)\n", err)


class Explaining(CliTest):
    MODULE = """
        (module
          (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "path_open"
            (func (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "environ_get" (func (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "sock_accept" (func (param i32 i32 i32) (result i32))))"""

    def explained(self, text):
        code, out, err = self.run_cli("explain-caps", "--json", self.file("guest.wat", text.encode()))
        self.assertEqual((code, err), (SUCCESS, ""))
        return json.loads(out)

    @staticmethod
    def names(imports):
        return [f"{entry['module']}.{entry['name']}" for entry in imports]

    def test_text(self):
        path = self.file("guest.wat", self.MODULE.encode())
        code, out, err = self.run_cli("explain-caps", path)
        self.assertEqual((code, err), (SUCCESS, ""))
        self.assertTrue(out.startswith(f"{path}: imports WASI preview 1 (wasi_snapshot_preview1)\n\nIt can make use of:\n"), out)
        for part in ("  writing      writes to what it has open", ": --dir HOST[::GUEST], --dir mem::GUEST[:SIZE]\n", "by fd_write\n",
                     "  network      accepts connections", ": --env NAME[=VALUE], --inherit-env\n"):
            self.assertIn(part, out)
        self.assertIn("\nIt cannot make use of: arguments, clocks, waiting, randomness, descriptors, reading, listing, changing, "
                      "threads, ending\n", out)

    def test_json(self):
        explained = self.explained(self.MODULE)
        self.assertEqual(explained["wasi"], ["wasi_snapshot_preview1"])
        self.assertEqual([entry["name"] for entry in explained["capabilities"]], ["environment", "writing", "opening", "network"])
        environment = explained["capabilities"][0]
        self.assertEqual(environment["options"], ["--env NAME[=VALUE]", "--inherit-env"])
        self.assertEqual(self.names(environment["imports"]), ["wasi_snapshot_preview1.environ_get"])
        self.assertIn("threads", explained["unused"])
        self.assertEqual((explained["unknown"], explained["foreign"]), ([], []))

    def test_options_exist(self):
        _, usage, _ = self.run_cli("run", "--help")
        options = set()
        for module in (self.MODULE, THREADED):
            for info in self.explained(module)["capabilities"]:
                options.update(option.split()[0] for option in info["options"])
        self.assertGreaterEqual(options, {"--dir", "--env", "--max-threads"})
        for option in options:
            self.assertIn(option, usage)

    def test_snapshot_0_and_threads(self):
        explained = self.explained(TRACED.replace("{module}", "wasi_unstable"))
        self.assertEqual(explained["wasi"], ["wasi_unstable"])
        self.assertEqual([entry["name"] for entry in explained["capabilities"]], ["descriptors", "writing", "ending"])
        explained = self.explained(THREADED)
        self.assertEqual(explained["wasi"], ["wasi", "wasi_snapshot_preview1"])
        self.assertEqual([entry["name"] for entry in explained["capabilities"]], ["waiting", "threads"])
        self.assertEqual(explained["foreign"], [])

    def test_what_cannot_be_given(self):
        text = """
            (module
              (import "wasi_snapshot_preview1" "fd_teleport" (func (param i32)))
              (import "wasi_snapshot_preview1" "fd_write" (func (param i64)))
              (import "wasi_unstable" "sock_accept" (func (param i32 i32 i32) (result i32)))
              (import "env" "memory" (memory 1))
              (import "env" "log" (func))
              (import "env" "\\1b[2J\\n" (func)))"""
        explained = self.explained(text)
        self.assertEqual(self.names(explained["unknown"]), ["wasi_snapshot_preview1.fd_teleport",
                                                           "wasi_snapshot_preview1.fd_write", "wasi_unstable.sock_accept"])
        self.assertEqual([(entry["name"], entry["kind"]) for entry in explained["foreign"]],
                         [("memory", "memory"), ("log", "function"), ("\x1b[2J\n", "function")])
        _, out, _ = self.run_cli("explain-caps", self.file("guest.wat", text.encode()))
        self.assertIn("\nWASI has no such function, so it runs only with --unknown-imports:\n  wasi_snapshot_preview1.fd_teleport (function)\n", out)
        self.assertIn("  env.log (function)\n  env.\\x1b[2J\\n (function)\n", out)

    def test_nothing(self):
        path = self.file("guest.wat", b"(module)")
        code, out, _ = self.run_cli("explain-caps", path)
        self.assertEqual(code, SUCCESS)
        self.assertIn(f"{path}: imports nothing of WASI\n\nIt cannot make use of: arguments, ", out)

    def test_wrong_command_lines(self):
        self.check_error(USAGE, ["explain-caps"], "which file?")
        self.check_error(FAILURE, ["explain-caps", "nowhere.wasm"], "nowhere.wasm", "No such file or directory")
        self.check_error(FAILURE, ["explain-caps", self.file("x.wasm", b"\0asm\1\0\0\0\2\1\1")], "malformed module")


if __name__ == "__main__":
    unittest.main()
