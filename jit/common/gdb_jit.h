// Machine code for gdb (and lldb): names, and the way through its frames.
//
// A debugger looks for __jit_debug_descriptor and stops at __jit_debug_register_code; the list between them is the
// process's. Each function is an object file in memory without code of its own: a symbol, and unwind information that
// says what all our machine code keeps to: rbp is a chain of frames, the return address lies at rbp + 8. In a function
// that begins with `push rbp; mov rbp, rsp` frames can be told from its first instruction on. A debugger reads each
// file anew, so this is for debugging, not for everyday. It cannot write breakpoints into a shared view of a memfd:
// wants_one_view().
// The symbols are hidden, so that another library in the process that has them too (LLVM) keeps its own list: debuggers
// look into every file, but need the symbol table that `strip` removes.
// Source: "JIT Compilation Interface" in the manual of gdb.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "jit/common/code_listener.h"

namespace wasi::jit {

// The object file that describes one function: ELF with .text (an address and a size), .eh_frame, .symtab and .strtab.
// Throws std::bad_alloc.
std::vector<std::uint8_t> describe_as_elf(const NamedCode& code);

class GdbJit : public CodeListener {
 public:
  GdbJit();
  // Takes everything that is still there off the list.
  ~GdbJit() override;
  GdbJit(const GdbJit&) = delete;
  GdbJit& operator=(const GdbJit&) = delete;

  void code_added(const NamedCode& added) noexcept override;
  void code_removed(std::span<const std::uint8_t> code) noexcept override;
  [[nodiscard]] bool wants_one_view() const override { return true; }
  [[nodiscard]] bool wants_source() const override { return true; }
  [[nodiscard]] std::optional<Error> failure() const override;

 private:
  struct Described;

  mutable std::mutex mutex_;
  std::map<const std::uint8_t*, std::unique_ptr<Described>> described_;  // by the code's begin
  std::optional<Error> failure_;
};

}  // namespace wasi::jit
