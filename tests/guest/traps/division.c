#include <stdlib.h>

__attribute__((noinline)) int divider(int a, int b) { return a / b; }

int main(int argc, char** argv) { return divider(argc, atoi(argv[1])); }
