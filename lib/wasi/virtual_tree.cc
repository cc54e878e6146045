// See virtual_tree.h.
#include "wasi/virtual_tree.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <ctime>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/byte_reader.h"
#include "wasi/host_stat.h"
#include "wasi/waiting.h"

namespace wasi::preview1 {
namespace {

constexpr std::uint64_t kMaxOffset = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

template <class T>
using Answer = std::expected<T, Errno>;

Errno errno_of(std::errc refusal) {
  const Errno error = errno_from_host(static_cast<int>(refusal));
  return error == Errno::success ? Errno::io : error;
}

// What a function of the embedder's answers. What it throws stays here.
template <class Function>
auto ask(Function function) -> Answer<typename std::invoke_result_t<Function>::value_type> {
  try {
    auto answer = function();
    if (!answer) return std::unexpected(errno_of(answer.error()));
    if constexpr (std::is_void_v<typename std::invoke_result_t<Function>::value_type>) {
      return {};
    } else {
      return *std::move(answer);
    }
  } catch (...) {
    return std::unexpected(Errno::io);
  }
}

template <class Function>
Errno ask_for_errno(Function function) {
  const auto answer = ask(std::move(function));
  return answer ? Errno::success : answer.error();
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= NAME_MAX && name != "." && name != ".." &&
         name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos && base::is_utf8(name);
}

// What is common to all that is opened beneath one preopen.
struct Root {
  std::uint64_t device;
};
using RootRef = std::shared_ptr<const Root>;

FileStat file_stat(const Root& root, const VirtualStat& given, FileType type) {
  FileStat stat;
  stat.dev = root.device;
  stat.ino = given.id;
  stat.type = type;
  stat.nlink = 1;
  stat.size = given.size;
  stat.atim = given.accessed;
  stat.mtim = given.modified;
  stat.ctim = given.changed;
  return stat;
}

std::optional<std::uint64_t> time_of(const timespec& time) {
  if (time.tv_nsec == UTIME_OMIT) return std::nullopt;
  return time.tv_nsec == UTIME_NOW ? realtime_now() : nanoseconds(time);
}

Errno set_times_of(VirtualFile& file, const std::array<timespec, 2>& times) {
  return ask_for_errno([&] { return file.set_times(time_of(times[0]), time_of(times[1])); });
}

Answer<FileStat> stat_of(const Root& root, VirtualFile& file) {
  const auto given = ask([&] { return file.stat(); });
  if (!given) return std::unexpected(given.error());
  return file_stat(root, *given, FileType::regular_file);
}

Answer<FileStat> stat_of(const Root& root, VirtualDirectory& directory) {
  const auto given = ask([&] { return directory.stat(); });
  if (!given) return std::unexpected(given.error());
  return file_stat(root, *given, FileType::directory);
}

// An open file. No lock is held while its functions run: threads that move its position at once overwrite what the
// other made of it.
class OpenFile final : public File {
 public:
  OpenFile(RootRef root, std::shared_ptr<VirtualFile> file, bool appends)
      : File(FileType::regular_file, right::kOfFiles),
        root_(std::move(root)),
        file_(std::move(file)),
        appends_(appends) {}

  [[nodiscard]] bool is_function() const override { return true; }
  [[nodiscard]] Answer<FileStat> stat() const override { return stat_of(*root_, *file_); }
  [[nodiscard]] std::uint64_t readable() const override {
    const auto given = stat();
    return given ? given->size - std::min(given->size, position_.load()) : 0;
  }

  Count read(Buffers buffers) override {
    const std::uint64_t position = position_;
    const Count moved = read_at(buffers, position);
    if (moved) position_ = position + *moved;
    return moved;
  }

  Count read_at(Buffers buffers, std::uint64_t offset) override {
    std::size_t total = 0;
    for (const iovec& buffer : buffers) {
      if (buffer.iov_len == 0) continue;
      const std::span<std::uint8_t> bytes(static_cast<std::uint8_t*>(buffer.iov_base), buffer.iov_len);
      const Count moved = believed(ask([&] { return file_->read(bytes, offset + total); }), bytes.size());
      if (!moved && total == 0) return moved;
      total += moved.value_or(0);
      if (moved.value_or(0) < bytes.size()) break;
    }
    return total;
  }

  Count write(Buffers buffers) override {
    std::uint64_t end = position_;
    const Count moved = write_at(buffers, end, end);
    if (moved) position_ = end;
    return moved;
  }
  Count write_at(Buffers buffers, std::uint64_t offset) override {
    std::uint64_t end = 0;
    return write_at(buffers, offset, end);
  }

