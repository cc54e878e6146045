// Handler bodies: structures, arrays, i31 and casts.
//
// A new object's memory comes from the cursor of its size class; the collector runs in slow paths only, when all that
// is alive stands in slots. A result is written after the operands have been read: it may take the slot of one.
// Source: https://webassembly.github.io/spec/core/exec/instructions.html#aggregate-instructions
#pragma once

#include <bit>

#include "interp/handlers_memory.h"
#include "interp/handlers_table.h"
#include "interp/slow_path.h"
#include "interp/state.h"
#include "runtime/type_test.h"

namespace wasi::interp {

using runtime::Object;

// --- structures

WASI_INLINE std::uint64_t reference_to(const Object* object) { return reinterpret_cast<std::uint64_t>(object); }

// The instruction's head, size class and cell stand behind its destination.
inline constexpr std::uint32_t kHeadAt = kDestinationAt + 2;
inline constexpr std::uint32_t kFieldsAt = kHeadAt + 12;

WASI_INLINE Object* allocate_structure(State& s) {
  runtime::Cursor& cursor = s.vm->exec->gc.cursors[read_code<std::uint16_t>(s.ip + kHeadAt + 8)];
  const std::uint64_t bytes = std::uint64_t{read_code<std::uint16_t>(s.ip + kHeadAt + 10)} * sizeof(Slot);
  std::uint8_t* memory = cursor.next;
  if (static_cast<std::uint64_t>(cursor.end - memory) < bytes) [[unlikely]] {
    memory = calls::allocate_slowly(s.vm, s.ip, bytes);
    after_long_call(s);
  } else {
    cursor.next = memory + bytes;
  }
  return Object::at(memory, read_code<std::uint64_t>(s.ip + kHeadAt));
}

struct StructNew {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kFieldsAt + 4;
  WASI_INLINE static void run(State& s) {
    Object* object = allocate_structure(s);
    const Slot* fields = &slot_at<kFieldsAt>(s);
    const std::uint32_t count = read_code<std::uint16_t>(s.ip + kFieldsAt + 2);
    for (std::uint32_t i = 0; i < count; ++i) object->words()[i] = fields[i];
    put(s, reference_to(object));
    s.ip += kLength;
  }
};

template <std::uint32_t count>
struct StructNewOf {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kFieldsAt + 2 * count;
  WASI_INLINE static void run(State& s) {
    Object* object = allocate_structure(s);
    object->words()[0] = slot_at<kFieldsAt>(s);
    if constexpr (count > 1) object->words()[1] = slot_at<kFieldsAt + 2>(s);
    if constexpr (count > 2) object->words()[2] = slot_at<kFieldsAt + 4>(s);
    if constexpr (count > 3) object->words()[3] = slot_at<kFieldsAt + 6>(s);
    put(s, reference_to(object));
    s.ip += kLength;
  }
};

// Operand: how many words there are.
struct StructNewDefault {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kFieldsAt + 2;
  WASI_INLINE static void run(State& s) {
    Object* object = allocate_structure(s);
    const std::uint32_t count = read_code<std::uint16_t>(s.ip + kFieldsAt);
    for (std::uint32_t i = 0; i < count; ++i) object->words()[i].u64 = 0;
    put(s, reference_to(object));
    s.ip += kLength;
  }
};

WASI_INLINE Slot* words_of(State& s, std::uint64_t structure) {
  if (structure == 0) [[unlikely]]
    trap_at(s.vm, s.ip, TrapCode::null_structure_reference);
  return runtime::object_of(structure)->words();
}

// T is the result, M what the low bits of the field's word hold.
template <class T, class M, class L>
struct StructGet {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kAt = kDestinationAt + 2;
  static constexpr std::uint32_t kWordAt = kAt + kOperandSize<L, std::uint64_t>;
  static constexpr std::uint32_t kLength = kWordAt + 2;
  WASI_INLINE static void run(State& s) {
    const Slot* words = words_of(s, get<std::uint64_t, L, kAt>(s));
    M value;
    std::memcpy(&value, words + read_code<std::uint16_t>(s.ip + kWordAt), sizeof value);
    put(s, extend<T>(value));
    s.ip += kLength;
  }
};

// All 64 bits, whatever the type.
template <class V>
struct StructSet {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kValueAt = kHeadSize + 2;
  static constexpr std::uint32_t kWordAt = kValueAt + kOperandSize<V, std::uint64_t>;
  static constexpr std::uint32_t kLength = kWordAt + 2;
  WASI_INLINE static void run(State& s) {
    Slot* words = words_of(s, slot_at<kHeadSize>(s).u64);
    words[read_code<std::uint16_t>(s.ip + kWordAt)].u64 = get<std::uint64_t, V, kValueAt>(s);
    s.ip += kLength;
  }
};

struct StructGetVector {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 6;
  WASI_INLINE static void run(State& s) {
    const Slot* words = words_of(s, slot_at<kHeadSize + 2>(s).u64);
    put_vector(s, load_vector(words + read_code<std::uint16_t>(s.ip + kHeadSize + 4)));
    s.ip += kLength;
  }
};

struct StructSetVector {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 6;
  WASI_INLINE static void run(State& s) {
    Slot* words = words_of(s, slot_at<kHeadSize>(s).u64);
    store_vector(words + read_code<std::uint16_t>(s.ip + kHeadSize + 4), load_vector(&slot_at<kHeadSize + 2>(s)));
    s.ip += kLength;
  }
};

// --- arrays

struct ArrayNew {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 10;
  WASI_INLINE static void run(State& s) {
    slot_at<kDestinationAt>(s).ref = calls::array_new(s.vm, s.ip, index_at(s, kHeadSize + 6),
                                                      &slot_at<kHeadSize + 2>(s), slot_at<kHeadSize + 4>(s).u32);
    finish_long(s, kLength);
  }
};

struct ArrayNewDefault {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 8;
  WASI_INLINE static void run(State& s) {
    slot_at<kDestinationAt>(s).ref =
        calls::array_new_default(s.vm, s.ip, index_at(s, kHeadSize + 4), slot_at<kHeadSize + 2>(s).u32);
    finish_long(s, kLength);
  }
};

// Operands: first element; count, type.
struct ArrayNewFixed {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 12;
  WASI_INLINE static void run(State& s) {
    slot_at<kDestinationAt>(s).ref = calls::array_new_fixed(s.vm, s.ip, index_at(s, kHeadSize + 8),
                                                            &slot_at<kHeadSize + 2>(s), index_at(s, kHeadSize + 4));
    finish_long(s, kLength);
  }
};

// Operands: offset, length; type, segment.
template <auto make>
struct ArrayNewFrom {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 14;
  WASI_INLINE static void run(State& s) {
    slot_at<kDestinationAt>(s).ref = make(s.vm, s.ip, index_at(s, kHeadSize + 6), index_at(s, kHeadSize + 10),
                                          slot_at<kHeadSize + 2>(s).u32, slot_at<kHeadSize + 4>(s).u32);
    finish_slow(s, kLength);
  }
};
using ArrayNewData = ArrayNewFrom<calls::array_new_data>;
using ArrayNewElem = ArrayNewFrom<calls::array_new_elem>;

WASI_INLINE Object* array_of(State& s, const Slot& reference) {
  if (reference.u64 == 0) [[unlikely]]
    trap_at(s.vm, s.ip, TrapCode::null_array_reference);
  return runtime::object_of(reference.u64);
}

template <std::size_t size>
WASI_INLINE std::uint8_t* element_of(State& s, const Slot& reference, std::uint32_t index) {
  Object* array = array_of(s, reference);
  if (index >= array->length) [[unlikely]]
    trap_at(s.vm, s.ip, TrapCode::array_out_of_bounds);
  return array->elements() + std::uint64_t{index} * size;
}

template <class T, class M>
struct ArrayGet {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 6;
  WASI_INLINE static void run(State& s) {
    M value;
    std::memcpy(&value, element_of<sizeof(M)>(s, slot_at<kHeadSize + 2>(s), slot_at<kHeadSize + 4>(s).u32),
                sizeof value);
    put(s, extend<T>(value));
    s.ip += kLength;
  }
};

template <class M>
struct ArraySet {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 6;
  WASI_INLINE static void run(State& s) {
    std::uint8_t* element = element_of<sizeof(M)>(s, slot_at<kHeadSize>(s), slot_at<kHeadSize + 2>(s).u32);
    const M value = static_cast<M>(slot_at<kHeadSize + 4>(s).u64);
    std::memcpy(element, &value, sizeof value);
    s.ip += kLength;
  }
};

struct ArrayGetVector {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 6;
  WASI_INLINE static void run(State& s) {
    V128 value;
    std::memcpy(&value, element_of<sizeof value>(s, slot_at<kHeadSize + 2>(s), slot_at<kHeadSize + 4>(s).u32),
                sizeof value);
    put_vector(s, value);
    s.ip += kLength;
  }
};

struct ArraySetVector {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 6;
  WASI_INLINE static void run(State& s) {
    const V128 value = load_vector(&slot_at<kHeadSize + 4>(s));
    std::uint8_t* element = element_of<sizeof value>(s, slot_at<kHeadSize>(s), slot_at<kHeadSize + 2>(s).u32);
    std::memcpy(element, &value, sizeof value);
    s.ip += kLength;
  }
};

struct ArrayLen {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 4;
  WASI_INLINE static void run(State& s) {
    put(s, array_of(s, slot_at<kHeadSize + 2>(s))->length);
    s.ip += kLength;
  }
};

struct ArrayFill {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 12;
  WASI_INLINE static void run(State& s) {
    calls::array_fill(s.vm, s.ip, index_at(s, kHeadSize + 8), slot_at<kHeadSize>(s).u64, slot_at<kHeadSize + 2>(s).u32,
                      &slot_at<kHeadSize + 4>(s), slot_at<kHeadSize + 6>(s).u32);
    finish_long(s, kLength);
  }
};

struct ArrayCopy {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 14;
  WASI_INLINE static void run(State& s) {
    calls::array_copy(s.vm, s.ip, index_at(s, kHeadSize + 10), slot_at<kHeadSize>(s).u64, slot_at<kHeadSize + 2>(s).u32,
                      slot_at<kHeadSize + 4>(s).u64, slot_at<kHeadSize + 6>(s).u32, slot_at<kHeadSize + 8>(s).u32);
    finish_long(s, kLength);
  }
};

struct ArrayInitData {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 16;
  WASI_INLINE static void run(State& s) {
    calls::array_init_data(s.vm, s.ip, index_at(s, kHeadSize + 8), index_at(s, kHeadSize + 12),
                           slot_at<kHeadSize>(s).u64, slot_at<kHeadSize + 2>(s).u32, slot_at<kHeadSize + 4>(s).u32,
                           slot_at<kHeadSize + 6>(s).u32);
    finish_long(s, kLength);
  }
};

struct ArrayInitElem {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 12;
  WASI_INLINE static void run(State& s) {
    calls::array_init_elem(s.vm, s.ip, index_at(s, kHeadSize + 8), slot_at<kHeadSize>(s).u64,
                           slot_at<kHeadSize + 2>(s).u32, slot_at<kHeadSize + 4>(s).u32, slot_at<kHeadSize + 6>(s).u32);
    finish_long(s, kLength);
  }
};

// --- i31 and casts

struct RefI31 {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 4;
  WASI_INLINE static void run(State& s) {
    put(s, runtime::make_i31(slot_at<kHeadSize + 2>(s).u32));
    s.ip += kLength;
  }
};

template <bool is_signed>
struct I31Get {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 4;
  WASI_INLINE static void run(State& s) {
    const std::uint64_t reference = slot_at<kHeadSize + 2>(s).u64;
    if (reference == 0) [[unlikely]]
      trap_at(s.vm, s.ip, TrapCode::null_i31_reference);
    put(s, is_signed ? static_cast<std::uint32_t>(runtime::i31_signed(reference)) : runtime::i31_unsigned(reference));
    s.ip += kLength;
  }
};

// With is_object, the test's mode is `object`.
template <bool is_object>
WASI_INLINE bool passes(State& s, std::uint64_t reference, std::uint32_t test_at) {
  const auto bits = read_code<std::uint64_t>(s.ip + test_at);
  if constexpr (is_object) {
    return runtime::passes_object_test(s.vm->exec->gc, reference, std::bit_cast<runtime::TypeTest>(bits));
  } else {
    const bool result = calls::passes_test(s.vm, reference, bits);
    after_slow_call(s);
    return result;
  }
}

template <bool is_object>
struct RefTest {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 12;
  WASI_INLINE static void run(State& s) {
    put(s, passes<is_object>(s, slot_at<kHeadSize + 2>(s).u64, kHeadSize + 4) ? std::uint32_t{1} : std::uint32_t{0});
    s.ip += kLength;
  }
};

template <bool is_object>
struct RefCast {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 10;
  WASI_INLINE static void run(State& s) {
    if (!passes<is_object>(s, slot_at<kHeadSize>(s).u64, kHeadSize + 2)) [[unlikely]]
      trap_at(s.vm, s.ip, TrapCode::cast_failure);
    s.ip += kLength;
  }
};

}  // namespace wasi::interp
