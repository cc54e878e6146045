// Calls of machine code from C++: through slot entries and loop targets, which may be either.
#pragma once

// For functions that make such calls: there is no type in front of machine code, where clang's sanitizer of function
// pointers reads one.
#if defined(__clang__)
#define WASI_CALLS_MACHINE_CODE __attribute__((no_sanitize("function")))
#else
#define WASI_CALLS_MACHINE_CODE
#endif
