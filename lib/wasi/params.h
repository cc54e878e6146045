// The kinds of parameters that preview1.def is written in.
//
// A kind takes its Wasm arguments from their slots, checks them and holds the result for the function: a descriptor
// that has the rights, a path that was copied out, a range of guest memory that is known to be inside. All kinds of a
// call are decoded before the function runs, so a bad pointer means that nothing has happened and nothing was
// written. What a function gives back in numbers and structures is kept by its kind and written by encode(), when the
// function has succeeded, in the order of the parameters. A kind also says how it looks in the docs and in a trace:
// what goes in by describe(), before the call, what came out by describe_result(), after one that succeeded.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "wasi/abi.h"
#include "wasi/call.h"

namespace wasi::preview1 {

// What the table tells about a parameter, for docs and for tests that try every pointer.
enum class Shape : std::uint8_t {
  value,    // passed as it is
  fd,       // a descriptor
  place,    // address of `unit` bytes
  array,    // address and number of elements of `unit` bytes
  strings,  // address of pointers and address of bytes; the sizes are args' or environ's
  events,   // addresses of subscriptions and events, number of both
};

struct ParamInfo {
  std::string_view type;       // for the docs: "path", "out u32"
  std::string_view signature;  // a letter per Wasm parameter: i is i32, I is i64
  Shape shape = Shape::value;
  std::uint32_t unit = 0;
  Rights rights = 0;  // needed on the descriptor
};

// What the text of a parameter depends on.
struct Detail {
  std::size_t string_size = 32;        // how much is shown of data
  std::optional<std::uint32_t> count;  // how many bytes or events there are, where the call has said so
};

// Append to the trace line.
void describe_escaped(std::string& out, std::string_view bytes);
void describe_quoted(std::string& out, std::string_view bytes, std::size_t limit);
void describe_bits(std::string& out, std::uint64_t bits, std::span<const std::string_view> names);
void describe_rights(std::string& out, Rights rights);
void describe_hex(std::string& out, std::uint64_t value);
void describe_value(std::string& out, std::uint64_t value);
void describe_value(std::string& out, std::uint32_t value);
void describe_value(std::string& out, std::uint16_t value);
void describe_value(std::string& out, const FdStat& stat);
void describe_value(std::string& out, const FileStat& stat);
void describe_value(std::string& out, const PreStat& stat);
void describe_descriptor(std::string& out, std::uint32_t number, const Descriptor& descriptor);
void describe_strings(std::string& out, const StringList& list, const Detail& detail);
std::string_view name_of(FileType type);

// Names for bits and enumerators, lowest first.
inline constexpr std::array<std::string_view, 30> kRightNames = {
#define WASI_RIGHT(name, holders, changes, granted) #name,
#include "wasi/rights.def"
#undef WASI_RIGHT
};

// The error for a descriptor that lacks `missing`.
Errno refusal(const Descriptor& descriptor, Rights missing);

// An open descriptor that has all of kRights.
template <Rights kRights>
struct Fd {
  static constexpr ParamInfo kInfo{"fd", "i", Shape::fd, 0, kRights};
  std::uint32_t number = 0;
  std::shared_ptr<Descriptor> descriptor;

  Errno decode(Call& call, const runtime::Slot* slots) {
    number = slots[0].u32;
    descriptor = call.state.fds.find(number);
    if (descriptor == nullptr) [[unlikely]]
      return Errno::badf;
    const bool is_unseen = kHostRefuses && !descriptor->file->is_seen();
    const Rights missing = is_unseen ? descriptor->missing_unseen(kRights) : descriptor->missing(kRights);
    return missing == 0 ? Errno::success : refusal(*descriptor, missing);
  }
  void describe(std::string& out, const Detail&) const { describe_descriptor(out, number, *descriptor); }
  Descriptor* operator->() const { return descriptor.get(); }
  Descriptor& operator*() const { return *descriptor; }

 private:
  // A reader gets the same words from the host, EISDIR and ESPIPE: what the file is need not be asked for that.
  static constexpr bool kHostRefuses = (kRights & ~(right::fd_read | right::fd_seek)) == 0;
};

// The descriptor that fd_close ends: nobody finds its number any more once it is decoded.
struct TakenFd {
  static constexpr ParamInfo kInfo = Fd<0>::kInfo;
  std::uint32_t number = 0;
  std::shared_ptr<Descriptor> descriptor;

