#include "engine/guest_profile.h"

#include <map>
#include <utility>

#include "base/guard.h"
#include "binary/source_lines.h"
#include "engine/state.h"
#include "runtime/guest_sampler.h"

namespace wasi::detail {

namespace {

using runtime::GuestSampler;

GuestProfile::Code code_of(GuestSampler::Code code) {
  switch (code) {
    case GuestSampler::Code::interpreted:
      return GuestProfile::Code::interpreted;
    case GuestSampler::Code::baseline:
      return GuestProfile::Code::baseline;
    case GuestSampler::Code::optimised:
      break;
  }
  return GuestProfile::Code::optimised;
}

GuestProfile::Function describe(const runtime::FunctionCode& function) {
  runtime::ModuleCode& code = *function.module;
  GuestProfile::Function description;
  description.module = code.names().module;
  description.index = function.index;
  if (const auto name = code.names().function(wasm::FuncIndex(function.index))) {
    description.name = *name;
    return description;
  }
  for (const wasm::Export& item : code.module->exports) {
    if (item.kind != wasm::ExternalKind::func || item.index != function.index) continue;
    description.name = item.name;
    break;
  }
  return description;
}

// The line tables of the modules that were seen.
class Lines {
 public:
  void find(const runtime::FunctionCode& function, GuestProfile::Frame& frame) {
    if (!frame.offset) return;
    const wasm::Module& module = *function.module->module;
    auto [place, is_new] = tables_.try_emplace(&module);
    if (is_new) place->second = binary::decode_source_lines(module);
    const binary::SourceLine* line = place->second.find(*frame.offset);
    if (line == nullptr || line->line == 0) return;
    frame.file = place->second.files[line->file];
    frame.line = line->line;
  }

 private:
  std::map<const wasm::Module*, binary::SourceLines> tables_;
};

}  // namespace

std::string_view name_of(GuestProfile::Code code) {
  switch (code) {
    case GuestProfile::Code::interpreted:
      return "interpreter";
    case GuestProfile::Code::baseline:
      return "baseline";
    case GuestProfile::Code::optimised:
      break;
  }
  return "optimised";
}

GuestProfiler::GuestProfiler(std::chrono::microseconds period)
    : period_(period), begin_(std::chrono::system_clock::now()), begin_steady_(std::chrono::steady_clock::now()) {}
GuestProfiler::GuestProfiler(GuestProfiler&&) noexcept = default;
GuestProfiler::~GuestProfiler() = default;

Result<GuestProfiler> GuestProfiler::start(const Store& store, std::chrono::microseconds period) {
  return guarded([&]() -> Result<GuestProfiler> {
    GuestProfiler profiler(period);
    profiler.sampler_ = std::make_unique<GuestSampler>(Internals::state(store)->store.exec(), period);
    return profiler;
  });
}

GuestProfile GuestProfiler::finish() {
  sampler_->stop();
  GuestProfile profile;
  profile.begin = begin_;
  profile.duration = std::chrono::steady_clock::now() - begin_steady_;
  profile.period = period_;
  std::map<const runtime::FunctionCode*, std::uint32_t> functions;
  Lines lines;
  for (const GuestSampler::Frame& frame : sampler_->frames()) {
    const auto [place, is_new] =
        functions.try_emplace(frame.function, static_cast<std::uint32_t>(profile.functions.size()));
    if (is_new) profile.functions.push_back(describe(*frame.function));
    GuestProfile::Frame& made = profile.frames.emplace_back();
    made.function = place->second;
    if (frame.offset != GuestSampler::kNoOffset) made.offset = frame.offset;
    made.code = code_of(frame.code);
    made.is_inlined = frame.is_inlined;
    lines.find(*frame.function, made);
  }
  for (const GuestSampler::Node& node : sampler_->nodes()) {
    GuestProfile::Node& made = profile.nodes.emplace_back();
    if (node.caller != GuestSampler::kNoNode) made.caller = node.caller;
    made.frame = node.frame;
  }
  for (const GuestSampler::Sample& sample : sampler_->samples()) {
    profile.samples.push_back({sample.at - begin_steady_, sample.node, sample.thread});
  }
  return profile;
}

}  // namespace wasi::detail
