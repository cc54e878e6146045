// Exceptions on their way between guests and hosts.
#include "runtime/exception.h"

#include <fmt/format.h>
#include <new>

#include <iterator>

#include "runtime/backtrace.h"
#include "runtime/instance.h"
#include "runtime/stack_walk.h"
#include "runtime/store_impl.h"

namespace wasi::runtime {

namespace {

// The tag as the module of the newest frame knows it.
std::string name_of(const ExecState& exec, const Tag& tag) {
  const StackWalk walk(exec);
  if (walk.at_end() || walk.instance() == nullptr) return {};
  const Instance& instance = *Instance::from(walk.instance());
  const wasm::Module& module = instance.module();
  std::uint32_t index = 0;
  while (index < instance.tags.size() && instance.tags[index] != &tag) ++index;
  for (const wasm::Export& item : module.exports) {
    if (item.kind == wasm::ExternalKind::tag && item.index == index) return fmt::format(" \"{}\"", item.name);
  }
  std::uint32_t imported = 0;
  for (const wasm::Import& import : module.imports) {
    if (import.kind() == wasm::ExternalKind::tag && imported++ == index) return fmt::format(" \"{}\"", import.name);
  }
  return index < instance.tags.size() ? fmt::format(" {}", index) : std::string();
}

std::string text_of(const Slot* slots, wasm::ValType type) {
  switch (type.kind()) {
    case wasm::ValType::Kind::i32:
      return fmt::format("{}", slots->s32);
    case wasm::ValType::Kind::i64:
      return fmt::format("{}", slots->s64);
    case wasm::ValType::Kind::f32:
      return fmt::format("{}", slots->f32);
    case wasm::ValType::Kind::f64:
      return fmt::format("{}", slots->f64);
    case wasm::ValType::Kind::v128:
      return fmt::format("0x{:016x}{:016x}", slots[1].u64, slots[0].u64);
    default:
      return slots->ref == nullptr ? "null" : wasm::to_string(type);
  }
}

std::string describe(const ExecState& exec, Exception& exception) {
  std::string text = fmt::format("{}: tag{}", message_of(TrapCode::uncaught_exception), name_of(exec, *exception.tag));
  const Slot* slots = exception.values();
  const char* separator = " (";
  for (const wasm::ValType type : exec.store->registry().at(exception.tag->type).func.params) {
    fmt::format_to(std::back_inserter(text), "{}{}", std::exchange(separator, ", "), text_of(slots, type));
    slots += type.slots();
  }
  if (separator[0] == ',') text += ')';
  return text;
}

}  // namespace

const std::shared_ptr<const void>& Store::identity() const { return impl_->identity; }

Exception* Store::make_exception(Tag& tag, const Slot* slots) {
  GcHeap& objects = heap();
  objects.add_exception_type(tag.type);
  Object* object = objects.allocate_exception(tag.type);
  if (object == nullptr) return nullptr;
  auto* exception = reinterpret_cast<Exception*>(object);
  exception->tag = &tag;
  std::copy_n(slots, tag.slot_count, exception->values());
  return exception;
}

ThrownException::ThrownException(Store& store, Exception& exception, std::shared_ptr<const HostRoot> root)
    : store_(store.identity()), exception_(&exception), root_(std::move(root)) {}

ThrownException::ThrownException(Store& store, Exception& exception)
    : ThrownException(store, exception, store.heap().keep(reinterpret_cast<std::uint64_t>(&exception))) {}

Exception* ThrownException::in(const Store& store) const { return store_ == store.identity() ? exception_ : nullptr; }

Exception* try_make_exception(ExecState& exec, Tag& tag, const Slot* slots) {
  try {
    return exec.store->make_exception(tag, slots);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

Trap make_uncaught(ExecState& exec, Exception& exception) {
  Trap trap;
  trap.code = TrapCode::uncaught_exception;
  try {
    trap.exception = std::make_shared<ThrownException>(*exec.store, exception);
    trap.message = describe(exec, exception);
    add_backtrace(trap, exec);
  } catch (const std::bad_alloc&) {  // the rest is for people
    trap.backtrace.clear();
    trap.omitted_frames = 0;
  }
  return trap;
}

void complete_uncaught(ExecState& exec) {
  try {
    if (exec.pending.message.empty()) exec.pending.message = describe(exec, *exec.thrown);
    if (exec.pending.backtrace.empty()) add_backtrace(exec.pending, exec);
  } catch (const std::bad_alloc&) {  // it does without
    exec.pending.backtrace.clear();
    exec.pending.omitted_frames = 0;
  }
}

bool throw_pending(ExecState& exec) {
  if (exec.pending.code != TrapCode::uncaught_exception || exec.pending.exception == nullptr) return false;
  exec.thrown = exec.pending.exception->in(*exec.store);
  return exec.thrown != nullptr;
}

}  // namespace wasi::runtime
