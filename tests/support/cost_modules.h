// Modules that repeat one construct as often as asked, for each construct that there is: what translating them takes
// must grow as they do.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "support/module_builder.h"

namespace wasi::test {

struct Construct {
  std::string name;
  std::uint32_t repeats = 0;
  // The instructions of a function that has it so many times, without the last `end`.
  std::function<Bytes(std::uint32_t repeats)> body;
  std::uint32_t type = 0;  // the function's
  bool is_legacy = false;
};

// Knows the types, functions, tables and so on that the constructs speak of.
class CostModules {
 public:
  // Constants and offsets are the seed's.
  explicit CostModules(std::uint32_t seed);

  [[nodiscard]] const std::vector<Construct>& constructs() const { return constructs_; }
  // A module whose first function is the construct's; the others are never translated.
  [[nodiscard]] Bytes module(const Construct& construct, std::uint32_t repeats) const;

 private:
  std::uint32_t type(const Bytes& definition);
  // A function that gives values of these types, "il" for i32 and i64, repeated to nearly a thousand.
  std::uint32_t source(std::string_view types);
  std::uint32_t function(std::uint32_t type);
  std::uint64_t random();

  void add(std::string name, const Bytes& before, const Bytes& unit, const Bytes& after, std::uint32_t type = 0);
  void add(std::string name, std::uint32_t repeats, std::function<Bytes(std::uint32_t)> body, std::uint32_t type = 0);
  void add_table_rows();
  void add_branches();
  void add_blocks();
  void add_calls();
  void add_exceptions();
  void add_values();
  void add_aggregates();
  void add_bulk();

  std::uint64_t state_;
  std::map<Bytes, std::uint32_t> type_indices_;
  std::vector<Bytes> types_;
  std::vector<std::uint32_t> functions_;  // types, from the second function on
  std::map<std::string, std::uint32_t, std::less<>> sources_;
  std::vector<Construct> constructs_;
};

}  // namespace wasi::test
