// Identifiers to numbers, in one of many scopes. Emptied at no cost, since every function has locals.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace wasi::text {

class IdMap {
 public:
  static constexpr std::uint32_t kAbsent = 0xFFFFFFFF;

  // The number of `id` in `scope`, or kAbsent.
  [[nodiscard]] std::uint32_t find(std::string_view id, std::uint32_t scope = 0) const;
  // False when there is one already. `id` outlives the map.
  bool add(std::string_view id, std::uint32_t number, std::uint32_t scope = 0);
  // Adds or replaces, and returns what was there before, or kAbsent. A number of kAbsent stands for none.
  std::uint32_t exchange(std::string_view id, std::uint32_t number);
  void clear();

 private:
  struct Entry {
    std::string_view id;
    std::uint32_t scope = 0;
    std::uint32_t number = 0;
    std::uint32_t generation = 0;  // entries of an older one are free
    std::uint32_t hash = 0;
  };

  // The entry with this key, or the free one where it belongs; there is one.
  [[nodiscard]] std::size_t slot_of(std::string_view id, std::uint32_t scope, std::uint32_t hash) const;
  [[nodiscard]] bool is_used(std::size_t slot) const { return entries_[slot].generation == generation_; }
  Entry& insert(std::string_view id, std::uint32_t scope, std::uint32_t hash);
  void grow();

  std::vector<Entry> entries_;  // a power of two of them
  std::size_t used_ = 0;
  std::uint32_t generation_ = 1;
};

}  // namespace wasi::text
