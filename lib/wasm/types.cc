// Types as text, for messages.
#include "wasm/types.h"

#include <fmt/format.h>

namespace wasi::wasm {
namespace {

std::string_view abstract_name(AbstractHeap heap) {
  switch (heap) {
    case AbstractHeap::func:
      return "func";
    case AbstractHeap::nofunc:
      return "nofunc";
    case AbstractHeap::extern_:
      return "extern";
    case AbstractHeap::noextern:
      return "noextern";
    case AbstractHeap::any:
      return "any";
    case AbstractHeap::eq:
      return "eq";
    case AbstractHeap::i31:
      return "i31";
    case AbstractHeap::struct_:
      return "struct";
    case AbstractHeap::array:
      return "array";
    case AbstractHeap::none:
      return "none";
    case AbstractHeap::exn:
      return "exn";
    case AbstractHeap::noexn:
      return "noexn";
  }
  return "unknown";
}

// The text format's short spelling of (ref null heap).
std::string nullable_name(AbstractHeap heap) {
  switch (heap) {
    case AbstractHeap::none:
      return "nullref";
    case AbstractHeap::nofunc:
      return "nullfuncref";
    case AbstractHeap::noextern:
      return "nullexternref";
    case AbstractHeap::noexn:
      return "nullexnref";
    default:
      return fmt::format("{}ref", abstract_name(heap));
  }
}

std::string list(const std::vector<ValType>& types) {
  std::string text = "(";
  for (const ValType type : types) {
    if (text.size() > 1) text += ", ";
    text += to_string(type);
  }
  return text + ")";
}

std::string_view address_prefix(AddressType address) { return address == AddressType::i64 ? "i64 " : ""; }

}  // namespace

std::string to_string(HeapType type) {
  if (type.is_abstract()) return std::string(abstract_name(type.abstract()));
  if (type.is_in_group()) return fmt::format("$rec.{}", type.group_member());
  return fmt::format("$type{}", type.id().value);
}

std::string to_string(ValType type) {
  switch (type.kind()) {
    case ValType::Kind::bottom:
      return "any type";
    case ValType::Kind::i32:
      return "i32";
    case ValType::Kind::i64:
      return "i64";
    case ValType::Kind::f32:
      return "f32";
    case ValType::Kind::f64:
      return "f64";
    case ValType::Kind::v128:
      return "v128";
    case ValType::Kind::ref:
      return fmt::format("(ref {})", to_string(type.heap()));
    case ValType::Kind::ref_null:
      if (type.heap().is_abstract()) return nullable_name(type.heap().abstract());
      return fmt::format("(ref null {})", to_string(type.heap()));
  }
  return "unknown";
}

std::string to_string(const FuncType& type) { return fmt::format("{} -> {}", list(type.params), list(type.results)); }

std::string to_string(const Limits& limits) {
  return limits.max ? fmt::format("{} {}", limits.min, *limits.max) : fmt::format("{}", limits.min);
}

std::string to_string(const TableType& type) {
  return fmt::format("{}{} {}", address_prefix(type.address), to_string(type.limits), to_string(type.element));
}

std::string to_string(const MemoryType& type) {
  std::string text =
      fmt::format("{}{}{}", address_prefix(type.address), to_string(type.limits), type.is_shared ? " shared" : "");
  if (type.page_log2 != kPageLog2) text += fmt::format(" (pagesize {})", type.page_size());
  return text;
}

std::string to_string(const GlobalType& type) {
  return type.is_mutable ? fmt::format("(mut {})", to_string(type.type)) : to_string(type.type);
}

std::string_view name_of(ExternalKind kind) {
  switch (kind) {
    case ExternalKind::func:
      return "function";
    case ExternalKind::table:
      return "table";
    case ExternalKind::memory:
      return "memory";
    case ExternalKind::global:
      return "global";
    case ExternalKind::tag:
      return "tag";
  }
  return "unknown";
}

}  // namespace wasi::wasm
