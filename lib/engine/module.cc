// Loading of modules: file -> bytes -> wasm::Module -> checked, and what tools ask about them.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <thread>
#include <utility>

#include "base/guard.h"
#include "base/result.h"
#include "binary/decoder.h"
#include "binary/format.h"
#include "engine/convert.h"
#include "engine/profile.h"
#include "engine/state.h"
#include "engine/stored_code.h"
#include "jit/common/code_image.h"
#include "jit/common/native_module.h"
#include "os/file_content.h"
#include "runtime/call_sites.h"
#include "text/text.h"
#include "validate/validator.h"

namespace wasi {

namespace {

using Clock = std::chrono::steady_clock;

struct Loaded {
  std::shared_ptr<wasm::Module> module;
  bool bodies_validated = false;
  ModuleMetrics metrics;
  std::function<Error(Error)> locate;
};

// Whether it is a text. Refuses what is neither that nor a core module in words that say what it is instead.
Result<bool> is_text(std::span<const std::uint8_t> bytes) {
  if (jit::CodeImage::is_image(bytes)) {
    return fail(ErrorKind::unsupported,
                "this is a compiled module, machine code that has to be trusted like a program of the host's: whoever "
                "does loads it by Module::deserialize, or runs it under a name that ends in .cwasm");
  }
  switch (binary::kind_of(bytes)) {
    case binary::FileKind::text:
      return true;
    case binary::FileKind::module:
    case binary::FileKind::unknown:
      return false;  // what it is instead of a module, the decoder says with an offset
    case binary::FileKind::component:
      return fail(ErrorKind::unsupported, "this is {}", binary::format::kComponentAdvice);
    case binary::FileKind::empty:
      return fail(ErrorKind::malformed, "empty input: expected a WebAssembly module");
  }
  return false;
}

std::string_view as_text(const wasm::ModuleBytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data.data()), bytes.data.size()};
}

// The binary form of a text, with the place in the text where offsets in errors are meant.
class Translation {
 public:
  static Result<Translation> make(wasm::ModuleBytes text) {
    auto bytes = std::make_shared<const std::vector<std::uint8_t>>(WASI_TRY(text::encode_module(as_text(text))));
    const std::span<const std::uint8_t> view = *bytes;
    return Translation(std::move(text), {view, std::move(bytes)});
  }
  [[nodiscard]] const wasm::ModuleBytes& bytes() const { return bytes_; }
  [[nodiscard]] Error located(Error error) const {
    if (error.offset) error.text = text::locate(as_text(text_), as_text(text_), *error.offset);
    return error;
  }

 private:
  Translation(wasm::ModuleBytes text, wasm::ModuleBytes bytes) : text_(std::move(text)), bytes_(std::move(bytes)) {}
  wasm::ModuleBytes text_;
  wasm::ModuleBytes bytes_;
};

std::uint64_t body_bytes(const wasm::Module& module) {
  std::uint64_t bytes = 0;
  for (const wasm::FunctionBody& body : module.bodies) bytes += body.size;
  return bytes;
}

