// A filter on bare read and write, with pieces of every size, that changes case and reports on stderr.
#include <stdio.h>
#include <unistd.h>

int main(void) {
  char buffer[4096];
  long total = 0;
  size_t want = 1;
  for (;;) {
    long got = read(0, buffer, want);
    if (got < 0) return 2;
    if (got == 0) break;
    for (long i = 0; i < got; i++) {
      if (buffer[i] >= 'a' && buffer[i] <= 'z') buffer[i] -= 32;
    }
    for (long done = 0; done < got;) {
      long put = write(1, buffer + done, (size_t)(got - done));
      if (put <= 0) return 3;
      done += put;
    }
    total += got;
    want = want * 3 % sizeof buffer + 1;
  }
  fprintf(stderr, "%ld bytes\n", total);
  return 0;
}
