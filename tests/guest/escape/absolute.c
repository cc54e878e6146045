// Absolute paths, and links whose targets are absolute: to the outside and to the directory itself.
#include "escape.h"

int main(int argc, char** argv) {
  // argv[1]: the host's path of the directory that holds root and outside.
  char path[512];
  if (argc != 2) return 2;
  static const char* const kOut[] = {"/",        "//",    "/.",           "/..",     "/etc/passwd",
                                     "/etc/",    "/file", "//etc/passwd", "/./file", "/proc/self/root",
                                     "/dev/null"};
  for (unsigned i = 0; i < sizeof kOut / sizeof *kOut; ++i) REFUSED_BY_ALL(kRoot, kOut[i], NOTCAPABLE);
  static const char* const kBelow[] = {"/outside/secret", "/outside/planted", "/root/file", "/root/", "/root/unused"};
  for (unsigned i = 0; i < sizeof kBelow / sizeof *kBelow; ++i) {
    snprintf(path, sizeof path, "%s%s", argv[1], kBelow[i]);
    REFUSED_BY_ALL(kRoot, path, NOTCAPABLE);
  }
  // The host made these links: to /, to outside, to outside/secret, to a name that is not there, to root and its file.
  static const char* const kLinks[] = {"abs_root",    "abs_outside", "abs_secret",
                                       "abs_planted", "abs_inside",  "abs_file"};
  for (unsigned i = 0; i < sizeof kLinks / sizeof *kLinks; ++i) {
    const char* link = kLinks[i];
    const int line = __LINE__;
    EXPECT_OF(link, NOTCAPABLE, open_path(kRoot, link, kFollow, 0, kRead));
    EXPECT_OF(link, NOTCAPABLE, open_path(kRoot, link, kFollow, kTruncate, kWrite));
    EXPECT_OF(link, NOTCAPABLE, open_path(kRoot, link, kFollow, kCreate, kWrite));
    EXPECT_OF(link, NOTCAPABLE, open_path(kRoot, link, kFollow, kDirectory, kRead));
    EXPECT_OF(link, EXIST, open_path(kRoot, link, kFollow, kCreate | kExclusive, kWrite));
    EXPECT_OF(link, LOOP, open_path(kRoot, link, 0, 0, kRead));
    EXPECT_OF(link, LOOP, open_path(kRoot, link, 0, kCreate, kWrite));
    EXPECT_OF(link, NOTCAPABLE, exists(kRoot, link, kFollow));
    EXPECT_OF(link, OK, exists(kRoot, link, 0));
    EXPECT_OF(link, NOTCAPABLE, set_times(kRoot, link, kFollow));
    EXPECT_OF(link, OK, set_times(kRoot, link, 0));  // the link's own
    EXPECT_OF(link, NOTCAPABLE, link_path(kRoot, kFollow, link, kRoot, "unused"));
    EXPECT_OF(link, EXIST, make_directory(kRoot, link));
    EXPECT_OF(link, NOTDIR, remove_directory(kRoot, link));
    EXPECT_OF(link, OK, read_link(kRoot, link));
    snprintf(path, sizeof path, "%s/secret", link);
    REFUSED_BY_ALL(kRoot, path, NOTCAPABLE);
    snprintf(path, sizeof path, "%s/../file", link);
    REFUSED_BY_ALL(kRoot, path, NOTCAPABLE);
    snprintf(path, sizeof path, "folder/../%s/planted", link);
    REFUSED_BY_ALL(kRoot, path, NOTCAPABLE);
  }
  UNTOUCHED(kRoot);
  return finish();
}
