// The stub behind the polls of optimised code: it gives back every register that such code may have something in.
#include "runtime/poll_entry.h"

#include <array>
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>

#include "runtime/exec_state.h"
#include "runtime/vmcontext.h"

namespace wasi::runtime {
namespace {

#if defined(__x86_64__)

struct alignas(32) Registers {
  std::array<std::array<std::uint64_t, 4>, 16> vectors;
  std::array<std::uint64_t, 8> general;  // rax, rcx, rdx, rsi, r8, r9, r10, r15
};

// Calls the stub with all registers full of what is given, rdi aside, and writes what they hold then.
#define ALL_VECTORS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define LOAD_WIDE(n) "vmovaps " #n "*32(%%rbx), %%ymm" #n "\n\t"
#define STORE_WIDE(n) "vmovaps %%ymm" #n ", " #n "*32(%%r12)\n\t"
#define LOAD_NARROW(n) "movaps " #n "*32(%%rbx), %%xmm" #n "\n\t"
#define STORE_NARROW(n) "movaps %%xmm" #n ", " #n "*32(%%r12)\n\t"
#define CALL_STUB(LOAD, STORE) \
  asm volatile("movq %%rsp, %%r13\n\t"                                                                         \
               "subq $256, %%rsp\n\t"                                                                          \
               "andq $-32, %%rsp\n\t" ALL_VECTORS(LOAD)                                                        \
               "movq 512(%%rbx), %%rax\n\t"                                                                    \
               "movq 520(%%rbx), %%rcx\n\t"                                                                    \
               "movq 528(%%rbx), %%rdx\n\t"                                                                    \
               "movq 536(%%rbx), %%rsi\n\t"                                                                    \
               "movq 544(%%rbx), %%r8\n\t"                                                                     \
               "movq 552(%%rbx), %%r9\n\t"                                                                     \
               "movq 560(%%rbx), %%r10\n\t"                                                                    \
               "movq 568(%%rbx), %%r15\n\t"                                                                    \
               "callq *%%r14\n\t" ALL_VECTORS(STORE)                                                           \
               "movq %%rax, 512(%%r12)\n\t"                                                                    \
               "movq %%rcx, 520(%%r12)\n\t"                                                                    \
               "movq %%rdx, 528(%%r12)\n\t"                                                                    \
               "movq %%rsi, 536(%%r12)\n\t"                                                                    \
               "movq %%r8, 544(%%r12)\n\t"                                                                     \
               "movq %%r9, 552(%%r12)\n\t"                                                                     \
               "movq %%r10, 560(%%r12)\n\t"                                                                    \
               "movq %%r15, 568(%%r12)\n\t"                                                                    \
               "movq %%r13, %%rsp\n\t"                                                                         \
               : "+D"(context)                                                                                 \
               : "b"(&in), "r"(to), "r"(stub)                                                                  \
               : "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r13", "r15", "xmm0", "xmm1", "xmm2",   \
                 "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",   \
                 "xmm14", "xmm15", "memory", "cc")

__attribute__((target("avx"))) void call_wide(const Registers& in, Registers& out, VmContext* context) {
  register Registers* to asm("r12") = &out;
  register void (*stub)(VmContext*) asm("r14") = check_stack_only;
  CALL_STUB(LOAD_WIDE, STORE_WIDE);
}

void call_narrow(const Registers& in, Registers& out, VmContext* context) {
  register Registers* to asm("r12") = &out;
  register void (*stub)(VmContext*) asm("r14") = check_stack_only;
  CALL_STUB(LOAD_NARROW, STORE_NARROW);
}

TEST_CASE("a poll of optimised code leaves all registers as they were", "[interrupt]") {
  Registers in;
  std::uint64_t number = 0;
  for (auto& vector : in.vectors) {
    for (std::uint64_t& word : vector) word = ++number * 0x0101'0101'0101'0101;
  }
  for (std::uint64_t& word : in.general) word = ++number * 0x0101'0101'0101'0101;
  ExecState exec;
  exec.native_limit = 1000;
  exec.native_sp = 2000;
  VmContext vm;
  vm.exec = &exec;

  const bool has_avx = poll_keeps_upper_halves;
  for (const bool is_wide : {false, true}) {
    if (is_wide && !has_avx) continue;
    poll_keeps_upper_halves = is_wide;
    exec.stack_limit = kRaisedStackLimit;
    Registers out = {};
    is_wide ? call_wide(in, out, &vm) : call_narrow(in, out, &vm);
    CHECK(exec.stack_limit.load() == 1000);  // it was a poll
    CHECK(out.general == in.general);
    for (std::size_t i = 0; i < in.vectors.size(); ++i) {
      INFO("vector " << i << (is_wide ? ", of 256 bits" : ", of 128 bits"));
      CHECK(std::memcmp(out.vectors[i].data(), in.vectors[i].data(), is_wide ? 32 : 16) == 0);
    }
  }
}

#endif

}  // namespace
}  // namespace wasi::runtime
