// See snapshot0.h.
#include "wasi/snapshot0.h"

#include <algorithm>
#include <limits>

namespace wasi::preview1::snapshot0 {
namespace {

preview1::Subscription new_form(const std::uint8_t* place) {
  Subscription old;
  std::memcpy(&old, place, sizeof(old));
  preview1::Subscription subscription{};
  subscription.userdata = old.userdata;
  subscription.type = old.type;
  if (old.type == EventType::clock) {
    subscription.clock_or_fd = old.clock;
    subscription.timeout = old.timeout;
    subscription.precision = old.precision;
    subscription.clock_flags = old.clock_flags;
  } else {
    subscription.clock_or_fd = static_cast<std::uint32_t>(old.identifier_or_fd);
  }
  return subscription;
}

}  // namespace

Errno Whence::decode(Call&, const runtime::Slot* slots) {
  static constexpr preview1::Whence kOrder[] = {preview1::Whence::cur, preview1::Whence::end, preview1::Whence::set};
  if (slots[0].u32 >= std::size(kOrder)) return Errno::inval;
  value = kOrder[slots[0].u32];
  return Errno::success;
}

Errno OutStat::decode(Call& call, const runtime::Slot* slots) {
  return place.set(call, slots[0].u32, sizeof(FileStat));
}

void OutStat::encode() const {
  FileStat old;
  old.dev = value.dev;
  old.ino = value.ino;
  old.type = value.type;
  old.nlink =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(value.nlink, std::numeric_limits<std::uint32_t>::max()));
  old.size = value.size;
  old.atim = value.atim;
  old.mtim = value.mtim;
  old.ctim = value.ctim;
  std::memcpy(place.data(), &old, sizeof(old));
}

Errno PollList::decode(Call& call, const runtime::Slot* slots) {
  return decode_as(call, slots, sizeof(Subscription), &new_form);
}

}  // namespace wasi::preview1::snapshot0
