// Reads lines of any length, sorts them with qsort by two orders, finds some with bsearch.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_text(const void* a, const void* b) { return strcmp(*(char* const*)a, *(char* const*)b); }

static int by_length(const void* a, const void* b) {
  size_t x = strlen(*(char* const*)a);
  size_t y = strlen(*(char* const*)b);
  return x != y ? (x < y ? -1 : 1) : by_text(a, b);
}

int main(void) {
  size_t count = 0, capacity = 4, size = 0;
  char** lines = malloc(capacity * sizeof(char*));
  char* line = NULL;
  for (long length; (length = getline(&line, &size, stdin)) >= 0;) {
    if (length > 0 && line[length - 1] == '\n') line[length - 1] = 0;
    if (count == capacity) lines = realloc(lines, (capacity *= 2) * sizeof(char*));
    lines[count++] = strdup(line);
  }
  free(line);
  qsort(lines, count, sizeof(char*), by_length);
  printf("%zu lines, shortest [%s], longest has %zu bytes\n", count, lines[0], strlen(lines[count - 1]));
  qsort(lines, count, sizeof(char*), by_text);
  const char* wanted[] = {"pear", "line 1234", "nothing"};
  for (int i = 0; i < 3; i++) {
    char** found = bsearch(&wanted[i], lines, count, sizeof(char*), by_text);
    printf("%s: %s\n", wanted[i], found != NULL ? "found" : "not found");
  }
  for (size_t i = 0; i < count; i += 97) printf("%zu [%.60s]\n", i, lines[i]);
  return 0;
}
