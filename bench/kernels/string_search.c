// Strings as C programs handle them: strlen, strchr, strstr, strcmp and strtok of the C library, and a search by
// Horspool.
#include "bench.h"

enum { kRoom = 64 * 1024 };

static char text[kRoom + 1], copy[kRoom + 1];

// Made at once, so that lengths of words vary and some words are common.
static void write_text(Random* random) {
  static const char* const kWords[16] = {"the",    "of", "memory",   "function", "a",     "instance",
                                         "module", "to", "call",     "verify",   "stack", "in",
                                         "linear", "is", "boundary", "and"};
  size_t at = 0;
  while (at + 32 < kRoom) {
    const char* word = kWords[random_below(random, 16)];
    const size_t length = strlen(word);
    memcpy(text + at, word, length);
    at += length;
    text[at++] = random_below(random, 12) == 0 ? '\n' : ' ';
  }
  text[at] = '\0';
}

static uint32_t horspool(const char* where, size_t size, const char* what, size_t length) {
  uint32_t skip[256];
  for (int i = 0; i < 256; i++) skip[i] = (uint32_t)length;
  for (size_t i = 0; i + 1 < length; i++) skip[(uint8_t)what[i]] = (uint32_t)(length - 1 - i);
  uint32_t found = 0;
  for (size_t at = 0; at + length <= size; at += skip[(uint8_t)where[at + length - 1]]) {
    if (memcmp(where + at, what, length) == 0) found++;
  }
  return found;
}

static uint64_t run(uint32_t size) {
  static const char* const kWanted[4] = {"linear memory", "verify the stack", "boundary of a module",
                                         "nothing like it"};
  Random random = {24};
  write_text(&random);
  const size_t length = strlen(text);
  uint64_t sum = 0;
  for (uint32_t round = 0; round < size; round++) {
    const char* wanted = kWanted[round % 4];
    sum = add_checksum(sum, horspool(text, length, wanted, strlen(wanted)));
    uint32_t found = 0;
    for (const char* at = text; (at = strstr(at, wanted)) != NULL; at++) found++;
    for (const char* at = text; (at = strchr(at, '\n')) != NULL; at++) found++;
    sum = add_checksum(sum, found);
    memcpy(copy, text, length + 1);
    uint32_t same = 0, words = 0;
    const char* last = "";
    for (const char* word = strtok(copy, " \n"); word != NULL; word = strtok(NULL, " \n")) {
      same += strcmp(word, last) == 0;
      words += strlen(word) > 4;
      last = word;
    }
    sum = add_checksum(sum, (uint64_t)same << 32 | words);
    text[round % length] = text[(round * 17) % length];
  }
  return sum;
}

KERNEL(21, NULL)
