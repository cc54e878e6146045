// How handlers follow each other: one interface, two back ends, chosen when the project is built.
//
// dispatch_tail.cc chains handlers by guaranteed tail calls (clang 19 and later); dispatch_goto.cc makes
// one function of all of them, with a computed goto at the end of each. Both are made from the same bodies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "interp/isa.h"
#include "runtime/frame.h"
#include "runtime/vmcontext.h"

#if !defined(WASI_INTERP_GOTO) && defined(__clang__) && defined(__has_attribute) && defined(__x86_64__)
#if __has_attribute(preserve_none) && __has_attribute(musttail)
#define WASI_INTERP_TAIL 1
#endif
#endif

// Plain accesses of guests race where the guests do: that is defined in Wasm, and harmless here, since each becomes one
// machine instruction. The thread sanitizer is told so; it still sees the atomic ones.
#define WASI_RACES_LIKE_WASM __attribute__((no_sanitize("thread")))

namespace wasi::interp {

// The register that has the current instruction's place where a handler accesses memory, by its number in instruction
// encodings (where preserve_none puts the first parameter); empty: any.
#if defined(__x86_64__)
inline constexpr std::optional<std::size_t> kIpRegister = 12;
#else
inline constexpr std::optional<std::size_t> kIpRegister;
#endif

// Runs code from `ip` on until an `exit` instruction.
void run(const std::uint8_t* ip, runtime::Slot* slots, runtime::VmContext* vm);

// What stands at the head of an instruction.
std::int32_t handler_offset(Code code);
// And back; kCodeCount for numbers that are no handler's.
Code code_at_offset(std::int32_t offset);

// True for addresses in handlers.
bool is_handler_pc(std::uintptr_t pc);

#if defined(WASI_INTERP_TAIL)
// The linker's name for the beginning of the handlers' section.
// NOLINTNEXTLINE(bugprone-reserved-identifier)
extern "C" [[gnu::visibility("hidden")]] const std::uint8_t __start_wasirun_handlers[];
inline const std::uint8_t* dispatch_base() { return __start_wasirun_handlers; }
#else
inline const std::uint8_t* dispatch_base() { return nullptr; }
#endif

}  // namespace wasi::interp
