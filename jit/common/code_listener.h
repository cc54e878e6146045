// Who is told of machine code that comes and goes: the tools of this folder that give it names (perf, gdb).
//
// Tiers call it once per function, when its code can be executed and before anyone executes it; from several threads at
// once. A listener takes what it keeps; it never fails: what a tool cannot be told is not told, and failure()
// says why for whoever asked for the tool.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "binary/dwarf.h"
#include "binary/source_lines.h"
#include "jit/common/machine_code.h"
#include "runtime/offset_table.h"
#include "wasm/module.h"

namespace wasi::jit {

// From here on, code comes from this line of the source.
struct LineMark {
  std::uint32_t code_offset = 0;
  std::uint32_t line = 0;      // 0: from none that is known
  std::string_view file = {};  // a path, as the guest's compiler wrote it
  bool is_body = false;        // the first code of the function's body
};

// What is known of the function that the code is of, for who wants_source().
struct GuestFunction {
  const wasm::Module& module;
  wasm::FuncIndex index;
  const binary::SourceLines& lines;
  const binary::Dwarf& dwarf;
  std::span<const LocalPlace> locals = {};
  SavedRegisters saved = {};  // as runtime::NativeCode says it
  std::uint32_t context_at = 0;
};

struct NamedCode {
  std::string_view name;  // as it is in the module: a guest chose it
  std::span<const std::uint8_t> code;
  std::span<const runtime::OffsetEntry> marks = {};  // code offset to byte offset in the module, in order
  std::span<const LineMark> lines = {};              // in order, for who wants_source()
  const GuestFunction* guest = nullptr;              // the same; null: it is no function of a guest
};

class CodeListener {
 public:
  virtual ~CodeListener() = default;
  virtual void code_added(const NamedCode& added) noexcept = 0;
  // Code that was added, before its memory is used for anything else.
  virtual void code_removed(std::span<const std::uint8_t> code) noexcept = 0;
  // Whether the tool can do its work only where code lies in memory that is no file's: os::CodeViews::one.
  [[nodiscard]] virtual bool wants_one_view() const = 0;
  // Whether the tool knows lines and variables of the source.
  [[nodiscard]] virtual bool wants_source() const { return false; }
  // The first thing that went wrong, after which the tool may know only a part.
  [[nodiscard]] virtual std::optional<Error> failure() const = 0;
};

}  // namespace wasi::jit
