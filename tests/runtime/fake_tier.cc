#include "fake_tier.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "binary/decoder.h"
#include "support/wat.h"
#include "validate/validator.h"

// The linker's names for the section of FAKE_GUEST_CODE.
extern "C" const char __start_fake_guest_code[];  // NOLINT(bugprone-reserved-identifier)
extern "C" const char __stop_fake_guest_code[];   // NOLINT(bugprone-reserved-identifier)

namespace wasi::runtime::test {

namespace {

class FakeModule : public TierModule {};

// The section exists even where a test binary has no other function in it.
FAKE_GUEST_CODE [[gnu::used]] void section_anchor() {}

}  // namespace

std::unique_ptr<TierModule> FakeTier::create_module(ModuleCode& /*module*/) { return std::make_unique<FakeModule>(); }

Result<SlotEntry> FakeTier::prepare(ModuleCode& module, TierModule& /*own*/, FunctionCode& code,
                                    Preparation& /*preparation*/) {
  ++prepared;
  const std::string_view function = module.names().function(wasm::FuncIndex(code.index)).value_or("");
  const auto found = functions.find(function);
  if (found == functions.end()) {
    return std::unexpected(Error{ErrorKind::invalid, "no fake function $" + std::string(function), 7});
  }
  return found->second;
}

std::optional<std::uint64_t> FakeTier::offset_of(const Frame& frame) const {
  if (frame.resume == nullptr) return std::nullopt;
  return reinterpret_cast<std::uint64_t>(frame.resume);
}

bool FakeTier::owns_pc(std::uintptr_t pc) const {
  return pc >= reinterpret_cast<std::uintptr_t>(__start_fake_guest_code) &&
         pc < reinterpret_cast<std::uintptr_t>(__stop_fake_guest_code);
}

const void* FakeTier::resume_of_fault(const ExecState& /*exec*/, std::uintptr_t /*pc*/,
                                      const std::uint64_t* /*registers*/, std::size_t /*register_count*/) const {
  return reinterpret_cast<const void*>(kFaultOffset);
}

void call_import(VmContext* instance, std::uint32_t index, Slot* slots) {
  FuncRef& function = *instance->imported_functions[index];
  entry_of(function.instance, *function.code)(function.instance, slots, function.code);
}

void call_defined(VmContext* instance, std::uint32_t defined_index, Slot* slots) {
  FunctionCode& code = instance->functions[defined_index];
  entry_of(instance, code)(instance, slots, &code);
}

World::World(StoreOptions options) : store(std::make_unique<Store>(registry, options)) {}

World::World(StoreOptions options, std::unique_ptr<Tier> real)
    : real_tier(std::move(real)), store(std::make_unique<Store>(registry, options)) {}

World::Code World::compile(std::string_view wat) {
  // Our validator judges; wabt's refuses some of Wasm 3.0.
  return compile(wasi::test::wat(wat, "--debug-names --no-check"));
}

World::Code World::compile(const std::vector<std::uint8_t>& binary) {
  auto bytes = std::make_shared<const std::vector<std::uint8_t>>(binary);
  auto module = binary::decode_module({*bytes, bytes}, registry);
  if (!module) FAIL(module.error().to_string());
  if (auto valid = validate::validate_module(**module); !valid) FAIL(valid.error().to_string());
  Tier& used_tier = real_tier != nullptr ? *real_tier : tier;
  return {std::make_shared<ModuleCode>(*module, used_tier, BoundsChecks::guard_pages, false),
          std::make_shared<ModuleCode>(*module, used_tier, BoundsChecks::explicit_checks, false)};
}

std::expected<Instance*, Store::InstantiationFailure> World::try_instantiate(std::string_view wat,
                                                                             std::vector<External> imports) {
  const Code code = compile(wat);
  return store->instantiate(std::span<const std::shared_ptr<ModuleCode>, kBoundsCheckModes>(code), imports);
}

Instance& World::instantiate(std::string_view wat, std::vector<External> imports) {
  auto instance = try_instantiate(wat, std::move(imports));
  if (!instance && instance.error().error) FAIL(instance.error().error->to_string());
  if (!instance) FAIL(instance.error().trap->to_string());
  return **instance;
}

Instance& World::instantiate(const std::vector<std::uint8_t>& binary) {
  const Code code = compile(binary);
  const auto instance = store->instantiate(std::span<const std::shared_ptr<ModuleCode>, kBoundsCheckModes>(code), {});
  REQUIRE(instance.has_value());
  return **instance;
}

std::string World::instantiation_error(std::string_view wat, std::vector<External> imports) {
  const auto instance = try_instantiate(wat, std::move(imports));
  REQUIRE_FALSE(instance.has_value());
  REQUIRE(instance.error().error.has_value());
  return std::string(name_of(instance.error().error->kind)) + ": " + instance.error().error->message;
}

std::string World::instantiation_trap(std::string_view wat, std::vector<External> imports) {
  const auto instance = try_instantiate(wat, std::move(imports));
  REQUIRE_FALSE(instance.has_value());
  REQUIRE(instance.error().trap.has_value());
  return instance.error().trap->message;
}

HostFunction* World::host_function(std::vector<wasm::ValType> params, std::vector<wasm::ValType> results, HostBody body,
                                   std::shared_ptr<void> data) {
  const auto type = registry->add_func({.params = std::move(params), .results = std::move(results)});
  REQUIRE(type.has_value());
  return store->add_host_function(type->id(), body, std::move(data));
}

std::expected<void, Trap> World::call(Instance& instance, std::string_view function, std::span<Slot> slots) {
  const auto found = instance.find_export(function);
  REQUIRE(found.has_value());
  REQUIRE(found->kind == wasm::ExternalKind::func);
  return store->call(*found->func, slots);
}

int run_hidden_test(const std::string& name) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl("/proc/self/exe", "tests", name.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  REQUIRE(child > 0);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace wasi::runtime::test
