// What the collector and casts need to know of a type, by its TypeId.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "os/virtual_memory.h"
#include "wasm/type_registry.h"

namespace wasi::runtime {

// Ancestors that a layout lists; for types below, casts ask the registry.
inline constexpr std::uint32_t kDisplaySize = 6;
inline constexpr std::uint32_t kNoAncestor = UINT32_MAX;

struct TypeLayout {
  std::uint32_t display[kDisplaySize];               // ancestors from the root on, the type itself at its depth
  std::uint32_t words = 0;                           // of a structure or an exception, behind its head
  std::uint8_t element_shift = 0;                    // of an array: log2 of an element's bytes
  bool is_known = false;                             // by the store: false in what was never written
  bool has_references = false;                       // any word or element that the collector follows
  std::uint64_t references = 0;                      // which of the first 64 words are references
  const std::vector<std::uint32_t>* more = nullptr;  // the references among later words
};

// How a type is tested: what an instruction carries (64 bits).
struct TypeTest {
  enum class Mode : std::uint8_t {
    never,       // only null, if at all
    always,      // everything but null
    i31,         // ref.i31
    eq,          // an i31 or an object
    structures,  // any structure
    arrays,      // any array
    object,      // an object of `type`, found in the display at `depth`
    deep,        // an object of `type`, which lies deeper than the display reaches
    function,    // a function of `type`
  };
  std::uint32_t type = 0;
  std::uint8_t depth = 0;
  Mode mode = Mode::never;
  bool takes_null = false;
  std::uint8_t unused = 0;
};
static_assert(sizeof(TypeTest) == 8);

TypeTest make_test(const wasm::TypeRegistry& registry, wasm::ValType type);

// The layouts of the types that objects of one store can have. The store holds these types, so that their numbers are
// no other's. The table is as long as the highest number and found by it, at no cost; but only where there are types of
// the store it takes memory, a page or less for each.
class TypeLayouts {
 public:
  explicit TypeLayouts(const wasm::TypeRegistry& registry) : registry_(&registry) {}

  // Lays out the structures and arrays among these types, which stand behind their supertypes, or
  // (add_exception) the values of a tag's type.
  void add(std::span<const wasm::TypeId> types);
  void add_exception(wasm::TypeId type);

  // By TypeId; moves when types are added.
  [[nodiscard]] const TypeLayout* data() const { return layouts_.data(); }
  [[nodiscard]] const TypeLayout& operator[](wasm::TypeId type) const { return layouts_[type.value]; }

  [[nodiscard]] bool knows(wasm::TypeId type) const {
    return type.value < layouts_.size() && layouts_[type.value].is_known;
  }

 private:
  void enter(wasm::TypeId type, const TypeLayout& layout);
  void add_reference(TypeLayout& layout, std::uint32_t word);

  const wasm::TypeRegistry* registry_;
  os::ZeroedArray<TypeLayout> layouts_;
  std::vector<wasm::TypeId> known_;
  std::vector<std::unique_ptr<std::vector<std::uint32_t>>> more_;
};

// The collector follows references of this type: functions are none of its objects.
bool is_traced(const wasm::TypeRegistry& registry, wasm::ValType type);

// The bytes of a value in an array, as a power of two.
std::uint8_t storage_shift(wasm::StorageType storage);

}  // namespace wasi::runtime
