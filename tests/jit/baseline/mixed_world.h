// A store with modules of which some functions have machine code and others none.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "binary/decoder.h"
#include "binary/names.h"
#include "interp/interpreter.h"
#include "jit/baseline/baseline_tier.h"
#include "runtime/instance.h"
#include "runtime/store.h"
#include "text/text.h"
#include "validate/validator.h"

namespace wasi::jit::baseline {

// Functions named $i... are left to the interpreter.
inline Result<MachineCode> compile_some(const wasm::Module& module, wasm::FuncIndex function, bool validated,
                                        const CompileOptions& options, runtime::Preparation& preparation) {
  if (binary::decode_names(module).function(function).value_or("").starts_with("i")) {
    return fail(ErrorKind::limit, "it is to be interpreted");
  }
  return compile(module, function, validated, options, preparation);
}

class MixedWorld {
 public:
  runtime::Instance& instantiate(std::string_view wat, std::vector<runtime::External> imports = {}) {
    auto bytes = std::make_shared<const std::vector<std::uint8_t>>(text::encode_module(wat).value());
    const auto module = binary::decode_module({*bytes, bytes}, registry_).value();
    REQUIRE(validate::validate_module(*module).has_value());
    const std::shared_ptr<runtime::ModuleCode> code[] = {
        std::make_shared<runtime::ModuleCode>(module, tier_, runtime::BoundsChecks::guard_pages, false),
        std::make_shared<runtime::ModuleCode>(module, tier_, runtime::BoundsChecks::explicit_checks, false)};
    const auto instance = store.instantiate(code, imports);
    REQUIRE(instance.has_value());
    return **instance;
  }
  std::expected<std::uint64_t, Trap> call(runtime::Instance& instance, std::string_view function,
                                          std::uint64_t argument) {
    std::vector<runtime::Slot> slots(1);
    slots[0].u64 = argument;
    const auto done = store.call(*instance.find_export(function)->func, slots);
    if (!done) return std::unexpected(done.error());
    return slots[0].u64;
  }

 private:
  CodeSpace space_;
  BaselineTier tier_{space_, interp::make_interpreter(), compile_some};
  std::shared_ptr<wasm::TypeRegistry> registry_ = std::make_shared<wasm::TypeRegistry>();

 public:
  runtime::Store store{registry_, {}};
};

}  // namespace wasi::jit::baseline
