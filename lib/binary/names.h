// The name section, with all that the extended-name-section proposal puts there; read when somebody asks.
//
// Malformed parts are ignored: names never reject a module. Finding the subsections is cheap, each is read when it is
// asked for, and of indirect maps (locals by function, say) only the part that belongs to one outer index.
// Source: https://webassembly.github.io/spec/core/appendix/custom.html#name-section and
// https://github.com/WebAssembly/extended-name-section
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "wasm/module.h"

namespace wasi::binary {

// What has names, numbered as the subsections are.
enum class NameKind : std::uint8_t {
  module,
  function,
  local,  // by function
  label,  // by function, in the order in which the function's blocks open
  type,
  table,
  memory,
  global,
  element,
  data,
  field,  // by type
  tag
};
inline constexpr std::uint8_t kNameKinds = 12;
std::string_view name_of(NameKind kind);  // "function", "local", ...
constexpr bool is_indirect(NameKind kind) {
  return kind == NameKind::local || kind == NameKind::label || kind == NameKind::field;
}

// (index, name), sorted by index, at most one name for each.
using NameMap = std::vector<std::pair<std::uint32_t, std::string_view>>;
std::optional<std::string_view> find_name(const NameMap& names, std::uint32_t index);

// Names by two indices.
class IndirectNames {
 public:
  IndirectNames() = default;
  // Decodes the names that belong to `outer`.
  [[nodiscard]] NameMap of(std::uint32_t outer) const;
  // The outer indices that have any, sorted.
  [[nodiscard]] std::vector<std::uint32_t> outer_indices() const;

 private:
  friend class NameSection;
  struct Entry {
    std::uint32_t outer;
    wasm::ByteRange names;
  };
  const wasm::Module* module_ = nullptr;
  std::vector<Entry> entries_;
};

// The module outlives it and all that it returns.
class NameSection {
 public:
  explicit NameSection(const wasm::Module& module);

  [[nodiscard]] bool exists() const { return exists_; }
  [[nodiscard]] std::string_view module_name() const;
  // Of a kind that is neither `module` nor indirect: names for indices that exist.
  [[nodiscard]] NameMap names(NameKind kind) const;
  // Of an indirect kind.
  [[nodiscard]] IndirectNames indirect(NameKind kind) const;

 private:
  const wasm::Module* module_;
  bool exists_ = false;
  std::array<wasm::ByteRange, kNameKinds> subsections_{};
};

// What backtraces need: the module's name and its functions'.
struct Names {
  std::string_view module;
  NameMap functions;

  [[nodiscard]] std::optional<std::string_view> function(wasm::FuncIndex index) const {
    return find_name(functions, index.value);
  }
};

Names decode_names(const wasm::Module& module);

}  // namespace wasi::binary
