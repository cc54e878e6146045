// What clang expects of a libc for setjmp and longjmp.
#include "setjmp.h"

void __wasm_setjmp(void* environment, uint32_t label, void* invocation) {
  struct jump* jump = environment;
  jump->invocation = invocation;
  jump->label = label;
}
uint32_t __wasm_setjmp_test(void* environment, void* invocation) {
  struct jump* jump = environment;
  return jump->invocation == invocation ? jump->label : 0;
}
void __wasm_longjmp(void* environment, int value) {
  struct jump* jump = environment;
  jump->thrown.environment = environment;
  jump->thrown.value = value == 0 ? 1 : value;
  __builtin_wasm_throw(1, &jump->thrown);  // tag 1: __c_longjmp
}
