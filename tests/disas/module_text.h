// What listings of machine code are made of beside the code: a text module, its instructions, and what its comments ask
// for.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/print_instruction.h"
#include "wasm/module.h"

namespace wasi::test {

std::vector<std::string_view> words_of(std::string_view line);

// Calls `take` with each line, without its end.
template <class Take>
void for_lines(std::string_view text, Take take) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    take(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

struct LoadedModule {
  std::vector<std::uint8_t> bytes;
  std::shared_ptr<wasm::Module> module;
};
// Fails the test where it is not valid.
LoadedModule load(std::string_view text);

// The text of each instruction, by its offset in the module.
class Bodies {
 public:
  explicit Bodies(const wasm::Module& module) : module_(module), identifiers_(module), types_(module, identifiers_) {}

  [[nodiscard]] std::string name_of(std::uint32_t function) const;
  std::map<std::uint64_t, std::string> instructions(std::uint32_t function);

 private:
  const wasm::Module& module_;
  text::ModuleIdentifiers identifiers_;
  text::TypeText types_;
};

}  // namespace wasi::test
