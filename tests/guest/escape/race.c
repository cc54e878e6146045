// Directories that are swapped for links, and moved up, while paths go through them. On the host, race_host.c swaps
// `flip`, a directory, with `flip_link`, a link to ../outside, and moves a/b/c to c and back, as fast as it can.
// Whatever a call comes to, it comes to it inside: that is checked here by what files hold, and on the host afterwards.
#include <stdlib.h>

#include "escape.h"

static int inside;
static int refused;

// What is read is of ours, or is not read at all.
static void read_through(const char* path) {
  Fd fd = 0;
  if (open_fd(kRoot, path, kFollow, 0, kRead, &fd) != OK) {
    ++refused;
    return;
  }
  ++inside;
  if (strncmp(read_text(fd), "inside", 6) != 0) {
    ++failures;
    printf("%s was read outside\n", path);
  }
  sys_fd_close(fd);
}

int main(int argc, char** argv) {
  const int rounds = argc == 2 ? atoi(argv[1]) : 1;
  for (int i = 0; i < rounds; ++i) {
    Fd fd = 0;
    read_through("flip/secret");
    read_through("flip/../flip/secret");
    // While c is at the top, two levels up from it is the directory that holds root.
    read_through("a/b/c/../../outside/secret");
    read_through("a/b/c/../../../a/b/secret");
    switch (i % 8) {
      case 0:
        (void)open_path(kRoot, "flip/planted", kFollow, kCreate, kWrite);
        (void)unlink_path(kRoot, "flip/planted");
        break;
      case 1:
        (void)make_directory(kRoot, "flip/planted_folder");
        (void)remove_directory(kRoot, "flip/planted_folder");
        break;
      case 2:
        (void)unlink_path(kRoot, "flip/only_outside");
        (void)remove_directory(kRoot, "flip/empty");
        break;
      case 3:
        (void)rename_path(kRoot, "file", kRoot, "flip/taken");
        (void)rename_path(kRoot, "flip/taken", kRoot, "file");
        break;
      case 4:
        (void)rename_path(kRoot, "flip/only_outside", kRoot, "taken");
        (void)link_path(kRoot, kFollow, "flip/only_outside", kRoot, "taken");
        break;
      case 5:
        (void)set_times(kRoot, "flip/only_outside", kFollow);
        (void)set_times(kRoot, "flip/", 0);
        break;
      case 6:
        if (open_fd(kRoot, i % 16 < 8 ? "flip/" : "flip", 0, kDirectory, kAllRights & ~kWrite, &fd) == OK) {
          if (exists(fd, "only_outside", 0) == OK) {
            ++failures;
            printf("the directory outside was opened\n");
          }
          sys_fd_close(fd);
        }
        break;
      default:
        (void)open_path(kRoot, "a/b/c/../../outside/planted", kFollow, kCreate, kWrite);
        (void)symlink_path("x", kRoot, "a/b/c/../../outside/planted");
        (void)open_path(kRoot, "flip/only_outside", kFollow, kTruncate, kWrite);
        break;
    }
  }
  // However the rest went, what is only outside never got in.
  EXPECT(NOENT, exists(kRoot, "taken", 0));
  printf("%d paths led inside, %d nowhere\n", inside, refused);
  return finish();
}
