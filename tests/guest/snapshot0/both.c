// A program whose C library is of preview 1, and one of whose parts is older: both see the same descriptors.
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "unstable.h"

int main(void) {
  int fd = open("/both", O_RDWR | O_CREAT | O_TRUNC, 0666);
  if (fd < 0 || write(fd, "preview1", 8) != 8) return 1;
  uint64_t position;
  if (old_fd_seek((uint32_t)fd, 2, OLD_SET, &position) != 0) return 2;
  printf("%d %d\n", (int)position, (int)lseek(fd, 0, SEEK_CUR));
  printf("%d\n", (int)lseek(fd, -1, SEEK_END));
  struct old_iovec out = {"0", 1};
  size_t written;
  if (old_fd_write((uint32_t)fd, &out, 1, &written) != 0) return 3;
  char text[9] = "";
  if (pread(fd, text, 8, 0) != 8) return 4;
  puts(text);
  return 0;
}
