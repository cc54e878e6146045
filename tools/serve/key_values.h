// Key-value stores of applications, in memory: what is in them lives as long as the server.
// Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wasirun::serve {

class KeyValueStore {
 public:
  // The most bytes that keys and values may take together.
  static constexpr std::uint64_t kDefaultLimit = std::uint64_t{64} << 20;

  explicit KeyValueStore(std::uint64_t limit = kDefaultLimit) : limit_(limit) {}

  [[nodiscard]] std::optional<std::string> get(std::string_view key) const;
  // False, and nothing has changed, where the store is full.
  [[nodiscard]] bool set(std::string_view key, std::string_view value);
  void remove(std::string_view key);
  [[nodiscard]] bool contains(std::string_view key) const;
  [[nodiscard]] std::vector<std::string> keys() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> values_;
  std::uint64_t limit_;
  std::uint64_t used_ = 0;
};

// Stores by name, each made when it is first asked for.
class KeyValueStores {
 public:
  // Lives as long as this.
  KeyValueStore& store(std::string_view name);

 private:
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<KeyValueStore>, std::less<>> stores_;
};

}  // namespace wasirun::serve
