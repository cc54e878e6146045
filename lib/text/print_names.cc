#include "text/print_names.h"

#include <unordered_set>

#include "text/print_literal.h"
#include "wasm/limits.h"

namespace wasi::text {

Identifiers::Identifiers(binary::NameMap names) : names_(std::move(names)) {
  if (names_.size() < 2) return;
  std::unordered_set<std::string_view> taken;
  taken.reserve(names_.size());
  std::vector<std::size_t> repeated;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (!names_[i].second.empty() && !taken.insert(names_[i].second).second) repeated.push_back(i);
  }
  for (const std::size_t i : repeated) {
    const auto& [index, name] = names_[i];
    std::string unique(name);
    unique += '#';
    append_number(unique, index);
    while (taken.contains(unique)) unique += '#';
    taken.insert(renamed_.emplace(index, std::move(unique)).first->second);
  }
}

std::string_view Identifiers::find(std::uint32_t index) const {
  if (names_.empty()) return {};
  if (!renamed_.empty()) {
    if (const auto it = renamed_.find(index); it != renamed_.end()) return it->second;
  }
  return binary::find_name(names_, index).value_or(std::string_view());
}

void Identifiers::append(std::string& out, std::uint32_t index) const {
  if (const std::string_view name = find(index); !name.empty() && name.size() <= wasm::kMaxReferenceName) {
    append_identifier(out, name);
  } else {
    append_number(out, index);
  }
}

void Identifiers::append_id(std::string& out, std::uint32_t index) const {
  const auto name = binary::find_name(names_, index);
  if (!name) return;
  const std::string_view identifier = find(index);
  if (!identifier.empty()) {
    out += ' ';
    append_identifier(out, identifier);
  }
  if (identifier != *name || name->empty()) {
    out += " (@name ";
    append_name_string(out, *name);
    out += ')';
  }
}

void Identifiers::append_definition(std::string& out, std::uint32_t index) const {
  append_id(out, index);
  out += " (;";
  append_number(out, index);
  out += ";)";
}

ModuleIdentifiers::ModuleIdentifiers(const wasm::Module& module, bool wanted) {
  using binary::NameKind;
  if (!wanted) return;
  const binary::NameSection section(module);
  this->module = section.module_name();
  functions = Identifiers(section.names(NameKind::function));
  types = Identifiers(section.names(NameKind::type));
  tables = Identifiers(section.names(NameKind::table));
  memories = Identifiers(section.names(NameKind::memory));
  globals = Identifiers(section.names(NameKind::global));
  elements = Identifiers(section.names(NameKind::element));
  data = Identifiers(section.names(NameKind::data));
  tags = Identifiers(section.names(NameKind::tag));
  locals_ = section.indirect(NameKind::local);
  labels_ = section.indirect(NameKind::label);
  fields_ = section.indirect(NameKind::field);
}

Identifiers ModuleIdentifiers::locals(std::uint32_t function) const { return Identifiers(locals_.of(function)); }

const Identifiers& ModuleIdentifiers::fields(std::uint32_t type) {
  const auto [it, is_new] = fields_of_.try_emplace(type);
  if (is_new) it->second = Identifiers(fields_.of(type));
  return it->second;
}

}  // namespace wasi::text
