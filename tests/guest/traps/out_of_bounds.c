#include <stdint.h>

__attribute__((noinline)) int reader(volatile int* address) { return *address; }

int main(void) { return reader((volatile int*)(uintptr_t)0xfffffff0u); }
