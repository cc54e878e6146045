#include "runtime/program.h"

#include <algorithm>
#include <new>

#include "runtime/exec_state.h"
#include "runtime/interruption.h"

namespace wasi::runtime {

namespace {

// A copy, where memory has run out of the code alone.
Trap copy(const Trap& trap) {
  try {
    return trap;
  } catch (const std::bad_alloc&) {
    return {.code = trap.code, .exit_status = trap.exit_status};
  }
}

}  // namespace

void Program::add(ExecState& exec) {
  const std::lock_guard lock(mutex_);
  members_.push_back(&exec);
  if (ending_) interrupt(exec, kInterruptEnd);
}

void Program::remove(ExecState& exec) {
  const std::lock_guard lock(mutex_);
  std::erase(members_, &exec);
  changed_.notify_all();
}

void Program::end(const Trap& trap) {
  const std::lock_guard lock(mutex_);
  if (ending_) return;
  ending_ = copy(trap);
  for (ExecState* member : members_) interrupt(*member, kInterruptEnd);
}

void Program::ask(std::uint32_t bits) {
  const std::lock_guard lock(mutex_);
  for (ExecState* member : members_) set_interrupt(*member, bits);
}

bool Program::wait_alone(const ExecState& exec, std::chrono::milliseconds most) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, most, [&] {
    return std::ranges::all_of(members_, [&](const ExecState* member) { return member == &exec; });
  });
}

Trap Program::ending_trap() const {
  const std::lock_guard lock(mutex_);
  return ending_ ? copy(*ending_) : Trap{};
}

std::optional<Trap> Program::ending() const {
  const std::lock_guard lock(mutex_);
  return ending_;
}

}  // namespace wasi::runtime
