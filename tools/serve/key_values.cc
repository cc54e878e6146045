#include "tools/serve/key_values.h"

namespace wasirun::serve {

namespace {

// What an entry takes beside its bytes, about.
constexpr std::uint64_t kEntryCost = 128;

}  // namespace

std::optional<std::string> KeyValueStore::get(std::string_view key) const {
  const std::lock_guard lock(mutex_);
  const auto found = values_.find(key);
  return found == values_.end() ? std::nullopt : std::optional(found->second);
}

bool KeyValueStore::set(std::string_view key, std::string_view value) {
  const std::lock_guard lock(mutex_);
  const auto found = values_.find(key);
  const std::uint64_t freed = found == values_.end() ? 0 : kEntryCost + key.size() + found->second.size();
  const std::uint64_t taken = kEntryCost + key.size() + value.size();
  if (taken > limit_ - (used_ - freed)) return false;
  used_ = used_ - freed + taken;
  if (found == values_.end()) {
    values_.emplace(key, value);
  } else {
    found->second = value;
  }
  return true;
}

void KeyValueStore::remove(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto found = values_.find(key);
  if (found == values_.end()) return;
  used_ -= kEntryCost + key.size() + found->second.size();
  values_.erase(found);
}

bool KeyValueStore::contains(std::string_view key) const {
  const std::lock_guard lock(mutex_);
  return values_.contains(key);
}

std::vector<std::string> KeyValueStore::keys() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> keys;
  keys.reserve(values_.size());
  for (const auto& [key, value] : values_) keys.push_back(key);
  return keys;
}

KeyValueStore& KeyValueStores::store(std::string_view name) {
  const std::lock_guard lock(mutex_);
  auto found = stores_.find(name);
  if (found == stores_.end()) found = stores_.emplace(name, std::make_unique<KeyValueStore>()).first;
  return *found->second;
}

}  // namespace wasirun::serve
