#include "world.h"

#include <filesystem>

#include "wasi/memory_files.h"

namespace wasi::preview1::test {
namespace {

std::shared_ptr<const std::string> keep(std::string_view text) { return std::make_shared<const std::string>(text); }

}  // namespace

Config World::configure(Backing backing, Access access) {
  if (backing != Backing::memory) {
    dir_.emplace();
    dir_->make_directory("root");
    return with_directory(*dir_ / "root", access, backing == Backing::host_walk);
  }
  tree_ = memory::make_tree(kMemory);
  REQUIRE(memory::add_directory(*tree_, "root") == Errno::success);
  Config config;
  config.preopens.push_back({.host_path = {}, .guest_path = "/", .access = access, .tree = tree_});
  return config;
}

World::World(Backing backing, Access access) : guest(configure(backing, access)) {
  if (backing != Backing::memory) return;
  // The guest's directory lies in the tree, so that there is something outside of it to be reached.
  const auto root = guest.open("root", oflag::directory);
  REQUIRE(root.error == Errno::success);
  REQUIRE(guest.call("fd_renumber", {root.fd, kRoot}) == Errno::success);
}

void World::make_directory(std::string_view path) const {
  if (dir_) return dir_->make_directory(path);
  REQUIRE(memory::add_directory(*tree_, path) == Errno::success);
}

void World::write(std::string_view path, std::string_view text) const {
  if (dir_) return dir_->write(path, text);
  const auto bytes = keep(text);
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes->data());
  REQUIRE(memory::add_file(*tree_, path, {{data, bytes->size()}, bytes}) == Errno::success);
}

void World::link(std::string_view target, std::string_view path) const {
  if (dir_) return dir_->link(target, path);
  REQUIRE(memory::add_symlink(*tree_, path, target) == Errno::success);
}

std::string World::read(std::string_view path) const {
  if (dir_) return dir_->read(path);
  const auto bytes = memory::contents(*tree_, path, kMemory);
  if (!bytes) FAIL("cannot read " << path << ": " << bytes.error());
  return *bytes;
}

std::optional<FileType> World::type(std::string_view path) const {
  if (dir_) {
    const auto status = std::filesystem::symlink_status(*dir_ / path);
    if (!std::filesystem::exists(status)) return std::nullopt;
    if (std::filesystem::is_symlink(status)) return FileType::symbolic_link;
    return std::filesystem::is_directory(status) ? FileType::directory : FileType::regular_file;
  }
  const auto stat = memory::root_of(tree_)->stat_at(path, false);
  return stat ? std::optional(stat->type) : std::nullopt;
}

std::uint32_t World::open(std::string_view path, std::uint32_t oflags, Rights base, std::uint32_t fdflags) {
  const auto opened = guest.open(path, oflags, base, kRoot, lookupflag::symlink_follow, fdflags);
  REQUIRE(opened.error == Errno::success);
  return opened.fd;
}

}  // namespace wasi::preview1::test
