// The guest's descriptors: what its small integers stand for.
//
// The threads of a program share the table. A function holds the descriptors that it works on, so what another thread
// closes meanwhile is closed when the last of them is done.
// A descriptor is a capability: a file together with what may be done with it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "wasi/abi.h"
#include "wasi/context.h"
#include "wasi/file.h"
#include "wasi/write_quota.h"

namespace wasi::preview1 {

// A field that several threads use at once, each time by itself.
template <class T>
class Relaxed {
 public:
  Relaxed(T value = {}) : value_(value) {}  // NOLINT(google-explicit-constructor): it is a T
  Relaxed(const Relaxed& other) : value_(static_cast<T>(other)) {}
  Relaxed& operator=(const Relaxed& other) { return *this = static_cast<T>(other); }
  Relaxed& operator=(T value) { return value_.store(value, std::memory_order_relaxed), *this; }
  Relaxed& operator&=(T value) { return value_.fetch_and(value, std::memory_order_relaxed), *this; }
  Relaxed& operator|=(T value) { return value_.fetch_or(value, std::memory_order_relaxed), *this; }
  operator T() const { return value_.load(std::memory_order_relaxed); }  // NOLINT(google-explicit-constructor)

 private:
  std::atomic<T> value_;
};

struct Descriptor {
  std::shared_ptr<File> file;          // never null while it is in the table
  Access access = Access::read_write;  // of the preopen that it comes from
  std::int32_t preopen = -1;           // index of its preopen, -1 for others
  std::shared_ptr<WriteQuota> quota;   // of the preopen; null: as much as there is room for
  std::string name;                    // what traces call it; of opened files only where there is a trace
  bool is_given_socket = false;        // the embedder's, not accepted by the program
  // What changes while it is open.
  Relaxed<std::uint16_t> flags;  // as the guest set them
  Relaxed<Rights> base;          // part of file->rights()
  Relaxed<Rights> tacit;         // what may be done besides, see rights.def
  Relaxed<Rights> inheriting;
  Relaxed<Rights> tacit_inheriting;  // what may be done with what is opened beneath it, besides
  // A given socket waits until the program first asks about its flags; then it is, and is told to be, non-blocking.
  // Programs with an event loop (Go's) look before they decide how to use it and do not change it; those that just
  // accept and read (C's) do not look.
  Relaxed<bool> becomes_nonblocking;

  [[nodiscard]] FileType type() const { return file->type(); }
  // The rights of these that it has not.
  [[nodiscard]] Rights missing(Rights rights) const { return rights & ~(base | tacit); }
  // The most that what is opened beneath it may have.
  [[nodiscard]] Rights handed_on() const { return inheriting | tacit_inheriting; }
};

// Owns the descriptors. Thread-safe.
class FdTable {
 public:
  explicit FdTable(std::size_t most = Limits{}.descriptors) : most_(most) {}

  // Null for a number that is not open.
  [[nodiscard]] std::shared_ptr<Descriptor> find(std::uint32_t fd) const;
  [[nodiscard]] bool is_full();
  // At the lowest free number; empty when the table is full.
  std::optional<std::uint32_t> insert(Descriptor descriptor);
  // Frees a number and gives what it stood for, closed when nobody uses it any more; null where it is not open.
  std::shared_ptr<Descriptor> take(std::uint32_t fd);
  // Closes `to` and gives its number to what was `from`; false where one is not open.
  bool renumber(std::uint32_t from, std::uint32_t to);

 private:
  bool find_free();
  [[nodiscard]] bool is_open(std::uint32_t fd) const { return fd < entries_.size() && entries_[fd] != nullptr; }

  const std::size_t most_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Descriptor>> entries_;
  std::size_t lowest_free_ = 0;  // no entry below is free
};

}  // namespace wasi::preview1
