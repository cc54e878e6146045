// CVE-2025-53901: fd_renumber with numbers that are not open brought the host down. Also over preopens and stdio.
#include "escape.h"

int main(void) {
  static const Fd kNotOpen[] = {5,     6,     100,        1023,       1024,       65535,
                                65536, 65537, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
  for (unsigned i = 0; i < sizeof kNotOpen / sizeof *kNotOpen; ++i) {
    EXPECT(BADF, sys_fd_renumber(kNotOpen[i], kRoot));
    EXPECT(BADF, sys_fd_renumber(kRoot, kNotOpen[i]));
    EXPECT(BADF, sys_fd_renumber(kNotOpen[i], kNotOpen[i]));
    EXPECT(BADF, sys_fd_renumber(kNotOpen[i], 5));
    EXPECT(BADF, sys_fd_close(kNotOpen[i]));
  }
  // Onto itself: nothing happens.
  EXPECT(OK, sys_fd_renumber(kRoot, kRoot));
  REQUIRE(strcmp(content(kRoot, "file"), "file") == 0);

  // A closed number is no goal, also one that was open before.
  Fd file = 0;
  EXPECT(OK, open_fd(kRoot, "file", 0, 0, kRead, &file));
  REQUIRE(file == 5);
  EXPECT(OK, sys_fd_close(file));
  EXPECT(BADF, sys_fd_renumber(kRoot, file));
  EXPECT(BADF, sys_fd_renumber(file, kRoot));
  EXPECT(BADF, sys_fd_close(file));

  // A subdirectory over its preopen: what the preopen was is gone, and the name of the preopen with it.
  Fd folder = 0;
  __wasi_prestat_t prestat;
  EXPECT(OK, open_fd(kRoot, "folder", 0, kDirectory, kAllRights & ~kWrite, &folder));
  EXPECT(OK, sys_fd_renumber(folder, kRoot));
  EXPECT(BADF, sys_fd_renumber(folder, kRoot));
  EXPECT(BADF, sys_fd_prestat_get(kRoot, &prestat));
  EXPECT(NOENT, open_path(kRoot, "file", 0, 0, kRead));
  EXPECT(NOTCAPABLE, open_path(kRoot, "../file", 0, 0, kRead));
  EXPECT(OK, exists(kRoot, "deep", 0));
  // A preopen over another: still beneath its own directory only.
  EXPECT(OK, sys_fd_renumber(4, kRoot));
  EXPECT(OK, sys_fd_prestat_get(kRoot, &prestat));
  EXPECT(BADF, sys_fd_prestat_get(4, &prestat));
  REQUIRE(strcmp(content(kRoot, "other"), "other") == 0);
  EXPECT(NOTCAPABLE, open_path(kRoot, "../root/file", 0, 0, kRead));
  // A file over a preopen is no directory.
  EXPECT(OK, open_fd(kRoot, "other", 0, 0, kRead, &file));
  Fd spare = 0;
  EXPECT(OK, open_fd(kRoot, ".", 0, kDirectory, kAllRights & ~kWrite, &spare));
  EXPECT(OK, sys_fd_renumber(file, kRoot));
  EXPECT(NOTDIR, open_path(kRoot, "other", 0, 0, kRead));
  EXPECT(NOTDIR, open_path(kRoot, "..", 0, 0, kRead));
  REQUIRE(strcmp(read_text(kRoot), "other") == 0);
  // Over stdin: the guest's number changes, the host's descriptor does not.
  EXPECT(OK, open_fd(spare, "other", 0, 0, kRead, &file));
  EXPECT(OK, sys_fd_renumber(file, 0));
  REQUIRE(strcmp(read_text(0), "other") == 0);
  EXPECT(BADF, write_text(0, "x"));

  // All pairs, many times over: errors, never more than that.
  uint32_t state = 1;
  for (int i = 0; i < 200000; ++i) {
    state = state * 1664525 + 1013904223;
    const Fd from = 6 + (state >> 24) % 16;
    const Fd to = 6 + (state >> 16) % 16;
    if ((state >> 8) % 4 == 0) {
      Fd opened = 0;
      (void)open_fd(spare, "other", 0, 0, kRead, &opened);
    }
    const uint32_t error = sys_fd_renumber(from, to);
    if (error != OK && error != BADF) EXPECT(BADF, error);
    if (error == OK && from != to && sys_fd_close(from) != BADF) EXPECT(BADF, OK);
  }
  return finish();
}