  Answer<std::uint64_t> seek(std::int64_t offset, Whence whence) override {
    std::uint64_t base = whence == Whence::cur ? position_.load() : 0;
    if (whence == Whence::end) {
      const auto given = stat();
      if (!given) return std::unexpected(given.error());
      base = std::min(given->size, kMaxOffset);
    }
    const auto back = offset < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(offset) : 0;
    if (back > base) return std::unexpected(Errno::inval);
    if (offset > 0 && static_cast<std::uint64_t>(offset) > kMaxOffset - base) return std::unexpected(Errno::overflow);
    const std::uint64_t position = base + static_cast<std::uint64_t>(offset);
    position_ = position;
    return position;
  }

  Errno set_size(std::uint64_t size) override {
    return ask_for_errno([&] { return file_->set_size(size); });
  }
  // There is no other way to ask for room than to use it.
  Errno allocate(std::uint64_t offset, std::uint64_t length) override {
    const auto given = stat();
    if (!given) return given.error();
    return offset + length <= given->size ? Errno::success : set_size(offset + length);
  }
  Errno advise(std::uint64_t /*offset*/, std::uint64_t /*length*/, Advice /*advice*/) override {
    return Errno::success;
  }
  Errno sync(bool /*data_only*/) override {
    return ask_for_errno([&] { return file_->sync(); });
  }
  Errno set_times(const std::array<timespec, 2>& times) override { return set_times_of(*file_, times); }
  Errno set_append(bool appends) override {
    appends_ = appends;
    return Errno::success;
  }

 private:
  // More than there was room for cannot have been moved.
  static Count believed(Count moved, std::size_t most) {
    return moved && *moved > most ? Count(std::unexpected(Errno::io)) : moved;
  }

  Count write_at(Buffers buffers, std::uint64_t offset, std::uint64_t& end) {
    if (appends_) {
      const auto given = stat();
      if (!given) return std::unexpected(given.error());
      offset = given->size;
    }
    std::size_t total = 0;
    Errno error = Errno::success;
    for (const iovec& buffer : buffers) {
      std::span<const std::uint8_t> bytes(static_cast<const std::uint8_t*>(buffer.iov_base), buffer.iov_len);
      while (!bytes.empty() && error == Errno::success) {
        if (offset + total > kMaxOffset - bytes.size()) {
          error = Errno::fbig;
          break;
        }
        const Count moved = believed(ask([&] { return file_->write(bytes, offset + total); }), bytes.size());
        if (!moved || *moved == 0) {
          error = moved ? Errno::io : moved.error();
          break;
        }
        total += *moved;
        bytes = bytes.subspan(*moved);
      }
      if (error != Errno::success) break;
    }
    end = offset + total;
    if (total == 0 && error != Errno::success) return std::unexpected(error);
    return total;
  }

  const RootRef root_;
  const std::shared_ptr<VirtualFile> file_;
  std::atomic<bool> appends_;
  std::atomic<std::uint64_t> position_ = 0;
};

// Where a path leads: a name in a directory, or that directory itself.
struct Place {
  std::vector<std::shared_ptr<VirtualDirectory>> way;  // from the base to the directory
  std::string name;                                    // empty: the directory itself
  bool must_be_directory = false;

  [[nodiscard]] VirtualDirectory& parent() const { return *way.back(); }
};

class OpenDirectory final : public Directory {
 public:
  OpenDirectory(RootRef root, std::shared_ptr<VirtualDirectory> directory)
      : root_(std::move(root)), directory_(std::move(directory)) {}

  [[nodiscard]] Answer<FileStat> stat() const override { return stat_of(*root_, *directory_); }
  Errno sync(bool /*data_only*/) override { return Errno::success; }

