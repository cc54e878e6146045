// A tier whose functions are C++ functions of the test, found by their Wasm name: the runtime is tested
// without anything that reads bodies.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/instance.h"
#include "runtime/store.h"
#include "runtime/trap_raise.h"
#include "wasm/type_registry.h"

// Puts a function where the fake tier says that its code is, so that its faults are guest faults.
#define FAKE_GUEST_CODE [[gnu::section("fake_guest_code"), gnu::noinline]]

namespace wasi::runtime::test {

class FakeTier : public Tier {
 public:
  std::map<std::string, SlotEntry, std::less<>> functions;
  int prepared = 0;

  [[nodiscard]] const char* name() const override { return "fake"; }
  std::unique_ptr<TierModule> create_module(ModuleCode& module) override;
  // Refuses functions that the test did not name.
  Result<SlotEntry> prepare(ModuleCode& module, TierModule& own, FunctionCode& code, Preparation& preparation) override;
  // Frame::resume is the offset itself.
  [[nodiscard]] std::optional<std::uint64_t> offset_of(const Frame& frame) const override;
  [[nodiscard]] const Slot* frame_end(const Frame& frame) const override { return frame.slots; }
  [[nodiscard]] bool owns_pc(std::uintptr_t pc) const override;
  [[nodiscard]] const void* resume_of_fault(const ExecState& exec, std::uintptr_t pc, const std::uint64_t* registers,
                                            std::size_t register_count) const override;
  [[nodiscard]] std::vector<TierStatistics> statistics() const override { return {}; }
};

// What resume_of_fault of the fake tier answers.
inline constexpr std::uint64_t kFaultOffset = 0xFA;

// The record of a fake function's call. As with all guest code, a trap does not run its destructor.
class FakeFrame {
 public:
  FakeFrame(VmContext* instance, Slot* slots, FunctionCode* self, std::uint64_t offset = 0) : exec_(*instance->exec) {
    frame_ = {.caller = exec_.top, .instance = instance, .function = self, .slots = slots, .resume = nullptr};
    stand_at(offset);
    exec_.top = &frame_;
    // Whoever reads the record may come from a fault, of which the compiler knows nothing.
    asm volatile("" ::: "memory");
  }
  ~FakeFrame() {
    asm volatile("" ::: "memory");
    exec_.top = frame_.caller;
  }
  FakeFrame(const FakeFrame&) = delete;
  FakeFrame& operator=(const FakeFrame&) = delete;

  void stand_at(std::uint64_t offset) { frame_.resume = reinterpret_cast<const void*>(offset); }

 private:
  ExecState& exec_;
  Frame frame_;
};

// Calls an imported or defined function as guest code does, with arguments laid at `slots`.
void call_import(VmContext* instance, std::uint32_t index, Slot* slots);
void call_defined(VmContext* instance, std::uint32_t defined_index, Slot* slots);

// A registry, a tier and a store, and modules given as WAT.
class World {
 public:
  explicit World(StoreOptions options = {});
  // Functions run in `real_tier` instead of the fake one.
  World(StoreOptions options, std::unique_ptr<Tier> real_tier);

  FakeTier tier;
  std::unique_ptr<Tier> real_tier;
  std::shared_ptr<wasm::TypeRegistry> registry = std::make_shared<wasm::TypeRegistry>();
  std::unique_ptr<Store> store;

  using Code = std::vector<std::shared_ptr<ModuleCode>>;
  // Decodes and validates the module's frame; the bodies are the fake tier's business.
  Code compile(std::string_view wat);
  Code compile(const std::vector<std::uint8_t>& binary);
  std::expected<Instance*, Store::InstantiationFailure> try_instantiate(std::string_view wat,
                                                                        std::vector<External> imports = {});
  // Fails the test where the instantiation does.
  Instance& instantiate(std::string_view wat, std::vector<External> imports = {});
  Instance& instantiate(const std::vector<std::uint8_t>& binary);
  std::string instantiation_error(std::string_view wat, std::vector<External> imports = {});
  std::string instantiation_trap(std::string_view wat, std::vector<External> imports = {});

  HostFunction* host_function(std::vector<wasm::ValType> params, std::vector<wasm::ValType> results, HostBody body,
                              std::shared_ptr<void> data = nullptr);

  std::expected<void, Trap> call(Instance& instance, std::string_view function, std::span<Slot> slots = {});
};

// Runs this test binary's hidden test case in a process of its own. Exit code, or 128 plus the signal.
int run_hidden_test(const std::string& name);

}  // namespace wasi::runtime::test
