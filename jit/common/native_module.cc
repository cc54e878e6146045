#include "jit/common/native_module.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/guard.h"
#include "base/result.h"
#include "jit/common/any_entry.h"
#include "runtime/code_map.h"
#include "runtime/stack_walk.h"

namespace wasi::jit {

using runtime::CodeMap;
using runtime::FunctionCode;
using runtime::NativeCode;
using runtime::OffsetEntry;
using runtime::OffsetTable;

// What a function's code is made of. Members go in reverse: the code map's entries before what they speak of.
struct NativeModule::Installed : NativeCode {
  std::shared_ptr<Adapters> adapters;
  runtime::SlotEntry slot_entry = nullptr;
  PlacedCode code;
  std::vector<runtime::LoopHead> heads;
  std::vector<NativeCode> other_frames;
  std::vector<CodeMap::Entry> entries;
};

namespace {

// A part of the code with one frame.
struct Part {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  const NativeCode* owner = nullptr;
};

// The entries of [begin, end), counted from begin. `carries`: what holds before the first one is carried over.
std::vector<OffsetEntry> cut(std::span<const OffsetEntry> entries, std::uint32_t begin, std::uint32_t end,
                             bool carries) {
  const auto at = [](const OffsetEntry& entry) { return entry.code_offset; };
  const auto first = std::ranges::lower_bound(entries, begin, {}, at);
  const auto last = std::ranges::lower_bound(entries, end, {}, at);
  std::vector<OffsetEntry> part;
  if (carries && first != entries.begin() && (first == last || first->code_offset != begin)) {
    part.push_back({0, std::prev(first)->value});
  }
  for (auto entry = first; entry < last; ++entry) part.push_back({entry->code_offset - begin, entry->value});
  return part;
}

// A part's tables, as one block of memory.
struct Tables {
  std::vector<std::uint8_t> bytes;
  std::size_t marks = 0;  // bytes

