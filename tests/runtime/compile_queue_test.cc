// Jobs that are absent: modules and queues go without waiting for them, and they find out.
#include "runtime/compile_queue.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "runtime/native_tuning.h"
#include "runtime/preparation.h"

namespace wasi::runtime {
namespace {

class Signal {
 public:
  void set() {
    const std::lock_guard lock(mutex_);
    is_set_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_set_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_set_ = false;
};

// What a job and the test tell each other; the job may be the last to hold it.
struct Meeting {
  Signal is_away;
  Signal may_return;
  Signal is_over;
  std::atomic<bool> left{false};
  std::atomic<bool> came_back{false};
  std::atomic<bool> knows{false};  // afterwards, which it was
};

// Queues only compare it.
ModuleCode* module_at(std::uintptr_t address) { return reinterpret_cast<ModuleCode*>(address); }

CompileQueue::Work absent_job(const std::shared_ptr<Meeting>& meeting) {
  return [meeting](const CompileJob& /*job*/, Preparation& /*preparation*/, Absence& absence) {
    meeting->left = absence.leave();
    meeting->is_away.set();
    meeting->may_return.wait();
    meeting->came_back = meeting->left && absence.come_back();
    meeting->knows = absence.is_back() == meeting->came_back;
    meeting->is_over.set();
  };
}

TEST_CASE("a job that was absent comes back to its module") {
  const auto meeting = std::make_shared<Meeting>();
  CompileQueue queue(absent_job(meeting), 1, kCompileNiceness);
  REQUIRE(queue.add({.module = module_at(8)}));
  meeting->is_away.wait();
  queue.forget(*module_at(16));  // which is another one
  meeting->may_return.set();
  queue.wait();
  CHECK(meeting->left);
  CHECK(meeting->came_back);
  CHECK(meeting->knows);
}

TEST_CASE("a module does not wait for an absent job of its own, which finds that out") {
  const auto meeting = std::make_shared<Meeting>();
  CompileQueue queue(absent_job(meeting), 1, kCompileNiceness);
  REQUIRE(queue.add({.module = module_at(8)}));
  meeting->is_away.wait();
  queue.forget(*module_at(8));
  queue.wait();
  meeting->may_return.set();
  meeting->is_over.wait();
  CHECK(meeting->left);
  CHECK_FALSE(meeting->came_back);
  CHECK(meeting->knows);
}

TEST_CASE("a queue does not wait for an absent job, which finds that out") {
  const auto meeting = std::make_shared<Meeting>();
  {
    CompileQueue queue(absent_job(meeting), 2, kCompileNiceness);
    REQUIRE(queue.add({.module = module_at(8)}));
    meeting->is_away.wait();
  }
  meeting->may_return.set();
  meeting->is_over.wait();
  CHECK(meeting->left);
  CHECK_FALSE(meeting->came_back);
  CHECK(meeting->knows);
}

TEST_CASE("a job whose module is to go does not leave any more, and is waited for") {
  Signal has_begun;
  std::atomic<bool> has_left{true};
  std::atomic<bool> is_over{false};
  CompileQueue queue(
      [&](const CompileJob& /*job*/, Preparation& preparation, Absence& absence) {
        has_begun.set();
        while (preparation.poll()) std::this_thread::yield();
        has_left = absence.leave();
        is_over = true;
      },
      1, kCompileNiceness);
  REQUIRE(queue.add({.module = module_at(8)}));
  has_begun.wait();
  queue.forget(*module_at(8));
  CHECK(is_over);
  CHECK_FALSE(has_left);
}

}  // namespace
}  // namespace wasi::runtime
