#include "machine.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "binary/decoder.h"
#include "interp/printer.h"
#include "interp/translate.h"
#include "runtime/module_code.h"
#include "support/wat.h"
#include "text/text.h"
#include "validate/validator.h"

namespace wasi::interp::test {

using runtime::BoundsChecks;
using runtime::External;
using runtime::Instance;
using runtime::ModuleCode;
using runtime::Slot;

namespace {

std::shared_ptr<wasm::Module> decode(const std::vector<std::uint8_t>& binary,
                                     const std::shared_ptr<wasm::TypeRegistry>& registry) {
  auto bytes = std::make_shared<std::vector<std::uint8_t>>(binary);
  auto module = binary::decode_module({*bytes, bytes}, registry);
  if (!module) FAIL(module.error().to_string());
  const auto valid = validate::validate_module(**module);
  if (!valid) FAIL(valid.error().to_string());
  return *module;
}

std::uint64_t as_value(Slot slot, wasm::ValType type) {
  return type == wasm::kI32 || type == wasm::kF32 ? slot.u32 : slot.u64;
}

}  // namespace

std::string describe(Mode mode) {
  return fmt::format("{} code, {}",
                     mode.style == CodeStyle::fused    ? "fused"
                     : mode.style == CodeStyle::folded ? "folded"
                                                       : "plain",
                     mode.checks == BoundsChecks::guard_pages ? "guard pages" : "explicit checks");
}

Machine::Machine(Mode mode, runtime::StoreLimits limits, bool gc_stress)
    : tier_(make_interpreter({.style = mode.style})),
      registry_(std::make_shared<wasm::TypeRegistry>()),
      store_(std::make_unique<runtime::Store>(registry_, runtime::StoreOptions{limits, mode.checks, gc_stress})) {}

Machine::Machine(std::unique_ptr<runtime::Tier> tier, runtime::TierPolicy* policy, Mode mode,
                 runtime::StoreLimits limits)
    : tier_(std::move(tier)),
      policy_(policy),
      registry_(std::make_shared<wasm::TypeRegistry>()),
      store_(std::make_unique<runtime::Store>(registry_, runtime::StoreOptions{limits, mode.checks})) {}

void Machine::define(std::string name, std::vector<wasm::ValType> params, std::vector<wasm::ValType> results,
                     runtime::HostBody body, std::shared_ptr<void> data) {
  const auto type = registry_->add_func({std::move(params), std::move(results)});
  host_[std::move(name)] = store_->add_host_function(type->id(), body, std::move(data));
}

void Machine::share(std::string module, const std::shared_ptr<runtime::MemoryStorage>& storage) {
  memories_[std::move(module)] = *store_->add_memory(storage);
}

Instance& Machine::instantiate(std::string_view wat, std::string name) {
  return instantiate(wasi::test::wat(wat), std::move(name));
}

Instance& Machine::instantiate(const std::vector<std::uint8_t>& binary, std::string name) {
  const auto module = decode(binary, registry_);
  const std::shared_ptr<ModuleCode> code[] = {
      std::make_shared<ModuleCode>(module, *tier_, BoundsChecks::guard_pages, false),
      std::make_shared<ModuleCode>(module, *tier_, BoundsChecks::explicit_checks, false)};
  for (const auto& one : code) one->policy = policy_;
  codes_.insert(codes_.end(), std::begin(code), std::end(code));
  std::vector<External> imports;
  for (const wasm::Import& import : module->imports) {
    if (import.module == "env") {
      const auto found = host_.find(import.name);
      REQUIRE(found != host_.end());
      imports.emplace_back(&found->second->ref);
    } else if (const auto memory = memories_.find(import.module); memory != memories_.end()) {
      imports.emplace_back(memory->second);
    } else {
      const auto found = instances_.find(import.module);
      REQUIRE(found != instances_.end());
      const auto external = found->second->find_export(import.name);
      REQUIRE(external.has_value());
      imports.push_back(*external);
    }
  }
  const auto instance = store_->instantiate(code, imports);
  if (!instance) {
    FAIL((instance.error().error ? instance.error().error->to_string() : instance.error().trap->to_string()));
  }
  newest_ = *instance;
  if (!name.empty()) instances_[name] = newest_;
  return *newest_;
}

std::expected<Values, Trap> Machine::call(std::string_view function, const Values& arguments) {
  return call(*newest_, function, arguments);
}

std::expected<Values, Trap> Machine::call(Instance& instance, std::string_view function, const Values& arguments) {
  // Nothing of Catch2 unless it fails: machines of several threads call at once.
  const auto external = instance.find_export(function);
  if (!external) FAIL("there is no export " << function);
  runtime::FuncRef& callee = *external->func;
  const wasm::FuncType& type = registry_->at(callee.type).func;
  if (wasm::slot_count(type.params) != arguments.size()) {
    FAIL(function << " is called with " << arguments.size() << " slots of arguments");
  }
  std::vector<Slot> slots(std::max(wasm::slot_count(type.params), wasm::slot_count(type.results)));
  std::size_t slot = 0;
  for (const wasm::ValType param : type.params) {
    // The high half of a narrow value is anything.
    const bool is_narrow = as_value({.u64 = UINT64_MAX}, param) != UINT64_MAX;
    for (std::uint32_t i = 0; i < param.slots(); ++i, ++slot) {
      slots[slot].u64 = is_narrow ? arguments[slot] | 0xABCD'EF01'0000'0000 : arguments[slot];
    }
  }
  const auto outcome = store_->call(callee, slots);
  if (!outcome) return std::unexpected(outcome.error());
  Values results;
  for (const wasm::ValType result : type.results) {
    for (std::uint32_t i = 0; i < result.slots(); ++i) results.push_back(as_value(slots[results.size()], result));
  }
  return results;
}

std::uint64_t Machine::value(std::string_view function, const Values& arguments) {
  const auto results = call(function, arguments);
  if (!results) FAIL(results.error().to_string());
  if (results->size() != 1) FAIL(function << " has " << results->size() << " results");
  return results->front();
}

std::string Machine::trap(std::string_view function, const Values& arguments) {
  const auto results = call(function, arguments);
  if (results) return "no trap";
  const Trap& trap = results.error();
  if (trap.backtrace.empty() || !trap.backtrace.front().offset) return trap.message;
  return fmt::format("{} @ {:#x}", trap.message, *trap.backtrace.front().offset);
}

std::string code_of(std::string_view wat, Mode mode) {
  // Our own encoder: wabt does not know all instructions.
  const auto module = decode(text::encode_module(wat).value(), std::make_shared<wasm::TypeRegistry>());
  Translator translator({.checks = mode.checks, .style = mode.style});
  runtime::Preparation unbounded;
  const auto translated = translate(translator, *module, wasm::FuncIndex(module->imported_functions), false, unbounded);
  if (!translated) return translated.error().to_string() + "\n";
  return print_code(translator.code());
}

}  // namespace wasi::interp::test
