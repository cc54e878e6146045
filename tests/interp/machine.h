// A small machine for the interpreter's tests: modules from WAT, calls with plain numbers.
#pragma once

#include <wasi/trap.h>

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "interp/interpreter.h"
#include "runtime/instance.h"
#include "runtime/store.h"

namespace wasi::interp::test {

// How code is made and memory is kept: every test that says nothing else holds for all of them.
struct Mode {
  CodeStyle style = CodeStyle::fused;
  runtime::BoundsChecks checks = runtime::BoundsChecks::guard_pages;
};
inline constexpr Mode kModes[] = {
    {CodeStyle::fused, runtime::BoundsChecks::guard_pages},
    {CodeStyle::fused, runtime::BoundsChecks::explicit_checks},
    {CodeStyle::folded, runtime::BoundsChecks::guard_pages},
    {CodeStyle::plain, runtime::BoundsChecks::guard_pages},
    {CodeStyle::plain, runtime::BoundsChecks::explicit_checks},
};
std::string describe(Mode mode);

// As in slots: a v128 is two.
using Values = std::vector<std::uint64_t>;

class Machine {
 public:
  explicit Machine(Mode mode = {}, runtime::StoreLimits limits = {}, bool gc_stress = false);
  // With another tier than the interpreter, and a policy that may be null.
  Machine(std::unique_ptr<runtime::Tier> tier, runtime::TierPolicy* policy, Mode mode = {},
          runtime::StoreLimits limits = {});

  // A host function "env" "<name>".
  void define(std::string name, std::vector<wasm::ValType> params, std::vector<wasm::ValType> results,
              runtime::HostBody body, std::shared_ptr<void> data = nullptr);
  // Imports are looked for among the host functions and, as "<name given here>" "<export>", in earlier instances.
  runtime::Instance& instantiate(std::string_view wat, std::string name = "");
  runtime::Instance& instantiate(const std::vector<std::uint8_t>& binary, std::string name = "");

  // A shared memory, to be imported as `module` "memory".
  void share(std::string module, const std::shared_ptr<runtime::MemoryStorage>& storage);

  // The newest instance's export, or that of `instance`. Results as slots; i32 and f32 zero-extended.
  std::expected<Values, Trap> call(std::string_view function, const Values& arguments = {});
  std::expected<Values, Trap> call(runtime::Instance& instance, std::string_view function, const Values& arguments);
  // For calls that do not trap and have one result.
  std::uint64_t value(std::string_view function, const Values& arguments = {});
  // For calls that trap: "integer divide by zero @ 0x2f" with the innermost frame's offset.
  std::string trap(std::string_view function, const Values& arguments = {});

  runtime::Store& store() { return *store_; }
  runtime::Instance& newest() { return *newest_; }
  runtime::Tier& tier() { return *tier_; }

 private:
  std::unique_ptr<runtime::Tier> tier_;
  runtime::TierPolicy* policy_ = nullptr;
  std::shared_ptr<wasm::TypeRegistry> registry_;
  std::vector<std::shared_ptr<runtime::ModuleCode>> codes_;
  std::unique_ptr<runtime::Store> store_;
  std::map<std::string, runtime::HostFunction*, std::less<>> host_;
  std::map<std::string, runtime::Instance*, std::less<>> instances_;
  std::map<std::string, runtime::Memory*, std::less<>> memories_;
  runtime::Instance* newest_ = nullptr;
};

// The code of a module's first function, printed.
std::string code_of(std::string_view wat, Mode mode = {.style = CodeStyle::folded});

}  // namespace wasi::interp::test
