// Names that hosts stumble over. CVE-2024-51745 and CVE-2024-51756 (Wasmtime): names that some hosts take for devices.
#include <stdlib.h>

#include "escape.h"

static uint32_t open_bytes(const char* path, uint32_t size, uint32_t oflags, uint64_t rights) {
  Fd fd = 0;
  const uint32_t error = sys_path_open(kRoot, kFollow, path, size, oflags, rights, 0, 0, &fd);
  if (error == OK) sys_fd_close(fd);
  return error;
}

// All functions on the bytes of a path.
static void refused_bytes(int line, const char* path, uint32_t size, uint32_t error) {
  __wasi_filestat_t stat;
  char target[16];
  uint32_t used;
  const char* about = size < 40 ? path : "long";
  EXPECT_OF(about, error, open_bytes(path, size, 0, kRead));
  EXPECT_OF(about, error, open_bytes(path, size, kCreate, kWrite));
  EXPECT_OF(about, error, sys_path_create_directory(kRoot, path, size));
  EXPECT_OF(about, error, sys_path_remove_directory(kRoot, path, size));
  EXPECT_OF(about, error, sys_path_unlink_file(kRoot, path, size));
  EXPECT_OF(about, error, sys_path_filestat_get(kRoot, 0, path, size, &stat));
  EXPECT_OF(about, error, sys_path_filestat_get(kRoot, kFollow, path, size, &stat));
  EXPECT_OF(about, error, sys_path_filestat_set_times(kRoot, 0, path, size, 0, 0, __WASI_FSTFLAGS_MTIM));
  EXPECT_OF(about, error, sys_path_readlink(kRoot, path, size, target, sizeof target, &used));
  EXPECT_OF(about, error, sys_path_rename(kRoot, path, size, kRoot, "unused", 6));
  EXPECT_OF(about, error, sys_path_rename(kRoot, "file", 4, kRoot, path, size));
  EXPECT_OF(about, error, sys_path_link(kRoot, 0, path, size, kRoot, "unused", 6));
  EXPECT_OF(about, error, sys_path_link(kRoot, 0, "file", 4, kRoot, path, size));
  EXPECT_OF(about, error, sys_path_symlink("file", 4, kRoot, path, size));
}
#define REFUSED_BYTES(text, error) refused_bytes(__LINE__, text, sizeof(text) - 1, error)