  Errno decode(Call& call, const runtime::Slot* slots) {
    number = slots[0].u32;
    descriptor = call.state.fds.take(number);
    return descriptor != nullptr ? Errno::success : Errno::badf;
  }
  void describe(std::string& out, const Detail&) const { describe_descriptor(out, number, *descriptor); }
};

// The same, of a directory.
template <Rights kRights>
struct Dir {
  static_assert((kRights & right::kOfDirectories & ~right::kOfFiles & ~right::kOfStreams) != 0);
  static constexpr ParamInfo kInfo = Fd<kRights>::kInfo;
  Fd<kRights> fd;

  Errno decode(Call& call, const runtime::Slot* slots) { return fd.decode(call, slots); }
  void describe(std::string& out, const Detail& detail) const { fd.describe(out, detail); }
  [[nodiscard]] const Descriptor& descriptor() const { return *fd; }
  // Nothing else has such rights.
  Directory* operator->() const { return fd->file->as_directory(); }
  Directory& operator*() const { return *fd->file->as_directory(); }
};

// The same, of a socket.
template <Rights kRights>
struct SocketFd {
  static constexpr ParamInfo kInfo{"socket", "i", Shape::fd, 0, kRights};
  Fd<0> fd;

  Errno decode(Call& call, const runtime::Slot* slots) {
    if (const Errno error = fd.decode(call, slots); error != Errno::success) return error;
    const FileType type = fd->type();
    if (type != FileType::socket_stream && type != FileType::socket_dgram) return Errno::notsock;
    const Rights missing = fd->missing(kRights);
    return missing == 0 ? Errno::success : refusal(*fd, missing);
  }
  void describe(std::string& out, const Detail& detail) const { fd.describe(out, detail); }
};

// Numbers.
struct U32 {
  static constexpr ParamInfo kInfo{"u32", "i"};
  std::uint32_t value = 0;
  Errno decode(Call&, const runtime::Slot* slots) { return value = slots[0].u32, Errno::success; }
  void describe(std::string& out, const Detail&) const { describe_value(out, value); }
};
struct U64 {
  static constexpr ParamInfo kInfo{"u64", "I"};
  std::uint64_t value = 0;
  Errno decode(Call&, const runtime::Slot* slots) { return value = slots[0].u64, Errno::success; }
  void describe(std::string& out, const Detail&) const { describe_value(out, value); }
};
struct S64 {
  static constexpr ParamInfo kInfo{"s64", "I"};
  std::int64_t value = 0;
  Errno decode(Call&, const runtime::Slot* slots) { return value = slots[0].s64, Errno::success; }
  void describe(std::string& out, const Detail&) const { out += std::to_string(value); }
};

// A set of rights. Bits that mean nothing are dropped rather than refused, unlike those of flags: programs ask for
// "all" by setting every bit.
struct RightsSet {
  static constexpr ParamInfo kInfo{"rights", "I"};
  Rights value = 0;
  Errno decode(Call&, const runtime::Slot* slots) { return value = slots[0].u64 & right::kAll, Errno::success; }
  void describe(std::string& out, const Detail&) const { describe_rights(out, value); }
};

// Sets of flags and enumerations: names in order of bits or values; others are EINVAL.
struct FdFlags {
  static constexpr std::string_view kType = "fdflags";
  static constexpr std::array<std::string_view, 5> kNames = {"append", "dsync", "nonblock", "rsync", "sync"};
};
struct OFlags {
  static constexpr std::string_view kType = "oflags";
  static constexpr std::array<std::string_view, 4> kNames = {"creat", "directory", "excl", "trunc"};
};
struct LookupFlags {
  static constexpr std::string_view kType = "lookupflags";
  static constexpr std::array<std::string_view, 1> kNames = {"symlink_follow"};
};
struct FstFlags {
  static constexpr std::string_view kType = "fstflags";
  static constexpr std::array<std::string_view, 4> kNames = {"atim", "atim_now", "mtim", "mtim_now"};
};
struct RiFlags {
  static constexpr std::string_view kType = "riflags";
  static constexpr std::array<std::string_view, 2> kNames = {"recv_peek", "recv_waitall"};
};
struct SiFlags {
  static constexpr std::string_view kType = "siflags";
  static constexpr std::array<std::string_view, 0> kNames = {};
};
struct SdFlags {
  static constexpr std::string_view kType = "sdflags";
  static constexpr std::array<std::string_view, 2> kNames = {"rd", "wr"};
};
struct ClockIds {
  static constexpr std::string_view kType = "clockid";
  static constexpr std::array<std::string_view, 4> kNames = {"realtime", "monotonic", "process_cputime_id",
                                                             "thread_cputime_id"};
};
struct Whences {
  static constexpr std::string_view kType = "whence";
  static constexpr std::array<std::string_view, 3> kNames = {"set", "cur", "end"};
};
struct Advices {
  static constexpr std::string_view kType = "advice";
  static constexpr std::array<std::string_view, 6> kNames = {"normal",   "sequential", "random",
                                                             "willneed", "dontneed",   "noreuse"};
};

template <class Names>
struct Flags {
  static constexpr ParamInfo kInfo{Names::kType, "i"};
  std::uint32_t value = 0;
  Errno decode(Call&, const runtime::Slot* slots) {
    value = slots[0].u32;
    return (value >> Names::kNames.size()) == 0 ? Errno::success : Errno::inval;
  }
  void describe(std::string& out, const Detail&) const { describe_bits(out, value, Names::kNames); }
  [[nodiscard]] bool has(std::uint32_t bits) const { return (value & bits) != 0; }
};

template <class Names, class Value>
struct Enum {
  static constexpr ParamInfo kInfo{Names::kType, "i"};
  Value value{};
  Errno decode(Call&, const runtime::Slot* slots) {
    if (slots[0].u32 >= Names::kNames.size()) return Errno::inval;
    value = static_cast<Value>(slots[0].u32);
    return Errno::success;
  }
  void describe(std::string& out, const Detail&) const { out += Names::kNames[static_cast<std::size_t>(value)]; }
};

// Where a result goes.
template <class T>
struct Out {
  static constexpr ParamInfo kInfo{T::kOutType, "i", Shape::place, sizeof(typename T::Type)};
  typename T::Type value{};
  GuestRange place;

