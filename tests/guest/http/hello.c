// The least that answers a request by WAGI.
#include <stdio.h>

int main(void) {
  puts("Content-Type: text/plain\n");
  puts("hello");
  return 0;
}
