// What stands in for a standard stream that the program was not given.
#pragma once

#include "wasi/file.h"

namespace wasi::preview1 {

// Reads end at once, writes vanish. Not like a terminal: it may be sought in, and stays at 0.
class NullStream final : public File {
 public:
  NullStream() : File(FileType::character_device, right::kOfStreams | right::fd_seek | right::fd_tell) {}

  [[nodiscard]] std::expected<FileStat, Errno> stat() const override;
  Count read(Buffers) override { return 0; }
  Count write(Buffers buffers) override;
  Count read_at(Buffers, std::uint64_t) override { return 0; }
  Count write_at(Buffers buffers, std::uint64_t) override { return write(buffers); }
  std::expected<std::uint64_t, Errno> seek(std::int64_t, Whence) override { return 0; }
};

}  // namespace wasi::preview1
