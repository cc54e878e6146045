// Directories of the host. Every path goes through the resolver (os/beneath.h); what comes back is a directory and a
// name without slashes in it, on which the host's *at calls are safe as long as they follow no link.
#pragma once

#include <sys/types.h>

#include <expected>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include "os/beneath.h"
#include "wasi/directory_positions.h"
#include "wasi/file.h"
#include "wasi/host_file.h"

namespace wasi::preview1 {

class HostDirectory final : public Directory {
 public:
  // `directory` is open for reading. Directories that are opened below share its budget.
  HostDirectory(HostHandle directory, const os::Resolver& resolver,
                std::shared_ptr<PositionBudget> budget = std::make_shared<PositionBudget>())
      : directory_(std::move(directory)), resolver_(resolver), budget_(std::move(budget)), positions_(budget_) {}

  [[nodiscard]] std::expected<FileStat, Errno> stat() const override;
  Errno sync(bool data_only) override;
  Errno set_times(const std::array<timespec, 2>& times) override;

  std::expected<std::shared_ptr<File>, Errno> open(std::string_view path, const Opening& opening) override;
  Errno list(std::uint64_t cookie, std::size_t room, EntrySink& sink) override;
  std::expected<FileStat, Errno> stat_at(std::string_view path, bool follows) override;
  Errno set_times_at(std::string_view path, bool follows, const std::array<timespec, 2>& times) override;
  Errno create_directory(std::string_view path) override;
  Errno remove_directory(std::string_view path) override;
  Errno unlink(std::string_view path) override;
  Count read_link(std::string_view path, std::span<std::uint8_t> target) override;
  Errno symlink(std::string_view target, std::string_view path) override;
  Errno link(std::string_view path, bool follows, Directory& to, std::string_view new_path) override;
  Errno rename(std::string_view path, Directory& to, std::string_view new_path) override;

 private:
  [[nodiscard]] std::expected<os::Place, Errno> locate(std::string_view path, bool follows, os::LeafKind kind) const;

  HostHandle directory_;
  os::Resolver resolver_;
  const std::shared_ptr<PositionBudget> budget_;
  std::mutex listing_;  // the host's position in the directory is one for all
  DirectoryPositions positions_;
};

}  // namespace wasi::preview1