  Answer<std::shared_ptr<File>> open(std::string_view path, const Opening& opening) override {
    const auto place = walk(path);
    if (!place) return std::unexpected(place.error());
    const bool is_exclusive = opening.creates && opening.is_exclusive;
    const auto node = find(*place);
    if (!node && node.error() == Errno::noent && opening.creates && !place->must_be_directory) {
      auto made = ask([&] { return place->parent().create_file(place->name); });
      if (!made) return std::unexpected(made.error());
      if (*made == nullptr) return std::unexpected(Errno::io);
      return opened(*std::move(made), opening);
    }
    if (!node && node.error() == Errno::noent && opening.creates) return std::unexpected(Errno::isdir);
    if (!node) return std::unexpected(node.error());
    if (is_exclusive) return std::unexpected(Errno::exist);
    if (node->directory != nullptr) {
      if (opening.creates || opening.writes || opening.truncates) return std::unexpected(Errno::isdir);
      return std::make_shared<OpenDirectory>(root_, node->directory);
    }
    if (opening.wants_directory || place->must_be_directory) return std::unexpected(Errno::notdir);
    if (opening.truncates) {
      const Errno error = ask_for_errno([&] { return node->file->set_size(0); });
      if (error != Errno::success) return std::unexpected(error);
    }
    return opened(node->file, opening);
  }

  Errno list(std::uint64_t cookie, std::size_t /*room*/, EntrySink& sink) override {
    const auto listing = listing_at(cookie);
    if (!listing) return listing.error();
    const std::vector<DirEntry>& entries = **listing;
    for (std::uint64_t i = cookie; i < entries.size(); ++i) {
      DirEnt entry = entries[i].entry;
      entry.next = i + 1;
      if (!sink.add(entry, entries[i].name)) break;
    }
    return Errno::success;
  }

  Answer<FileStat> stat_at(std::string_view path, bool /*follows*/) override {
    const auto node = look_up(path);
    if (!node) return std::unexpected(node.error());
    return node->file != nullptr ? stat_of(*root_, *node->file) : stat_of(*root_, *node->directory);
  }

  Errno set_times_at(std::string_view path, bool /*follows*/, const std::array<timespec, 2>& times) override {
    const auto node = look_up(path);
    if (!node) return node.error();
    return node->file != nullptr ? set_times_of(*node->file, times) : Errno::perm;
  }

  Errno create_directory(std::string_view path) override {
    const auto place = walk(path);
    if (!place) return place.error();
    const auto node = find(*place);
    if (node) return Errno::exist;
    if (node.error() != Errno::noent) return node.error();
    return ask_for_errno([&] { return place->parent().create_directory(place->name); });
  }

  Errno remove_directory(std::string_view path) override {
    const auto place = walk(path);
    if (!place) return place.error();
    const auto node = find(*place);
    if (!node) return node.error();
    if (node->file != nullptr) return Errno::notdir;
    if (place->name.empty()) return Errno::inval;
    return ask_for_errno([&] { return place->parent().remove(place->name); });
  }

  Errno unlink(std::string_view path) override {
    const auto place = walk(path);
    if (!place) return place.error();
    const auto node = find(*place);
    if (!node) return node.error();
    if (node->directory != nullptr) return Errno::isdir;
    if (place->must_be_directory) return Errno::notdir;
    return ask_for_errno([&] { return place->parent().remove(place->name); });
  }

  // There are no links, and none can be made.
  Count read_link(std::string_view path, std::span<std::uint8_t> /*target*/) override {
    const auto node = look_up(path);
    return std::unexpected(node ? Errno::inval : node.error());
  }
  Errno symlink(std::string_view /*target*/, std::string_view /*path*/) override { return Errno::perm; }
  Errno link(std::string_view /*path*/, bool /*follows*/, Directory& /*to*/, std::string_view /*new_path*/) override {
    return Errno::perm;
  }

  Errno rename(std::string_view path, Directory& to, std::string_view new_path) override {
    auto* const target = dynamic_cast<OpenDirectory*>(&to);
    if (target == nullptr || target->root_ != root_) return Errno::xdev;
    const auto from = walk(path);
    if (!from) return from.error();
    const auto node = find(*from);
    if (!node) return node.error();
    const auto place = target->walk(new_path);
    if (!place) return place.error();
    if (from->name.empty() || place->name.empty()) return Errno::busy;
    const bool is_directory = node->directory != nullptr;
    if (!is_directory && (from->must_be_directory || place->must_be_directory)) return Errno::notdir;
    if (is_directory && std::ranges::find(place->way, node->directory) != place->way.end()) return Errno::inval;
    const auto replaced = find(*place);
    if (!replaced && replaced.error() != Errno::noent) return replaced.error();
    if (replaced) {
      const bool replaces_directory = replaced->directory != nullptr;
      if (is_directory && !replaces_directory) return Errno::notdir;
      if (!is_directory && replaces_directory) return Errno::isdir;
      const bool is_same = replaced->file == node->file && replaced->directory == node->directory;
      if (is_same) return Errno::success;
    }
    return ask_for_errno([&] { return from->parent().rename(from->name, place->parent(), place->name); });
  }