Result<Loaded> load_binary(const detail::EngineState& engine, wasm::ModuleBytes bytes, Validation validation,
                           const binary::Arrival& arrival = {}) {
  const auto wait_for = [&](std::size_t end) -> Result<void> {
    if (arrival) WASI_TRY(arrival(0, end));
    return {};
  };
  Loaded loaded;
  const auto start = Clock::now();
  loaded.metrics.decode.bytes = bytes.data.size();
  loaded.module = WASI_TRY(binary::decode_module(std::move(bytes), engine.registry, arrival));
  const auto decoded = Clock::now();
  loaded.metrics.decode.time = decoded - start;

  WASI_TRY(validate::validate_module(*loaded.module));
  // What bodies use is known only after their validation.
  if (!engine.disabled_features.empty() && validation == Validation::lazy) validation = Validation::eager;
  if (validation != Validation::lazy) {
    // Data and custom sections go on arriving.
    const std::vector<wasm::FunctionBody>& bodies = loaded.module->bodies;
    if (!bodies.empty()) WASI_TRY(wait_for(std::size_t{bodies.back().offset} + bodies.back().size));
    const unsigned threads = validation == Validation::parallel ? std::max(1U, std::thread::hardware_concurrency()) : 1;
    WASI_TRY(validate::validate_functions(*loaded.module, threads));
    loaded.bodies_validated = true;
    loaded.metrics.validate.bytes = body_bytes(*loaded.module);
  }
  loaded.metrics.validate.time = Clock::now() - decoded;
  WASI_TRY(wait_for(loaded.module->bytes.data.size()));

  for (std::string_view name : wasm::names_of(loaded.module->features)) {
    for (const std::string& disabled : engine.config.disabled_features) {
      if (name == disabled) {
        return fail(ErrorKind::unsupported, "the module uses {}, which the engine's configuration disables", name);
      }
    }
  }
  return loaded;
}

Result<Loaded> load_text(const detail::EngineState& engine, wasm::ModuleBytes text, Validation validation) {
  const auto translation = std::make_shared<const Translation>(WASI_TRY(Translation::make(std::move(text))));
  auto loaded = load_binary(engine, translation->bytes(), validation);
  if (!loaded) return std::unexpected(translation->located(std::move(loaded).error()));
  if (!loaded->bodies_validated) {
    loaded->locate = [translation](Error error) { return translation->located(std::move(error)); };
  }
  return loaded;
}

Result<Loaded> load(const detail::EngineState& engine, wasm::ModuleBytes bytes, Validation validation) {
  if (WASI_TRY(is_text(bytes.data))) return load_text(engine, std::move(bytes), validation);
  return load_binary(engine, std::move(bytes), validation);
}

// `content`: of which the module's bytes are all; null where they lie elsewhere.
std::shared_ptr<detail::ModuleState> make_state(const std::shared_ptr<detail::EngineState>& engine, Loaded loaded,
                                                std::shared_ptr<const os::FileContent> content = nullptr) {
  auto state = std::make_shared<detail::ModuleState>();
  state->engine = engine;
  state->module = std::move(loaded.module);
  state->bodies_validated = loaded.bodies_validated;
  state->metrics = loaded.metrics;
  state->locate = std::move(loaded.locate);
  if (engine->cache != nullptr) {
    // The engine outlives what runs in it, and so whoever asks.
    auto target = [of = engine.get(), module = state->module] { return detail::target_of(*of, *module); };
    state->stored =
        std::make_shared<detail::StoredCode>(engine->cache, state->module, std::move(content), std::move(target));
  }
  return state;
}

Result<std::shared_ptr<detail::ModuleState>> load_state(const std::shared_ptr<detail::EngineState>& engine,
                                                        wasm::ModuleBytes bytes) {
  return make_state(engine, WASI_TRY(load(*engine, std::move(bytes), engine->config.validation)));
}

}  // namespace

jit::NativeModule& detail::native_of(runtime::ModuleCode& code) {
  return static_cast<jit::NativeTierModule&>(*code.tier_module).native;
}

std::span<const std::shared_ptr<runtime::ModuleCode>, runtime::kBoundsCheckModes> detail::ModuleState::code() {
  std::call_once(code_made_, [this] {
    for (std::size_t mode = 0; mode < runtime::kBoundsCheckModes; ++mode) {
      code_[mode] = std::make_shared<runtime::ModuleCode>(module, *engine->tier,
                                                          static_cast<runtime::BoundsChecks>(mode), bodies_validated);
      code_[mode]->locate = locate;
      code_[mode]->policy = engine->policy.get();
      if (engine->config.records_profile) code_[mode]->sample_counts = &sample_counts;
    }
    if (engine->code_space == nullptr) return;
    runtime::ModuleCode& likely = *code_[static_cast<std::size_t>(likely_checks(*module, engine->config))];
    jit::NativeModule& native = native_of(likely);
    if (image != nullptr) native.attach(image);
    if (stored != nullptr) {
      likely.recall = [kept = stored, &native] { kept->recall(native); };
      likely.may_recall = image == nullptr;
    }
  });
  return code_;
}

