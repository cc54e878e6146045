// GHSA-vqjp-4c8c-hfgg (RUSTSEC-2026-0269): a slash behind a name, or behind the target of a link, makes the host follow
// a link that it was told not to follow.
#include "escape.h"

// All functions on a link that leads out to a directory, with slashes behind it.
static void link_with_slash(const char* path) {
  const int line = __LINE__;
  for (uint32_t lookup = 0; lookup <= kFollow; ++lookup) {
    EXPECT_OF(path, NOTCAPABLE, open_path(kRoot, path, lookup, 0, kRead));
    EXPECT_OF(path, NOTCAPABLE, open_path(kRoot, path, lookup, kDirectory, kAllRights & ~kWrite));
    EXPECT_OF(path, ISDIR, open_path(kRoot, path, lookup, kCreate, kWrite));
    EXPECT_OF(path, ISDIR, open_path(kRoot, path, lookup, kCreate | kExclusive, kWrite));
    EXPECT_OF(path, NOTCAPABLE, open_path(kRoot, path, lookup, kTruncate, kWrite));
    EXPECT_OF(path, NOTCAPABLE, exists(kRoot, path, lookup));
    EXPECT_OF(path, NOTCAPABLE, set_times(kRoot, path, lookup));
    EXPECT_OF(path, NOTCAPABLE, link_path(kRoot, lookup, path, kRoot, "unused"));
  }
  EXPECT_OF(path, NOTCAPABLE, read_link(kRoot, path));
  EXPECT_OF(path, NOTDIR, unlink_path(kRoot, path));
  EXPECT_OF(path, NOTDIR, remove_directory(kRoot, path));
  EXPECT_OF(path, EXIST, make_directory(kRoot, path));
  EXPECT_OF(path, NOTDIR, rename_path(kRoot, path, kRoot, "unused"));
  EXPECT_OF(path, NOTDIR, rename_path(kRoot, path, kRoot, "unused/"));
  EXPECT_OF(path, NOTDIR, rename_path(kRoot, "folder", kRoot, path));
  EXPECT_OF(path, NOTDIR, rename_path(kRoot, "file", kRoot, path));
  EXPECT_OF(path, NOTDIR, symlink_path("file", kRoot, path));
  EXPECT_OF(path, NOTDIR, link_path(kRoot, 0, "file", kRoot, path));
}

// The same on a link to a name that is not there: nothing may be made at its end.
static void dangling_with_slash(const char* path) {
  const int line = __LINE__;
  for (uint32_t lookup = 0; lookup <= kFollow; ++lookup) {
    EXPECT_OF(path, NOTCAPABLE, open_path(kRoot, path, lookup, 0, kRead));
    EXPECT_OF(path, ISDIR, open_path(kRoot, path, lookup, kCreate, kWrite));
    EXPECT_OF(path, NOTCAPABLE, exists(kRoot, path, lookup));
  }
  EXPECT_OF(path, EXIST, make_directory(kRoot, path));
  EXPECT_OF(path, NOTDIR, rename_path(kRoot, "folder", kRoot, path));
  EXPECT_OF(path, NOTDIR, symlink_path("file", kRoot, path));
  EXPECT_OF(path, NOTDIR, link_path(kRoot, 0, "file", kRoot, path));
}

