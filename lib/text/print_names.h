// Identifiers for what a module defines, from its name section.
//
// The identifier of a thing is its name. Where several have one name, the later ones get "name#index" and keep the
// name itself in a (@name ...) annotation, and so is a name that is empty; things without a name have none, and are
// referred to by their index.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "binary/names.h"

namespace wasi::text {

// Of one index space.
class Identifiers {
 public:
  Identifiers() = default;
  explicit Identifiers(binary::NameMap names);

  // The name that the identifier spells; empty where there is none.
  [[nodiscard]] std::string_view find(std::uint32_t index) const;
  // Whether it has a name, which may be empty.
  [[nodiscard]] bool has_name(std::uint32_t index) const { return binary::find_name(names_, index).has_value(); }
  // "$name" or "12": a reference.
  void append(std::string& out, std::uint32_t index) const;
  // " $name (;12;)": in a definition.
  void append_definition(std::string& out, std::uint32_t index) const;
  // " $name", with an annotation where the identifier does not say it, or nothing: where definitions stand in a list.
  void append_id(std::string& out, std::uint32_t index) const;
  [[nodiscard]] bool empty() const { return names_.empty(); }

 private:
  binary::NameMap names_;
  std::unordered_map<std::uint32_t, std::string> renamed_;
};

// Of all index spaces of a module.
struct ModuleIdentifiers {
  // Empty ones where they are not `wanted`.
  explicit ModuleIdentifiers(const wasm::Module& module, bool wanted = true);

  [[nodiscard]] Identifiers locals(std::uint32_t function) const;
  [[nodiscard]] binary::NameMap labels(std::uint32_t function) const { return labels_.of(function); }
  // Kept: a struct's fields are named wherever they are accessed.
  const Identifiers& fields(std::uint32_t type);

  std::string_view module;
  Identifiers functions;
  Identifiers types;
  Identifiers tables;
  Identifiers memories;
  Identifiers globals;
  Identifiers elements;
  Identifiers data;
  Identifiers tags;

 private:
  binary::IndirectNames locals_;
  binary::IndirectNames labels_;
  binary::IndirectNames fields_;
  std::unordered_map<std::uint32_t, Identifiers> fields_of_;
};

}  // namespace wasi::text
