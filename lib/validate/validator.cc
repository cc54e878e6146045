// What stands outside of bodies. Constant expressions are bodies without locals: the checked walk judges
// them too, with a sink that notes which functions they name.
// Source: https://webassembly.github.io/spec/core/valid/modules.html
#include "validate/validator.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/result.h"
#include "binary/format.h"
#include "validate/empty_sink.h"
#include "validate/function_walk.h"
#include "validate/types.h"
#include "wasm/limits.h"

namespace wasi::validate {

using namespace binary::format;

namespace {

struct ConstSink : EmptySink {
  static constexpr bool kConstant = true;
  std::vector<bool>& declared;

  explicit ConstSink(std::vector<bool>& functions) : declared(functions) {}
  void instruction(auto&, wasm::Op op, const Immediates& immediates) {
    if (op == wasm::Op::ref_func) declared[immediates.index] = true;
  }
};

class ModuleValidator {
 public:
  explicit ModuleValidator(wasm::Module& module) : module_(module) {}

  Result<void> run() {
    module_.declared_functions.assign(module_.functions.size(), false);
    WASI_TRY(validate_types(module_));
    WASI_TRY(tags());
    WASI_TRY(tables());
    WASI_TRY(memories());
    WASI_TRY(globals());
    WASI_TRY(exports());
    WASI_TRY(start());
    WASI_TRY(elements());
    return data();
  }

 private:
  // Where a section begins: the best offset there is for what only indices speak of.
  [[nodiscard]] std::uint64_t offset_of(SectionId id) const {
    const auto it = std::ranges::find(module_.sections, id, &wasm::Section::id);
    return it == module_.sections.end() ? 0 : it->payload.offset;
  }
  [[nodiscard]] std::uint64_t offset_of(std::string_view name) const {
    return static_cast<std::uint64_t>(reinterpret_cast<const std::uint8_t*>(name.data()) - module_.bytes.data.data());
  }
  // Imports stand first in every index space.
  [[nodiscard]] std::uint64_t offset_of(SectionId id, std::size_t index, std::uint32_t imported) const {
    return offset_of(index < imported ? kImport : id);
  }
  [[nodiscard]] std::uint32_t count(wasm::ExternalKind kind) const;
  Result<void> require(std::string_view what, std::uint64_t index, std::uint64_t count, std::uint64_t offset) const {
    if (index < count) return {};
    return fail_at(offset, ErrorKind::invalid, "{}", unknown_message(what, index, count, "module"));
  }

  Result<void> constant(wasm::ConstExpr expression, wasm::ValType type, std::uint32_t visible_globals) {
    if (is_number(expression, type)) return {};
    ConstSink sink(module_.declared_functions);
    FunctionWalk<ConstSink, true> walk(module_, expression, type, visible_globals, sink);
    WASI_TRY(walk.run());
    module_.features |= walk.features();
    return {};
  }
  // "i32.const N end" or "i64.const N end" where that is asked for: of some modules' hundred thousand segments,
  // nearly all say just this. The decoder has read the number.
  [[nodiscard]] bool is_number(wasm::ConstExpr expression, wasm::ValType type) const {
    const auto code = module_.view(expression);
    const wasm::Op op = type == wasm::kI64 ? wasm::Op::i64_const : wasm::Op::i32_const;
    if ((type != wasm::kI32 && type != wasm::kI64) || code.size() < 3 || code[0] != wasm::info(op).code) return false;
    const auto number = code.subspan(1, code.size() - 2);
    return std::ranges::find_if(number, [](std::uint8_t byte) { return byte < 0x80; }) == number.end() - 1;
  }
  [[nodiscard]] std::uint32_t all_globals() const { return static_cast<std::uint32_t>(module_.globals.size()); }

  Result<void> tags();
  Result<void> tables();
  Result<void> memories();
  Result<void> globals();
  Result<void> exports();
  Result<void> unique_exports();
  Result<void> start();
  Result<void> elements();
  Result<void> element(const wasm::ElementSegment& segment);
  Result<void> data();

