// Compilation of a whole module at once, each function by the compiler that it is worth.
//
// What is compiled how, and together with what, is planned before anything is (jit/plan), so the code is the same
// however many threads make it.
#include <time.h>
#include <wasi/module.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/guard.h"
#include "base/on_threads.h"
#include "base/result.h"
#include "engine/profile.h"
#include "engine/state.h"
#include "jit/common/code_space.h"
#include "jit/common/held_functions.h"
#include "jit/common/native_module.h"
#include "jit/common/optimising_compiler.h"
#include "jit/plan/call_graph.h"
#include "jit/plan/hotness.h"
#include "jit/plan/units.h"
#include "runtime/preparation.h"

namespace wasi {

namespace {

// The time that this thread has run.
std::int64_t thread_nanoseconds() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
}

using Functions = std::vector<std::uint32_t>;  // by their numbers among those that are not imported

// guessed_seconds() for what is optimised by a guess: that is some hundred KiB, so all of a small module.
// Guesses are wrong about much, so this is as much as one likes to wait for, and not what they say is worth it.
constexpr double kGuessedSeconds = 6;
// Of what a profile saw. The rest is seldom worth its compilation.
constexpr double kProfiledPart = 0.995;
// What takes longer than this is not optimised for being hot. (Some 290 KiB.)
constexpr double kMostSeconds = 60;
// Nor is what takes a GiB of memory, whatever is asked for.
constexpr std::uint32_t kMostBodyBytes = 512U << 10;
// Compilation by LLVM takes about so many times as long as by the baseline compiler, for the bar.
constexpr std::uint64_t kOptimisingWeight = 500;

unsigned thread_count(unsigned wanted) {
  return wanted != 0 ? wanted : std::max(1U, std::thread::hardware_concurrency());
}

// Calls `work` for 0 to count - 1, in about this order, on this thread and, where they can be had, on others. An Error
// ends it.
template <class Work>
Result<void> for_each(std::size_t count, unsigned threads, Work&& work) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> is_over{false};
  std::mutex mutex;
  std::optional<Error> error;
  const auto run = [&](std::size_t) {
    auto done = guarded([&]() -> Result<void> {
      while (!is_over.load(std::memory_order_relaxed)) {
        const std::size_t i = next.fetch_add(1, std::memory_order_relaxed);
        if (i >= count) break;
        WASI_TRY(work(i));
      }
      return {};
    });
    if (done) return;
    is_over = true;
    const std::lock_guard lock(mutex);
    if (!error) error = std::move(done).error();
  };
  base::on_threads(std::min<std::size_t>(threads, count), run);
  if (error) return std::unexpected(*std::move(error));
  return {};
}

struct Plan {
  std::vector<Functions> units;  // of the optimising compiler
  std::vector<bool> is_optimised;
};

std::vector<double> heat_of(const Profile& profile, const wasm::Module& module) {
  std::vector<double> heat(module.bodies.size());
  for (const Profile::Function& function : profile.functions) {
    if (function.index < module.imported_functions || function.index >= module.functions.size()) continue;
    heat[function.index - module.imported_functions] = static_cast<double>(function.count);
  }
  return heat;
}

// With what the profile knows of them.
std::vector<jit::HeldFunction> held_functions(const wasm::Module& module, const Profile* profile) {
  std::vector<jit::HeldFunction> held = jit::held_functions(module);
  if (profile == nullptr) return held;
  const std::vector<double> heat = heat_of(*profile, module);
  for (jit::HeldFunction& one : held) {
    if (module.is_imported(one.function)) continue;
    one.heat = static_cast<std::uint64_t>(heat[one.function.value - module.imported_functions]);
  }
  return held;
}

Plan make_plan(const wasm::Module& module, bool validated, const Module::CompileOptions& options) {
  const jit::CallGraph graph = jit::survey_calls(module, validated, thread_count(options.threads));
  std::vector<double> calls = jit::estimate_calls(graph);
  std::vector<double> heat = jit::estimate_heat(graph, calls);
  if (options.profile != nullptr) {
    // How often something is called is not known of a profile, but how often what is in it runs.
    heat = heat_of(*options.profile, module);
    for (std::size_t i = 0; i < calls.size(); ++i) calls[i] = heat[i] / std::max(1.0, graph.bodies[i].work);
  }
  Functions chosen;
  if (options.optimise == Module::Optimise::everything) {
    chosen.resize(module.bodies.size());
    std::iota(chosen.begin(), chosen.end(), 0U);
  } else if (options.profile != nullptr) {
    chosen = jit::choose_covering(graph, heat, kProfiledPart, kMostSeconds);
  } else {
    chosen = jit::choose_hot(graph, heat, kGuessedSeconds);
  }
  Plan plan{.units = jit::plan_units(graph, calls, chosen), .is_optimised = std::vector<bool>(module.bodies.size())};
  for (const std::uint32_t function : chosen) plan.is_optimised[function] = true;
  return plan;
}

