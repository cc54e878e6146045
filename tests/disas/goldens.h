// Texts with their goldens: what is made of x.wat stands in x.golden beside it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace wasi::test {

std::string read_text(const std::filesystem::path& path);

// A section for each of the folder's texts, `least` or more: what `make` makes of it is what its golden says, of which
// there are no others. With WASIRUN_BLESS set, goldens are written instead.
void check_goldens(std::string_view folder, std::size_t least,
                   const std::function<std::string(std::string_view)>& make);

}  // namespace wasi::test
