// What a shared library of wasirun exports. Not for direct use.
#pragma once

#include <wasi/detail/language.h>

// On every function of a public header whose definition is in the library: all else is compiled hidden. It means
// nothing where the library is static. On functions and not on classes, whose private types are hidden.
#define WASI_API __attribute__((visibility("default")))
