// A guest that is given root/, a directory of the host or in memory, beside which it must reach nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "guest.h"
#include "support/temp_dir.h"

namespace wasi::preview1::test {

// What the directory is; paths on the host are resolved in either way.
enum class Backing : std::uint8_t { host, host_walk, memory };

class World {
 public:
  static constexpr std::uint64_t kMemory = std::uint64_t{64} << 20;

  explicit World(Backing backing = Backing::host, Access access = Access::read_write);

  // The test's own look at root/ and what is beside it; paths begin with "root/" or not.
  void make_directory(std::string_view path) const;
  void write(std::string_view path, std::string_view text) const;
  void link(std::string_view target, std::string_view path) const;
  [[nodiscard]] std::string read(std::string_view path) const;
  [[nodiscard]] bool has(std::string_view path) const { return type(path).has_value(); }
  [[nodiscard]] bool is_link(std::string_view path) const { return type(path) == FileType::symbolic_link; }
  // The directory on the host; only there.
  [[nodiscard]] std::filesystem::path host(std::string_view path) const { return *dir_ / path; }
  [[nodiscard]] const std::shared_ptr<memory::Tree>& tree() const { return tree_; }

  // Opens a file of the guest's, which must work.
  std::uint32_t open(std::string_view path, std::uint32_t oflags = 0, Rights base = right::kAll,
                     std::uint32_t fdflags = 0);

 private:
  Config configure(Backing backing, Access access);
  [[nodiscard]] std::optional<FileType> type(std::string_view path) const;

  std::optional<wasi::test::TempDir> dir_;
  std::shared_ptr<memory::Tree> tree_;

 public:
  Guest guest;
};

}  // namespace wasi::preview1::test
