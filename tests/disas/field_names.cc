#include "field_names.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <vector>

#include "runtime/code_entry.h"
#include "runtime/exec_state.h"
#include "runtime/gc_heap_layout.h"
#include "runtime/runtime_call_table.h"
#include "runtime/vmcontext.h"

namespace wasi::test {
namespace {

using namespace runtime;

struct Row {
  std::string_view type;
  std::size_t offset;
  std::string_view name;
  std::string_view points_to = {};
};
constexpr Row kFields[] = {
    {"vm", offsetof(VmContext, memory0), "memory0", "memory"},
    {"vm", offsetof(VmContext, exec), "exec", "exec"},
    {"vm", offsetof(VmContext, memories), "memories", "memories"},
    {"vm", offsetof(VmContext, tables), "tables", "tables"},
    {"vm", offsetof(VmContext, globals), "globals"},
    {"vm", offsetof(VmContext, imported_functions), "imported_functions", "imports"},
    {"vm", offsetof(VmContext, functions), "functions", "code"},
    {"vm", offsetof(VmContext, type_ids), "type_ids", "type_ids"},
    {"vm", offsetof(VmContext, func_refs), "func_refs"},
    {"exec", offsetof(ExecState, free_slot), "free_slot"},
    {"exec", offsetof(ExecState, native_limit), "native_limit"},
    {"exec", offsetof(ExecState, calls), "calls", "runtime"},
    {"exec", offsetof(ExecState, native_sp), "native_sp"},
    {"exec", offsetof(ExecState, stack_limit), "stack_limit"},
    {"exec", offsetof(ExecState, thrown), "thrown"},
    {"exec", offsetof(ExecState, bind_native_entry), "bind_native_entry"},
    {"exec", offsetof(ExecState, fuel), "fuel"},
    {"exec", offsetof(ExecState, interrupt), "interrupt"},
    {"exec", offsetof(ExecState, gc) + offsetof(GcState, layouts), "gc.layouts"},
    {"memory", offsetof(MemoryView, base), "base"},
    {"memory", offsetof(MemoryView, byte_size), "byte_size"},
    {"table", offsetof(TableView, elements), "elements", "elements"},
    {"table", offsetof(TableView, size), "size"},
    {"ref", offsetof(FuncRef, code), "code", "code"},
    {"ref", offsetof(FuncRef, instance), "instance", "vm"},
    {"ref", offsetof(FuncRef, type), "type"},
    {"code", offsetof(FunctionCode, native_entry), "native_entry"},
};
// Arrays of pointers, by what the pointers lead to.
constexpr Row kArrays[] = {{"memories", 0, "", "memory"}, {"tables", 0, "", "table"}, {"imports", 0, "", "ref"}};

constexpr std::string_view kRuntimeCallNames[] = {
#define RUNTIME_CALL(name) #name,
#include "runtime/runtime_calls.def"
};

// "r11" of "r11d", "rax" of "eax"; empty where it is none.
std::string whole_register(std::string_view name) {
  if (name.size() >= 2 && name[0] == 'r' && name[1] >= '0' && name[1] <= '9') {
    return std::string(name.substr(0, name.find_last_of("0123456789") + 1));
  }
  if (name.size() == 3 && (name[0] == 'r' || name[0] == 'e')) return 'r' + std::string(name.substr(1));
  if (name.size() == 2 && name[1] == 'l') return 'r' + std::string(1, name[0]) + 'x';
  return "";
}

// Registers that callees preserve, and places in the frame.
bool lives_over_calls(std::string_view place) {
  return place == "rbx" || place == "r12" || place == "r13" || place == "r14" || place == "r15" ||
         place.starts_with("rbp-");
}

}  // namespace

std::optional<FieldNames::Field> FieldNames::find(std::string_view address) const {
  if (!follows_jumps_ && address == "rbp-8") return Field{"", "vm"};
  const auto in_frame = pointers_.find(address);
  if (in_frame != pointers_.end() && address.starts_with("rbp-")) return Field{"", in_frame->second};
  const std::size_t plus = address.find('+');
  const auto pointer = pointers_.find(address.substr(0, plus));
  if (pointer == pointers_.end()) return std::nullopt;
  if (pointer->second == "elements" && address.substr(std::min(plus, address.size())).starts_with("+8*")) {
    return Field{"", "ref"};
  }
  std::size_t offset = 0;
  if (plus != address.npos) {
    const auto [end, error] = std::from_chars(address.data() + plus + 1, address.data() + address.size(), offset);
    if (error != std::errc() || end != address.data() + address.size()) return std::nullopt;
  }
  for (const Row& row : kFields) {
    if (row.type == pointer->second && row.offset == offset) {
      return Field{pointer->second + '.' + std::string(row.name), std::string(row.points_to)};
    }
  }
  constexpr std::size_t kCursors = offsetof(ExecState, gc) + offsetof(GcState, cursors);
  if (pointer->second == "exec" && offset >= kCursors && offset < kCursors + sizeof(GcState::cursors)) {
    const std::size_t at = offset - kCursors;
    const bool is_next = at % sizeof(Cursor) == offsetof(Cursor, next);
    return Field{"exec.gc.cursors[" + std::to_string(at / sizeof(Cursor)) + "]." + (is_next ? "next" : "end"), ""};
  }
  for (const Row& row : kArrays) {
    if (row.type == pointer->second) {
      return Field{pointer->second + '[' + std::to_string(offset / 8) + ']', std::string(row.points_to)};
    }
  }
  if (pointer->second == "runtime" && offset / 8 < std::size(kRuntimeCallNames)) {
    return Field{"runtime." + std::string(kRuntimeCallNames[offset / 8]), ""};
  }
  return std::nullopt;
}

void FieldNames::forget_register(std::string_view reg) {
  const auto at = pointers_.find(whole_register(reg));
  if (at != pointers_.end()) pointers_.erase(at);
}

void FieldNames::at_label(std::string_view label) {
  const auto seen = at_jumps_.find(label);
  if (!goes_on_) {
    pointers_ = seen != at_jumps_.end() ? seen->second : Pointers();
  } else if (seen != at_jumps_.end()) {
    std::erase_if(pointers_, [&](const auto& pointer) {
      const auto other = seen->second.find(pointer.first);
      return other == seen->second.end() || other->second != pointer.second;
    });
  }
  goes_on_ = true;
}

// What an instruction does beside writing its first operand.
void FieldNames::follow(std::string_view mnemonic, std::string_view operands) {
  if (mnemonic.starts_with('j')) {
    const auto [known, is_first] = at_jumps_.try_emplace(std::string(operands), pointers_);
    if (!is_first) {
      std::erase_if(known->second, [&](const auto& pointer) {
        const auto other = pointers_.find(pointer.first);
        return other == pointers_.end() || other->second != pointer.second;
      });
    }
  }
  goes_on_ = mnemonic != "jmp" && mnemonic != "ret";
  if (mnemonic == "call") {
    std::erase_if(pointers_, [](const auto& pointer) { return !lives_over_calls(pointer.first); });
  } else if (mnemonic == "div" || mnemonic == "idiv" || mnemonic == "mul") {
    forget_register("rax");
    forget_register("rdx");
  } else if (mnemonic == "mov" && operands.starts_with("qword ptr [rbp-")) {
    const std::string_view place = operands.substr(11, operands.find(']') - 11);
    const auto source = pointers_.find(operands.substr(operands.find(", ") + 2));
    if (source != pointers_.end()) {
      pointers_[std::string(place)] = source->second;
    } else if (const auto old = pointers_.find(place); old != pointers_.end()) {
      pointers_.erase(old);
    }
  }
}

std::string FieldNames::rename(std::string_view line) {
  std::string result(line);
  std::optional<Field> field;
  const std::size_t open = result.find('[');
  const std::size_t close = result.find(']');
  if (open != result.npos) {
    field = find(std::string_view(result).substr(open + 1, close - open - 1));
    if (field && !field->name.empty()) result.replace(open + 1, close - open - 1, field->name);
  }
  // The mnemonic, the first operand and the rest.
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::size_t space = std::min(line.find(' '), line.size());
  const std::string_view mnemonic = line.substr(0, space);
  const std::string_view operands = line.substr(std::min(space + 1, line.size()));
  const std::size_t comma = std::min(operands.find(", "), operands.size());
  const std::string_view first = operands.substr(0, comma);
  if (follows_jumps_) follow(mnemonic, operands);
  if (mnemonic == "call" && field && (field->name == "runtime.trap" || field->name == "runtime.unwind")) {
    goes_on_ = false;
  }
  if (mnemonic == "call") {
    if (!follows_jumps_) forget();
  } else if (mnemonic == "cmp" || mnemonic == "test" || mnemonic == "push") {
    // Nothing is written.
  } else if (!first.empty() && first.find('[') == first.npos) {
    std::string points_to;
    if (mnemonic == "mov" && comma < operands.size()) {
      const auto source = pointers_.find(operands.substr(comma + 2));
      if (source != pointers_.end()) points_to = source->second;
      if (field) points_to = field->type;
    }
    forget_register(first);
    if (!points_to.empty() && first.front() == 'r' && whole_register(first) == first) {
      pointers_[std::string(first)] = points_to;
    }
  }
  return result;
}

}  // namespace wasi::test
