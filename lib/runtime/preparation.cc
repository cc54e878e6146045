#include "runtime/preparation.h"

#include "base/result.h"
#include "runtime/exec_state.h"
#include "runtime/preparation_host.h"
#include "runtime/store.h"
#include "runtime/trap_raise.h"

namespace wasi::runtime {

namespace {
std::atomic<MustStop> asked{&must_stop};
}  // namespace

void ask_host_to_stop(MustStop must_stop) { asked.store(must_stop, std::memory_order_relaxed); }

Result<void> Preparation::poll() {
  if (is_cancelled_ != nullptr && is_cancelled_->load(std::memory_order_relaxed)) {
    is_interrupted_ = true;
    return fail(ErrorKind::limit, "the preparation was cancelled");
  }
  if (exec_ == nullptr || exec_->interrupt.load(std::memory_order_relaxed) == 0) [[likely]]
    return {};
  if (!asked.load(std::memory_order_relaxed)(*exec_)) return {};
  is_interrupted_ = true;
  return fail(ErrorKind::limit, "the store was interrupted");
}

Result<void> Preparation::take(std::uint64_t bytes) {
  if (exec_ == nullptr) return {};
  if (!exec_->store->reserve_code(bytes)) {
    return fail(ErrorKind::limit,
                "preparing the function takes more memory than the store's memory limit of {} bytes leaves",
                exec_->store->options().limits.memory_bytes);
  }
  taken_ += bytes;
  return {};
}

void Preparation::give_back(std::uint64_t bytes) {
  if (exec_ == nullptr) return;
  exec_->store->release_code(bytes);
  taken_ -= bytes;
}

}  // namespace wasi::runtime
