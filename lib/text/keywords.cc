#include "text/keywords.h"

#include <array>

#include "text/hash.h"

namespace wasi::text {
namespace {

// Open addressing; large enough that most words are found at the first look.
class KeywordTable {
 public:
  KeywordTable() {
    for (std::uint16_t i = 0; i < wasm::kOpCount; ++i) add(wasm::kOps[i].text, static_cast<wasm::Op>(i));
#define TEXT_KEYWORD(name, text) add(text, Word::name);
#include "text/keywords.def"
#undef TEXT_KEYWORD
  }

  [[nodiscard]] Keyword find(std::string_view text) const {
    for (std::size_t slot = start(text);; slot = (slot + 1) % kSlots) {
      const Entry& entry = entries_[slot];
      if (!entry.keyword.is_known() || entry.text == text) return entry.keyword;
    }
  }

 private:
  static constexpr std::size_t kSlots = 4096;
  static_assert(kSlots > 2 * (wasm::kOpCount + static_cast<std::size_t>(Word::count)));
  struct Entry {
    std::string_view text;
    Keyword keyword;
  };

  static std::size_t start(std::string_view text) { return hash_bytes(text, 0) % kSlots; }
  void add(std::string_view text, Keyword keyword) {
    std::size_t slot = start(text);
    while (entries_[slot].keyword.is_known()) {
      if (entries_[slot].text == text) return;  // the first of several instructions
      slot = (slot + 1) % kSlots;
    }
    entries_[slot] = {text, keyword};
  }

  std::array<Entry, kSlots> entries_;
};

}  // namespace

Keyword find_keyword(std::string_view text) {
  static const KeywordTable table;
  return table.find(text);
}

}  // namespace wasi::text
