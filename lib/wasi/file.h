// What stands behind a descriptor: a file or stream, a directory, a socket; of the host, of memory, of the embedder.
//
// The functions of preview1 check numbers, pointers and rights, and then ask one of these. An object may be used by
// several threads of a program at once. Nothing here waits: what would have to says EAGAIN, and poll_handle() tells
// what the caller can wait for.
#pragma once

#include <sys/uio.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <ctime>
#include <expected>
#include <memory>
#include <span>
#include <string_view>

#include "wasi/abi.h"

namespace wasi::preview1 {

class Directory;
class Socket;

// Buffers in guest memory. What is called may change the list itself, and leaves it as it was.
using Buffers = std::span<iovec>;
using Count = std::expected<std::size_t, Errno>;

class File {
 public:
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  virtual ~File() = default;

  [[nodiscard]] FileType type() const { return see() ? type_ : FileType::unknown; }
  // What can be done with such a thing at all; a descriptor of it may do no more than that.
  [[nodiscard]] Rights rights() const { return see() ? rights_ : 0; }
  // False while nobody has asked what the host has opened here, which costs a system call and which those who only
  // read need not know. Where the host does not tell, it is something unknown that can do nothing, until it tells.
  [[nodiscard]] bool is_seen() const { return is_seen_.load(std::memory_order_acquire); }
  // Something that may keep its reader or writer waiting: a pipe, a terminal, a socket.
  [[nodiscard]] bool is_stream() const {
    const FileType kind = type();
    return kind != FileType::regular_file && kind != FileType::directory && kind != FileType::block_device;
  }
  virtual Directory* as_directory() { return nullptr; }
  virtual Socket* as_socket() { return nullptr; }

  // The host's descriptor that poll() can be asked about; -1 for what never keeps anybody waiting.
  [[nodiscard]] virtual int poll_handle() const { return -1; }
  // How many bytes can be read at once: an estimate, as the guest's own next read will tell.
  [[nodiscard]] virtual std::uint64_t readable() const { return 0; }

  [[nodiscard]] virtual std::expected<FileStat, Errno> stat() const = 0;
  // Whether read() and write() call a function of the embedder's, which may call the guest.
  [[nodiscard]] virtual bool is_function() const { return false; }
  // At the position, or where a stream is. One try: EINTR and EAGAIN are the caller's to handle, and a write may move
  // a part. 0 read is the end.
  virtual Count read(Buffers) { return std::unexpected(Errno::badf); }
  virtual Count write(Buffers) { return std::unexpected(Errno::badf); }
  // At an offset, which fits into 63 bits.
  virtual Count read_at(Buffers, std::uint64_t) { return std::unexpected(Errno::spipe); }
  virtual Count write_at(Buffers, std::uint64_t) { return std::unexpected(Errno::spipe); }
  // The new position.
  virtual std::expected<std::uint64_t, Errno> seek(std::int64_t, Whence) { return std::unexpected(Errno::spipe); }
  // Sizes and ranges fit into 63 bits.
  virtual Errno set_size(std::uint64_t) { return Errno::inval; }
  virtual Errno allocate(std::uint64_t, std::uint64_t) { return Errno::nodev; }
  virtual Errno advise(std::uint64_t, std::uint64_t, Advice) { return Errno::spipe; }
  virtual Errno sync(bool /*data_only*/) { return Errno::inval; }
  // As utimensat takes them: UTIME_NOW and UTIME_OMIT are values of tv_nsec.
  virtual Errno set_times(const std::array<timespec, 2>&) { return Errno::perm; }
  // Whether writes go to the end, wherever the position is.
  virtual Errno set_append(bool) { return Errno::success; }
  // Called last, if at all, by the only one that still has it: the error of what was written and could not be stored.
  virtual Errno close() { return Errno::success; }

 protected:
  File(FileType type, Rights rights) : is_seen_(true), type_(type), rights_(rights) {}
  // Of something that look() finds out about.
  File() = default;
  // Asks what it is, and says so by seen_as() where it learns it. Several threads may come here at once.
  virtual void look() const {}
  // By one thread at a time.
  void seen_as(FileType type, Rights rights) const {
    type_ = type;
    rights_ = rights;
    is_seen_.store(true, std::memory_order_release);
  }

 private:
  [[nodiscard]] bool see() const {
    if (is_seen()) [[likely]]
      return true;
    look();
    return is_seen();
  }

  mutable std::atomic<bool> is_seen_{false};
  mutable FileType type_ = FileType::unknown;
  mutable Rights rights_ = 0;
};

// What path_open asks for.
struct Opening {
  bool follows = false;  // a link in the last component
  bool creates = false;
  bool is_exclusive = false;
  bool truncates = false;
  bool wants_directory = false;
  bool reads = false;
  bool writes = false;
  std::uint16_t flags = 0;  // fdflags
};

// Where a listing goes: what the guest has room for, the last entry cut at its end.
class EntrySink {
 public:
  // False when no more fits.
  virtual bool add(const DirEnt& entry, std::string_view name) = 0;

 protected:
  ~EntrySink() = default;
};

// Paths are UTF-8 without NUL, shorter than PATH_MAX, and may be anything else: resolving them beneath the directory
// and refusing what leads out of it (ENOTCAPABLE) is the directory's job. All answer as POSIX's of that name do.
class Directory : public File {
 public:
  Directory* as_directory() final { return this; }

  virtual std::expected<std::shared_ptr<File>, Errno> open(std::string_view path, const Opening& opening) = 0;
  // Entries from `cookie` on (0: all) until the sink is full; `room` is about how many bytes it takes.
  virtual Errno list(std::uint64_t cookie, std::size_t room, EntrySink& sink) = 0;
  virtual std::expected<FileStat, Errno> stat_at(std::string_view path, bool follows) = 0;
  virtual Errno set_times_at(std::string_view path, bool follows, const std::array<timespec, 2>& times) = 0;
  virtual Errno create_directory(std::string_view path) = 0;
  virtual Errno remove_directory(std::string_view path) = 0;
  virtual Errno unlink(std::string_view path) = 0;
  // The size of what was stored, at most the buffer's.
  virtual Count read_link(std::string_view path, std::span<std::uint8_t> target) = 0;
  virtual Errno symlink(std::string_view target, std::string_view path) = 0;
  // EXDEV into a directory of another kind.
  virtual Errno link(std::string_view path, bool follows, Directory& to, std::string_view new_path) = 0;
  virtual Errno rename(std::string_view path, Directory& to, std::string_view new_path) = 0;

 protected:
  Directory() : File(FileType::directory, right::kOfDirectories) {}
};

struct Received {
  std::size_t size = 0;
  bool is_truncated = false;  // a datagram was longer than the buffers
};

// A connection or a listener that the embedder has handed in. One try each: EAGAIN as for files.
class Socket : public File {
 public:
  Socket* as_socket() final { return this; }

  virtual std::expected<std::shared_ptr<File>, Errno> accept() = 0;
  virtual std::expected<Received, Errno> receive(Buffers buffers, bool peeks) = 0;
  virtual Count send(Buffers buffers) = 0;
  virtual Errno shutdown(bool reading, bool writing) = 0;

 protected:
  explicit Socket(FileType type) : File(type, right::kOfSockets) {}
};

}  // namespace wasi::preview1
