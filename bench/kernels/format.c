// The C library's snprintf and strtod: `size` thousand lines with numbers of all kinds, read again.
#include "bench.h"

static uint64_t run(uint32_t size) {
  Random random = {25};
  uint64_t sum = 0;
  char line[160];
  for (uint64_t i = (uint64_t)size * 1000; i > 0; i--) {
    const uint64_t number = random_next(&random);
    const double fraction = (double)(int64_t)number / 4096.0;
    const int length =
        snprintf(line, sizeof line, "%d %08x %s:%-6u|%6.2f %lld %c %e", (int)number, (unsigned)(number >> 32),
                 (number & 1) != 0 ? "odd" : "even", (unsigned)(number >> 50), (double)(number % 100000) / 64.0,
                 (long long)number, 'a' + (int)(number % 26), fraction);
    char* end = line;
    const long first = strtol(line, &end, 10);
    const unsigned long second = strtoul(end, &end, 16);
    const char* last = strrchr(line, ' ');
    sum =
        add_checksum(sum, (uint64_t)length + (uint64_t)(int64_t)first + second + (uint64_t)(int64_t)strtod(last, NULL));
  }
  return sum;
}

KERNEL(8, NULL)
