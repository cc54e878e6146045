// Magic links: what /proc shows as links are doors that no path leads through. 3 is /proc, 4 /dev, both read-only.
// Which of the two refusals comes depends on whether the kernel or we look at the link.
#include "escape.h"

int main(void) {
  static const char* const kDoors[] = {
      "self/root",   "self/cwd",        "self/exe",         "self/fd/0",
      "self/fd/1",   "self/fd/3",       "thread-self/cwd",  "thread-self/root",
      "self/ns/net", "self/ns/../root", "self/../self/cwd", "self/task/../fd/../root",
  };
  char path[64];
  for (unsigned i = 0; i < sizeof kDoors / sizeof *kDoors; ++i) {
    const char* door = kDoors[i];
    const int line = __LINE__;
    for (uint32_t directory = 0; directory <= kDirectory; directory += kDirectory) {
      Fd fd = 0;
      const uint32_t error = open_fd(kRoot, door, kFollow, directory, kRead, &fd);
      // A pipe's or a namespace's link has a relative text, "pipe:[1]", which the walk looks for beside the link.
      EXPECT_OF(door, 1, error == NOTCAPABLE || error == LOOP || error == NOENT);
    }
    const uint32_t error = exists(kRoot, door, kFollow);
    EXPECT_OF(door, 1, error == NOTCAPABLE || error == LOOP || error == NOENT);
    snprintf(path, sizeof path, "%s/", door);
    const uint32_t slashed = open_path(kRoot, path, 0, kDirectory, kRead);
    EXPECT_OF(path, 1, slashed == NOTCAPABLE || slashed == LOOP || slashed == NOENT);
  }
  static const char* const kThrough[] = {"self/root/etc/passwd", "self/cwd/file", "self/root/.",
                                         "self/cwd/../outside/secret", "thread-self/root/etc"};
  for (unsigned i = 0; i < sizeof kThrough / sizeof *kThrough; ++i) {
    EXPECT_EITHER(NOTCAPABLE, LOOP, open_path(kRoot, kThrough[i], kFollow, 0, kRead));
    EXPECT_EITHER(NOTCAPABLE, LOOP, open_path(kRoot, kThrough[i], 0, 0, kRead));
    EXPECT_EITHER(NOTCAPABLE, LOOP, exists(kRoot, kThrough[i], kFollow));
    EXPECT_EITHER(NOTCAPABLE, LOOP, read_link(kRoot, kThrough[i]));
  }
  // Ordinary links and files work: /proc/self is one.
  EXPECT(OK, open_path(kRoot, "self/status", kFollow, 0, kRead));
  // /dev/fd and /dev/stdin are ordinary links with absolute targets.
  static const char* const kDevices[] = {"fd", "fd/0", "fd/3", "stdin", "stdout"};
  for (unsigned i = 0; i < sizeof kDevices / sizeof *kDevices; ++i) {
    EXPECT_EITHER(NOTCAPABLE, NOENT, open_path(4, kDevices[i], kFollow, 0, kRead));
  }
  return finish();
}
