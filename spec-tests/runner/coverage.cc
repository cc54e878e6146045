#include "coverage.h"

#include <algorithm>

#include "engine/state.h"
#include "interp/interpreter.h"
#include "wasm/opcodes.h"

namespace wasi::spec {

Coverage::Coverage(const Engine& engine) : counts_(std::make_shared<Counts>()) {
  detail::Internals::state(engine)->tier = interp::make_interpreter({.counts = counts_->data()});
}

std::vector<std::string_view> Coverage::missing() const {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < wasm::kOpCount; ++i) {
    if ((*counts_)[i] == 0) names.push_back(wasm::kOps[i].text);
  }
  return names;
}

std::size_t Coverage::executed() const {
  return static_cast<std::size_t>(std::ranges::count_if(*counts_, [](const auto& count) { return count != 0; }));
}

}  // namespace wasi::spec
