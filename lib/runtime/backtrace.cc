// Walks the list of frames and puts names to them.
#include "runtime/backtrace.h"

#include "runtime/instance.h"
#include "runtime/stack_walk.h"
#include "runtime/tuning.h"

namespace wasi::runtime {

StackFrame describe_function(ModuleCode& code, std::uint32_t index) {
  const binary::Names& names = code.names();
  StackFrame description;
  description.module = names.module;
  description.function_index = index;
  if (const auto name = names.function(wasm::FuncIndex(index))) {
    description.function = *name;
    return description;
  }
  for (const wasm::Export& item : code.module->exports) {
    if (item.kind == wasm::ExternalKind::func && item.index == index) {
      description.function = item.name;
      break;
    }
  }
  return description;
}

namespace {

StackFrame describe(const StackWalk& walk) {
  const FunctionCode& function = *walk.function();
  StackFrame description = describe_function(*function.module, function.index);
  description.instance = Instance::from(walk.instance())->id;
  description.offset = walk.offset();
  const std::uint64_t body = function.module->module->body(wasm::FuncIndex(function.index)).offset;
  if (description.offset && *description.offset >= body) description.function_offset = *description.offset - body;
  return description;
}

// Records of host functions, should a tier make them, are no Wasm frames.
bool is_shown(const StackWalk& walk) { return walk.instance() != nullptr && walk.function()->module != nullptr; }

}  // namespace

void add_backtrace(Trap& trap, const ExecState& exec) {
  std::size_t count = 0;
  for (StackWalk walk(exec); !walk.at_end(); walk.next()) count += is_shown(walk) ? 1 : 0;
  const bool is_cut = count > kMaxBacktraceFrames;
  trap.omitted_frames = is_cut ? count - kMaxBacktraceFrames : 0;
  // Trap::to_string puts the gap behind the first half.
  const std::size_t gap_begin = kMaxBacktraceFrames / 2;
  std::size_t position = 0;
  trap.backtrace.reserve(is_cut ? kMaxBacktraceFrames : count);
  for (StackWalk walk(exec); !walk.at_end(); walk.next()) {
    if (!is_shown(walk)) continue;
    const bool is_left_out = is_cut && position >= gap_begin && position < gap_begin + trap.omitted_frames;
    if (!is_left_out) trap.backtrace.push_back(describe(walk));
    ++position;
  }
}

}  // namespace wasi::runtime
