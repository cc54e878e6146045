// CVE-2025-69261 (WasmEdge): 32-bit sums in the checks of guest addresses. Pointers at the last byte of memory and past
// it, lists of buffers whose lengths sum past 2^32. 4 is the host's /dev.
#include "escape.h"

enum { kPage = 65536, kBuffers = 1100 };

static uint8_t* at(uint32_t address) { return (uint8_t*)(uintptr_t)address; }

// A structure of `size` bytes: it may end with the memory, and that is all. `call` uses `place`.
#define CHECK_PLACE(size, call)                                                        \
  do {                                                                                 \
    static const uint32_t kWrong[] = {0xffffffff, 0xfffffffe, 0xfffffff8, 0x80000000}; \
    Place place = at(end - (size));                                                    \
    EXPECT(OK, call);                                                                  \
    place = at(end - (size) + 1);                                                      \
    EXPECT(FAULT, call);                                                               \
    place = at(end - 1);                                                               \
    EXPECT((size) == 1 ? OK : FAULT, call);                                            \
    place = at(end);                                                                   \
    EXPECT(FAULT, call);                                                               \
    for (unsigned i = 0; i < sizeof kWrong / sizeof *kWrong; ++i) {                    \
      place = at(kWrong[i]);                                                           \
      EXPECT(FAULT, call);                                                             \
    }                                                                                  \
  } while (0)

