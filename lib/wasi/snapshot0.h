// Snapshot 0, the module wasi_unstable: the same functions as they were before preview1. Programs of 2019 import it.
//
// What has another form there is a kind of parameter of its own: it takes the old form and hands the function the new
// one, or the other way round when the call has succeeded. All else, the functions included, is preview1's.
// Source: https://github.com/WebAssembly/WASI/tree/wasi-0.1/preview0
#pragma once

#include <cstdint>

#include "wasi/params.h"

namespace wasi::preview1::snapshot0 {

// Counts links in 32 bits, for which there was room behind the type.
struct FileStat {
  std::uint64_t dev = 0;
  std::uint64_t ino = 0;
  FileType type = FileType::unknown;
  std::uint8_t padding[3] = {};
  std::uint32_t nlink = 0;
  std::uint64_t size = 0;
  std::uint64_t atim = 0;
  std::uint64_t mtim = 0;
  std::uint64_t ctim = 0;
};
static_assert(sizeof(FileStat) == 56);

// Clocks have an identifier, which says nothing that the userdata does not say, before the clock's own. Descriptors
// stand where that is.
struct Subscription {
  std::uint64_t userdata;
  EventType type;
  std::uint8_t padding0[7];
  std::uint64_t identifier_or_fd;
  std::uint32_t clock;
  std::uint32_t padding1;
  std::uint64_t timeout;
  std::uint64_t precision;
  std::uint16_t clock_flags;
  std::uint8_t padding2[6];
};
static_assert(sizeof(Subscription) == 56);

// cur, end, set.
struct Whence : Enum<Whences, preview1::Whence> {
  Errno decode(Call& call, const runtime::Slot* slots);
};

struct OutStat : Out<OutFileStat> {
  static constexpr ParamInfo kInfo{"out filestat", "i", Shape::place, sizeof(FileStat)};
  Errno decode(Call& call, const runtime::Slot* slots);
  // In the old form.
  void encode() const;
};

struct PollList : preview1::PollList {
  Errno decode(Call& call, const runtime::Slot* slots);
};

// What a kind of preview1.def is in snapshot 0.
template <class Kind>
struct Old {
  using Type = Kind;
};
template <>
struct Old<Enum<Whences, preview1::Whence>> {
  using Type = Whence;
};
template <>
struct Old<Out<OutFileStat>> {
  using Type = OutStat;
};
template <>
struct Old<preview1::PollList> {
  using Type = PollList;
};

}  // namespace wasi::preview1::snapshot0
