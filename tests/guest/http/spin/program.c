// A program that a component of Spin is, by its executor "wagi".
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  const char* const path = getenv("PATH_INFO");
  const char* const greeting = getenv("GREETING");
  printf("Content-Type: text/plain\n\nprogram %s %s\n", path ? path : "none", greeting ? greeting : "none");
  return 0;
}
