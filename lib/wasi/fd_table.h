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
#include <utility>
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
  Relaxed<Rights> base;          // of what can be done with the file at all, see may()
  Relaxed<Rights> tacit;         // what may be done besides, see rights.def
  Relaxed<Rights> inheriting;
  Relaxed<Rights> tacit_inheriting;  // what may be done with what is opened beneath it, besides
  // A given socket waits until the program first asks about its flags; then it is, and is told to be, non-blocking.
  // Programs with an event loop (Go's) look before they decide how to use it and do not change it; those that just
  // accept and read (C's) do not look.
  Relaxed<bool> becomes_nonblocking;

  [[nodiscard]] FileType type() const { return file->type(); }
  // The part of `rights`, which are some of the above, that such a file can have.
  [[nodiscard]] Rights may(Rights rights) const { return rights & file->rights(); }
  // The rights of these that it has not.
  [[nodiscard]] Rights missing(Rights rights) const { return rights & ~may(base | tacit); }
  // The same without a look at the file: of rights for which the host's own answer is as good, whatever the file is.
  [[nodiscard]] Rights missing_unseen(Rights rights) const { return rights & ~(base | tacit); }
  // What it tells that others get from it: only directories and listeners have something to hand on.
  [[nodiscard]] Rights told_inheriting() const {
    const bool hands_on = type() == FileType::directory || file->as_socket() != nullptr;
    return hands_on ? Rights{inheriting} : Rights{0};
  }
  // The most that what is opened beneath it may have.
  [[nodiscard]] Rights handed_on() const { return inheriting | tacit_inheriting; }
};

// Owns the descriptors. Thread-safe.
class FdTable {
 public:
  explicit FdTable(std::size_t most = Limits{}.descriptors) : most_(most) {}

  // Null for a number that is not open.
  [[nodiscard]] std::shared_ptr<Descriptor> find(std::uint32_t fd) const;
  // As it was a moment ago: insert() decides.
  [[nodiscard]] bool is_full() const { return count_.load(std::memory_order_relaxed) >= most_; }
  // At the lowest free number; empty when the table is full.
  std::optional<std::uint32_t> insert(std::shared_ptr<Descriptor> descriptor);
  std::optional<std::uint32_t> insert(Descriptor descriptor) {
    return insert(std::make_shared<Descriptor>(std::move(descriptor)));
  }
  // Frees a number and gives what it stood for, closed when nobody uses it any more; null where it is not open.
  std::shared_ptr<Descriptor> take(std::uint32_t fd);
  // Closes `to` and gives its number to what was `from`; false where one is not open.
  bool renumber(std::uint32_t from, std::uint32_t to);

 private:
  [[nodiscard]] bool is_open(std::uint32_t fd) const { return fd < entries_.size() && entries_[fd] != nullptr; }

  const std::size_t most_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Descriptor>> entries_;
  std::size_t lowest_free_ = 0;        // no entry below is free
  std::atomic<std::size_t> count_{0};  // of what is open; changed with the mutex only
};

}  // namespace wasi::preview1
