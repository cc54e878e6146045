// Polls of machine code that has no register to lose.
//
// services::check_stack behind a stub that gives back every register but r11 as it was (LLVM's preserve_allcc): a poll
// hardly ever calls it, but what a call clobbers is lost to the code around it all the time. Of vectors it keeps 256
// bits, ymm0 to ymm15.
#pragma once

namespace wasi::runtime {

struct VmContext;

void check_stack_only(VmContext* vm) asm("wasirun_check_stack_only");

// Without AVX there are none that anybody could have. For tests to change.
[[gnu::visibility("hidden")]] extern bool poll_keeps_upper_halves asm("wasirun_has_avx");

}  // namespace wasi::runtime