int main(void) {
  // NUL: what the host would see ends there, what we check does not.
  REFUSED_BYTES("file\0", INVAL);
  REFUSED_BYTES("file\0/../../outside/secret", INVAL);
  REFUSED_BYTES("../outside/secret\0.txt", INVAL);
  REFUSED_BYTES("\0", INVAL);
  REFUSED_BYTES("\0file", INVAL);
  EXPECT(INVAL, sys_path_symlink("file\0/etc", 9, kRoot, "unused", 6));
  REFUSED_BYTES("", NOENT);
  // What is not UTF-8: overlong slashes and dots, half characters, surrogates, beyond the last character.
  REFUSED_BYTES("\xff", ILSEQ);
  REFUSED_BYTES(
      "..\xc0\xaf..\xc0\xaf"
      "outside",
      ILSEQ);
  REFUSED_BYTES("\xc0\xae\xc0\xae/outside", ILSEQ);
  REFUSED_BYTES("\xe0\x80\xae", ILSEQ);
  REFUSED_BYTES("\xf0\x80\x80\xaf", ILSEQ);
  REFUSED_BYTES("a\xe2\x82", ILSEQ);
  REFUSED_BYTES("\x80", ILSEQ);
  REFUSED_BYTES("\xed\xa0\x80", ILSEQ);
  REFUSED_BYTES("\xf4\x90\x80\x80", ILSEQ);
  EXPECT(ILSEQ, sys_path_symlink("\xff", 1, kRoot, "unused", 6));
  // The host has a file with such a name: it is listed, and cannot be opened.
  REFUSED_BYTES("host\xff", ILSEQ);

  // 255 bytes are a name, 256 are none.
  static char path[70000];
  memset(path, 'n', sizeof path);
  EXPECT(OK, open_bytes(path, 255, kCreate | kExclusive, kWrite));
  EXPECT(OK, sys_path_unlink_file(kRoot, path, 255));
  EXPECT(OK, sys_path_create_directory(kRoot, path, 255));
  EXPECT(OK, sys_path_remove_directory(kRoot, path, 255));
  refused_bytes(__LINE__, path, 256, NAMETOOLONG);
  refused_bytes(__LINE__, path, 4095, NAMETOOLONG);
  refused_bytes(__LINE__, path, 4096, NAMETOOLONG);
  refused_bytes(__LINE__, path, 4097, NAMETOOLONG);
  refused_bytes(__LINE__, path, 65536, NAMETOOLONG);
  // 4095 bytes are a path, 4096 are none, whatever is in it.
  for (unsigned i = 0; i < 4096; i += 2) {
    path[i] = '.';
    path[i + 1] = '/';
  }
  memcpy(path + 4091, "file", 4);
  path[4090] = '/';
  EXPECT(OK, open_bytes(path, 4095, 0, kRead));
  refused_bytes(__LINE__, path, 4096, NAMETOOLONG);
  // A long way out is a way out.
  for (unsigned i = 0; i < 4095; i += 3) memcpy(path + i, "../", 3);
  EXPECT(NOTCAPABLE, open_bytes(path, 4094, 0, kRead));
  // A long way down: deeper than a path can say, one directory at a time.
  Fd dir = kRoot;
  int depth = 0;
  for (; depth < 600; ++depth) {
    Fd next = 0;
    if (make_directory(dir, "down") != OK || open_fd(dir, "down", 0, kDirectory, kAllRights & ~kWrite, &next) != OK)
      break;
    if (dir != kRoot) sys_fd_close(dir);
    dir = next;
  }
  REQUIRE(depth == 600);
  EXPECT(NOTCAPABLE, open_path(dir, "..", 0, 0, kRead));
  EXPECT(OK, open_path(dir, "bottom", 0, kCreate, kWrite));
  // Down and up again, some hundred levels: found or too deep, and never above the top.
  char* at = path;
  for (int i = 0; i < 250; ++i, at += 5) memcpy(at, "down/", 5);
  for (int i = 0; i < 250; ++i, at += 3) memcpy(at, "../", 3);
  memcpy(at, "file", 4);
  EXPECT(OK, open_bytes(path, (uint32_t)(at + 4 - path), 0, kRead));
  memcpy(at, "../outside/secret", 17);
  EXPECT(NOTCAPABLE, open_bytes(path, (uint32_t)(at + 17 - path), 0, kRead));

  // Names of devices, streams and drives elsewhere are names like others here.
  static const char* const kNames[] = {"CON",         "NUL",  "COM1",        "COM\xc2\xb9", "LPT\xc2\xb2.txt",
                                       "file:stream", "C:",   "C:\\Windows", "\\\\?\\C:\\", "..\\outside\\secret",
                                       "...",         "a\nb", " ",           "-rf",         "%2e%2e%2foutside"};
  for (unsigned i = 0; i < sizeof kNames / sizeof *kNames; ++i) {
    const int line = __LINE__;
    EXPECT_OF(kNames[i], NOENT, exists(kRoot, kNames[i], 0));
    EXPECT_OF(kNames[i], OK, open_path(kRoot, kNames[i], 0, kCreate | kExclusive, kWrite));
    EXPECT_OF(kNames[i], OK, exists(kRoot, kNames[i], 0));
    EXPECT_OF(kNames[i], OK, unlink_path(kRoot, kNames[i]));
  }
  UNTOUCHED(kRoot);
  return finish();
}