 private:
  struct DirEntry {
    DirEnt entry;
    std::string name;
  };
  using Listing = std::shared_ptr<const std::vector<DirEntry>>;

  static Answer<VirtualNode> find(VirtualDirectory& directory, std::string_view name) {
    auto node = ask([&] { return directory.find(name); });
    // One of the two, and not both.
    if (node && (node->file == nullptr) == (node->directory == nullptr)) return std::unexpected(Errno::io);
    return node;
  }
  static Answer<VirtualNode> find(const Place& place) {
    if (place.name.empty()) return VirtualNode{.file = nullptr, .directory = place.way.back()};
    return find(place.parent(), place.name);
  }

  // Never above this directory: "..", of which no function ever hears, goes back on the way that was come.
  [[nodiscard]] Answer<Place> walk(std::string_view path) const {
    if (path.empty()) return std::unexpected(Errno::noent);
    if (path.front() == '/') return std::unexpected(Errno::notcapable);
    Place place;
    place.way.push_back(directory_);
    while (true) {
      const std::size_t slash = path.find('/');
      const std::string_view name = path.substr(0, slash);
      const std::size_t next = slash == std::string_view::npos ? slash : path.find_first_not_of('/', slash);
      const bool is_last = next == std::string_view::npos;
      if (name.size() > NAME_MAX) return std::unexpected(Errno::nametoolong);
      if (name == "..") {
        if (place.way.size() == 1) return std::unexpected(Errno::notcapable);
        place.way.pop_back();
      } else if (name != "." && is_last) {
        place.name = name;
        place.must_be_directory = slash != std::string_view::npos;
        return place;
      } else if (name != ".") {
        auto node = find(place.parent(), name);
        if (!node) return std::unexpected(node.error());
        if (node->directory == nullptr) return std::unexpected(Errno::notdir);
        place.way.push_back(std::move(node->directory));
      }
      place.must_be_directory = true;
      if (is_last) return place;
      path.remove_prefix(next);
    }
  }

  // What is there.
  [[nodiscard]] Answer<VirtualNode> look_up(std::string_view path) const {
    const auto place = walk(path);
    if (!place) return std::unexpected(place.error());
    auto node = find(*place);
    if (node && node->file != nullptr && place->must_be_directory) return std::unexpected(Errno::notdir);
    return node;
  }

  [[nodiscard]] std::shared_ptr<File> opened(std::shared_ptr<VirtualFile> file, const Opening& opening) const {
    return std::make_shared<OpenFile>(root_, std::move(file), (opening.flags & fdflag::append) != 0);
  }

  // What is listed stays what it was when the listing began.
  Answer<Listing> listing_at(std::uint64_t cookie) {
    if (cookie != 0) {
      const std::lock_guard lock(mutex_);
      if (listing_ != nullptr) return listing_;
    }
    const auto given = ask([&] { return directory_->list(); });
    if (!given) return std::unexpected(given.error());
    const auto own = stat();
    if (!own) return std::unexpected(own.error());
    auto listing = std::make_shared<std::vector<DirEntry>>();
    listing->reserve(given->size() + 2);
    for (const char* name : {".", ".."}) listing->push_back(entry_of(name, true, own->ino));
    for (const VirtualEntry& entry : *given) {
      if (!is_name(entry.name)) return std::unexpected(Errno::io);
      listing->push_back(entry_of(entry.name, entry.is_directory, entry.id));
    }
    const std::lock_guard lock(mutex_);
    listing_ = std::move(listing);
    return listing_;
  }

  static DirEntry entry_of(std::string name, bool is_directory, std::uint64_t id) {
    DirEnt entry;
    entry.ino = id;
    entry.name_length = static_cast<std::uint32_t>(name.size());
    entry.type = is_directory ? FileType::directory : FileType::regular_file;
    return {entry, std::move(name)};
  }

  const RootRef root_;
  const std::shared_ptr<VirtualDirectory> directory_;
  std::mutex mutex_;  // of what follows
  Listing listing_;
};

}  // namespace

std::shared_ptr<Directory> make_virtual_root(std::shared_ptr<VirtualDirectory> directory) {
  // Numbers that devices of the host do not have.
  static std::atomic<std::uint64_t> next_device = std::uint64_t{1} << 62;
  return std::make_shared<OpenDirectory>(std::make_shared<const Root>(Root{next_device++}), std::move(directory));
}

}  // namespace wasi::preview1
