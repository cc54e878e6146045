// See write_quota.h.
#include "wasi/write_quota.h"

namespace wasi::preview1 {

std::uint64_t WriteQuota::take_up_to(std::uint64_t bytes) {
  std::uint64_t left = left_.load(std::memory_order_relaxed);
  std::uint64_t taken;
  do {
    taken = std::min(bytes, left);
  } while (!left_.compare_exchange_weak(left, left - taken, std::memory_order_relaxed));
  return taken;
}

bool WriteQuota::take(std::uint64_t bytes) {
  const std::uint64_t taken = take_up_to(bytes);
  if (taken == bytes) return true;
  give_back(taken);
  return false;
}

std::expected<std::shared_ptr<File>, Errno> open_within_quota(const std::shared_ptr<WriteQuota>& quota,
                                                              Directory& directory, std::string_view path,
                                                              const Opening& opening) {
  if (quota == nullptr || !opening.creates) return directory.open(path, opening);
  // Whether something is created is known for sure only where opening may not create, or must.
  if (!opening.is_exclusive) {
    Opening existing = opening;
    existing.creates = false;
    auto file = directory.open(path, existing);
    if (file && (*file)->as_directory() != nullptr) return std::unexpected(Errno::isdir);
    if (file || file.error() != Errno::noent) return file;
  }
  if (!quota->take(WriteQuota::kNameCost)) return std::unexpected(Errno::dquot);
  Opening fresh = opening;
  fresh.is_exclusive = true;
  auto file = directory.open(path, fresh);
  // A link that leads to nothing, or somebody was quicker.
  if (!file && file.error() == Errno::exist && !opening.is_exclusive) file = directory.open(path, opening);
  if (!file) quota->give_back(WriteQuota::kNameCost);
  return file;
}

CutBuffers::CutBuffers(Buffers buffers, std::uint64_t bytes) {
  std::size_t count = 0;
  for (; count < buffers.size() && bytes != 0; ++count) {
    given_ = buffers[count].iov_len;
    buffers[count].iov_len = static_cast<std::size_t>(std::min<std::uint64_t>(given_, bytes));
    bytes -= buffers[count].iov_len;
  }
  buffers_ = buffers.first(count);
}

CutBuffers::~CutBuffers() {
  if (!buffers_.empty()) buffers_.back().iov_len = given_;
}

}  // namespace wasi::preview1
