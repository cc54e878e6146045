// Handler bodies: linear memories.
//
// Unchecked forms are for a memory 0 with guard pages: an index and an offset of 32 bits each cannot
// leave its reservation, and what lies behind the memory's end faults. Checked forms compare with State's
// copy of the size; _wide forms do so for a memory 0 with 64-bit addresses; _any forms serve all other memories and
// offsets of more than 32 bits.
// Source: https://webassembly.github.io/spec/core/exec/instructions.html#memory-instructions
#pragma once

#include "interp/slow_path.h"
#include "interp/state.h"
#include "wasm/types.h"

namespace wasi::interp {

template <class T, class M>
WASI_INLINE T extend(M value) {
  if constexpr (std::is_floating_point_v<T>) {
    return value;
  } else if constexpr (std::is_signed_v<M>) {
    return static_cast<T>(static_cast<std::make_signed_t<T>>(value));
  } else {
    return static_cast<T>(value);
  }
}

// The effective address of an access of `size` bytes. The sum has 33 bits: it must not wrap.
template <class L, std::uint32_t at, std::uint32_t offset_at, bool checked, std::uint32_t size>
WASI_INLINE std::uint64_t effective_address(State& s) {
  std::uint64_t address = read_code<std::uint32_t>(s.ip + offset_at);
  if constexpr (!std::is_same_v<L, K>) address += get<std::uint32_t, L, at>(s);
  if constexpr (checked) {
    if (address + size > s.mem_size) [[unlikely]]
      trap_at(s.vm, s.ip, TrapCode::memory_out_of_bounds);
  }
  return address;
}

// The same for a 64-bit index, with which the sum may wrap.
template <class L, std::uint32_t at, std::uint32_t offset_at, std::uint32_t size>
WASI_INLINE std::uint64_t wide_address(State& s) {
  const std::uint64_t reach = read_code<std::uint32_t>(s.ip + offset_at) + std::uint64_t{size};
  std::uint64_t end;
  if (__builtin_add_overflow(get<std::uint64_t, L, at>(s), reach, &end) || end > s.mem_size) [[unlikely]]
    trap_at(s.vm, s.ip, TrapCode::memory_out_of_bounds);
  return end - size;
}

// An address that is a constant is the offset.
template <class L>
inline constexpr std::uint32_t kAddressSize = std::is_same_v<L, S> ? 2 : 0;

template <class T, class M, class L, bool checked>
struct Load {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kAddressAt = kDestinationAt + 2;
  static constexpr std::uint32_t kOffsetAt = kAddressAt + kAddressSize<L>;
  static constexpr std::uint32_t kLength = kOffsetAt + 4;
  WASI_INLINE static void run(State& s) {
    pin(s);
    const std::uint64_t address = effective_address<L, kAddressAt, kOffsetAt, checked, sizeof(M)>(s);
    M value;
    std::memcpy(&value, s.mem + address, sizeof value);
    const T result = extend<T>(value);
    pin(s);
    put(s, result);
    s.ip += kLength;
  }
};

template <class T, class M, class L, class V, bool checked>
struct Store {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kValueAt = kHeadSize + kAddressSize<L>;
  static constexpr std::uint32_t kOffsetAt = kValueAt + kOperandSize<V, T>;
  static constexpr std::uint32_t kLength = kOffsetAt + 4;
  WASI_INLINE static void run(State& s) {
    pin(s);
    const std::uint64_t address = effective_address<L, kHeadSize, kOffsetAt, checked, sizeof(M)>(s);
    const M value = static_cast<M>(get<T, V, kValueAt>(s));
    std::memcpy(s.mem + address, &value, sizeof value);
    pin(s);
    s.ip += kLength;
  }
};

template <class T, class M, class L>
struct LoadWide {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kAddressAt = kDestinationAt + 2;
  static constexpr std::uint32_t kOffsetAt = kAddressAt + kAddressSize<L>;
  static constexpr std::uint32_t kLength = kOffsetAt + 4;
  WASI_INLINE static void run(State& s) {
    M value;
    std::memcpy(&value, s.mem + wide_address<L, kAddressAt, kOffsetAt, sizeof(M)>(s), sizeof value);
    put(s, extend<T>(value));
    s.ip += kLength;
  }
};

template <class T, class M, class L, class V>
struct StoreWide {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kValueAt = kHeadSize + kAddressSize<L>;
  static constexpr std::uint32_t kOffsetAt = kValueAt + kOperandSize<V, T>;
  static constexpr std::uint32_t kLength = kOffsetAt + 4;
  WASI_INLINE static void run(State& s) {
    const std::uint64_t address = wide_address<L, kHeadSize, kOffsetAt, sizeof(M)>(s);
    const M value = static_cast<M>(get<T, V, kValueAt>(s));
    std::memcpy(s.mem + address, &value, sizeof value);
    s.ip += kLength;
  }
};

// The place that an _any form means: `size` bytes at the index in the slot at `at`, plus the offset at `offset_at`,
// in the memory named behind that.
template <std::uint32_t at, std::uint32_t offset_at, std::uint32_t size>
WASI_INLINE std::uint8_t* any_address(State& s) {
  return calls::address_in_memory(s.vm, s.ip, index_at(s, offset_at + 8), slot_at<at>(s).u64,
                                  read_code<std::uint64_t>(s.ip + offset_at), size);
}

template <class T, class M>
struct LoadAny {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 16;
  WASI_INLINE static void run(State& s) {
    M value;
    std::memcpy(&value, any_address<kHeadSize + 2, kHeadSize + 4, sizeof(M)>(s), sizeof value);
    pin(s);  // read once: another thread may change it
    after_slow_call(s);
    put(s, extend<T>(value));
    s.ip += kLength;
  }
};

template <class T, class M>
struct StoreAny {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 16;
  WASI_INLINE static void run(State& s) {
    const M value = static_cast<M>(get<T, S, kHeadSize + 2>(s));
    std::memcpy(any_address<kHeadSize, kHeadSize + 4, sizeof(M)>(s), &value, sizeof value);
    s.ip += kLength;
    after_slow_call(s);
  }
};

struct MemorySize {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 6;
  WASI_INLINE static void run(State& s) {
    const runtime::MemoryView& memory = *s.vm->memories[index_at(s, kHeadSize + 2)];
    put(s, memory.byte_size.load() >> memory.page_log2);
    s.ip += kLength;
  }
};

struct MemoryGrow {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 8;
  WASI_INLINE static void run(State& s) {
    slot_at<kDestinationAt>(s).s64 =
        calls::memory_grow(s.vm, index_at(s, kHeadSize + 4), slot_at<kHeadSize + 2>(s).u64);
    s.ip += kLength;
    after_long_call(s);
  }
};

// Most copies and fills are of few bytes in memory 0, and a call for them costs more than they do.
inline constexpr std::uint64_t kFewBytes = 64;

template <class T>
WASI_INLINE T read_bytes(const std::uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// The first and the last part of `count` bytes, which meet or overlap: `count` is between one and two T.
template <class T>
WASI_INLINE void copy_ends(std::uint8_t* to, const std::uint8_t* from, std::uint64_t count) {
  const T first = read_bytes<T>(from);
  const T last = read_bytes<T>(from + count - sizeof(T));
  std::memcpy(to, &first, sizeof(T));
  std::memcpy(to + count - sizeof(T), &last, sizeof(T));
}

// At most kFewBytes, which may overlap: all are read before any is written.
WASI_INLINE void copy_few(std::uint8_t* to, const std::uint8_t* from, std::uint64_t count) {
  if (count > 32) {
    const V128 second = read_bytes<V128>(from + 16);
    const V128 third = read_bytes<V128>(from + count - 32);
    copy_ends<V128>(to, from, count);
    std::memcpy(to + 16, &second, sizeof second);
    std::memcpy(to + count - 32, &third, sizeof third);
  } else if (count >= 16) {
    copy_ends<V128>(to, from, count);
  } else if (count >= 8) {
    copy_ends<std::uint64_t>(to, from, count);
  } else if (count >= 4) {
    copy_ends<std::uint32_t>(to, from, count);
  } else if (count >= 2) {
    copy_ends<std::uint16_t>(to, from, count);
  } else if (count == 1) {
    *to = *from;
  }
}

template <class T>
WASI_INLINE void fill_ends(std::uint8_t* to, T value, std::uint64_t count) {
  std::memcpy(to, &value, sizeof(T));
  std::memcpy(to + count - sizeof(T), &value, sizeof(T));
}

WASI_INLINE void fill_few(std::uint8_t* to, std::uint8_t byte, std::uint64_t count) {
  const std::uint64_t eight = byte * 0x0101'0101'0101'0101U;
  if (count >= 16) {
    const std::uint64_t halves[] = {eight, eight};
    const auto sixteen = read_bytes<V128>(reinterpret_cast<const std::uint8_t*>(halves));
    fill_ends(to, sixteen, count);
    if (count <= 32) return;
    std::memcpy(to + 16, &sixteen, sizeof sixteen);
    std::memcpy(to + count - 32, &sixteen, sizeof sixteen);
  } else if (count >= 8) {
    fill_ends(to, eight, count);
  } else if (count >= 4) {
    fill_ends(to, static_cast<std::uint32_t>(eight), count);
  } else if (count >= 2) {
    fill_ends(to, static_cast<std::uint16_t>(eight), count);
  } else if (count == 1) {
    *to = byte;
  }
}

struct MemoryFill {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 10;
  WASI_INLINE static void run(State& s) {
    const runtime::MemoryView& memory = *s.vm->memory0;
    const std::uint64_t size = memory.size();
    const std::uint64_t count = slot_at<kHeadSize + 4>(s).u64 & memory.index_mask;
    const std::uint64_t to = slot_at<kHeadSize>(s).u64 & memory.index_mask;
    if (index_at(s, kHeadSize + 6) == 0 && count <= kFewBytes && count <= size && to <= size - count) {
      fill_few(memory.base + to, static_cast<std::uint8_t>(slot_at<kHeadSize + 2>(s).u32), count);
      s.ip += kLength;
      return;
    }
    calls::memory_fill(s.vm, s.ip, index_at(s, kHeadSize + 6), slot_at<kHeadSize>(s).u64, slot_at<kHeadSize + 2>(s).u32,
                       slot_at<kHeadSize + 4>(s).u64);
    s.ip += kLength;
    after_long_call(s);
  }
};

struct MemoryCopy {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 14;
  WASI_INLINE static void run(State& s) {
    const runtime::MemoryView& memory = *s.vm->memory0;
    const std::uint64_t size = memory.size();
    const std::uint64_t count = slot_at<kHeadSize + 4>(s).u64 & memory.index_mask;
    const std::uint64_t to = slot_at<kHeadSize>(s).u64 & memory.index_mask;
    const std::uint64_t from = slot_at<kHeadSize + 2>(s).u64 & memory.index_mask;
    const bool is_in_memory0 = read_code<std::uint64_t>(s.ip + kHeadSize + 6) == 0;
    if (is_in_memory0 && count <= kFewBytes && count <= size && to <= size - count && from <= size - count) {
      copy_few(memory.base + to, memory.base + from, count);
      s.ip += kLength;
      return;
    }
    calls::memory_copy(s.vm, s.ip, index_at(s, kHeadSize + 6), index_at(s, kHeadSize + 10), slot_at<kHeadSize>(s).u64,
                       slot_at<kHeadSize + 2>(s).u64, slot_at<kHeadSize + 4>(s).u64);
    s.ip += kLength;
    after_long_call(s);
  }
};

struct MemoryInit {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 14;
  WASI_INLINE static void run(State& s) {
    calls::memory_init(s.vm, s.ip, index_at(s, kHeadSize + 6), index_at(s, kHeadSize + 10), slot_at<kHeadSize>(s).u64,
                       slot_at<kHeadSize + 2>(s).u32, slot_at<kHeadSize + 4>(s).u32);
    s.ip += kLength;
    after_long_call(s);
  }
};

struct DataDrop {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 4;
  WASI_INLINE static void run(State& s) {
    calls::data_drop(s.vm, index_at(s, kHeadSize));
    s.ip += kLength;
    after_slow_call(s);
  }
};

}  // namespace wasi::interp