void detail::ModuleState::keep_code() {
  if (stored == nullptr || std::exchange(is_code_kept_, true)) return;
  const auto& likely = code_[static_cast<std::size_t>(likely_checks(*module, engine->config))];
  if (likely == nullptr) return;
  StoredCode::Rest rest;
  if (engine->policy != nullptr) {
    rest = {engine->policy->rest_to_keep(*likely), [&] { engine->policy->keep_the_rest(*likely); }};
  }
  const auto kept = stored->keep(native_of(*likely), rest);
  if (!kept && engine->config.cache->tells_failures && engine->config.on_warning) {
    engine->config.on_warning("machine code is not kept for the next run: " + kept.error().message);
  }
}

Result<Module> Module::from_file(const Engine& engine, PathView path) {
  return guarded([&]() -> Result<Module> {
    const auto& state = detail::Internals::state(engine);
    if (state->cache != nullptr) {
      const auto known = detail::known_file(*state, os::identity_of(path.string()));
      if (auto loaded = known ? detail::load_known(state, *known) : nullptr) return Module(std::move(loaded));
    }
    const auto reading = WASI_TRY(os::FileReading::begin(path.string()));
    const auto identity = state->cache != nullptr ? reading->identity() : std::nullopt;
    auto content = reading->content();
    const auto bytes = content->bytes();
    const Validation validation = state->config.validation;

    const std::size_t beginning = std::min<std::size_t>(bytes.size(), binary::kHeaderBytes);
    WASI_TRY(reading->wait_for({0, beginning}));
    if (binary::kind_of(bytes.first(beginning)) == binary::FileKind::module) {
      const binary::Arrival arrival = [&](std::size_t begin, std::size_t end) -> Result<binary::Arrived> {
        const auto there = WASI_TRY(reading->wait_for({begin, end}));
        return binary::Arrived{there.begin, there.end};
      };
      auto made = make_state(state, WASI_TRY(load_binary(*state, {bytes, content}, validation, arrival)), content);
      // As long as it was the same from begin to end.
      if (const auto known = detail::known_file(*state, identity); known && reading->identity() == identity) {
        made->stored->know_file(known->file, known->options);
      }
      return Module(std::move(made));
    }
    WASI_TRY(reading->wait_for_all());
    if (std::filesystem::path(path.text()).extension() == ".wat") {
      return Module(make_state(state, WASI_TRY(load_text(*state, {bytes, std::move(content)}, validation))));
    }
    return Module(WASI_TRY(load_state(state, {bytes, std::move(content)})));
  });
}

Result<Module> Module::from_bytes(const Engine& engine, std::span<const std::uint8_t> bytes) {
  return guarded(
      [&]() -> Result<Module> { return from_bytes(engine, std::vector<std::uint8_t>(bytes.begin(), bytes.end())); });
}

Result<Module> Module::from_bytes(const Engine& engine, std::vector<std::uint8_t>&& bytes) {
  return guarded([&]() -> Result<Module> {
    auto owner = std::make_shared<const std::vector<std::uint8_t>>(std::move(bytes));
    const std::span<const std::uint8_t> view = *owner;
    return Module(WASI_TRY(load_state(detail::Internals::state(engine), {view, std::move(owner)})));
  });
}

Result<Module> Module::from_text(const Engine& engine, std::string_view text) {
  return guarded([&]() -> Result<Module> {
    const auto& state = detail::Internals::state(engine);
    auto owner = std::make_shared<const std::vector<std::uint8_t>>(text.begin(), text.end());
    const std::span<const std::uint8_t> view = *owner;
    return Module(make_state(state, WASI_TRY(load_text(*state, {view, std::move(owner)}, state->config.validation))));
  });
}

