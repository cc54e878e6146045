// Several preopens, nested in each other and overlapping: each reaches what is beneath it and no more, whatever the
// others reach. 3 is root, 4 root/folder, 5 root/folder again but read-only, 6 the directory beside root.
#include "escape.h"

enum { kFolder = 4, kFolderReadOnly = 5, kOther = 6 };

int main(void) {
  REFUSED_BY_ALL(kRoot, "../other/other", NOTCAPABLE);
  EXPECT(NOTCAPABLE, open_path(kFolder, "..", kFollow, kDirectory, kRead));
  EXPECT(NOTCAPABLE, open_path(kFolder, "../file", kFollow, 0, kRead));
  EXPECT(NOTCAPABLE, open_path(kFolder, "to_file", kFollow, 0, kRead));  // -> ../file, which 3 reaches
  REQUIRE(strcmp(content(kRoot, "folder/to_file"), "file") == 0);
  EXPECT(NOTCAPABLE, open_path(kOther, "../root/file", kFollow, 0, kRead));
  EXPECT(NOTCAPABLE, open_path(kRoot, "to_other", kFollow, 0, kRead));  // -> ../other/other, which 6 reaches
  REQUIRE(strcmp(content(kOther, "other"), "other") == 0);
  // What was handed out read-only stays so under its own number, in spite of the writable way to it.
  EXPECT(ROFS, open_path(kFolderReadOnly, "inner", 0, 0, kWrite));
  EXPECT(ROFS, unlink_path(kFolderReadOnly, "inner"));
  EXPECT(ROFS, link_path(kFolderReadOnly, 0, "inner", kFolder, "stolen"));
  EXPECT(ROFS, rename_path(kFolderReadOnly, "inner", kFolder, "stolen"));
  EXPECT(OK, open_path(kFolder, "inner", 0, 0, kWrite));
  // Moving a directory from one preopen's tree to another's moves no border.
  Fd deep = 0;
  EXPECT(OK, open_fd(kFolder, "deep", 0, kDirectory, kAllRights & ~kWrite, &deep));
  EXPECT(OK, rename_path(kRoot, "folder/deep", kRoot, "deep"));
  EXPECT(NOENT, open_path(kFolder, "deep/file", 0, 0, kRead));
  EXPECT(NOTCAPABLE, open_path(kFolder, "../deep/file", 0, 0, kRead));
  EXPECT(NOTCAPABLE, open_path(deep, "../file", 0, 0, kRead));
  EXPECT(OK, rename_path(kRoot, "deep", kFolder, "deep"));
  // A preopen cannot be put into itself, nor removed by its own name.
  EXPECT(INVAL, rename_path(kRoot, "folder", kFolder, "folder"));
  EXPECT(INVAL, remove_directory(kFolder, "."));
  EXPECT_EITHER(__WASI_ERRNO_BUSY, INVAL, rename_path(kFolder, ".", kRoot, "moved"));
  UNTOUCHED(kRoot);
  return finish();
}