class Compilation {
 public:
  Compilation(const detail::EngineState& engine, runtime::ModuleCode& code, const Module::CompileOptions& options)
      : engine_(engine), code_(code), options_(options), module_(*code.module) {}

  Result<std::vector<TierMetrics>> run(std::shared_ptr<jit::OptimisingCompiler> compiler) {
    Plan plan;
    if (compiler != nullptr) {
      plan = make_plan(module_, code_.bodies_validated, options_);
      held_ = held_functions(module_, options_.profile);
      if (options_.profile != nullptr) seen_ = detail::seen_calls(*options_.profile, module_);
    }
    for (std::uint32_t i = 0; i < module_.bodies.size(); ++i) {
      total_ += module_.bodies[i].size * (compiler != nullptr && plan.is_optimised[i] ? kOptimisingWeight : 1);
    }
    const unsigned threads = thread_count(options_.threads);
    if (compiler != nullptr) WASI_TRY(optimise(*compiler, plan, threads));
    // In chunks, since most functions take no longer than what hands them out.
    constexpr std::size_t kAtOnce = 16;
    const std::size_t chunks = (module_.bodies.size() + kAtOnce - 1) / kAtOnce;
    WASI_TRY(for_each(chunks, threads, [&](std::size_t chunk) -> Result<void> {
      const std::size_t end = std::min(module_.bodies.size(), (chunk + 1) * kAtOnce);
      for (std::size_t i = chunk * kAtOnce; i < end; ++i) prepare(static_cast<std::uint32_t>(i));
      return {};
    }));
    return metrics(compiler != nullptr);
  }

 private:
  [[nodiscard]] runtime::FunctionCode& record(std::uint32_t function) const {
    return code_.code(wasm::FuncIndex(module_.imported_functions + function));
  }
  [[nodiscard]] static bool has_code(const runtime::FunctionCode& record) {
    return record.native_code.load(std::memory_order_acquire) != nullptr;
  }

