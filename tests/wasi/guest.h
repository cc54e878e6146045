// A guest without code: an instance with a memory, whose calls are made by the test.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/instance.h"
#include "runtime/store.h"
#include "runtime/tier.h"
#include "wasi/abi.h"
#include "wasi/context.h"

namespace wasi::preview1 {

// Failed comparisons print names.
std::ostream& operator<<(std::ostream& out, Errno error);

namespace test {

// The first function descriptor numbers that a Guest has.
inline constexpr std::uint32_t kRoot = 3;

class Guest {
 public:
  // With explicit checks the memory is one that moves when it grows.
  explicit Guest(Config config, bool has_memory = true,
                 runtime::BoundsChecks checks = runtime::BoundsChecks::guard_pages);
  ~Guest();

  // Calls a function of the module with its Wasm arguments. A call that trapped is Errno::intr; see trap().
  Errno call(std::string_view name, std::initializer_list<std::uint64_t> arguments);
  Errno call(std::string_view name, std::span<const std::uint64_t> arguments);
  [[nodiscard]] const std::optional<Trap>& trap() const { return trap_; }
  // Calls are of this module from here on.
  void use_module(std::string_view module) { module_ = module; }

  // A fresh piece of memory, zeroed, 16-byte aligned; with text in it.
  std::uint32_t allocate(std::size_t size);
  std::uint32_t put(std::string_view text);
  // An array of address and length pairs, as iovs are.
  std::uint32_t iovs(std::initializer_list<std::pair<std::uint32_t, std::uint32_t>> buffers);

  template <class T>
  [[nodiscard]] T read(std::uint32_t address) const {
    T value;
    std::memcpy(&value, memory().data() + address, sizeof(value));
    return value;
  }
  template <class T>
  void write(std::uint32_t address, const T& value) {
    std::memcpy(memory().data() + address, &value, sizeof(value));
  }
  [[nodiscard]] std::string text(std::uint32_t address, std::size_t size) const {
    return {reinterpret_cast<const char*>(memory().data()) + address, size};
  }
  [[nodiscard]] std::span<std::uint8_t> memory() const;
  void grow_memory();
  [[nodiscard]] runtime::Store& store() { return *store_; }

  // Calls that tests make all the time. Paths are relative to `directory`.
  struct Opened {
    Errno error;
    std::uint32_t fd;
  };
  Opened open(std::string_view path, std::uint32_t oflags = 0, Rights base = right::kAll & ~right::fd_write,
              std::uint32_t directory = kRoot, std::uint32_t dirflags = lookupflag::symlink_follow,
              std::uint32_t fdflags = 0, Rights inheriting = right::kAll);
  Errno write_text(std::uint32_t fd, std::string_view text);
  // What fd_read gives with room for `size` bytes; the error as "EBADF".
  std::string read_text(std::uint32_t fd, std::size_t size = 100);
  // A path_ function that takes a descriptor and a path.
  Errno path_call(std::string_view name, std::string_view path, std::uint32_t directory = kRoot);
  Errno rename(std::string_view from, std::string_view to, std::uint32_t from_fd = kRoot, std::uint32_t to_fd = kRoot);
  Errno hard_link(std::string_view from, std::string_view to, std::uint32_t from_fd = kRoot,
                  std::uint32_t to_fd = kRoot, std::uint32_t flags = 0);
  Errno symlink(std::string_view target, std::string_view path, std::uint32_t directory = kRoot);
  Errno stat(std::string_view path, FileStat& out, std::uint32_t flags = 0, std::uint32_t directory = kRoot);
  Errno set_times(std::string_view path, std::uint64_t mtim, std::uint32_t flags = 0, std::uint32_t directory = kRoot);
  FdStat fdstat(std::uint32_t fd);

 private:
  std::shared_ptr<wasm::TypeRegistry> registry_;
  std::unique_ptr<runtime::Tier> tier_;
  std::unique_ptr<runtime::Store> store_;
  runtime::Instance* instance_ = nullptr;
  std::shared_ptr<Context> context_;
  std::optional<Trap> trap_;
  std::uint32_t next_ = 16;
  std::string_view module_ = kModuleName;
};

// A configuration with one directory as "/".
Config with_directory(const std::filesystem::path& path, Access access = Access::read_write, bool walk = false);

}  // namespace test
}  // namespace wasi::preview1
