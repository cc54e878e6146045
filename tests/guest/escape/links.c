// Links that the host made and that lead out: as the last component and before it, in one step and in several.
#include "escape.h"

int main(void) {
  char path[512];
  // To a directory outside: nothing below them is reached.
  static const char* const kDirectories[] = {
      "out",           // -> ../outside
      "up",            // -> ..
      "dot_up",        // -> ./..
      "folder/up_up",  // -> ../..
      "twice",         // -> out
      "thrice",        // -> folder/../twice
      "folder/out",    // -> ../../outside
      "through",       // -> folder/up_up/outside
      "back_in",       // -> ../root
      "slashed",       // -> ../outside/
      "chain9",        // -> chain8 -> ... -> chain0 -> ../outside
  };
  for (unsigned i = 0; i < sizeof kDirectories / sizeof *kDirectories; ++i) {
    static const char* const kBelow[] = {"secret", "planted",      "empty",    ".",
                                         "..",     "../root/file", "./secret", "/secret"};
    for (unsigned j = 0; j < sizeof kBelow / sizeof *kBelow; ++j) {
      snprintf(path, sizeof path, "%s/%s", kDirectories[i], kBelow[j]);
      REFUSED_BY_ALL(kRoot, path, NOTCAPABLE);
      snprintf(path, sizeof path, "folder/../%s/%s", kDirectories[i], kBelow[j]);
      REFUSED_BY_ALL(kRoot, path, NOTCAPABLE);
    }
    EXPECT(NOTCAPABLE, open_path(kRoot, kDirectories[i], kFollow, kDirectory, kRead));
    EXPECT(NOTDIR, open_path(kRoot, kDirectories[i], 0, kDirectory, kRead));
    EXPECT(NOTCAPABLE, exists(kRoot, kDirectories[i], kFollow));
    EXPECT(NOTCAPABLE, set_times(kRoot, kDirectories[i], kFollow));
    EXPECT(OK, exists(kRoot, kDirectories[i], 0));
    EXPECT(NOTDIR, remove_directory(kRoot, kDirectories[i]));
    EXPECT(EXIST, make_directory(kRoot, kDirectories[i]));
  }
  // To a file outside, or to one that could be made there.
  static const char* const kFiles[] = {"out_file", "twice_file", "folder/out_file", "out_planted", "twice_planted"};
  for (unsigned i = 0; i < sizeof kFiles / sizeof *kFiles; ++i) {
    const char* link = kFiles[i];
    const int line = __LINE__;
    EXPECT_OF(link, NOTCAPABLE, open_path(kRoot, link, kFollow, 0, kRead));
    EXPECT_OF(link, NOTCAPABLE, open_path(kRoot, link, kFollow, 0, kWrite));
    EXPECT_OF(link, NOTCAPABLE, open_path(kRoot, link, kFollow, kTruncate, kWrite));
    EXPECT_OF(link, NOTCAPABLE, open_path(kRoot, link, kFollow, kCreate, kWrite));
    EXPECT_OF(link, NOTCAPABLE, open_path(kRoot, link, kFollow, kCreate | kTruncate, kWrite));
    EXPECT_OF(link, EXIST, open_path(kRoot, link, kFollow, kCreate | kExclusive, kWrite));
    EXPECT_OF(link, LOOP, open_path(kRoot, link, 0, 0, kRead));
    EXPECT_OF(link, LOOP, open_path(kRoot, link, 0, kCreate | kTruncate, kWrite));
    EXPECT_OF(link, NOTCAPABLE, exists(kRoot, link, kFollow));
    EXPECT_OF(link, NOTCAPABLE, set_times(kRoot, link, kFollow));
    EXPECT_OF(link, OK, set_times(kRoot, link, 0));
    EXPECT_OF(link, NOTCAPABLE, link_path(kRoot, kFollow, link, kRoot, "unused"));
    // A hard link to the link is the same link once more.
    EXPECT_OF(link, OK, link_path(kRoot, 0, link, kRoot, "hard"));
    EXPECT_OF(link, OK, read_link(kRoot, "hard"));
    EXPECT_OF(link, NOTCAPABLE, open_path(kRoot, "folder/../hard", kFollow, 0, kRead | kWrite));
    // Renaming over it and unlinking it mean the link.
    EXPECT_OF(link, OK, rename_path(kRoot, "hard", kRoot, "hard_moved"));
    EXPECT_OF(link, OK, unlink_path(kRoot, "hard_moved"));
  }
  // A file renamed over a link out replaces the link.
  Fd fd = 0;
  EXPECT(OK, open_fd(kRoot, "mine", 0, kCreate, kWrite, &fd));
  EXPECT(OK, write_text(fd, "mine"));
  EXPECT(OK, rename_path(kRoot, "mine", kRoot, "out_file"));
  REQUIRE(strcmp(content(kRoot, "out_file"), "mine") == 0);
  EXPECT(OK, unlink_path(kRoot, "twice_file"));
  // Circles and long chains end.
  EXPECT(LOOP, open_path(kRoot, "circle", kFollow, 0, kRead));
  EXPECT(LOOP, exists(kRoot, "circle/x", 0));
  EXPECT(LOOP, open_path(kRoot, "self", kFollow, 0, kRead));
  EXPECT(LOOP, open_path(kRoot, "self/self/self", kFollow, 0, kRead));
  EXPECT(LOOP, open_path(kRoot, "long99", kFollow, 0, kRead));  // a chain of a hundred links, all inside
  UNTOUCHED(kRoot);
  return finish();
}
