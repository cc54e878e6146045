// fd_readdir with cookies that were never given out: an error or entries of this directory, never anything else.
#include "escape.h"

static uint8_t buffer[8192];

// Looks at what a call has stored: whole records with names that the directory has.
static void check_entries(uint32_t used) {
  REQUIRE(used <= sizeof buffer);
  for (uint32_t at = 0; at + sizeof(__wasi_dirent_t) <= used;) {
    __wasi_dirent_t entry;
    memcpy(&entry, buffer + at, sizeof entry);
    at += sizeof entry;
    if (at + entry.d_namlen > used) break;
    const char* name = (const char*)buffer + at;
    static const char* const kNames[] = {".", "..", "file", "folder", "mine"};
    int known = 0;
    for (unsigned i = 0; i < sizeof kNames / sizeof *kNames; ++i) {
      known |= strlen(kNames[i]) == entry.d_namlen && memcmp(kNames[i], name, entry.d_namlen) == 0;
    }
    REQUIRE(known);
    at += entry.d_namlen;
  }
}

static void list_from(uint64_t cookie) {
  uint32_t used = 0;
  const uint32_t error = sys_fd_readdir(kRoot, buffer, sizeof buffer, cookie, &used);
  if (error == OK) {
    check_entries(used);
  } else {
    EXPECT_EITHER(INVAL, NOENT, error);
  }
}

int main(void) {
  EXPECT(OK, open_path(kRoot, "mine", 0, kCreate, kWrite));
  uint32_t used = 0;
  EXPECT(OK, sys_fd_readdir(kRoot, buffer, sizeof buffer, 0, &used));
  check_entries(used);
  // One bit each, all bits below and above, and thousands of others.
  for (int bit = 0; bit < 64; ++bit) {
    list_from(UINT64_C(1) << bit);
    list_from((UINT64_C(1) << bit) - 1);
    list_from(~(UINT64_C(1) << bit));
    list_from(UINT64_MAX << bit);
  }
  uint64_t cookie = 1;
  for (int i = 0; i < 20000; ++i) {
    cookie = cookie * UINT64_C(6364136223846793005) + 1442695040888963407;
    list_from(cookie >> (i % 64));
  }
  EXPECT(INVAL, sys_fd_readdir(kRoot, buffer, sizeof buffer, UINT64_MAX, &used));
  EXPECT(INVAL, sys_fd_readdir(kRoot, buffer, sizeof buffer, UINT64_C(1) << 63, &used));
  // Small buffers: cut, never written past.
  for (uint32_t size = 0; size < 64; ++size) {
    memset(buffer, 0xee, sizeof buffer);
    EXPECT(OK, sys_fd_readdir(kRoot, buffer, size, 0, &used));
    REQUIRE(used == size);
    REQUIRE(buffer[size] == 0xee);
  }
  // And the listing still works.
  EXPECT(OK, sys_fd_readdir(kRoot, buffer, sizeof buffer, 0, &used));
  check_entries(used);
  EXPECT(__WASI_ERRNO_NOTDIR, sys_fd_readdir(1, buffer, sizeof buffer, 0, &used));
  return finish();
}
