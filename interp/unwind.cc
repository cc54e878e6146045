#include "interp/unwind.h"

#include <cstring>
#include <utility>

#include "interp/catch_table.h"
#include "interp/shims.h"
#include "interp/translation.h"
#include "runtime/instance.h"
#include "runtime/trap_raise.h"

namespace wasi::interp {

using runtime::Exception;
using runtime::ExecState;
using runtime::Instance;
using runtime::Slot;
using runtime::Tag;
using runtime::VmContext;

namespace {

const Translation& translation_of(const Record& record) {
  return *static_cast<const Translation*>(record.function->interpreter.load(std::memory_order_relaxed));
}

const CatchClause* find_clause(const Record& record, const Tag& tag) {
  const Translation& translation = translation_of(record);
  if (translation.catches == nullptr) return nullptr;
  const auto position = static_cast<std::uint32_t>(static_cast<const std::uint8_t*>(record.resume) - translation.code);
  const std::vector<Tag*>& tags = Instance::from(record.instance)->tags;
  return translation.catches->find(position, [&](std::uint32_t index) { return tags[index] == &tag; });
}

bool is_native_callee(const Record& record) { return record.return_ip == shims.exit.code; }

const std::uint8_t* leave(ExecState& exec, const Record& bottom, Exception& exception) {
  exec.thrown = &exception;
  exec.top = bottom.caller;
  return shims.exit.code;
}

// Lands in the frame of `record`, at `clause`.
const std::uint8_t* land(ExecState& exec, Record& record, const CatchClause& clause, const Tag& tag, const Slot* values,
                         Exception* exception) {
  // The values may lie in the very slots that they go to.
  if (clause.tag != CatchClause::kAnyTag && tag.slot_count != 0) {
    std::memmove(static_cast<void*>(record.slots + clause.values_slot), values, tag.slot_count * sizeof(Slot));
  }
  if (clause.exception_slot != CatchClause::kNoSlot) record.slots[clause.exception_slot].ref = exception;
  exec.top = &record;
  return translation_of(record).code + clause.target;
}

struct Handler {
  Record* record = nullptr;             // whose frame catches, or the oldest one that was asked
  const CatchClause* clause = nullptr;  // null: none does
};

Handler find_handler(Record* record, const Tag& tag) {
  for (;; record = static_cast<Record*>(record->caller)) {
    const CatchClause* clause = find_clause(*record, tag);
    if (clause != nullptr || is_native_callee(*record)) return {record, clause};
  }
}

}  // namespace

const std::uint8_t* throw_tag(const std::uint8_t* ip, VmContext* vm, std::uint32_t tag_index, const Slot* values) {
  ExecState& exec = *vm->exec;
  exec.top->resume = ip;
  runtime::poll(exec);  // loops can be made of throws, too
  Tag& tag = *Instance::from(vm)->tags[tag_index];
  const Handler handler = find_handler(static_cast<Record*>(exec.top), tag);
  // An exception that nobody looks at is never made: its values go from slots to slots.
  const bool is_made = handler.clause == nullptr || handler.clause->exception_slot != CatchClause::kNoSlot;
  Exception* exception = nullptr;
  if (is_made) {
    exception = runtime::try_make_exception(exec, tag, values);
    if (exception == nullptr) runtime::raise_trap(exec, TrapCode::allocation_failure);
  }
  if (handler.clause != nullptr) return land(exec, *handler.record, *handler.clause, tag, values, exception);
  exec.pending = runtime::make_uncaught(exec, *exception);
  return leave(exec, *handler.record, *exception);
}

const std::uint8_t* throw_reference(const std::uint8_t* ip, VmContext* vm, void* reference) {
  ExecState& exec = *vm->exec;
  exec.top->resume = ip;
  runtime::poll(exec);
  if (reference == nullptr) runtime::raise_trap(exec, TrapCode::null_exception_reference);
  auto& exception = *static_cast<Exception*>(reference);
  const Handler handler = find_handler(static_cast<Record*>(exec.top), *exception.tag);
  if (handler.clause != nullptr) {
    return land(exec, *handler.record, *handler.clause, *exception.tag, exception.values(), &exception);
  }
  exec.pending = runtime::make_uncaught(exec, exception);
  return leave(exec, *handler.record, exception);
}

const std::uint8_t* throw_on(VmContext* vm, bool is_tail_call) {
  ExecState& exec = *vm->exec;
  Exception& exception = *exec.thrown;
  auto* record = static_cast<Record*>(exec.top);
  Handler handler{record, nullptr};
  if (!is_tail_call) {
    handler = find_handler(record, *exception.tag);
  } else if (!is_native_callee(*record)) {
    handler = find_handler(static_cast<Record*>(record->caller), *exception.tag);
  }
  if (handler.clause == nullptr) {
    runtime::complete_uncaught(exec);
    return leave(exec, *handler.record, exception);
  }
  exec.thrown = nullptr;
  exec.pending = {};
  return land(exec, *handler.record, *handler.clause, *exception.tag, exception.values(), &exception);
}

}  // namespace wasi::interp
