// Makes a case smaller that does something wrong.
#pragma once

#include <functional>
#include <vector>

#include "fuzz/generate.h"

namespace wasi::test::fuzz {

// The nodes of the case of `bytes` that can be left out while `is_wrong` holds. Ends when nothing more can be, or when
// `is_wrong` was asked so often.
std::vector<bool> reduce(std::span<const std::uint8_t> bytes, const std::function<bool(const Case&)>& is_wrong,
                         std::size_t most_questions);

}  // namespace wasi::test::fuzz
