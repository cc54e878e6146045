// A value of a JSON document together with its place in it, so that what is wrong says where: "process.args[1]:
// expected a string, got a number". Members that are absent or null give defaults.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace wasirun::shim {

// Parses a whole document; the error says at which byte it is wrong.
wasi::Result<nlohmann::json> parse_json(std::string_view text, std::string_view name);

class JsonNode {
 public:
  // The document itself, which lives for longer. `name` begins messages: "config.json".
  JsonNode(const nlohmann::json& value, std::string_view name) : value_(&value), place_(name), is_root_(true) {}

  [[nodiscard]] bool is_absent() const { return value_ == nullptr || value_->is_null(); }
  [[nodiscard]] wasi::Result<JsonNode> member(std::string_view name) const;
  [[nodiscard]] wasi::Result<std::vector<JsonNode>> elements() const;

  [[nodiscard]] wasi::Result<std::string> string() const;  // "" when absent
  [[nodiscard]] wasi::Result<bool> boolean() const;        // false when absent
  [[nodiscard]] wasi::Result<std::vector<std::string>> strings() const;
  [[nodiscard]] wasi::Result<std::map<std::string, std::string>> string_map() const;
  // Integers of any type, within its range.
  template <class T>
  [[nodiscard]] wasi::Result<std::optional<T>> integer() const {
    if (is_absent()) return std::nullopt;
    if (value_->is_number_unsigned()) {
      const auto value = value_->get<std::uint64_t>();
      if (std::in_range<T>(value)) return static_cast<T>(value);
    } else if (value_->is_number_integer()) {
      const auto value = value_->get<std::int64_t>();
      if (std::in_range<T>(value)) return static_cast<T>(value);
    } else {
      return wrong("an integer");
    }
    return wasi::fail(wasi::ErrorKind::argument, "{}: {} is out of range", place_, value_->dump());
  }

  // An error about this value.
  [[nodiscard]] std::unexpected<wasi::Error> wrong(std::string_view expected) const;
  [[nodiscard]] const std::string& place() const { return place_; }

 private:
  JsonNode(const nlohmann::json* value, std::string place) : value_(value), place_(std::move(place)) {}
  [[nodiscard]] std::string place_of(std::string_view name) const;
  const nlohmann::json* value_;  // null: absent
  std::string place_;
  bool is_root_ = false;
};

}  // namespace wasirun::shim