Result<void> Module::validate(const Engine& engine, std::span<const std::uint8_t> bytes) {
  return guarded([&]() -> Result<void> {
    WASI_TRY(load(*detail::Internals::state(engine), {bytes, nullptr}, Validation::eager));
    return {};
  });
}

std::vector<ImportType> Module::imports() const {
  std::vector<ImportType> imports;
  for (const wasm::Import& import : state_->module->imports) {
    imports.push_back({std::string(import.module), std::string(import.name), detail::type_of(*state_->module, import)});
  }
  return imports;
}

std::vector<ExportType> Module::exports() const {
  std::vector<ExportType> exports;
  for (const wasm::Export& exported : state_->module->exports) {
    exports.push_back({std::string(exported.name), detail::type_of(*state_->module, exported)});
  }
  return exports;
}

std::string Module::name() const { return std::string(binary::decode_names(*state_->module).module); }

std::vector<std::pair<std::uint32_t, std::string>> Module::function_names() const {
  std::vector<std::pair<std::uint32_t, std::string>> names;
  for (const auto& [index, name] : binary::decode_names(*state_->module).functions) names.emplace_back(index, name);
  return names;
}

Result<std::vector<std::span<const std::uint8_t>>> Module::custom_sections(std::string_view name) const {
  return guarded([&]() -> Result<std::vector<std::span<const std::uint8_t>>> {
    std::vector<std::span<const std::uint8_t>> contents;
    for (const wasm::CustomSection& section : state_->module->custom_sections) {
      if (section.name != name) continue;
      WASI_TRY(state_->module->check(section.payload));
      contents.push_back(state_->module->view(section.payload));
    }
    return contents;
  });
}

std::vector<SectionInfo> Module::sections() const {
  std::vector<SectionInfo> sections;
  for (const wasm::Section& section : state_->module->sections) {
    sections.push_back({.id = section.id,
                        .name = std::string(section.id == 0 ? section.name : binary::section_name(section.id)),
                        .offset = section.payload.offset,
                        .size = section.payload.size});
  }
  return sections;
}

ModuleCounts Module::counts() const {
  const wasm::Module& module = *state_->module;
  return {.bytes = module.bytes.data.size(),
          .types = module.types.size(),
          .functions = module.functions.size(),
          .tables = module.tables.size(),
          .memories = module.memories.size(),
          .globals = module.globals.size(),
          .tags = module.tags.size(),
          .imports = module.imports.size(),
          .exports = module.exports.size(),
          .data_segments = module.data_segments(),
          .element_segments = module.elements.size()};
}

std::vector<std::string_view> Module::features() const { return wasm::names_of(state_->module->features); }

std::vector<std::string_view> Module::unsupported_features() const {
  return wasm::names_of(state_->module->features - wasm::kRunnableFeatures);
}

Profile Module::profile() const {
  Profile profile{.module = detail::profile_hash(*state_->module)};
  const binary::Names names = binary::decode_names(*state_->module);
  for (const runtime::SampleCounts::Entry& entry : state_->sample_counts.entries()) {
    if (profile.functions.empty() || profile.functions.back().index != entry.function) {
      const auto name = names.function(wasm::FuncIndex(entry.function));
      profile.functions.push_back({.index = entry.function, .name = std::string(name.value_or(""))});
    }
    const std::uint64_t count = entry.samples * detail::kProfilePeriod;
    Profile::Function& function = profile.functions.back();
    function.count += count;
    if (entry.loop) function.loops.push_back({*entry.loop, count});
  }
  if (!state_->engine->config.records_profile) return profile;
  for (const auto& code : state_->code()) {
    if (code->call_sites != nullptr) detail::add_callees(profile, *state_->module, code->call_sites->seen(*code));
  }
  return profile;
}

ModuleMetrics Module::metrics() const { return state_->metrics; }

}  // namespace wasi
