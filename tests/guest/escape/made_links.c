// Links outward that a guest makes for itself, and then follows:
// CVE-2024-38358 (Wasmer: creating and writing through such a link), CVE-2025-43853 (WAMR: the target of path_symlink
// is not looked at), wazero#2321 (the same on any writable mount), uvwasi#271 and #272 (absolute targets).
#include "escape.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  char path[512];
  // Absolute targets are not even made.
  snprintf(path, sizeof path, "%s/outside/secret", argv[1]);
  const char* const absolute[] = {"/", "/etc/passwd", "//etc/passwd", "/file", "/.", path};
  for (unsigned i = 0; i < sizeof absolute / sizeof *absolute; ++i) {
    EXPECT(NOTCAPABLE, symlink_path(absolute[i], kRoot, "unused"));
    EXPECT(NOTCAPABLE, symlink_path(absolute[i], kRoot, "folder/unused"));
  }
  static const struct {
    const char* target;
    const char* name;
  } kLinks[] = {
      {"../../../../../../etc/passwd", "passwd"},
      {"../outside/secret", "secret"},
      {"../outside/planted", "planted"},
      {"../../outside/secret", "folder/secret"},
      {"..", "above"},
      {"./../outside", "dots"},
      {"folder/deep/../../../outside", "around"},
      {"above/outside", "twice"},
  };
  for (unsigned i = 0; i < sizeof kLinks / sizeof *kLinks; ++i) {
    const char* name = kLinks[i].name;
    const int line = __LINE__;
    EXPECT_OF(name, OK, symlink_path(kLinks[i].target, kRoot, name));
    EXPECT_OF(name, EXIST, symlink_path("x", kRoot, name));
    EXPECT_OF(name, NOTCAPABLE, open_path(kRoot, name, kFollow, 0, kRead));
    EXPECT_OF(name, NOTCAPABLE, open_path(kRoot, name, kFollow, kCreate, kRead | kWrite));
    EXPECT_OF(name, NOTCAPABLE, open_path(kRoot, name, kFollow, kCreate | kTruncate, kWrite));
    EXPECT_OF(name, LOOP, open_path(kRoot, name, 0, kCreate, kRead | kWrite));
    EXPECT_OF(name, NOTCAPABLE, exists(kRoot, name, kFollow));
    EXPECT_OF(name, NOTCAPABLE, set_times(kRoot, name, kFollow));
    EXPECT_OF(name, NOTCAPABLE, link_path(kRoot, kFollow, name, kRoot, "unused"));
    // Through it, and through it once more.
    snprintf(path, sizeof path, "%s/secret", name);
    EXPECT_OF(name, NOTCAPABLE, open_path(kRoot, path, kFollow, kCreate, kWrite));
    EXPECT_OF(name, NOTCAPABLE, symlink_path("x", kRoot, path));
    EXPECT_OF(name, NOTCAPABLE, make_directory(kRoot, path));
  }
  // Where a link leads depends on where it stands: moving it up, or its directory, does not take it out.
  EXPECT(OK, make_directory(kRoot, "a"));
  EXPECT(OK, make_directory(kRoot, "a/b"));
  EXPECT(OK, symlink_path("../../file", kRoot, "a/b/link"));
  REQUIRE(strcmp(content(kRoot, "a/b/link"), "file") == 0);
  EXPECT(OK, rename_path(kRoot, "a/b", kRoot, "b"));
  EXPECT(NOTCAPABLE, open_path(kRoot, "b/link", kFollow, 0, kRead));
  EXPECT(OK, rename_path(kRoot, "b/link", kRoot, "a/link"));
  EXPECT(NOTCAPABLE, open_path(kRoot, "a/link", kFollow, 0, kRead));
  // A descriptor of a directory is the end of the world for paths from it, even for links that stay in the preopen.
  Fd folder = 0;
  EXPECT(OK, symlink_path("../file", kRoot, "folder/to_file"));
  REQUIRE(strcmp(content(kRoot, "folder/to_file"), "file") == 0);
  EXPECT(OK, open_fd(kRoot, "folder", 0, kDirectory, kAllRights & ~kWrite, &folder));
  EXPECT(NOTCAPABLE, open_path(folder, "to_file", kFollow, 0, kRead));
  // Directories put in the place of links and the other way round.
  EXPECT(OK, unlink_path(kRoot, "dots"));
  EXPECT(OK, make_directory(kRoot, "dots"));
  EXPECT(OK, open_path(kRoot, "dots/inside", kFollow, kCreate, kWrite));
  EXPECT(OK, rename_path(kRoot, "dots", kRoot, "was_dots"));
  EXPECT(OK, symlink_path("../outside", kRoot, "dots"));
  EXPECT(NOTCAPABLE, open_path(kRoot, "dots/inside", kFollow, kCreate, kWrite));
  UNTOUCHED(kRoot);
  return finish();
}
