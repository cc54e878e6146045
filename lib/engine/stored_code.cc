#include "engine/stored_code.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "base/guard.h"
#include "base/result.h"
#include "engine/build_id.h"
#include "engine/state.h"
#include "os/entropy.h"
#include "runtime/native_tuning.h"

namespace wasi::detail {

namespace {

// What is written is written whole, with the module. So much more code than there was, since it is hot, is worth it at
// once, or so much of module and code together that merely ran: the next runs take longer without than it does. Less is
// written now and then, the more seldom the less it is: so it is kept some time, and until then no more was lost.
constexpr std::uint64_t kWorthWritingHot = 64;
constexpr std::uint64_t kWorthWriting = 96;
constexpr std::uint64_t kRunsPerWriting = 8;

constexpr std::uint64_t kCodeBytesPerBodyByte = 2;  // at least, of the baseline's code

// Smaller ones are read in less time than it takes to ask for them.
constexpr std::uint64_t kLeastKnownFile = 1U << 20;

enum class CodeKind : std::uint8_t { none, quick, optimised };

CodeKind kind_of(const jit::FunctionImage& function) {
  return function.is_optimised ? CodeKind::optimised : CodeKind::quick;
}

// `units`, and those of the image whose functions they have no such good code of, in the place of what they have: who
// optimised a module while others ran it did not do so in vain.
std::vector<jit::UnitImage> with_better(std::vector<jit::UnitImage> units, const jit::CodeImage& image,
                                        const wasm::Module& module) {
  const std::uint32_t imported = module.imported_functions;
  std::vector<CodeKind> kinds(module.bodies.size());
  for (const jit::UnitImage& unit : units) {
    for (const jit::FunctionImage& function : unit.functions) kinds[function.function - imported] = kind_of(function);
  }
  const auto is_better = [&](const jit::FunctionImage& function) {
    const std::size_t defined = std::size_t{function.function} - imported;
    return defined < kinds.size() && kinds[defined] < kind_of(function);
  };
  std::vector<jit::UnitImage> better;
  for (std::uint32_t number = 0; number < image.unit_count(); ++number) {
    auto unit = image.unit(number);
    if (unit && std::ranges::all_of(unit->functions, is_better)) better.push_back(*std::move(unit));
  }
  std::vector<bool> is_replaced(module.bodies.size());
  for (const jit::UnitImage& unit : better) {
    for (const jit::FunctionImage& function : unit.functions) is_replaced[function.function - imported] = true;
  }
  std::erase_if(units, [&](const jit::UnitImage& unit) {
    return std::ranges::any_of(unit.functions, [&](const jit::FunctionImage& function) {
      return static_cast<bool>(is_replaced[function.function - imported]);
    });
  });
  std::ranges::move(better, std::back_inserter(units));
  return units;
}

}  // namespace

const std::string& StoredCode::name() {
  if (name_.empty()) name_ = CodeCache::name_of(target_(), module_->bytes.data);
  return name_;
}

void StoredCode::recall(jit::NativeModule& native) {
  // Where there is no memory for it there is no code.
  static_cast<void>(guarded([&] {
    const std::lock_guard lock(mutex_);
    found_ = cache_->find(name(), module_->bytes.data);
    if (!found_) return;
    // The file has the module, too, and processes that run the same share it.
    if (content_ != nullptr) content_->share(found_->image->module());
    note_file();
    native.attach(found_->image);
    native.bind_running();
  }));
}

void StoredCode::note_file() {
  if (file_) cache_->note_file(*file_, file_options_, name());
}

bool StoredCode::is_worth_writing(std::uint64_t compiled_bytes, std::uint64_t rest_bytes) const {
  if (compiled_bytes + rest_bytes == 0) return false;
  if (!found_) return true;
  const std::uint64_t code = found_->image->code_bytes();
  const std::uint64_t worth = (module_->bytes.data.size() + code) / kWorthWriting;
  if (compiled_bytes * kWorthWritingHot >= std::max<std::uint64_t>(1, code) || rest_bytes >= worth) return true;
  std::uint32_t number = 0;
  if (os::random_bytes({reinterpret_cast<std::uint8_t*>(&number), sizeof(number)}) < 0) return false;
  return number % (worth * kRunsPerWriting) < compiled_bytes + rest_bytes;
}

Result<void> StoredCode::keep(jit::NativeModule& native, const Rest& rest) {
  return guarded([&]() -> Result<void> {
    const std::lock_guard lock(mutex_);
    // A program that is not known yet has to be large for what it merely ran to be worth anything.
    const bool keeps_rest = rest.body_bytes >= (found_ ? 1 : runtime::kPreparedBytes);
    const std::uint64_t rest_bytes = keeps_rest ? rest.body_bytes * kCodeBytesPerBodyByte : 0;
    if (!is_worth_writing(native.counts().compiled_bytes, rest_bytes)) {
      if (found_) cache_->note_sound(*found_);
      return {};
    }
    if (keeps_rest) rest.compile();
    if (native.counts().compiled == 0) return {};
    WASI_TRY(module_->check({0, static_cast<std::uint32_t>(module_->bytes.data.size())}));
    if (module_->memory_image != nullptr) WASI_TRY(module_->memory_image->check());
    std::vector<jit::UnitImage> units = native.units();
    // Somebody else may have written meanwhile.
    std::optional<CodeCache::Found> now;
    if (!found_ || cache_->inode_of(name()) != found_->inode) now = cache_->find(name(), module_->bytes.data);
    if (now) units = with_better(std::move(units), *now->image, *module_);
    const auto bytes = jit::write_code_image({.build = build_id(),
                                              .target = target_(),
                                              .features = module_->features,
                                              .module = module_.get(),
                                              .units = std::move(units)});
    WASI_TRY(cache_->store(name(), bytes));
    note_file();
    return {};
  });
}

std::optional<KnownFile> known_file(const EngineState& engine, const std::optional<os::FileIdentity>& file) {
  // Features that are disabled are looked for in the module's own bytes.
  if (engine.cache == nullptr || !engine.disabled_features.empty()) return std::nullopt;
  if (!file || file->size < kLeastKnownFile || !os::is_settled(*file)) return std::nullopt;
  const EngineConfig& config = engine.config;
  return KnownFile{*file, fmt::format("{} {} {} {}", static_cast<int>(config.bounds_checks), config.fuel,
                                      config.strict_memory, config.validation != Validation::lazy)};
}

}  // namespace wasi::detail
