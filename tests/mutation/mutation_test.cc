// Damaged modules through everything: decoding, validation, instantiation and a run. Whatever the damage, the end
// is an error, a trap or a normal one: never a crash (the sanitizers watch), never a hang (the deadline ends it).
//
// A failing case is the last line of the file that WASIRUN_MUTATION_LOG names: "module seed".
#include "mutation/mutate.h"

#include <wasi/wasi.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "support/shared.h"

using namespace wasi;

namespace {

struct Tally {
  int rejected = 0;    // by decoder or validator
  int refused = 0;     // at instantiation
  int trapped = 0;     // in the run
  int bad_bodies = 0;  // of those: a body that lazy validation found wrong
  int finished = 0;    // at least one function ran to its end
  int timed_out = 0;
};

// Gives a module whatever it asks for: host functions that return zeros, and objects of the types it names.
Result<void> define_imports(Linker& linker, Store& store, const Module& module) {
  linker.allow_redefinition(true);  // a name may be imported more than once
  linker.define_wasi(WasiConfig().args({"mutated", "argument"}).env("NAME", "value"));
  for (const ImportType& import : module.imports()) {
    if (import.module == "wasi_snapshot_preview1") continue;
    if (const auto* function = std::get_if<FunctionType>(&import.type.type)) {
      linker.define_untyped(
          import.module, import.name, *function,
          [](Caller&, std::span<const Value>, std::span<Value>) { return std::expected<void, Trap>{}; });
    } else if (const auto* memory = std::get_if<MemoryType>(&import.type.type)) {
      auto made = Memory::create(store, *memory);
      if (!made) return std::unexpected(made.error());
      linker.define(import.module, import.name, *made);
    } else if (const auto* table = std::get_if<TableType>(&import.type.type)) {
      auto made = Table::create(store, *table, Value::zero_of(table->element));
      if (!made) return std::unexpected(made.error());
      linker.define(import.module, import.name, *made);
    } else if (const auto* global = std::get_if<GlobalType>(&import.type.type)) {
      auto made = Global::create(store, *global, Value::zero_of(global->type));
      if (!made) return std::unexpected(made.error());
      linker.define(import.module, import.name, *made);
    }
  }
  return {};
}

// Calls _start and a few other exports with zeros.
void run_exports(const Instance& instance, const Module& module, Tally& tally) {
  int calls = 0;
  bool finished = false;
  for (const ExportType& item : module.exports()) {
    const auto* type = std::get_if<FunctionType>(&item.type.type);
    if (type == nullptr || ++calls > 4) continue;
    const auto function = instance.func(item.name);
    REQUIRE(function);
    std::vector<Value> arguments;
    for (const ValueType param : type->params) arguments.push_back(Value::zero_of(param));
    const auto result = function->call(arguments);
    if (result || result.error().is_exit()) {
      finished = true;
      continue;
    }
    REQUIRE_FALSE(result.error().message.empty());
    if (result.error().code == TrapCode::deadline_exceeded) {
      ++tally.timed_out;
      return;
    }
    if (result.error().code == TrapCode::invalid_function) ++tally.bad_bodies;
    ++tally.trapped;
  }
  if (finished) ++tally.finished;
}

void run_case(const Engine& engine, bool gc_stress, std::vector<std::uint8_t> bytes, Tally& tally) {
  const auto module = Module::from_bytes(engine, std::move(bytes));
  if (!module) {
    REQUIRE_FALSE(module.error().message.empty());
    ++tally.rejected;
    return;
  }
  Store store(engine, {.memory_limit = 32 << 20,
                       .table_limit = 100'000,
                       .stack_size = 256 << 10,
                       .gc_heap_limit = 4 << 20,
                       .gc_stress = gc_stress,
                       .deadline = std::chrono::milliseconds(15)});
  Linker linker(engine);
  if (const auto defined = define_imports(linker, store, *module); !defined) {
    ++tally.refused;
    return;
  }
  const auto instance = linker.instantiate(store, *module);
  if (!instance) {
    REQUIRE_FALSE(instance.error().to_string().empty());
    ++tally.refused;
    return;
  }
  run_exports(*instance, *module, tally);
}

// `rounds` damaged copies of each module, in turn under each way of validation and of bounds checking.
Tally run_all(std::span<const std::filesystem::path> modules, std::uint64_t first_seed, int rounds) {
  std::vector<Engine> engines;
  for (const Validation validation : {Validation::eager, Validation::lazy}) {
    for (const BoundsChecks checks : {BoundsChecks::guard_pages, BoundsChecks::explicit_checks}) {
      engines.push_back(Engine::create({.validation = validation, .bounds_checks = checks}).value());
    }
  }
  const char* log_path = std::getenv("WASIRUN_MUTATION_LOG");
  std::ofstream log(log_path != nullptr ? log_path : "/dev/null");
  Tally tally;
  for (const auto& path : modules) {
    const std::vector<std::uint8_t> original = test::read_file(path);
    for (int round = 0; round < rounds; ++round) {
      const std::uint64_t seed = first_seed + static_cast<std::uint64_t>(round);
      INFO(path.filename().string() << ", seed " << seed);
      log << path.string() << " " << seed << std::endl;
      test::Random random(seed ^ original.size());
      const auto turn = static_cast<std::size_t>(round);
      run_case(engines[turn % engines.size()], turn / engines.size() % 2 == 0, test::mutate(original, random), tally);
    }
  }
  WARN(modules.size() << " modules, " << rounds << " rounds: " << tally.rejected << " rejected, " << tally.refused
                      << " refused at instantiation, " << tally.trapped << " traps (" << tally.bad_bodies
                      << " of them bad bodies), " << tally.finished << " finished, " << tally.timed_out
                      << " stopped by the deadline");
  return tally;
}

// The modules below shared/bench whose size is in a range.
std::vector<std::filesystem::path> modules_of_size(std::uintmax_t from, std::uintmax_t below) {
  std::vector<std::filesystem::path> found;
  for (const auto& path : test::shared_modules()) {
    const auto size = std::filesystem::file_size(path);
    if (size >= from && size < below) found.push_back(path);
  }
  return found;
}

}  // namespace

TEST_CASE("a seed gives the same damage every time") {
  const std::vector<std::uint8_t> module(1000, 7);
  test::Random first(5);
  test::Random second(5);
  test::Random other(6);
  for (int i = 0; i < 100; ++i) CHECK(test::mutate(module, first) == test::mutate(module, second));
  test::Random again(5);
  CHECK(test::mutate(module, again) != test::mutate(module, other));
}

TEST_CASE("damaged small modules end in an error, a trap or a normal end") {
  const auto modules = modules_of_size(0, 40'000);
  if (modules.empty()) return;
  const Tally tally = run_all(modules, 1000, 160);
  CHECK(tally.rejected > 0);
  CHECK(tally.trapped > 0);
  CHECK(tally.bad_bodies > 0);
  CHECK(tally.finished > 0);
}

TEST_CASE("damaged middle-sized modules end in an error, a trap or a normal end") {
  const auto modules = modules_of_size(40'000, 250'000);
  if (modules.empty()) return;
  const Tally tally = run_all(modules, 2000, 60);
  CHECK(tally.rejected > 0);
  CHECK(tally.trapped > 0);
}

TEST_CASE("damaged large modules end in an error, a trap or a normal end") {
  const auto modules = modules_of_size(250'000, UINTMAX_MAX);
  if (modules.empty()) return;
  const Tally tally = run_all(modules, 3000, 60);
  CHECK(tally.rejected > 0);
  CHECK(tally.trapped > 0);
}
