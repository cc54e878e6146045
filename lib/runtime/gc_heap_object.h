// References and the objects that they point to.
//
// A reference of the any, extern or exn hierarchy, in a slot (any.convert_extern and its inverse change nothing):
//   0                 null
//   bit 0 set         an i31: the value in bits 1 to 31
//   bits 1,0 = 10     a pointer of the host's, shifted by two; all that an externref of the host is
//   bits 2..0 = 000   the address of an Object in the store's heap
//   bits 2..0 = 100   the same of an object of the host (gc_heap_host_objects.h), which is no structure and no array
// A reference of the func hierarchy is the address of a FuncRef, which is no object of the heap.
#pragma once

#include <cstdint>
#include <cstring>

#include "runtime/frame.h"
#include "wasm/limits.h"
#include "wasm/types.h"

namespace wasi::runtime {

enum class ObjectKind : std::uint8_t { none, structure, array, exception, host };

// The kind and the type of an object as one number, so that "is it exactly this type" is one comparison.
class ObjectType {
 public:
  constexpr ObjectType() = default;  // of free memory
  constexpr ObjectType(ObjectKind kind, wasm::TypeId type)
      : bits_(static_cast<std::uint32_t>(kind) << kKindShift | type.value) {}
  [[nodiscard]] constexpr ObjectKind kind() const { return static_cast<ObjectKind>(bits_ >> kKindShift); }
  [[nodiscard]] constexpr wasm::TypeId id() const { return wasm::TypeId(bits_ & ((1U << kKindShift) - 1)); }
  [[nodiscard]] constexpr std::uint32_t bits() const { return bits_; }
  static constexpr std::uint32_t kKindShift = 27;

 private:
  static_assert(wasm::kMaxTypeIds <= 1U << kKindShift);
  std::uint32_t bits_ = 0;
};

// The head of an object. What follows depends on the kind:
//   structure  one word of 8 bytes per field, as in a slot (two for a v128); of a packed field the low bits count
//   array      `length` elements side by side, each as wide as its storage type
//   exception  the address of its Tag, then its values as words; the type is the tag's function type
//   host       the address of its HostObject; it has no type
// Memory that holds no object has a head of zeros.
struct Object {
  ObjectType type;
  std::uint32_t length = 0;  // of arrays; else 0

  [[nodiscard]] Slot* words() { return reinterpret_cast<Slot*>(this + 1); }
  [[nodiscard]] std::uint8_t* elements() { return reinterpret_cast<std::uint8_t*>(this + 1); }

  // The head as it is written: what an instruction carries.
  static constexpr std::uint64_t head(ObjectType type, std::uint32_t length = 0) {
    return std::uint64_t{length} << 32 | type.bits();
  }
  static Object* at(void* memory, std::uint64_t head) {
    std::memcpy(memory, &head, sizeof head);
    return static_cast<Object*>(memory);
  }
};
static_assert(sizeof(Object) == 8 && sizeof(Object) % alignof(Slot) == 0);

constexpr std::uint64_t kReferenceTagMask = 7;
constexpr bool is_object(std::uint64_t reference) { return reference != 0 && (reference & kReferenceTagMask) == 0; }
inline Object* object_of(std::uint64_t reference) { return reinterpret_cast<Object*>(reference); }

struct HostObject;
inline constexpr std::uint64_t kHostObjectTag = 4;
constexpr bool is_host_object(std::uint64_t reference) { return (reference & kReferenceTagMask) == kHostObjectTag; }
inline HostObject& host_object_of(std::uint64_t reference) {
  return *static_cast<HostObject*>(object_of(reference - kHostObjectTag)->words()->ref);
}
// To something in the store's heap, or to a function; and the address.
constexpr bool is_of_store(std::uint64_t reference) { return reference != 0 && (reference & 3) == 0; }
inline Object* cell_of(std::uint64_t reference) { return object_of(reference & ~kHostObjectTag); }

constexpr bool is_i31(std::uint64_t reference) { return (reference & 1) != 0; }
constexpr std::uint64_t make_i31(std::uint32_t value) { return static_cast<std::uint32_t>(value << 1 | 1); }
constexpr std::uint32_t i31_unsigned(std::uint64_t reference) { return static_cast<std::uint32_t>(reference) >> 1; }
constexpr std::int32_t i31_signed(std::uint64_t reference) { return static_cast<std::int32_t>(reference) >> 1; }

// Pointers keep 62 bits and their sign, which is more than addresses have.
constexpr bool is_host_pointer(std::uint64_t reference) { return (reference & 3) == 2; }

}  // namespace wasi::runtime
