// Arguments, environment and the exit status.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char** environ;

static int by_text(const void* a, const void* b) { return strcmp(*(char* const*)a, *(char* const*)b); }

static void farewell(void) { puts("atexit handler ran"); }

int main(int argc, char** argv) {
  atexit(farewell);
  for (int i = 1; i < argc; i++) printf("argument %d: [%s] (%zu bytes)\n", i, argv[i], strlen(argv[i]));
  printf("%d arguments, argv[argc] is %s\n", argc - 1, argv[argc] == NULL ? "null" : "not null");
  size_t count = 0;
  while (environ[count] != NULL) count++;
  char** sorted = malloc((count + 1) * sizeof(char*));
  memcpy(sorted, environ, count * sizeof(char*));
  qsort(sorted, count, sizeof(char*), by_text);
  for (size_t i = 0; i < count; i++) printf("%s\n", sorted[i]);
  free(sorted);
  printf("GREETING=%s\n", getenv("GREETING"));
  printf("NOT_SET=%s\n", getenv("NOT_SET") == NULL ? "(none)" : "?");
  return 42;
}