  Errno decode(Call& call, const runtime::Slot* slots) {
    return place.set(call, slots[0].u32, sizeof(typename T::Type));
  }
  void set(const typename T::Type& result) { value = result; }
  void encode() const { std::memcpy(place.data(), &value, sizeof(value)); }
  void describe_result(std::string& out, const Detail&) const {
    out += '[';
    describe_value(out, value);
    out += ']';
  }
};
struct OutU16 {
  using Type = std::uint16_t;
  static constexpr std::string_view kOutType = "out u16";
};
struct OutU32 {
  using Type = std::uint32_t;
  static constexpr std::string_view kOutType = "out u32";
};
struct OutU64 {
  using Type = std::uint64_t;
  static constexpr std::string_view kOutType = "out u64";
};
struct OutFdStat {
  using Type = FdStat;
  static constexpr std::string_view kOutType = "out fdstat";
};
struct OutFileStat {
  using Type = FileStat;
  static constexpr std::string_view kOutType = "out filestat";
};
struct OutPreStat {
  using Type = PreStat;
  static constexpr std::string_view kOutType = "out prestat";
};

// A path, copied out of guest memory: UTF-8 (EILSEQ) without NUL (EINVAL), no longer than the program's limit
// (ENAMETOOLONG).
struct Path {
  static constexpr ParamInfo kInfo{"path", "ii", Shape::array, 1};
  static constexpr std::size_t kMostShown = 256;
  std::size_t size;
  char text[Limits::kMostPathLength + 1];

  Path() {}  // NOLINT: the text stays uninitialised on purpose, it is 4 KiB
  Errno decode(Call& call, const runtime::Slot* slots);
  void describe(std::string& out, const Detail& detail) const {
    describe_quoted(out, view(), std::max(detail.string_size, kMostShown));
  }
  [[nodiscard]] std::string_view view() const { return {text, size}; }
};

// Buffers in guest memory, as readv and writev take them; EINVAL for more than the program's limit. No more than
// IOV_MAX of them are looked at, and no more bytes than Linux moves at once, since buffers may overlap and their sum be
// more than a count can say: a short count is an answer that every caller of these functions must expect.
struct Iovs {
  static constexpr std::size_t kMaxCount = IOV_MAX;
  static constexpr std::size_t kMaxBytes = 0x7ffff000;
  std::size_t count = 0;
  iovec vectors[kMaxCount];

