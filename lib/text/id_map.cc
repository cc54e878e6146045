#include "text/id_map.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "text/hash.h"

namespace wasi::text {
namespace {

// Differs from process to process: whoever writes identifiers cannot make them collide.
std::uint64_t seed() {
  static const std::uint64_t value = [] {
    std::uint64_t random = 0;
    (void)!getentropy(&random, sizeof(random));
    return random;
  }();
  return value;
}

std::uint32_t hash_of(std::string_view id, std::uint32_t scope) {
  return static_cast<std::uint32_t>(hash_bytes(id, hash_mix(seed(), scope + 0x632BE59BD9B4E019ULL)));
}

}  // namespace

std::size_t IdMap::slot_of(std::string_view id, std::uint32_t scope, std::uint32_t hash) const {
  const std::size_t mask = entries_.size() - 1;
  std::size_t slot = hash & mask;
  while (is_used(slot)) {
    const Entry& entry = entries_[slot];
    if (entry.hash == hash && entry.scope == scope && entry.id == id) break;
    slot = (slot + 1) & mask;
  }
  return slot;
}

std::uint32_t IdMap::find(std::string_view id, std::uint32_t scope) const {
  if (used_ == 0) return kAbsent;
  const std::size_t slot = slot_of(id, scope, hash_of(id, scope));
  return is_used(slot) ? entries_[slot].number : kAbsent;
}

bool IdMap::add(std::string_view id, std::uint32_t number, std::uint32_t scope) {
  Entry& entry = insert(id, scope, hash_of(id, scope));
  if (entry.number != kAbsent) return false;
  entry.number = number;
  return true;
}

std::uint32_t IdMap::exchange(std::string_view id, std::uint32_t number) {
  Entry& entry = insert(id, 0, hash_of(id, 0));
  return std::exchange(entry.number, number);
}

void IdMap::clear() {
  used_ = 0;
  if (++generation_ == 0) {
    entries_.clear();
    generation_ = 1;
  }
}

IdMap::Entry& IdMap::insert(std::string_view id, std::uint32_t scope, std::uint32_t hash) {
  if (2 * (used_ + 1) > entries_.size()) grow();
  const std::size_t slot = slot_of(id, scope, hash);
  if (!is_used(slot)) {
    entries_[slot] = {id, scope, kAbsent, generation_, hash};
    ++used_;
  }
  return entries_[slot];
}

void IdMap::grow() {
  std::vector<Entry> old(std::max<std::size_t>(16, 2 * entries_.size()));
  old.swap(entries_);
  for (const Entry& entry : old) {
    if (entry.generation == generation_) entries_[slot_of(entry.id, entry.scope, entry.hash)] = entry;
  }
}

}  // namespace wasi::text