int main(void) {
  // Made by the guest, as in the advisory.
  EXPECT(OK, symlink_path("..", kRoot, "l"));
  EXPECT(OK, symlink_path("../", kRoot, "l_slash"));
  EXPECT(OK, symlink_path("../outside", kRoot, "m"));
  EXPECT(OK, symlink_path("../outside/", kRoot, "m_slash"));
  EXPECT(OK, symlink_path("../outside///", kRoot, "m_slashes"));
  EXPECT(OK, symlink_path("m_slash/", kRoot, "nested"));
  EXPECT(OK, symlink_path("nested//", kRoot, "nested_more"));
  EXPECT(OK, symlink_path("folder/../l/outside/", kRoot, "around"));
  static const char* const kLinks[] = {"l", "l_slash", "m", "m_slash", "m_slashes", "nested", "nested_more", "around"};
  char path[64];
  for (unsigned i = 0; i < sizeof kLinks / sizeof *kLinks; ++i) {
    static const char* const kForms[] = {"%s/", "%s//", "%s/////", "./%s/", "folder/../%s/"};
    for (unsigned j = 0; j < sizeof kForms / sizeof *kForms; ++j) {
      snprintf(path, sizeof path, kForms[j], kLinks[i]);
      link_with_slash(path);
    }
    static const char* const kBelow[] = {"%s/.", "%s/./", "%s/secret", "%s/empty/", "%s/planted"};
    for (unsigned j = 0; j < sizeof kBelow / sizeof *kBelow; ++j) {
      snprintf(path, sizeof path, kBelow[j], kLinks[i]);
      REFUSED_BY_ALL(kRoot, path, NOTCAPABLE);
    }
    // Without a slash of its own, the target's slash counts when it is followed, and only then.
    EXPECT(NOTCAPABLE, open_path(kRoot, kLinks[i], kFollow, 0, kRead));
    EXPECT(NOTCAPABLE, open_path(kRoot, kLinks[i], kFollow, kDirectory, kRead));
    EXPECT(LOOP, open_path(kRoot, kLinks[i], 0, 0, kRead));
    EXPECT(NOTDIR, open_path(kRoot, kLinks[i], 0, kDirectory, kRead));
    EXPECT(OK, exists(kRoot, kLinks[i], 0));
    EXPECT(OK, read_link(kRoot, kLinks[i]));
  }
  EXPECT(OK, symlink_path("../outside/planted", kRoot, "d"));
  EXPECT(OK, symlink_path("../outside/planted/", kRoot, "d_slash"));
  EXPECT(OK, symlink_path("d_slash/", kRoot, "d_nested"));
  static const char* const kDangling[] = {"d", "d_slash", "d_nested"};
  for (unsigned i = 0; i < sizeof kDangling / sizeof *kDangling; ++i) {
    snprintf(path, sizeof path, "%s/", kDangling[i]);
    dangling_with_slash(path);
    EXPECT_EITHER(NOTCAPABLE, ISDIR, open_path(kRoot, kDangling[i], kFollow, kCreate, kWrite));
    EXPECT(LOOP, open_path(kRoot, kDangling[i], 0, kCreate, kWrite));
  }
  // A link to a file outside.
  EXPECT(OK, symlink_path("../outside/secret", kRoot, "f"));
  EXPECT(NOTCAPABLE, open_path(kRoot, "f/", 0, 0, kRead));
  EXPECT(NOTDIR, unlink_path(kRoot, "f/"));
  EXPECT(NOTDIR, rename_path(kRoot, "f/", kRoot, "unused"));
  // New names with slashes.
  EXPECT(ISDIR, open_path(kRoot, "unused/", 0, kCreate, kWrite));
  EXPECT(NOENT, symlink_path("../../..", kRoot, "folder/unused/"));
  EXPECT(NOENT, link_path(kRoot, 0, "file", kRoot, "unused/"));
  EXPECT(NOTDIR, rename_path(kRoot, "file", kRoot, "unused/"));
  EXPECT(NOENT, symlink_path("x", kRoot, "unused/../. /"));
  // Inside, a slash follows as POSIX has it.
  EXPECT(OK, symlink_path("folder/", kRoot, "in"));
  EXPECT(OK, open_path(kRoot, "in/", 0, kDirectory, kRead));
  EXPECT(OK, exists(kRoot, "in/deep/", 0));
  EXPECT(NOTDIR, open_path(kRoot, "file/", 0, 0, kRead));
  EXPECT(NOTDIR, exists(kRoot, "file/", 0));
  UNTOUCHED(kRoot);
  return finish();
}
