// The host's whole tree as a read-only preopen: `..` at its top is refused like anywhere, and so are absolute paths.
#include "escape.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  char path[512];
  EXPECT(NOTCAPABLE, open_path(kRoot, "..", kFollow, 0, kRead));
  EXPECT(NOTCAPABLE, open_path(kRoot, "/", kFollow, 0, kRead));
  EXPECT(NOTCAPABLE, exists(kRoot, "/etc", kFollow));
  EXPECT(NOTCAPABLE, exists(kRoot, "tmp/../..", kFollow));
  EXPECT(OK, exists(kRoot, "tmp/..", kFollow));
  snprintf(path, sizeof path, "%s/root/file", argv[1] + 1);
  REQUIRE(strcmp(content(kRoot, path), "file") == 0);
  EXPECT(ROFS, open_path(kRoot, path, 0, 0, kWrite));
  EXPECT(ROFS, unlink_path(kRoot, path));
  snprintf(path, sizeof path, "%s/root/planted", argv[1] + 1);
  EXPECT(ROFS, open_path(kRoot, path, 0, kCreate, kWrite));
  // An absolute link would lead into the very same tree, but it is not for links to know where the tree begins.
  snprintf(path, sizeof path, "%s/root/abs_file", argv[1] + 1);
  EXPECT(NOTCAPABLE, open_path(kRoot, path, kFollow, 0, kRead));
  return finish();
}
