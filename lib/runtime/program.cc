#include "runtime/program.h"

#include "runtime/exec_state.h"
#include "runtime/interruption.h"

namespace wasi::runtime {

void Program::add(ExecState& exec) {
  const std::lock_guard lock(mutex_);
  members_.push_back(&exec);
  if (ending_) interrupt(exec, kInterruptEnd);
}

void Program::remove(ExecState& exec) {
  const std::lock_guard lock(mutex_);
  std::erase(members_, &exec);
}

void Program::end(const Trap& trap) {
  const std::lock_guard lock(mutex_);
  if (ending_) return;
  ending_ = trap;
  for (ExecState* member : members_) interrupt(*member, kInterruptEnd);
}

std::optional<Trap> Program::ending() const {
  const std::lock_guard lock(mutex_);
  return ending_;
}

}  // namespace wasi::runtime
