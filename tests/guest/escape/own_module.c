// The file that this program was loaded from lies in a directory that it may write to. It is mapped, and functions are
// read from it when they are first called: were the file changed, what runs would not be what was checked.
#include "escape.h"

__attribute__((noinline)) static int never_called_before(int n) { return n * 7 + checks; }

int main(int argc, char** argv) {
  (void)argv;
  EXPECT(OK, exists(kRoot, "own.wasm", 0));
  EXPECT(OK, open_path(kRoot, "own.wasm", 0, 0, kRead));
  static const char* const kNames[] = {"own.wasm", "hard.wasm", "soft.wasm", "renamed.wasm"};
  EXPECT(OK, link_path(kRoot, 0, "own.wasm", kRoot, "hard.wasm"));
  EXPECT(OK, symlink_path("own.wasm", kRoot, "soft.wasm"));
  EXPECT(OK, link_path(kRoot, 0, "own.wasm", kRoot, "other.wasm"));
  EXPECT(OK, rename_path(kRoot, "other.wasm", kRoot, "renamed.wasm"));
  for (unsigned i = 0; i < sizeof kNames / sizeof *kNames; ++i) {
    const int line = __LINE__;
    EXPECT_OF(kNames[i], __WASI_ERRNO_TXTBSY, open_path(kRoot, kNames[i], kFollow, 0, kWrite));
    EXPECT_OF(kNames[i], __WASI_ERRNO_TXTBSY, open_path(kRoot, kNames[i], kFollow, kTruncate, kRead));
    EXPECT_OF(kNames[i], __WASI_ERRNO_TXTBSY, open_path(kRoot, kNames[i], kFollow, kTruncate, kRead | kWrite));
    EXPECT_OF(kNames[i], __WASI_ERRNO_TXTBSY, open_path(kRoot, kNames[i], kFollow, kCreate | kTruncate, kWrite));
  }
  // Replacing it is how programs are changed.
  EXPECT(OK, open_path(kRoot, "new.wasm", 0, kCreate, kWrite));
  EXPECT(OK, rename_path(kRoot, "new.wasm", kRoot, "own.wasm"));
  EXPECT(OK, open_path(kRoot, "own.wasm", 0, kTruncate, kWrite));
  REQUIRE(never_called_before(argc) == argc * 7 + checks);
  return finish();
}
