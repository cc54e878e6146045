// The tier policy: which functions are compiled, by whom, how often, and what happens when they go meanwhile.
#include "runtime/tier_policy.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "base/guard.h"
#include "base/result.h"
#include "fake_tier.h"
#include "runtime/budget.h"
#include "runtime/native_tier.h"
#include "runtime/preparation.h"
#include "runtime/tier_log.h"

namespace wasi::runtime {
namespace {

using namespace test;

// Notes what it is asked for; `work` does it.
class FakeNativeTier : public NativeTier {
 public:
  [[nodiscard]] const char* name() const override { return "fake"; }
  Result<void> compile_function(ModuleCode& /*module*/, FunctionCode& function, Preparation& preparation) override {
    {
      const std::lock_guard lock(mutex);
      ++times[function.index];
      threads[function.index] = std::this_thread::get_id();
    }
    return work ? work(preparation) : Result<void>();
  }
  int times_of(std::uint32_t function) {
    const std::lock_guard lock(mutex);
    return times[function];
  }

  std::function<Result<void>(Preparation&)> work;
  std::mutex mutex;
  std::map<std::uint32_t, int> times;
  std::map<std::uint32_t, std::thread::id> threads;
};

// A gate that a compilation waits at.
class Gate {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return is_open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }
  void wait_for_visitor() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ != 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool is_open_ = false;
};

// Functions 0 and 1 are small, 2 has a body of a few hundred bytes.
std::string module_with_bodies() {
  std::string wat = R"((module $m (func $a (export "a")) (func $b) (func $large )";
  for (int i = 0; i < 100; ++i) wat += "(drop (i32.const 1000000))";
  return wat + "))";
}

struct PolicyWorld : World {
  explicit PolicyWorld(TierPolicyOptions options) {
    options.log = &log;
    own_policy = std::make_unique<TierPolicy>(native, options);
    code = compile(module_with_bodies());
    for (const auto& one : code) one->policy = own_policy.get();
    const auto made = store->instantiate(std::span<const std::shared_ptr<ModuleCode>, kBoundsCheckModes>(code), {});
    REQUIRE(made.has_value());
    module = (*made)->code;
  }
  ~PolicyWorld() { drop_module(); }
  FunctionCode& function(std::uint32_t index) { return module->code(wasm::FuncIndex(index)); }
  void sample(std::uint32_t index, int times = 1, std::optional<std::uint64_t> loop = std::nullopt) {
    for (int i = 0; i < times; ++i) own_policy->sampled(store->exec(), function(index), loop);
  }
  // Nobody but the policy holds on to the module then.
  void drop_module() {
    store = nullptr;
    code.clear();
    module = nullptr;
  }

