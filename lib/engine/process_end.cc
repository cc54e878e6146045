#include "engine/process_end.h"

#include <memory>
#include <vector>

#include "engine/state.h"

namespace wasi {

void detail::leave_to_process_end(const Module& module) {
  // Where those who look for leaks find them.
  static auto& left = *new std::vector<std::shared_ptr<ModuleState>>;
  left.push_back(Internals::state(module));
  left.back()->keep_code();
}

}  // namespace wasi
