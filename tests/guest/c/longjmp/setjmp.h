// setjmp and longjmp, which clang makes of WebAssembly exceptions; the system's libc has none.
#pragma once

#include <stdint.h>

struct jump {
  void* invocation;  // which call of the function that called setjmp
  uint32_t label;
  struct {
    void* environment;
    int value;
  } thrown;
};
typedef struct jump jmp_buf[1];
int setjmp(jmp_buf) __attribute__((returns_twice));
_Noreturn void longjmp(jmp_buf, int);