  FakeNativeTier native;
  TierLog log;
  std::unique_ptr<TierPolicy> own_policy;
  Code code;
  std::shared_ptr<ModuleCode> module;
};

// The calling thread compiles all.
constexpr TierPolicyOptions kHere = {.period = 100,
                                     .warm_up_samples = 0,
                                     .hot_samples = UINT32_MAX,
                                     .bytes_per_sample = UINT32_MAX,
                                     .immediate_bytes = SIZE_MAX,
                                     .threads = 0};
// Another one does.
constexpr TierPolicyOptions kThere = {.period = 100,
                                      .warm_up_samples = 0,
                                      .hot_samples = UINT32_MAX,
                                      .bytes_per_sample = UINT32_MAX,
                                      .immediate_bytes = 0,
                                      .threads = 1};

TEST_CASE("a function is compiled once, at its first sample") {
  PolicyWorld world(kHere);
  world.sample(0, 3);
  world.sample(1);
  CHECK(world.native.times == std::map<std::uint32_t, int>{{0, 1}, {1, 1}});
  CHECK(world.native.threads[0] == std::this_thread::get_id());
}

TEST_CASE("a larger body needs more samples") {
  TierPolicyOptions options = kHere;
  options.bytes_per_sample = 200;
  PolicyWorld world(options);
  const std::size_t bytes = world.module->module->body(wasm::FuncIndex(2)).size;
  const int needed = static_cast<int>((bytes + 199) / 200);
  REQUIRE(needed > 2);
  world.sample(2, needed - 1);
  CHECK(world.native.times_of(2) == 0);
  world.sample(2);
  CHECK(world.native.times_of(2) == 1);
}

TEST_CASE("nothing is compiled before the engine has seen some samples, or one function most of them") {
  TierPolicyOptions options = kHere;
  options.warm_up_samples = 10;
  SECTION("of all functions, whatever store they run in") {
    PolicyWorld world(options);
    world.sample(0, 5);
    Store other(world.registry, {});
    for (int i = 0; i < 5; ++i) world.own_policy->sampled(other.exec(), world.function(1), std::nullopt);
    CHECK(world.native.times.empty());
    world.sample(1);
    CHECK(world.native.times == std::map<std::uint32_t, int>{{1, 1}});
  }
  SECTION("of one") {
    options.hot_samples = 4;
    PolicyWorld world(options);
    world.sample(0, 3);
    CHECK(world.native.times.empty());
    world.sample(0);
    CHECK(world.native.times == std::map<std::uint32_t, int>{{0, 1}});
  }
}

TEST_CASE("what cannot be compiled is not tried again, but for what is lacking now") {
  PolicyWorld world(kHere);
  ErrorKind kind = ErrorKind::unsupported;
  world.native.work = [&](Preparation&) -> Result<void> { return fail(kind, "it is {}", "what it is"); };
  world.sample(0, 3);
  CHECK(world.native.times_of(0) == 1);
  kind = ErrorKind::limit;
  world.sample(1, 3);
  CHECK(world.native.times_of(1) == 3);
  world.native.work = nullptr;
  world.sample(1, 3);
  CHECK(world.native.times_of(1) == 4);
  const std::vector<TierChange> changes = world.log.changes();
  REQUIRE(changes.size() == 5);
  CHECK(changes[0].failure == "it is what it is");
  CHECK(changes[4].failure.empty());
}

TEST_CASE("what a failed compilation needed samples for, the next one needs again") {
  TierPolicyOptions options = kHere;
  options.bytes_per_sample = 200;
  PolicyWorld world(options);
  world.native.work = [](Preparation&) -> Result<void> { return std::unexpected(out_of_memory()); };
  world.sample(2, 100);
  const std::size_t bytes = world.module->module->body(wasm::FuncIndex(2)).size;
  CHECK(world.native.times_of(2) == static_cast<int>(100 / ((bytes + 199) / 200)));
}

TEST_CASE("compilation takes its memory from the store that asks for it") {
  PolicyWorld world(kHere);
  world.store = std::make_unique<Store>(world.registry, StoreOptions{.limits = {.memory_bytes = 1 << 20}});
  std::optional<Error> error;
  world.native.work = [&](Preparation& preparation) -> Result<void> {
    // What is not counted, and more.
    auto taken = preparation.take(kUncountedCodeBytes + (2U << 20));
    if (!taken) error = taken.error();
    return taken;
  };
  world.sample(0);
  REQUIRE(error);
  CHECK(error->kind == ErrorKind::limit);
}

TEST_CASE("changes are recorded with their reason") {
  PolicyWorld world(kHere);
  world.sample(0);
  world.sample(2, 1, 0x123);
  const std::vector<TierChange> changes = world.log.changes();
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].module == "m");
  CHECK(changes[0].function == "a");
  CHECK(changes[0].function_index == 0);
  CHECK(changes[0].reason == TierChange::Reason::calls);
  CHECK_FALSE(changes[0].in_background);
  CHECK(changes[1].function == "large");
  CHECK(changes[1].reason == TierChange::Reason::loop);
  CHECK(changes[1].loop_offset == 0x123);
  CHECK(changes[1].body_bytes > 200);
  CHECK(changes[1].at >= changes[0].at);
}

TEST_CASE("larger bodies are compiled in the background") {
  PolicyWorld world(kThere);
  world.sample(2, 5);
  world.sample(0, 5);
  world.own_policy->wait();
  CHECK(world.native.times == std::map<std::uint32_t, int>{{0, 1}, {2, 1}});
  CHECK(world.native.threads[2] != std::this_thread::get_id());
  CHECK(world.log.changes().at(0).in_background);
}

TEST_CASE("a module that goes takes its functions off the queue, and cancels the one that is compiled") {
  PolicyWorld world(kThere);
  Gate gate;
  std::atomic<bool> was_cancelled{false};
  world.native.work = [&](Preparation& preparation) -> Result<void> {
    gate.wait();
    // As a compiler does every few KiB.
    for (;;) {
      if (auto allowed = preparation.poll(); !allowed) {
        was_cancelled = preparation.is_interrupted();
        return allowed;
      }
      std::this_thread::yield();
    }
  };
  world.sample(0);
  gate.wait_for_visitor();
  world.sample(1);
  gate.open();
  world.drop_module();
  CHECK(was_cancelled);
  world.own_policy->wait();
  CHECK(world.native.times == std::map<std::uint32_t, int>{{0, 1}});
  CHECK(world.log.changes().empty());
}

TEST_CASE("a module that goes waits for no other's compilation") {
  PolicyWorld world(kThere);
  auto other = world.compile(module_with_bodies());
  for (const auto& one : other) one->policy = world.own_policy.get();
  Gate gate;
  world.native.work = [&](Preparation&) -> Result<void> {
    gate.wait();
    return {};
  };
  world.sample(0);
  gate.wait_for_visitor();
  world.own_policy->sampled(world.store->exec(), other[0]->code(wasm::FuncIndex(1)), std::nullopt);
  other.clear();
  gate.open();
  world.own_policy->wait();
  CHECK(world.native.times == std::map<std::uint32_t, int>{{0, 1}});
}

