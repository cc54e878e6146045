// GHSA-4ch3-9j33-3pmj (RUSTSEC-2026-0188): a file of a read-only directory that gets a name in a writable one can be
// written there. 3 is the read-only directory, 4 the writable one.
#include "escape.h"

enum { kReadOnly = 3, kWritable = 4 };

static void steal(Fd from) {
  EXPECT(ROFS, link_path(from, 0, "file", kWritable, "stolen"));
  EXPECT(ROFS, link_path(from, kFollow, "file", kWritable, "stolen"));
  EXPECT(ROFS, link_path(from, kFollow, "to_file", kWritable, "stolen"));
  EXPECT(ROFS, link_path(from, 0, "to_file", kWritable, "stolen"));
  EXPECT(ROFS, rename_path(from, "file", kWritable, "stolen"));
  EXPECT(ROFS, rename_path(from, "folder", kWritable, "stolen"));
  EXPECT(ROFS, rename_path(from, "to_file", kWritable, "stolen"));
  EXPECT(ROFS, link_path(kWritable, 0, "mine", from, "planted"));
  EXPECT(ROFS, rename_path(kWritable, "mine", from, "planted"));
  EXPECT(ROFS, rename_path(kWritable, "mine", from, "file"));
  EXPECT(NOENT, exists(kWritable, "stolen", 0));
}

static void change(Fd dir) {
  for (uint32_t lookup = 0; lookup <= kFollow; ++lookup) {
    EXPECT(ROFS, open_path(dir, "file", lookup, 0, kWrite));
    EXPECT(ROFS, open_path(dir, "file", lookup, 0, kAllRights));
    EXPECT(ROFS, open_path(dir, "file", lookup, kTruncate, kRead));
    EXPECT(ROFS, open_path(dir, "planted", lookup, kCreate, kRead));
    EXPECT(ROFS, open_path(dir, "planted", lookup, kCreate | kExclusive, kWrite));
    EXPECT(ROFS, set_times(dir, "file", lookup));
    EXPECT(ROFS, set_times(dir, "folder", lookup));
  }
  EXPECT(ROFS, make_directory(dir, "planted"));
  EXPECT(ROFS, remove_directory(dir, "folder"));
  EXPECT(ROFS, unlink_path(dir, "file"));
  EXPECT(ROFS, symlink_path("file", dir, "planted"));
  EXPECT(ROFS, rename_path(dir, "file", dir, "planted"));
  EXPECT(ROFS, link_path(dir, 0, "file", dir, "planted"));
}

int main(void) {
  Fd mine = 0;
  EXPECT(OK, open_fd(kWritable, "mine", 0, kCreate, kWrite, &mine));
  EXPECT(OK, write_text(mine, "mine"));
  // The preopen itself, directories opened from it in all ways, and one under another number.
  Fd again = 0;
  Fd deeper = 0;
  EXPECT(OK, open_fd(kReadOnly, ".", 0, kDirectory, kAllRights & ~kWrite, &again));
  EXPECT(OK, open_fd(again, "folder/..", 0, kDirectory, kAllRights & ~kWrite, &deeper));
  Fd spare = 0;
  EXPECT(OK, open_fd(kReadOnly, ".", 0, kDirectory, kAllRights & ~kWrite, &spare));
  EXPECT(OK, sys_fd_renumber(again, spare));
  const Fd ways[] = {kReadOnly, deeper, spare};
  for (unsigned i = 0; i < sizeof ways / sizeof *ways; ++i) {
    steal(ways[i]);
    change(ways[i]);
    EXPECT(ROFS, sys_fd_filestat_set_times(ways[i], 0, 0, __WASI_FSTFLAGS_MTIM));
    EXPECT(NOTCAPABLE, sys_fd_fdstat_set_rights(ways[i], kAllRights, kAllRights));
    EXPECT(NOTCAPABLE, sys_fd_fdstat_set_rights(ways[i], __WASI_RIGHTS_PATH_UNLINK_FILE, 0));
  }
  // A descriptor that may only read does not learn to write.
  Fd file = 0;
  EXPECT(OK, open_fd(kReadOnly, "file", 0, 0, kAllRights & ~kWrite, &file));
  EXPECT(BADF, write_text(file, "changed"));
  EXPECT(BADF, sys_fd_filestat_set_size(file, 0));
  EXPECT(BADF, sys_fd_allocate(file, 0, 100));
  EXPECT(ROFS, sys_fd_filestat_set_times(file, 0, 0, __WASI_FSTFLAGS_MTIM));
  EXPECT(NOTCAPABLE, sys_fd_fdstat_set_rights(file, kRead | kWrite, 0));
  EXPECT(NOTCAPABLE, sys_fd_fdstat_set_rights(file, kRead | __WASI_RIGHTS_FD_FILESTAT_SET_SIZE, 0));
  const __wasi_ciovec_t iov = {(const uint8_t*)"changed", 7};
  uint32_t count;
  EXPECT(BADF, sys_fd_pwrite(file, &iov, 1, 0, &count));
  // Moving a descriptor over the writable preopen's number takes its rights along.
  EXPECT(OK, sys_fd_renumber(spare, kWritable));
  EXPECT(ROFS, open_path(kWritable, "file", 0, 0, kWrite));
  REQUIRE(strcmp(content(kReadOnly, "file"), "file") == 0);
  return finish();
}