  Result<void> optimise(jit::OptimisingCompiler& compiler, const Plan& plan, unsigned threads) {
    optimised_.resize(module_.bodies.size());
    // The largest first, so that no thread begins one when the others end.
    std::vector<std::uint64_t> bytes;
    for (const Functions& unit : plan.units) {
      std::uint64_t& sum = bytes.emplace_back();
      for (const std::uint32_t function : unit) sum += module_.bodies[function].size;
    }
    std::vector<std::size_t> order(plan.units.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(UINT64_MAX - bytes[i], i); });
    return for_each(order.size(), threads, [&](std::size_t i) -> Result<void> {
      Functions unit;
      for (const std::uint32_t function : plan.units[order[i]]) {
        if (!has_code(record(function)) && module_.check_body(wasm::FuncIndex(module_.imported_functions + function))) {
          unit.push_back(function);
        }
      }
      const std::int64_t begin = thread_nanoseconds();
      WASI_TRY(compile_unit(compiler, unit));
      optimising_nanoseconds_ += thread_nanoseconds() - begin;
      advance(bytes[order[i]] * kOptimisingWeight);
      return {};
    });
  }

  // What the compiler does not take is left out, and the others are compiled without it.
  Result<void> compile_unit(jit::OptimisingCompiler& compiler, std::span<const std::uint32_t> unit) {
    if (unit.empty()) return {};
    std::vector<jit::UnitRequest> requests;
    for (const std::uint32_t function : unit) {
      requests.push_back({wasm::FuncIndex(module_.imported_functions + function), code_.bodies_validated});
    }
    runtime::Preparation unbounded;
    const auto machine = compiler.compile(module_, requests,
                                          {.checks = code_.checks,
                                           .cpu = engine_.cpu ? *engine_.cpu : jit::CpuFeatures::host(),
                                           .charges_fuel = engine_.config.fuel,
                                           .strict = engine_.config.strict_memory,
                                           .most_body_bytes = kMostBodyBytes,
                                           .held = held_,
                                           .seen = seen_,
                                           .without = engine_.without.unit,
                                           .counts = engine_.optimisations ? &engine_.optimisations->unit : nullptr},
                                          unbounded);
    if (!machine) {
      if (machine.error().kind == ErrorKind::limit) return std::unexpected(machine.error());
      if (unit.size() == 1) return {};
      const std::size_t half = unit.size() / 2;
      WASI_TRY(compile_unit(compiler, unit.first(half)));
      return compile_unit(compiler, unit.subspan(half));
    }
    WASI_TRY(detail::native_of(code_).install(*machine, unbounded));
    const std::lock_guard lock(mutex_);
    for (const jit::UnitFunction& function : machine->functions) {
      optimised_[function.index.value - module_.imported_functions] = true;
    }
    return {};
  }

  void prepare(std::uint32_t function) {
    runtime::FunctionCode& code = record(function);
    const bool is_optimised = !optimised_.empty() && optimised_[function];
    if (!is_optimised) {
      const std::int64_t begin = thread_nanoseconds();
      runtime::Preparation unbounded;
      // What is wrong is told to whoever calls it.
      if (code.entry.load(std::memory_order_acquire) == nullptr) static_cast<void>(code_.prepare(code, unbounded));
      other_nanoseconds_ += thread_nanoseconds() - begin;
      advance(module_.bodies[function].size);
    }
  }

  void advance(std::uint64_t bytes) {
    if (!options_.progress) return;
    const std::lock_guard lock(mutex_);
    done_ = std::min(total_, done_ + bytes);
    options_.progress(done_, total_);
  }

  std::vector<TierMetrics> metrics(bool has_optimised) {
    TierMetrics optimised;
    optimised.tier = "llvm";
    TierMetrics other;
    other.tier = "baseline";
    optimised.translate.time = std::chrono::nanoseconds(optimising_nanoseconds_.load());
    other.translate.time = std::chrono::nanoseconds(other_nanoseconds_.load());
    for (std::uint32_t i = 0; i < module_.bodies.size(); ++i) {
      TierMetrics& tier = !optimised_.empty() && optimised_[i] ? optimised : other;
      tier.functions += 1;
      tier.translate.bytes += module_.bodies[i].size;
      if (!has_code(record(i))) tier.uncompiled += 1;
    }
    for (const jit::UnitImage& unit : detail::native_of(code_).units()) {
      (unit.functions.front().is_optimised ? optimised : other).code_bytes += unit.code.size();
    }
    if (!has_optimised) return {other};
    return {optimised, other};
  }

  const detail::EngineState& engine_;
  runtime::ModuleCode& code_;
  const Module::CompileOptions& options_;
  const wasm::Module& module_;
  std::atomic<std::int64_t> optimising_nanoseconds_{0};
  std::atomic<std::int64_t> other_nanoseconds_{0};
  std::vector<jit::HeldFunction> held_;
  std::vector<runtime::SeenCall> seen_;
  std::uint64_t total_ = 0;
  std::mutex mutex_;  // guards what follows while threads work, and is held to tell the progress
  std::vector<bool> optimised_;
  std::uint64_t done_ = 0;
};

Result<void> check_profile(const Profile& profile, const wasm::Module& module) {
  const std::string hash = detail::profile_hash(module);
  if (profile.module == hash) return {};
  return fail(ErrorKind::argument, "the profile is of another module: of {}, and this one is {}",
              profile.module.empty() ? "none" : profile.module, hash);
}

}  // namespace

Result<std::vector<TierMetrics>> Module::compile(const CompileOptions& options) const {
  return guarded([&]() -> Result<std::vector<TierMetrics>> {
    const detail::EngineState& engine = *state_->engine;
    const TierSelection tier = engine.config.tier;
    if (engine.code_space == nullptr || (tier != TierSelection::baseline && tier != TierSelection::optimising)) {
      return fail(ErrorKind::argument, "modules are compiled by engines whose tier is baseline or optimising");
    }
    if (options.profile != nullptr) WASI_TRY(check_profile(*options.profile, *state_->module));
    std::shared_ptr<jit::OptimisingCompiler> compiler;
    if (options.optimise != Optimise::nothing) {
      auto loaded = jit::load_optimising_compiler();
      if (loaded) {
        compiler = *std::move(loaded);
      } else if (options.optimise == Optimise::everything) {
        return std::unexpected(std::move(loaded).error());
      } else {
        engine.code_space->warn(loaded.error().message + "; all functions are compiled by the baseline compiler");
      }
    }
    const auto checks = detail::likely_checks(*state_->module, engine.config);
    runtime::ModuleCode& code = *state_->code()[static_cast<std::size_t>(checks)];
    if (code.may_recall.exchange(false)) code.recall();
    return Compilation(engine, code, options).run(std::move(compiler));
  });
}

}  // namespace wasi
