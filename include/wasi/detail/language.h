// That the compiler speaks C++23. Not for direct use.
//
// Every header begins with this, by detail/export.h: what a compiler says of the headers otherwise is hundreds of
// lines. A missing file is what ends a compilation at once with any compiler.
#pragma once

#if defined(__cplusplus) && __cplusplus <= 202002L
#error "wasi needs C++23: compile with -std=c++23 (or -std=gnu++23; CMake: target_compile_features(... cxx_std_23))"
#include <C++23>
#endif
