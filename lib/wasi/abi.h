// The vocabulary of preview1: errors, rights, flags and the layout of structures in guest memory.
//
// Numbers are the interface's own, never the host's.
// Source: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace wasi::preview1 {

enum class Errno : std::uint16_t {
#define WASI_ERRNO(name, host, text) name,
#include "wasi/errno.def"
#undef WASI_ERRNO
};

// "EBADF".
std::string_view name_of(Errno error);
// The error for a host errno value; EIO for what preview1 has no name for.
Errno errno_from_host(int host);
// The host's value; 0 where it has none.
int host_errno(Errno error);

// A set of rights, as guests write it. Bits without a name are dropped when they come in.
using Rights = std::uint64_t;

enum class RightBit : std::uint8_t {
#define WASI_RIGHT(name, holders, changes, granted) name,
#include "wasi/rights.def"
#undef WASI_RIGHT
};

namespace right {
#define WASI_RIGHT(name, holders, changes, granted) \
  inline constexpr Rights name = Rights{1} << static_cast<std::uint8_t>(RightBit::name);
#include "wasi/rights.def"
#undef WASI_RIGHT

// When an opened file has a right, and what can hold it, for the table.
enum Grant : std::uint8_t { kAsked, kAlways, kWithWriting, kUnlessWriting };
enum Holder : std::uint8_t { kFiles = 1, kDirectories = 2, kStreams = 4, kSockets = 8 };

consteval Rights held_by(std::uint8_t holder) {
  Rights rights = 0;
#define WASI_RIGHT(name, holders, changes, granted) \
  if (((holders) & holder) != 0) rights |= name;
#include "wasi/rights.def"
#undef WASI_RIGHT
  return rights;
}
consteval Rights changing() {
  Rights rights = 0;
#define WASI_RIGHT(name, holders, changes, granted) \
  if (changes) rights |= name;
#include "wasi/rights.def"
#undef WASI_RIGHT
  return rights;
}

consteval Rights granted_as(Grant grant) {
  Rights rights = 0;
#define WASI_RIGHT(name, holders, changes, granted) \
  if ((granted) == grant) rights |= name;
#include "wasi/rights.def"
#undef WASI_RIGHT
  return rights;
}
// Those that an opened file or directory has besides the ones that were asked for.
constexpr Rights coming_with(Rights asked) {
  return granted_as(kAlways) | ((asked & fd_write) != 0 ? granted_as(kWithWriting) : granted_as(kUnlessWriting));
}

inline constexpr Rights kOfFiles = held_by(kFiles);
inline constexpr Rights kOfDirectories = held_by(kDirectories);
inline constexpr Rights kOfStreams = held_by(kStreams);
inline constexpr Rights kOfSockets = held_by(kSockets);
inline constexpr Rights kChanging = changing();
inline constexpr Rights kAll = kOfFiles | kOfDirectories | kOfStreams | kOfSockets;
}  // namespace right

enum class FileType : std::uint8_t {
  unknown,
  block_device,
  character_device,
  directory,
  regular_file,
  socket_dgram,
  socket_stream,
  symbolic_link,
};

// Flag sets: each is a plain integer with the bits that it may have, so that unknown bits are EINVAL.
namespace fdflag {
enum : std::uint16_t { append = 1, dsync = 2, nonblock = 4, rsync = 8, sync = 16 };
}
namespace oflag {
enum : std::uint16_t { creat = 1, directory = 2, excl = 4, trunc = 8 };
}
namespace lookupflag {
enum : std::uint32_t { symlink_follow = 1 };
}
namespace fstflag {
enum : std::uint16_t { atim = 1, atim_now = 2, mtim = 4, mtim_now = 8 };
}
namespace subclockflag {
enum : std::uint16_t { abstime = 1 };
}
namespace riflag {
enum : std::uint16_t { recv_peek = 1, recv_waitall = 2 };
}
namespace roflag {
enum : std::uint16_t { recv_data_truncated = 1 };
}
namespace sdflag {
enum : std::uint8_t { rd = 1, wr = 2 };
}
namespace eventrwflag {
enum : std::uint16_t { hangup = 1 };
}

enum class ClockId : std::uint32_t { realtime, monotonic, process_cputime, thread_cputime };
enum class Whence : std::uint8_t { set, cur, end };
enum class Advice : std::uint8_t { normal, sequential, random, willneed, dontneed, noreuse };
enum class EventType : std::uint8_t { clock, fd_read, fd_write };

// Structures as they lie in guest memory. All of ours are little-endian hosts, and the padding is the C compiler's
// own; written and read by memcpy, because guest addresses need no alignment.
struct FdStat {
  FileType type = FileType::unknown;
  std::uint8_t padding0 = 0;
  std::uint16_t flags = 0;
  std::uint32_t padding1 = 0;
  Rights rights_base = 0;
  Rights rights_inheriting = 0;
};
static_assert(sizeof(FdStat) == 24);

struct FileStat {
  std::uint64_t dev = 0;
  std::uint64_t ino = 0;
  FileType type = FileType::unknown;
  std::uint8_t padding[7] = {};
  std::uint64_t nlink = 0;
  std::uint64_t size = 0;
  std::uint64_t atim = 0;
  std::uint64_t mtim = 0;
  std::uint64_t ctim = 0;
};
static_assert(sizeof(FileStat) == 64);

struct PreStat {
  std::uint8_t tag = 0;  // 0: a directory, the only kind that the interface has
  std::uint8_t padding[3] = {};
  std::uint32_t name_length = 0;
};
static_assert(sizeof(PreStat) == 8);
inline constexpr std::uint8_t kPreStatSocket = 1;  // ours

struct DirEnt {
  std::uint64_t next = 0;
  std::uint64_t ino = 0;
  std::uint32_t name_length = 0;
  FileType type = FileType::unknown;
  std::uint8_t padding[3] = {};
};
static_assert(sizeof(DirEnt) == 24);

struct Subscription {
  std::uint64_t userdata;
  EventType type;
  std::uint8_t padding0[7];
  std::uint32_t clock_or_fd;  // the clock's id, or the descriptor
  std::uint32_t padding1;
  std::uint64_t timeout;
  std::uint64_t precision;
  std::uint16_t clock_flags;
  std::uint8_t padding2[6];
};
static_assert(sizeof(Subscription) == 48);

struct Event {
  std::uint64_t userdata = 0;
  Errno error = Errno::success;
  EventType type = EventType::clock;
  std::uint8_t padding0[5] = {};
  std::uint64_t nbytes = 0;
  std::uint16_t flags = 0;
  std::uint8_t padding1[6] = {};
};
static_assert(sizeof(Event) == 32);

}  // namespace wasi::preview1
