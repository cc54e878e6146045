// See fd_table.h.
#include "wasi/fd_table.h"

#include <unistd.h>

#include <algorithm>

namespace wasi::preview1 {
namespace {

void release(Descriptor& descriptor) {
  if (descriptor.is_owned && descriptor.host >= 0) ::close(descriptor.host);
  descriptor = Descriptor{};
}

}  // namespace

FdTable::~FdTable() {
  for (Descriptor& entry : entries_) release(entry);
}

bool FdTable::is_full() {
  while (lowest_free_ < entries_.size() && entries_[lowest_free_].is_open) ++lowest_free_;
  return lowest_free_ == kMaxDescriptors;
}

std::optional<std::uint32_t> FdTable::insert(const Descriptor& descriptor) {
  if (is_full()) return std::nullopt;
  if (lowest_free_ == entries_.size()) entries_.emplace_back();
  entries_[lowest_free_] = descriptor;
  entries_[lowest_free_].is_open = true;
  return static_cast<std::uint32_t>(lowest_free_++);
}

void FdTable::close(std::uint32_t fd) {
  release(entries_[fd]);
  lowest_free_ = std::min<std::size_t>(lowest_free_, fd);
}

void FdTable::renumber(std::uint32_t from, std::uint32_t to) {
  if (from == to) return;
  release(entries_[to]);
  entries_[to] = entries_[from];
  entries_[from] = Descriptor{};
  lowest_free_ = std::min<std::size_t>(lowest_free_, from);
}

}  // namespace wasi::preview1