int main(void) {
  // 8 MiB of memory of which nobody else uses the end.
  if (__builtin_wasm_memory_grow(0, 128) == (size_t)-1) return 2;
  const uint32_t end = (uint32_t)(__builtin_wasm_memory_size(0) * kPage);
  uint32_t count = 0;
  Fd file = 0;
  Fd null = 0;
  EXPECT(OK, open_fd(kRoot, "file", 0, 0, kAllRights, &file));
  EXPECT(OK, open_fd(4, "null", 0, 0, kRead | kWrite, &null));

  CHECK_PLACE(24, sys_fd_fdstat_get(1, place));
  CHECK_PLACE(64, sys_fd_filestat_get(kRoot, place));
  CHECK_PLACE(64, sys_path_filestat_get(kRoot, 0, "file", 4, place));
  CHECK_PLACE(8, sys_fd_prestat_get(kRoot, place));
  CHECK_PLACE(1, sys_fd_prestat_dir_name(kRoot, place, 1));
  CHECK_PLACE(8, sys_clock_time_get(0, 0, place));
  CHECK_PLACE(8, sys_fd_seek(file, 0, __WASI_WHENCE_SET, place));
  CHECK_PLACE(4, sys_args_sizes_get(place, &count));
  CHECK_PLACE(4, sys_args_sizes_get(&count, place));
  CHECK_PLACE(1, sys_random_get(place, 1));
  CHECK_PLACE(100, sys_random_get(place, 100));
  CHECK_PLACE(100, sys_fd_readdir(kRoot, place, 100, 0, &count));
  CHECK_PLACE(4, sys_fd_readdir(kRoot, at(1024), 0, 0, place));
  CHECK_PLACE(8, sys_path_readlink(kRoot, "inward", 6, place, 8, &count));
  CHECK_PLACE(4, sys_fd_read(file, at(1024), 0, place));
  memcpy(at(end - 4), "file", 4);
  EXPECT(OK, sys_path_filestat_get(kRoot, 0, at(end - 4), 4, at(end - 100)));
  EXPECT(FAULT, sys_path_filestat_get(kRoot, 0, at(end - 4), 5, at(end - 100)));
  EXPECT(FAULT, sys_path_filestat_get(kRoot, 0, at(end - 4), 0xffffffff, at(end - 100)));
  EXPECT(FAULT, sys_path_filestat_get(kRoot, 0, at(0xffffffff), 1, at(end - 100)));
  EXPECT(FAULT, sys_args_get(at(end), at(1024)));
  EXPECT(FAULT, sys_args_get(at(end - 64), at(end - 1)));
  EXPECT(FAULT, sys_random_get(at(1), end));
  EXPECT(FAULT, sys_random_get(at(0), 0xffffffff));
  EXPECT(FAULT, sys_random_get(at(end - 16), 0xfffffff0));
  EXPECT(FAULT, sys_random_get(at(0xfffffff0), 0x20));

  // Lists: of buffers, and of subscriptions.
  __wasi_iovec_t one = {at(end - 1), 1};
  EXPECT(OK, sys_fd_pread(file, &one, 1, 0, &count));
  REQUIRE(count == 1 && *at(end - 1) == 'f');
  const __wasi_iovec_t wrong[] = {{at(end - 1), 2},
                                  {at(end), 1},
                                  {at(0xffffffff), 1},
                                  {at(0xfffffff0), 0x20},
                                  {at(0xffffffff), 0xffffffff},
                                  {at(1), 0xffffffff},
                                  {at(end - 16), 0xfffffff0},
                                  {at(0x80000000), 0x80000000}};
  for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
    EXPECT(FAULT, sys_fd_read(file, &wrong[i], 1, &count));
    EXPECT(FAULT, sys_fd_pread(file, &wrong[i], 1, 0, &count));
    EXPECT(FAULT, sys_fd_write(file, &wrong[i], 1, &count));
    EXPECT(FAULT, sys_fd_pwrite(file, &wrong[i], 1, 0, &count));
    // Behind a good one as well: then nothing at all is moved.
    const __wasi_iovec_t both[] = {{at(end - 4), 4}, wrong[i]};
    EXPECT(FAULT, sys_fd_pwrite(file, both, 2, 0, &count));
    EXPECT(FAULT, sys_fd_write(null, both, 2, &count));
  }
  static const uint32_t kCounts[] = {0x20000000, 0x20000001, 0x40000000, 0x80000000, 0xffffffff, 0x1fffffff};
  for (unsigned i = 0; i < sizeof kCounts / sizeof *kCounts; ++i) {
    EXPECT(FAULT, sys_fd_read(file, at(end - 8), kCounts[i], &count));
    EXPECT(FAULT, sys_fd_write(file, at(8), kCounts[i], &count));
    EXPECT(FAULT, sys_poll_oneoff(at(8), at(8), kCounts[i], &count));
  }
  EXPECT(FAULT, sys_poll_oneoff(at(8), at(8), 0x05555556, &count));  // times 48 it is 2^32 + 32
  EXPECT(FAULT, sys_poll_oneoff(at(8), at(8), 0x08000000, &count));  // times 32 it is 2^32
  EXPECT(FAULT, sys_poll_oneoff(at(end - 47), at(1024), 1, &count));
  EXPECT(FAULT, sys_poll_oneoff(at(1024), at(end - 31), 1, &count));
  EXPECT(FAULT, sys_fd_read(file, at(end - 7), 1, &count));

  // With a bad place for the result nothing is done.
  EXPECT(FAULT, sys_path_open(kRoot, 0, "unused", 6, kCreate, kWrite, 0, 0, at(end - 3)));
  EXPECT(FAULT, sys_path_open(kRoot, 0, "file", 4, kTruncate, kWrite, 0, 0, at(0xffffffff)));
  const __wasi_ciovec_t text = {(const uint8_t*)"changed", 7};
  EXPECT(FAULT, sys_fd_pwrite(file, &text, 1, 0, at(end - 3)));
  EXPECT(NOENT, exists(kRoot, "unused", 0));

  // Overlapping buffers that sum to 2^32, a little more, and 2^33 bytes: counts say what was moved.
  static __wasi_iovec_t many[kBuffers];
  static const struct {
    uint32_t size;
    uint32_t count;
  } kLists[] = {{4 << 20, 1024}, {(4 << 20) + 4, 1024}, {8 << 20, 512}, {8 << 20, 513}, {8 << 20, kBuffers}};
  for (unsigned list = 0; list < sizeof kLists / sizeof *kLists; ++list) {
    for (int i = 0; i < kBuffers; ++i) many[i] = (__wasi_iovec_t){at(0), kLists[list].size};
    count = 0;
    EXPECT(OK, sys_fd_write(null, many, kLists[list].count, &count));
    REQUIRE(count == 0x7ffff000);  // what Linux moves at once
  }
  count = 1;
  EXPECT(OK, sys_fd_read(null, many, kBuffers, &count));
  REQUIRE(count == 0);
  // Four bytes at the end of the file's, into the first of the buffers, which is where nobody else has anything.
  for (int i = 0; i < kBuffers; ++i) many[i] = (__wasi_iovec_t){at(end - 4 * 1024 * 1024), 4 * 1024 * 1024};
  EXPECT(OK, sys_fd_pread(file, many, kBuffers, 0, &count));
  REQUIRE(count == 4 && memcmp(at(end - 4 * 1024 * 1024), "file", 4) == 0);
  UNTOUCHED(kRoot);
  return finish();
}
