// Writes pieces of a thousand bytes to `output` until that fails, and says how many bytes it was told had arrived.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(void) {
  char piece[1000];
  for (int i = 0; i < 1000; ++i) piece[i] = (char)('0' + i % 10);
  const int fd = open("/output", O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (fd < 0) return 2;
  long written = 0;
  for (int i = 0; i < 100; ++i) {
    const ssize_t moved = write(fd, piece, sizeof piece);
    if (moved < 0) {
      const char* name = errno == ENOSPC ? "ENOSPC" : errno == EIO ? "EIO" : errno == EDQUOT ? "EDQUOT" : "other";
      printf("%ld %s\n", written, name);
      return 1;
    }
    written += moved;
  }
  printf("%ld\n", written);
  return 0;
}