  wasm::Module& module_;
};

std::uint32_t ModuleValidator::count(wasm::ExternalKind kind) const {
  const auto size = [&] {
    switch (kind) {
      case wasm::ExternalKind::func:
        return module_.functions.size();
      case wasm::ExternalKind::table:
        return module_.tables.size();
      case wasm::ExternalKind::memory:
        return module_.memories.size();
      case wasm::ExternalKind::global:
        return module_.globals.size();
      case wasm::ExternalKind::tag:
        return module_.tags.size();
    }
    return std::size_t{0};
  };
  return static_cast<std::uint32_t>(size());
}

Result<void> check_limits(const wasm::Limits& limits, std::uint64_t most, std::string_view what, std::uint64_t offset) {
  if (limits.min > most || limits.max.value_or(0) > most) {
    return fail_at(offset, ErrorKind::invalid, "{}, found limits {}", what, wasm::to_string(limits));
  }
  if (limits.max && limits.min > *limits.max) {
    return fail_at(offset, ErrorKind::invalid, "size minimum must not be greater than maximum: {} is greater than {}",
                   limits.min, *limits.max);
  }
  return {};
}

Result<void> ModuleValidator::tags() {
  for (std::size_t i = 0; i < module_.tags.size(); ++i) {
    const wasm::FuncType& type = module_.registry->at(module_.types[module_.tags[i].value]).func;
    if (!type.results.empty()) {
      return fail_at(offset_of(kTag, i, module_.imported_tags), ErrorKind::invalid,
                     "non-empty tag result type: tag {} has the type {}", i, wasm::to_string(type));
    }
  }
  return {};
}

Result<void> ModuleValidator::tables() {
  for (std::size_t i = 0; i < module_.tables.size(); ++i) {
    const wasm::Table& table = module_.tables[i];
    const std::uint64_t offset = offset_of(kTable, i, module_.imported_tables);
    const bool is_64 = table.type.address == wasm::AddressType::i64;
    WASI_TRY(
        check_limits(table.type.limits, is_64 ? UINT64_MAX : UINT32_MAX, "table size must be at most 2^32-1", offset));
    if (i < module_.imported_tables) continue;
    if (table.init) {
      // Tables come before globals in a module, so only imported ones exist for them.
      WASI_TRY(constant(*table.init, table.type.element, module_.imported_globals));
    } else if (!table.type.element.is_defaultable()) {
      return fail_at(offset, ErrorKind::invalid, "type mismatch: table {} of {} needs an initialiser, null is none", i,
                     wasm::to_string(table.type.element));
    }
  }
  return {};
}

Result<void> ModuleValidator::memories() {
  for (std::size_t i = 0; i < module_.memories.size(); ++i) {
    const wasm::MemoryType& memory = module_.memories[i];
    const std::uint64_t offset = offset_of(kMemory, i, module_.imported_memories);
    if (memory.page_log2 != 0 && memory.page_log2 != wasm::kPageLog2) {
      return fail_at(offset, ErrorKind::invalid,
                     "invalid custom page size: memory {} has pages of {} bytes, expected 1 or {}", i,
                     memory.page_size(), std::uint64_t{1} << wasm::kPageLog2);
    }
    const bool is_64 = memory.address == wasm::AddressType::i64;
    WASI_TRY(check_limits(
        memory.limits, wasm::max_pages(memory.address, memory.page_log2),
        memory.page_log2 == 0
            ? (is_64 ? "memory size must be at most 2^64-1 bytes" : "memory size must be at most 2^32-1 bytes")
            : (is_64 ? "memory size must be at most 2^48 pages" : "memory size must be at most 65536 pages (4GiB)"),
        offset));
    if (memory.is_shared && !memory.limits.max) {
      return fail_at(offset, ErrorKind::invalid, "shared memory must have maximum: memory {} has none", i);
    }
  }
  return {};
}

Result<void> ModuleValidator::globals() {
  for (std::uint32_t i = module_.imported_globals; i < module_.globals.size(); ++i) {
    // A global sees those before it.
    WASI_TRY(constant(module_.globals[i].init, module_.globals[i].type.type, i));
  }
  return {};
}

Result<void> ModuleValidator::exports() {
  for (const wasm::Export& entry : module_.exports) {
    WASI_TRY(require(wasm::name_of(entry.kind), entry.index, count(entry.kind), offset_of(entry.name)));
    if (entry.kind == wasm::ExternalKind::func) module_.declared_functions[entry.index] = true;
  }
  return unique_exports();
}

Result<void> ModuleValidator::unique_exports() {
  std::vector<std::uint32_t> order(module_.exports.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto by_name = [&](std::uint32_t i) { return std::pair(module_.exports[i].name, i); };
  std::ranges::sort(order, {}, by_name);
  // Of several, the one that stands first in the module is told.
  std::uint32_t first = UINT32_MAX;
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (module_.exports[order[i]].name == module_.exports[order[i - 1]].name) first = std::min(first, order[i]);
  }
  if (first == UINT32_MAX) return {};
  const std::string_view name = module_.exports[first].name;
  return fail_at(offset_of(name), ErrorKind::invalid, "duplicate export name: \"{}\"", name);
}

Result<void> ModuleValidator::start() {
  if (!module_.start) return {};
  const std::uint64_t offset = offset_of(kStart);
  WASI_TRY(require("function", module_.start->value, module_.functions.size(), offset));
  const wasm::FuncType& type = module_.func_type(*module_.start);
  if (type.params.empty() && type.results.empty()) return {};
  return fail_at(offset, ErrorKind::invalid, "start function: function {} has the type {}, expected () -> ()",
                 module_.start->value, wasm::to_string(type));
}

Result<void> ModuleValidator::elements() {
  for (const wasm::ElementSegment& segment : module_.elements) WASI_TRY(element(segment));
  return {};
}

Result<void> ModuleValidator::element(const wasm::ElementSegment& segment) {
  for (const wasm::FuncIndex function : segment.functions) {
    if (function.value >= module_.functions.size()) {
      return fail_at(offset_of(kElement), ErrorKind::invalid, "{}",
                     unknown_message("function", function.value, module_.functions.size(), "module"));
    }
    module_.declared_functions[function.value] = true;
  }
  for (const wasm::ConstExpr& expression : segment.expressions) {
    WASI_TRY(constant(expression, segment.type, all_globals()));
  }
  if (segment.mode != wasm::SegmentMode::active) return {};
  WASI_TRY(require("table", segment.table.value, module_.tables.size(), segment.offset.offset));
  const wasm::TableType& table = module_.tables[segment.table.value].type;
  if (!module_.registry->matches(segment.type, table.element)) {
    return fail_at(segment.offset.offset, ErrorKind::invalid,
                   "type mismatch: an element segment of {} for table {} of {}", wasm::to_string(segment.type),
                   segment.table.value, wasm::to_string(table.element));
  }
  return constant(segment.offset, wasm::value_type(table.address), all_globals());
}

Result<void> ModuleValidator::data() {
  for (const wasm::DataSegment& segment : module_.data) {
    if (segment.mode != wasm::SegmentMode::active) continue;
    WASI_TRY(require("memory", segment.memory.value, module_.memories.size(), segment.offset.offset));
    const wasm::MemoryType& memory = module_.memories[segment.memory.value];
    WASI_TRY(constant(segment.offset, wasm::value_type(memory.address), all_globals()));
  }
  return {};
}

}  // namespace

Result<void> validate_module(wasm::Module& module) { return ModuleValidator(module).run(); }

}  // namespace wasi::validate
