// The guest's descriptors: what its small integers stand for.
//
// A descriptor is a capability: a file of the host together with what may be done with it. The host's number is
// never shown to the guest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "wasi/abi.h"
#include "wasi/context.h"

namespace wasi::preview1 {

struct Descriptor {
  int host = -1;  // the host's descriptor; -1 for what is_null
  bool is_open = false;
  bool is_owned = false;        // closed with the entry; stdio belongs to the embedder
  bool is_null = false;         // reads end at once, writes vanish
  bool is_nonblocking = false;  // the host's descriptor is O_NONBLOCK by our own doing
  bool refuses_nowait = false;  // the host cannot read or write it with RWF_NOWAIT
  FileType type = FileType::unknown;
  Access access = Access::read_write;  // of the preopen that it comes from
  std::uint16_t flags = 0;             // as the guest set them
  std::int32_t preopen = -1;           // index of its preopen, -1 for others
  Rights base = 0;
  Rights inheriting = 0;

  // Something that may keep its reader or writer waiting: a pipe, a terminal, a socket.
  [[nodiscard]] bool is_stream() const {
    return type != FileType::regular_file && type != FileType::directory && type != FileType::block_device;
  }
  [[nodiscard]] bool is_socket() const { return type == FileType::socket_stream || type == FileType::socket_dgram; }
};

// Owns the descriptors. Pointers into it are valid until the next insert().
class FdTable {
 public:
  // A guest that opens without end stops here, before the host's own limits are hit.
  static constexpr std::size_t kMaxDescriptors = 65536;

  FdTable() = default;
  ~FdTable();
  FdTable(const FdTable&) = delete;
  FdTable& operator=(const FdTable&) = delete;

  // Null for a number that is not open.
  [[nodiscard]] Descriptor* find(std::uint32_t fd) {
    return fd < entries_.size() && entries_[fd].is_open ? &entries_[fd] : nullptr;
  }
  [[nodiscard]] bool is_full();
  // Takes over `descriptor` at the lowest free number; empty (and not taken over) when the table is full.
  std::optional<std::uint32_t> insert(const Descriptor& descriptor);
  // Closes an open number.
  void close(std::uint32_t fd);
  // Closes `to` and gives its number to what was `from`; both are open.
  void renumber(std::uint32_t from, std::uint32_t to);

 private:
  std::vector<Descriptor> entries_;
  std::size_t lowest_free_ = 0;  // no entry below is free
};

}  // namespace wasi::preview1
