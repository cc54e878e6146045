// Modules with their machine code as bytes, and back.
#include <algorithm>
#include <chrono>
#include <utility>

#include "base/guard.h"
#include "base/result.h"
#include "binary/decoder.h"
#include "binary/memory_image.h"
#include "engine/build_id.h"
#include "engine/state.h"
#include "engine/stored_code.h"
#include "jit/common/code_image.h"
#include "jit/common/code_image_format.h"
#include "jit/common/cpu_features.h"
#include "jit/common/native_module.h"
#include "validate/validator.h"

namespace wasi {

jit::CodeTarget detail::target_of(const EngineState& engine, const wasm::Module& module) {
  return {.cpu = (engine.cpu ? *engine.cpu : jit::CpuFeatures::host()).bits(),
          .checks = likely_checks(module, engine.config),
          .charges_fuel = engine.config.fuel,
          .strict = engine.config.strict_memory};
}

namespace {

using Clock = std::chrono::steady_clock;
using Image = std::shared_ptr<const jit::CodeImage>;

// Whether the engine can make use of the image's code.
Result<void> check_target(const detail::EngineState& engine, const jit::CodeTarget& target,
                          runtime::BoundsChecks checks) {
  if (const std::uint32_t missing = target.cpu & ~jit::CpuFeatures::host().bits(); missing != 0) {
    return fail(ErrorKind::unsupported, "the module was compiled for processors with {}, which this one lacks",
                jit::CpuFeatures::names_of(missing));
  }
  if (target.checks != checks) {
    constexpr const char* kNames[] = {"guard pages", "explicit checks"};
    return fail(ErrorKind::unsupported, "the module was compiled for {}, but the engine has {}",
                kNames[static_cast<std::size_t>(target.checks)], kNames[static_cast<std::size_t>(checks)]);
  }
  if (target.charges_fuel != engine.config.fuel) {
    return fail(ErrorKind::unsupported, "the module was compiled {} fuel, but the engine is {}",
                target.charges_fuel ? "with" : "without", engine.config.fuel ? "with it" : "without");
  }
  if (engine.config.strict_memory && !target.strict) {
    return fail(ErrorKind::unsupported, "the module was compiled without strict memory, but the engine is with it");
  }
  return {};
}

// What bodies use is known of those alone that were validated.
Result<void> check_features(const detail::EngineState& engine, wasm::Module& module) {
  if (engine.disabled_features.empty()) return {};
  WASI_TRY(module.check({0, static_cast<std::uint32_t>(module.bytes.data.size())}));
  WASI_TRY(validate::validate_functions(module, 1));
  for (const std::string_view name : wasm::names_of(module.features)) {
    if (std::ranges::count(engine.config.disabled_features, name) == 0) continue;
    return fail(ErrorKind::unsupported, "the module uses {}, which the engine's configuration disables", name);
  }
  return {};
}

Result<std::shared_ptr<detail::ModuleState>> load_image(const std::shared_ptr<detail::EngineState>& engine,
                                                        const Image& image) {
  const auto start = Clock::now();
  const std::span<const std::uint8_t> bytes = image->module();
  const binary::Arrival arrival = [&](std::size_t begin, std::size_t end) -> Result<binary::Arrived> {
    // Whole blocks, since that is what is checked: some modules have a hundred thousand segments.
    begin = begin / jit::image::kBlock * jit::image::kBlock;
    end = std::min((end + jit::image::kBlock - 1) / jit::image::kBlock * jit::image::kBlock, bytes.size());
    WASI_TRY(image->checks().check(begin, end));
    return binary::Arrived{begin, end};
  };
  const std::shared_ptr<const wasm::LateBytes> late(image, &image->checks());
  const std::shared_ptr<wasm::Module> module =
      WASI_TRY(binary::decode_module({bytes, image, late}, engine->registry, arrival,
                                     {.bodies = image->bodies(), .memory = jit::CodeImage::memory_of(image)}));
  if (module->memory_image != nullptr && !binary::fits(*module->memory_image, *module)) {
    return fail(ErrorKind::malformed,
                "the compiled module is damaged: it has pages for a memory that the module lacks");
  }
  const auto decoded = Clock::now();
  WASI_TRY(validate::validate_module(*module));
  module->features |= image->features();
  WASI_TRY(check_features(*engine, *module));
  auto state = std::make_shared<detail::ModuleState>();
  if (engine->code_space != nullptr) {
    WASI_TRY(check_target(*engine, image->target(), detail::likely_checks(*module, engine->config)));
    state->image = image;
  }
  state->engine = engine;
  state->module = module;
  state->metrics.decode = {.time = decoded - start, .bytes = bytes.size()};
  state->metrics.validate.time = Clock::now() - decoded;
  return state;
}

}  // namespace

std::shared_ptr<detail::ModuleState> detail::load_known(const std::shared_ptr<EngineState>& engine,
                                                        const KnownFile& file) {
  auto found = engine->cache->find_file(file.file, file.options);
  if (!found) return nullptr;
  // Whatever is wrong with it, the file is there to be read.
  const auto loaded = load_image(engine, found->image);
  if (!loaded) return nullptr;
  std::shared_ptr<ModuleState> state = *loaded;
  const wasm::Module& module = *state->module;
  if (module.memory_image != nullptr && !module.memory_image->check()) return nullptr;
  if (found->image->target() != target_of(*engine, module)) return nullptr;
  state->bodies_validated = engine->config.validation != Validation::lazy;
  auto target = [of = engine.get(), module = state->module] { return target_of(*of, *module); };
  state->stored = std::make_shared<StoredCode>(engine->cache, state->module, nullptr, std::move(target));
  state->stored->know_file(file.file, file.options);
  state->stored->set_found(*std::move(found));
  return state;
}

Result<std::vector<std::uint8_t>> Module::serialize() const {
  return guarded([&]() -> Result<std::vector<std::uint8_t>> {
    const detail::EngineState& engine = *state_->engine;
    const wasm::Module& module = *state_->module;
    WASI_TRY(module.check({0, static_cast<std::uint32_t>(module.bytes.data.size())}));
    if (module.memory_image != nullptr) WASI_TRY(module.memory_image->check());
    jit::ImageSource source{.build = detail::build_id(),
                            .target = detail::target_of(engine, module),
                            .features = module.features,
                            .module = &module,
                            .units = {}};
    if (engine.code_space != nullptr) {
      source.units = detail::native_of(*state_->code()[static_cast<std::size_t>(source.target.checks)]).units();
    }
    return jit::write_code_image(source);
  });
}

Result<Module> Module::deserialize_file(const Engine& engine, PathView path) {
  return guarded([&]() -> Result<Module> {
    const Image image = WASI_TRY(jit::CodeImage::open(path.string(), detail::build_id()));
    return Module(WASI_TRY(load_image(detail::Internals::state(engine), image)));
  });
}

Result<Module> Module::deserialize_file(const Engine& engine, PathView path, std::uint64_t offset, std::uint64_t size) {
  return guarded([&]() -> Result<Module> {
    const Image image = WASI_TRY(jit::CodeImage::open(path.string(), detail::build_id(), offset, size));
    return Module(WASI_TRY(load_image(detail::Internals::state(engine), image)));
  });
}

Result<Module> Module::deserialize(const Engine& engine, std::span<const std::uint8_t> bytes) {
  return guarded(
      [&]() -> Result<Module> { return deserialize(engine, std::vector<std::uint8_t>(bytes.begin(), bytes.end())); });
}

Result<Module> Module::deserialize(const Engine& engine, std::vector<std::uint8_t>&& bytes) {
  return guarded([&]() -> Result<Module> {
    auto owner = std::make_shared<const std::vector<std::uint8_t>>(std::move(bytes));
    const std::span<const std::uint8_t> view = *owner;
    const Image image = WASI_TRY(jit::CodeImage::read(view, std::move(owner), detail::build_id()));
    return Module(WASI_TRY(load_image(detail::Internals::state(engine), image)));
  });
}

bool Module::is_serialized(std::span<const std::uint8_t> bytes) { return jit::CodeImage::is_image(bytes); }

}  // namespace wasi