TEST_CASE("a policy that goes cancels what is compiled, and leaves what waits") {
  std::atomic<int> cancelled{0};
  Gate gate;
  {
    PolicyWorld world(kThere);
    world.native.work = [&](Preparation& preparation) -> Result<void> {
      gate.wait();
      for (;;) {
        if (auto allowed = preparation.poll(); !allowed) {
          ++cancelled;
          return allowed;
        }
        std::this_thread::yield();
      }
    };
    world.sample(0);
    world.sample(1);
    world.sample(2);
    gate.wait_for_visitor();
    gate.open();
    for (const auto& one : world.code) one->policy = nullptr;
    world.store = nullptr;
    world.own_policy = nullptr;
  }
  CHECK(cancelled == 1);
}

TEST_CASE("threads that sample one function have it compiled once") {
  const bool in_background = GENERATE(false, true);
  PolicyWorld world(in_background ? kThere : kHere);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      Store own(world.registry, {});
      for (int i = 0; i < 1000; ++i) {
        world.own_policy->sampled(own.exec(), world.function(static_cast<std::uint32_t>(i % 3)), std::nullopt);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  world.own_policy->wait();
  CHECK(world.native.times == std::map<std::uint32_t, int>{{0, 1}, {1, 1}, {2, 1}});
}

TEST_CASE("modules come and go while their functions are compiled") {
  FakeNativeTier native;
  native.work = [](Preparation& preparation) -> Result<void> {
    // One yield, which is a time slice on a busy machine.
    for (int i = 0; i < 500; ++i) {
      if (auto allowed = preparation.poll(); !allowed) return allowed;
      if (i == 250) std::this_thread::yield();
    }
    return {};
  };
  TierPolicy policy(native, kThere);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      const auto registry = std::make_shared<wasm::TypeRegistry>();
      FakeTier tier;
      Store store(registry, {});
      for (int i = 0; i < 200; ++i) {
        auto module = std::make_shared<wasm::Module>();
        module->registry = registry;
        module->bodies.resize(4);
        ModuleCode code(module, tier, BoundsChecks::explicit_checks, true);
        code.policy = &policy;
        for (std::uint32_t f = 0; f < 4; ++f) {
          policy.sampled(store.exec(), code.code(wasm::FuncIndex(f)), std::nullopt);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  policy.wait();
}

TEST_CASE("a forked process compiles nothing, waits for nobody and ends") {
  PolicyWorld world(kThere);
  Gate gate;
  world.native.work = [&](Preparation&) -> Result<void> {
    gate.wait();
    return {};
  };
  world.sample(0);
  gate.wait_for_visitor();  // a thread is in the middle of it
  const pid_t child = ::fork();
  if (child == 0) {
    // Nothing of the test framework here.
    world.sample(1);
    world.sample(2);
    const bool is_quiet = world.native.times == std::map<std::uint32_t, int>{{0, 1}};
    world.drop_module();
    world.own_policy = nullptr;
    ::_exit(is_quiet ? 0 : 1);
  }
  REQUIRE(child > 0);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  gate.open();
  world.sample(1);
  world.own_policy->wait();
  CHECK(world.native.times == std::map<std::uint32_t, int>{{0, 1}, {1, 1}});
}

TEST_CASE("budgets vary around the period, and new stores begin anywhere in one") {
  TierPolicyOptions options = kHere;
  options.period = 1000;
  PolicyWorld world(options);
  std::uint64_t sum = 0;
  std::uint32_t least = UINT32_MAX;
  std::uint32_t most = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::uint32_t budget = look_around(world.store->exec());
    sum += budget;
    least = std::min(least, budget);
    most = std::max(most, budget);
  }
  CHECK(least >= 500);
  CHECK(least < 520);
  CHECK(most < 1500);
  CHECK(most > 1480);
  CHECK(std::abs(static_cast<double>(sum) / 10'000 - 1000) < 20);
  sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    ExecState exec;
    world.own_policy->begin(exec);
    REQUIRE(exec.budget < 1000);
    sum += exec.budget;
  }
  CHECK(std::abs(static_cast<double>(sum) / 10'000 - 500) < 20);
}

TEST_CASE("with a period of one every event is a sample") {
  TierPolicyOptions options = kHere;
  options.period = 1;
  PolicyWorld world(options);
  CHECK(world.store->exec().budget == 0);
  for (int i = 0; i < 100; ++i) CHECK(look_around(world.store->exec()) == 0);
}

TEST_CASE("a look around without a policy only polls") {
  World world;
  ExecState& exec = world.store->exec();
  CHECK(look_around(exec) > 0);
  CHECK(exec.policy == nullptr);
}

}  // namespace
}  // namespace wasi::runtime
