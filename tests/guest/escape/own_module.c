// The file that this program was loaded from lies in a directory that it may write to. It may do with it what it likes:
// what runs, also what has never run before, is what was loaded.
#include "escape.h"

__attribute__((noinline)) static int never_called_before(int n) { return n * 7 + checks; }
__attribute__((noinline)) static int nor_this(int n) { return n * 11 - checks; }

static void write_over(void) {
  static char zeros[4096];
  Fd fd = 0;
  __wasi_filestat_t stat;
  EXPECT(OK, stat_path(kRoot, "own.wasm", 0, &stat));
  REQUIRE(stat.size > 0);
  EXPECT(OK, open_fd(kRoot, "own.wasm", 0, 0, kWrite, &fd));
  for (uint64_t at = 0; at < stat.size; at += sizeof zeros) {
    uint32_t written = 0;
    const __wasi_ciovec_t all = {(const uint8_t*)zeros, sizeof zeros};
    REQUIRE(sys_fd_write(fd, &all, 1, &written) == OK && written == sizeof zeros);
  }
  EXPECT(OK, sys_fd_close(fd));
}

int main(int argc, char** argv) {
  (void)argv;
  EXPECT(OK, exists(kRoot, "own.wasm", 0));
  EXPECT(OK, link_path(kRoot, 0, "own.wasm", kRoot, "hard.wasm"));
  EXPECT(OK, symlink_path("own.wasm", kRoot, "soft.wasm"));
  write_over();
  REQUIRE(never_called_before(argc) == argc * 7 + checks);
  EXPECT(OK, open_path(kRoot, "soft.wasm", kFollow, kTruncate, kWrite));
  __wasi_filestat_t stat;
  EXPECT(OK, stat_path(kRoot, "hard.wasm", 0, &stat));
  REQUIRE(stat.size == 0);
  REQUIRE(nor_this(argc) == argc * 11 - checks);
  EXPECT(OK, open_path(kRoot, "new.wasm", 0, kCreate, kWrite));
  EXPECT(OK, rename_path(kRoot, "new.wasm", kRoot, "own.wasm"));
  return finish();
}
