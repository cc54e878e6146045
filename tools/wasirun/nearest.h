// What was probably meant by a word that is not known.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace wasirun {

// The one of `known` that a slip of the fingers makes `word` of (at most two letters changed, added, left out or
// swapped), or of which `word` is a part; empty when there is none.
std::string nearest_word(std::string_view word, std::span<const std::string> known);

}  // namespace wasirun
