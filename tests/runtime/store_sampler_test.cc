// The thread that makes running stores look around: whom it reaches, and that it lets go of them.
#include "runtime/store_sampler.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "runtime/exec_state.h"

namespace wasi::runtime {
namespace {

constexpr std::uintptr_t kLimit = 0x1000;

bool is_raised(const ExecState& exec) { return exec.stack_limit.load() == kRaisedStackLimit; }

// False where that does not come to be, which would be a failure and no matter of speed.
template <class Condition>
bool comes_to_be(Condition condition) {
  for (int i = 0; i < 20'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

TEST_CASE("each store that has been added is made to look around, again and again") {
  std::vector<std::unique_ptr<ExecState>> stores;
  for (int i = 0; i < 200; ++i) stores.push_back(std::make_unique<ExecState>());
  StoreSampler sampler(std::chrono::microseconds(100));
  for (const auto& store : stores) {
    store->stack_limit = kLimit;
    sampler.add(*store);
    sampler.add(*store);  // which changes nothing
  }
  sampler.start();
  for (int round = 0; round < 3; ++round) {
    for (const auto& store : stores) CHECK(comes_to_be([&] { return is_raised(*store); }));
    for (const auto& store : stores) store->stack_limit = kLimit;
    sampler.answered(round == 1);
  }
  for (const auto& store : stores) sampler.remove(*store);
}

TEST_CASE("a store that has been removed is left alone, and others are not") {
  ExecState first;
  ExecState second;
  StoreSampler sampler(std::chrono::microseconds(100));
  sampler.start();
  sampler.add(first);
  sampler.add(second);
  sampler.remove(first);
  sampler.remove(first);
  first.stack_limit = kLimit;
  second.stack_limit = kLimit;
  CHECK(comes_to_be([&] { return is_raised(second); }));
  CHECK_FALSE(is_raised(first));
  sampler.remove(second);
  second.stack_limit = kLimit;
  sampler.add(first);
  CHECK(comes_to_be([&] { return is_raised(first); }));
  CHECK_FALSE(is_raised(second));
  sampler.remove(first);
}

TEST_CASE("nobody is disturbed before it is started, or after it was stopped") {
  ExecState store;
  StoreSampler sampler(std::chrono::microseconds(100));
  sampler.add(store);
  store.stack_limit = kLimit;
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK_FALSE(is_raised(store));
  sampler.start();
  CHECK(comes_to_be([&] { return is_raised(store); }));
  sampler.stop();
  store.stack_limit = kLimit;
  sampler.start();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK_FALSE(is_raised(store));
  sampler.remove(store);
}

}  // namespace
}  // namespace wasi::runtime
