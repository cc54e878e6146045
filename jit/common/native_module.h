// The machine code of a module's functions: placed, entered into the code map, and made what callers get to.
//
// Code comes from a compiler, or from an image of the module that was compiled before (code_image.h), a unit at a time.
// It stays until the module goes, when no call of it is in progress. A function gets its code once, and once more when
// it was optimised: of two compilations of a kind the second is dropped before anyone has seen it. Thread-safe.
#pragma once

#include <wasi/error.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "jit/common/adapter_cache.h"
#include "jit/common/code_image.h"
#include "jit/common/code_space.h"
#include "jit/common/machine_code.h"
#include "jit/common/optimising_compiler.h"
#include "runtime/code_entry.h"
#include "runtime/module_code.h"
#include "runtime/preparation.h"
#include "runtime/tier.h"

namespace wasi::jit {

class NativeModule {
 public:
  // Both outlive it; it is a part of the module.
  NativeModule(CodeSpace& space, runtime::ModuleCode& module);
  ~NativeModule();
  NativeModule(const NativeModule&) = delete;
  NativeModule& operator=(const NativeModule&) = delete;

  // Bytes that install() has taken for the function: what calls get to from now on, through both entries. `function` is
  // a filled record of the module's. Zero where the function had code already. An Error changes nothing. Throws
  // std::bad_alloc.
  Result<std::uint64_t> install(runtime::FunctionCode& function, const MachineCode& machine,
                                runtime::Preparation& preparation);

  // The same for functions that were optimised together, and take the place of others' code: those that had such code
  // already are called by the others alone. What goes on in loops is found by loop_target() from now on.
  Result<std::uint64_t> install(const MachineUnit& machine, runtime::Preparation& preparation);

  // Code of this very module, compiled before, for the same way of checking bounds: bind() finds it from now on. Once.
  void attach(std::shared_ptr<const CodeImage> image);
  // Functions that run already, without machine code, get what the image has of them.
  void bind_running();
  [[nodiscard]] bool has_image() const { return image_.load(std::memory_order_acquire) != nullptr; }
  // Whether the image had code for the function, which is installed then; the others of its unit are, too. `function`
  // is a filled record. An Error changes nothing: `malformed` where the code is damaged, which is also told as a
  // warning.
  Result<bool> bind(runtime::FunctionCode& function, runtime::Preparation& preparation);

  // All code that functions have now, and what of the image's nobody has called yet, in the order of functions. Views
  // that live as long as the module. Damaged parts of the image are left out.
  std::vector<UnitImage> units();
  struct Counts {
    std::uint64_t compiled = 0;  // functions, by install()
    std::uint64_t bound = 0;     // of an image
    std::uint64_t compiled_bytes = 0;
    std::uint64_t bound_bytes = 0;
  };
  [[nodiscard]] Counts counts();

  // The native entry of a function without machine code: an adapter to its slot entry.
  runtime::NativeEntry entry_to_slots(const runtime::FunctionCode& function);

  // Of a function whose native_code is there, but perhaps not yet its entry.
  [[nodiscard]] static runtime::SlotEntry slot_entry(const runtime::FunctionCode& function);
  // See runtime::Tier.
  [[nodiscard]] std::optional<runtime::LoopTarget> loop_target(const runtime::FunctionCode& function,
                                                               std::uint64_t wasm_offset);
  // Where optimised code goes on in the loop, which takes the slots of a frame; null: there is none.
  [[nodiscard]] const void* optimised_loop(std::uint32_t function, std::uint64_t wasm_offset);
  [[nodiscard]] static const void* tail_entry(const runtime::FunctionCode& function);
  [[nodiscard]] static runtime::CallEntry call_entry(const runtime::FunctionCode& function);

 private:
  struct Function;
  struct Unit;
  std::shared_ptr<Adapters> adapters_of(const runtime::FunctionCode& function);
  // `locals`: of each function, where they are known.
  Result<std::unique_ptr<Unit>> make_unit(UnitImage image, PlacedCode code, std::shared_ptr<const void> tables,
                                          std::span<const std::span<const LocalPlace>> locals = {});
  // Those that listen, of a function of placed code.
  void tell(PlacedCode& code, const FunctionImage& function, std::span<const LocalPlace> locals);
  Result<std::unique_ptr<Function>> make_function(FunctionImage image, const Unit& unit);
  std::uint64_t publish(std::unique_ptr<Unit> unit);

  CodeSpace& space_;
  // Decoded for the first listener that wants it.
  struct Source;
  std::once_flag source_once_;
  std::unique_ptr<const Source> source_;
  runtime::ModuleCode& module_;
  std::atomic<const CodeImage*> image_{nullptr};
  std::shared_ptr<const CodeImage> image_owner_;
  std::mutex binding_;  // held while a unit of the image is bound
  std::vector<bool> bound_units_;
  bool has_warned_ = false;

  std::mutex mutex_;  // guards all below, and is held while a function gets its code
  std::vector<std::unique_ptr<Unit>> units_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, const Function*> loops_;  // by function and offset
  Counts counts_;

  std::mutex adapters_mutex_;
  std::vector<std::shared_ptr<Adapters>> adapters_;  // by type, of those whose functions have code or an entry
};

// What a tier with machine code has of a module.
class NativeTierModule : public runtime::TierModule {
 public:
  NativeTierModule(CodeSpace& space, runtime::ModuleCode& module) : native(space, module) {}
  NativeModule native;
};

}  // namespace wasi::jit