  Iovs() {}  // NOLINT: 16 KiB that stay uninitialised on purpose
  Errno decode(Call& call, const runtime::Slot* slots);
  // Makes the vectors point to where the memory is now, also those of which a part was cut off.
  void follow_memory();
  // Of all buffers together, `filled` bytes mean something.
  void describe_data(std::string& out, std::size_t filled, std::size_t string_size) const;

 private:
  // Where what stood at `pointer` when the vectors were made, or made to follow, is now.
  [[nodiscard]] void* moved(void* pointer) const;

  const Call* call_ = nullptr;
  std::uint8_t* base_ = nullptr;  // of the memory that the vectors point into; null: it was empty
};
struct ReadIovs : Iovs {
  ReadIovs() {}  // NOLINT: an implicit one would be preceded by zeroing all of it
  static constexpr ParamInfo kInfo{"out iovs", "ii", Shape::array, 8};
  void describe_result(std::string& out, const Detail& detail) const {
    describe_data(out, detail.count.value_or(0), detail.string_size);
  }
};
struct WriteIovs : Iovs {
  WriteIovs() {}  // NOLINT: see ReadIovs
  static constexpr ParamInfo kInfo{"iovs", "ii", Shape::array, 8};
  void describe(std::string& out, const Detail& detail) const { describe_data(out, SIZE_MAX, detail.string_size); }
};

// A buffer that the function fills.
struct OutBytes {
  static constexpr ParamInfo kInfo{"out bytes", "ii", Shape::array, 1};
  GuestRange place;
  std::size_t size = 0;

  Errno decode(Call& call, const runtime::Slot* slots) {
    size = slots[1].u32;
    return place.set(call, slots[0].u32, size);
  }
  [[nodiscard]] std::span<std::uint8_t> bytes() const { return {place.data(), size}; }
  void describe_result(std::string& out, const Detail& detail) const;
};
// The same, for directory entries.
struct OutEntries : OutBytes {
  void describe_result(std::string& out, const Detail& detail) const;
};

// Where args_get and environ_get put their pointers and their strings.
template <StringList Context::State::* kList>
struct OutStrings {
  static constexpr ParamInfo kInfo{"out strings", "ii", Shape::strings, 0};
  const StringList* list = nullptr;
  GuestRange pointers;
  GuestRange bytes;

  Errno decode(Call& call, const runtime::Slot* slots) {
    list = &(call.state.*kList);
    // With no strings any pointers will do: C libraries pass those of arrays that they have not made then.
    const Errno error = pointers.set(call, list->offsets.empty() ? 0 : slots[0].u32, list->offsets.size() * 4);
    if (error != Errno::success) return error;
    return bytes.set(call, list->bytes.empty() ? 0 : slots[1].u32, list->bytes.size());
  }
  void describe_result(std::string& out, const Detail& detail) const { describe_strings(out, *list, detail); }
};

// poll_oneoff's three: subscriptions, room for as many events, their number.
struct PollList {
  static constexpr ParamInfo kInfo{"subscriptions, out events", "iii", Shape::events, 0};
  GuestRange subscriptions;
  GuestRange events;
  std::uint32_t count = 0;

  Errno decode(Call& call, const runtime::Slot* slots) { return decode_as(call, slots, sizeof(Subscription), &read); }
  [[nodiscard]] Subscription at(std::uint32_t index) const {
    return read_(subscriptions.data() + index * std::size_t{size_});
  }
  void set_event(std::uint32_t index, const Event& event) const {
    std::memcpy(events.data() + index * sizeof(event), &event, sizeof(event));
  }
  void describe(std::string& out, const Detail&) const;
  void describe_result(std::string& out, const Detail& detail) const;

 protected:
  using Reader = Subscription (*)(const std::uint8_t* place);
  // Subscriptions that take `size` bytes each.
  Errno decode_as(Call& call, const runtime::Slot* slots, std::uint32_t size, Reader reader) {
    size_ = size;
    read_ = reader;
    count = slots[2].u32;
    const Errno error = subscriptions.set(call, slots[0].u32, count * std::uint64_t{size});
    if (error != Errno::success) return error;
    return events.set(call, slots[1].u32, count * std::uint64_t{sizeof(Event)});
  }

 private:
  static Subscription read(const std::uint8_t* place) {
    Subscription subscription;
    std::memcpy(&subscription, place, sizeof(subscription));
    return subscription;
  }
  std::uint32_t size_ = 0;
  Reader read_ = nullptr;
};

}  // namespace wasi::preview1
