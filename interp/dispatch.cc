// What both dispatches have in common.
#include "interp/dispatch.h"

#include <unordered_map>

namespace wasi::interp {

Code code_at_offset(std::int32_t offset) {
  // Handlers of equal machine code may share an address; any of their names will do.
  static const std::unordered_map<std::int32_t, Code> codes = [] {
    std::unordered_map<std::int32_t, Code> map;
    for (std::uint16_t i = 0; i < kCodeCount; ++i)
      map.emplace(handler_offset(static_cast<Code>(i)), static_cast<Code>(i));
    return map;
  }();
  const auto found = codes.find(offset);
  return found == codes.end() ? static_cast<Code>(kCodeCount) : found->second;
}

}  // namespace wasi::interp
