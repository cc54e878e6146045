// What a program opened on the host without saying what it is, and to read only: looked at when something depends on
// what it is. Programs that open, read and close never ask, and so save a system call.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <utility>

#include "os/beneath.h"
#include "wasi/directory_positions.h"
#include "wasi/file.h"
#include "wasi/host_file.h"

namespace wasi::preview1 {

class OpenedFile final : public HostFile {
 public:
  // `resolver` and `budget` are for the directory that it may be.
  OpenedFile(HostHandle handle, const os::Resolver& resolver, std::shared_ptr<PositionBudget> budget)
      : HostFile(std::move(handle)), resolver_(resolver), budget_(std::move(budget)) {}

  Directory* as_directory() override;
  [[nodiscard]] int poll_handle() const override { return is_stream() ? host() : -1; }
  [[nodiscard]] std::uint64_t readable() const override;
  [[nodiscard]] std::expected<FileStat, Errno> stat() const override;

 private:
  void look() const override;
  void seen_with(const struct stat& status) const;

  const os::Resolver resolver_;
  const std::shared_ptr<PositionBudget> budget_;
  mutable std::mutex looking_;
  mutable std::unique_ptr<Directory> directory_;  // reads through this file's descriptor; null: it is none
};

}  // namespace wasi::preview1
