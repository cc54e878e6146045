#include "runtime/budget.h"

#include "runtime/native_tuning.h"
#include "runtime/tier_policy.h"
#include "runtime/trap_raise.h"

namespace wasi::runtime {

std::uint32_t look_around(ExecState& exec) {
  poll(exec);
  return exec.policy == nullptr ? kPollPeriod : exec.policy->next_budget(exec);
}

}  // namespace wasi::runtime
