// See memory_directory.h.
#include <wasi/memory_directory.h>

#include <utility>

#include "base/byte_reader.h"
#include "base/result.h"
#include "wasi/memory_files.h"

namespace wasi {
namespace {

using preview1::Errno;

Result<void> checked(Errno error, std::string_view what, std::string_view path) {
  if (error == Errno::success) return {};
  const bool is_limit = error == Errno::nospc || error == Errno::nomem;
  return fail(is_limit ? ErrorKind::limit : ErrorKind::argument,
              "{} \"{}\" cannot be added to a directory in memory: {}", what, path, name_of(error));
}

// A guest could not open it otherwise.
Errno check_path(std::string_view path) {
  if (path.find('\0') != std::string_view::npos) return Errno::inval;
  return base::is_utf8(path) ? Errno::success : Errno::ilseq;
}

}  // namespace

MemoryDirectory::MemoryDirectory(std::uint64_t limit) : tree_(preview1::memory::make_tree(limit)) {}

Result<void> MemoryDirectory::add_file(std::string_view path, std::string text) const {
  const auto owner = std::make_shared<const std::string>(std::move(text));
  return add_file(path, {reinterpret_cast<const std::uint8_t*>(owner->data()), owner->size()}, owner);
}

Result<void> MemoryDirectory::add_file(std::string_view path, std::span<const std::uint8_t> bytes,
                                       std::shared_ptr<const void> owner) const {
  Errno error = check_path(path);
  // `owner` stays here, too, until the tree is unlocked: what is run when the last goes is not ours to know.
  if (error == Errno::success) error = preview1::memory::add_file(*tree_, path, {bytes, owner});
  return checked(error, "file", path);
}

Result<void> MemoryDirectory::add_directory(std::string_view path) const {
  Errno error = check_path(path);
  if (error == Errno::success) error = preview1::memory::add_directory(*tree_, path);
  return checked(error, "directory", path);
}

Result<void> MemoryDirectory::add_symlink(std::string_view path, std::string_view target) const {
  Errno error = check_path(path);
  if (error == Errno::success) error = check_path(target);
  if (error == Errno::success) error = preview1::memory::add_symlink(*tree_, path, target);
  return checked(error, "link", path);
}

Result<std::string> MemoryDirectory::read_file(std::string_view path, std::uint64_t most) const {
  auto text = preview1::memory::contents(*tree_, path, most);
  if (!text) {
    return fail(ErrorKind::argument, "file \"{}\" of a directory in memory cannot be read: {}", path,
                name_of(text.error()));
  }
  return *std::move(text);
}

std::uint64_t MemoryDirectory::used() const { return preview1::memory::used_bytes(*tree_); }

}  // namespace wasi