  [[nodiscard]] OffsetTable table_of_marks() const { return OffsetTable(std::span(bytes).first(marks)); }
  [[nodiscard]] OffsetTable table_of_traps() const { return OffsetTable(std::span(bytes).subspan(marks)); }
};

Result<Tables> tables_of(const MachineCode& machine, const Part& part) {
  Tables tables;
  tables.bytes = WASI_TRY(runtime::encode_offset_table(cut(machine.marks, part.begin, part.end, true)));
  tables.marks = tables.bytes.size();
  const auto traps = WASI_TRY(runtime::encode_offset_table(cut(machine.traps, part.begin, part.end, false)));
  tables.bytes.insert(tables.bytes.end(), traps.begin(), traps.end());
  return tables;
}

std::string name_of(runtime::ModuleCode& module, wasm::FuncIndex function) {
  if (const auto name = module.names().function(function)) return std::string(*name);
  return fmt::format("wasm function {}", function.value);
}

}  // namespace

NativeModule::NativeModule(CodeSpace& space, runtime::ModuleCode& module) : space_(space), module_(module) {}

NativeModule::~NativeModule() = default;

std::shared_ptr<Adapters> NativeModule::adapters_of(const FunctionCode& function) {
  return space_.adapters().of(module_.module->func_type(wasm::FuncIndex(function.index)));
}

Result<std::uint64_t> NativeModule::install(FunctionCode& function, const MachineCode& machine,
                                            runtime::Preparation& preparation) {
  const wasm::FuncIndex index(function.index);
  auto installed = std::make_unique<Installed>();
  NativeCode& code = *installed;
  installed->adapters = adapters_of(function);
  const runtime::SlotEntry slot_entry = WASI_TRY(installed->adapters->slot_entry());
  installed->slot_entry = slot_entry;

  const std::string name = space_.has_listeners() ? name_of(module_, index) : "";
  installed->code = WASI_TRY(space_.place(machine.bytes, name, machine.marks));
  const std::uint8_t* const begin = installed->code.bytes().data();

  code = {.function = &function,
          .frame_bytes = machine.frame_bytes,
          .saved = machine.saved,
          .catches = machine.catches,
          .frame_slots = std::max(machine.frame_slots, installed->adapters->signature().slot_count)};
  if (machine.loop_stub) {
    code.loop_stub = begin + *machine.loop_stub;
    for (const LoopHead& head : machine.loop_heads) {
      installed->heads.push_back({head.wasm_offset, begin + head.code_offset});
    }
    code.loop_heads = installed->heads;
  }
  std::vector<Part> parts;
  installed->other_frames.reserve(machine.other_frames.size());
  const auto size = static_cast<std::uint32_t>(machine.bytes.size());
  std::uint32_t covered = 0;
  for (const FrameRange& range : machine.other_frames) {
    WASI_CHECK(covered <= range.begin && range.begin < range.end && range.end <= size);
    NativeCode& other = installed->other_frames.emplace_back(code);
    other.frame_bytes = range.frame_bytes;
    if (covered < range.begin) parts.push_back({covered, range.begin, &code});
    parts.push_back({range.begin, range.end, &other});
    covered = range.end;
  }
  if (covered < size) parts.push_back({covered, size, &code});

  std::uint64_t bytes = sizeof(Installed) + machine.bytes.size() + installed->heads.size() * sizeof(runtime::LoopHead) +
                        machine.other_frames.size() * sizeof(NativeCode);
  for (const Part& part : parts) {
    const auto tables = std::make_shared<const Tables>(WASI_TRY(tables_of(machine, part)));
    bytes += sizeof(Tables) + tables->bytes.size();
    installed->entries.push_back(
        WASI_TRY(runtime::code_map().add({.begin = reinterpret_cast<std::uintptr_t>(begin) + part.begin,
                                          .end = reinterpret_cast<std::uintptr_t>(begin) + part.end,
                                          .owner = part.owner,
                                          .function = function.index,
                                          .marks = tables->table_of_marks(),
                                          .traps = tables->table_of_traps(),
                                          .tables = tables})));
  }
  WASI_TRY(preparation.take(bytes));

  const std::lock_guard lock(mutex_);
  if (function.native_code.load(std::memory_order_relaxed) != nullptr) return 0;
  installed_.push_back(std::move(installed));
  preparation.keep(bytes);
  // Whoever finds one of them finds those before it.
  function.native_code.store(&code, std::memory_order_release);
  function.native_entry.store(begin + machine.entry, std::memory_order_release);
  function.entry.store(slot_entry, std::memory_order_release);
  return bytes;
}

runtime::NativeEntry NativeModule::entry_to_slots(const FunctionCode& function) {
  const auto entry = guarded([&]() -> Result<runtime::NativeEntry> {
    std::shared_ptr<Adapters> adapters = adapters_of(function);
    const runtime::NativeEntry made = WASI_TRY(adapters->native_entry());
    const std::lock_guard lock(mutex_);
    adapters_.try_emplace(adapters.get(), adapters);
    return made;
  });
  return entry ? *entry : any_native_entry();
}

runtime::SlotEntry NativeModule::slot_entry(const FunctionCode& function) {
  return static_cast<const Installed*>(function.native_code.load(std::memory_order_acquire))->slot_entry;
}

std::optional<runtime::LoopTarget> NativeModule::loop_target(const FunctionCode& function, std::uint64_t wasm_offset) {
  const NativeCode* const code = function.native_code.load(std::memory_order_acquire);
  if (code == nullptr) return std::nullopt;
  const auto head = std::ranges::lower_bound(code->loop_heads, wasm_offset, {}, &runtime::LoopHead::wasm_offset);
  if (head == code->loop_heads.end() || head->wasm_offset != wasm_offset) return std::nullopt;
  const auto adapter = static_cast<const Installed*>(code)->adapters->loop_entry();
  if (!adapter) return std::nullopt;
  return runtime::LoopTarget{
      .stub = code->loop_stub, .head = head->address, .frame_slots = code->frame_slots, .adapter = *adapter};
}

const void* NativeModule::tail_entry(const FunctionCode& function) {
  const NativeCode* const code = function.native_code.load(std::memory_order_acquire);
  if (code == nullptr) return nullptr;
  return static_cast<const Installed*>(code)->adapters->tail_entry().value_or(nullptr);
}

runtime::CallEntry NativeModule::call_entry(const FunctionCode& function) {
  const NativeCode* const code = function.native_code.load(std::memory_order_acquire);
  if (code == nullptr) return nullptr;
  const auto entry = guarded([&] { return static_cast<const Installed*>(code)->adapters->call_entry(); });
  return entry.value_or(nullptr);
}

}  // namespace wasi::jit
