// See memory_files.h.
#include "wasi/memory_files.h"

#include <algorithm>
#include <climits>
#include <cstring>
#include <mutex>
#include <new>
#include <shared_mutex>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "wasi/memory_tree.h"

namespace wasi::preview1::memory {
namespace {

using Lookup = std::shared_lock<std::shared_mutex>;
using Change = std::unique_lock<std::shared_mutex>;
using TreeRef = std::shared_ptr<Tree>;

// Runs what may find no memory for a name or a list.
template <class Function>
std::invoke_result_t<Function> within_memory(Function function) {
  using Answer = std::invoke_result_t<Function>;
  try {
    return function();
  } catch (const std::bad_alloc&) {
    if constexpr (std::is_same_v<Answer, Errno>) {
      return Errno::nomem;
    } else {
      return std::unexpected(Errno::nomem);
    }
  }
}

FileStat stat_of(const Tree& tree, Node& node) {
  FileStat stat;
  stat.dev = tree.device();
  stat.ino = node.ino;
  stat.type = node.type;
  stat.nlink = node.links;
  stat.atim = node.atim;
  stat.mtim = node.mtim;
  stat.ctim = node.ctim;
  if (node.type == FileType::symbolic_link) stat.size = static_cast<LinkNode&>(node).target.size();
  if (node.type == FileType::regular_file) {
    auto& file = static_cast<FileNode&>(node);
    const Lookup lock(file.mutex);
    stat.size = file.data.size();
  }
  return stat;
}

template <class Kind>
std::shared_ptr<Kind> shared(Node& node) {
  return std::static_pointer_cast<Kind>(node.shared_from_this());
}

// An open file. Its position is its own; its contents are shared with whoever has the same file open.
class MemoryFile : public File {
 public:
  MemoryFile(TreeRef tree, std::shared_ptr<FileNode> node, bool appends)
      : File(FileType::regular_file, right::kOfFiles),
        tree_(std::move(tree)),
        node_(std::move(node)),
        appends_(appends) {}

  [[nodiscard]] std::uint64_t readable() const override {
    const std::lock_guard position(mutex_);
    const Lookup lock(node_->mutex);
    return node_->data.size() - std::min(node_->data.size(), position_);
  }
  [[nodiscard]] std::expected<FileStat, Errno> stat() const override { return stat_of(*tree_, *node_); }

  Count read(Buffers buffers) override {
    const std::lock_guard position(mutex_);
    const Count moved = read_at(buffers, position_);
    position_ += moved.value_or(0);
    return moved;
  }

  Count read_at(Buffers buffers, std::uint64_t offset) override {
    std::size_t total = 0;
    {
      const Lookup lock(node_->mutex);
      for (const iovec& buffer : buffers) {
        const std::size_t moved =
            node_->data.read(offset + total, {static_cast<std::uint8_t*>(buffer.iov_base), buffer.iov_len});
        total += moved;
        if (moved < buffer.iov_len) break;
      }
    }
    if (total != 0) node_->touch_access();
    return total;
  }

  Count write(Buffers buffers) override {
    const std::lock_guard position(mutex_);
    return write_at(buffers, position_, &position_);
  }

  // Where a file is written to at its end, an offset changes nothing: so has it Linux.
  Count write_at(Buffers buffers, std::uint64_t offset) override { return write_at(buffers, offset, nullptr); }

  std::expected<std::uint64_t, Errno> seek(std::int64_t offset, Whence whence) override {
    const std::lock_guard position(mutex_);
    std::uint64_t base = 0;
    if (whence == Whence::cur) base = position_;
    if (whence == Whence::end) {
      const Lookup lock(node_->mutex);
      base = node_->data.size();
    }
    // Neither below 0 nor beyond 63 bits: EOVERFLOW on hosts for the latter, EINVAL for the former.
    if (offset < 0 && std::uint64_t{0} - static_cast<std::uint64_t>(offset) > base) {
      return std::unexpected(Errno::inval);
    }
    if (offset > 0 && static_cast<std::uint64_t>(offset) > FileData::kMaxSize - base) {
      return std::unexpected(Errno::overflow);
    }
    position_ = base + static_cast<std::uint64_t>(offset);
    return position_;
  }

  Errno set_size(std::uint64_t size) override {
    const Change lock(node_->mutex);
    const Errno error = node_->data.set_size(size);
    if (error == Errno::success) node_->touch_contents();
    return error;
  }
  Errno allocate(std::uint64_t offset, std::uint64_t length) override {
    const Change lock(node_->mutex);
    const Errno error = node_->data.allocate(offset, length);
    if (error == Errno::success) node_->touch_contents();
    return error;
  }
  Errno advise(std::uint64_t /*offset*/, std::uint64_t /*length*/, Advice /*advice*/) override {
    return Errno::success;
  }
  Errno sync(bool /*data_only*/) override { return Errno::success; }
  Errno set_times(const std::array<timespec, 2>& times) override {
    node_->set_times(times);
    return Errno::success;
  }
  Errno set_append(bool appends) override {
    appends_ = appends;
    return Errno::success;
  }

 private:
  Count write_at(Buffers buffers, std::uint64_t offset, std::uint64_t* end) {
    std::size_t total = 0;
    const Change lock(node_->mutex);
    if (appends_) offset = node_->data.size();
    for (const iovec& buffer : buffers) {
      const Count moved =
          node_->data.write(offset + total, {static_cast<const std::uint8_t*>(buffer.iov_base), buffer.iov_len});
      if (!moved && total == 0) return moved;
      total += moved.value_or(0);
      if (moved.value_or(0) < buffer.iov_len) break;
    }
    if (total == 0) return total;
    node_->touch_contents();
    if (end != nullptr) *end = offset + total;
    return total;
  }

  const TreeRef tree_;  // outlives the node
  const std::shared_ptr<FileNode> node_;
  std::atomic<bool> appends_;
  mutable std::mutex mutex_;  // of the position; taken before the node's
  std::uint64_t position_ = 0;
};

class MemoryDirectory : public Directory {
 public:
  MemoryDirectory(TreeRef tree, std::shared_ptr<DirectoryNode> node) : tree_(std::move(tree)), node_(std::move(node)) {}

  [[nodiscard]] std::expected<FileStat, Errno> stat() const override { return stat_of(*tree_, *node_); }
  Errno sync(bool /*data_only*/) override { return Errno::success; }
  Errno set_times(const std::array<timespec, 2>& times) override {
    node_->set_times(times);
    return Errno::success;
  }

  std::expected<std::shared_ptr<File>, Errno> open(std::string_view path, const Opening& opening) override {
    return within_memory([&]() -> std::expected<std::shared_ptr<File>, Errno> {
      if (!opening.creates) {
        const Lookup lock(tree_->names);
        return open_locked(path, opening);
      }
      const Change lock(tree_->names);
      return open_locked(path, opening);
    });
  }

  Errno list(std::uint64_t cookie, std::size_t /*room*/, EntrySink& sink) override {
    if (cookie > FileData::kMaxSize) return Errno::inval;
    const Lookup lock(tree_->names);
    // A directory that was removed has no entries.
    if (node_->is_removed()) return Errno::success;
    // What is added while somebody lists, by renaming what is listed, say, is not listed: that would have no end.
    if (cookie == 0) listed_ = node_->next_cookie;
    if (cookie == 0 && !add_entry(sink, 1, *node_, ".")) return Errno::success;
    if (cookie <= 1 && !add_entry(sink, DirectoryNode::kFirstCookie, *node_->parent, "..")) return Errno::success;
    const std::uint64_t end = listed_;
    for (auto place = node_->order.lower_bound(cookie); place != node_->order.end() && place->first < end; ++place) {
      const auto& [name, entry] = *place->second;
      if (!add_entry(sink, place->first + 1, *entry.node, name)) break;
    }
    return Errno::success;
  }

  std::expected<FileStat, Errno> stat_at(std::string_view path, bool follows) override {
    return within_memory([&]() -> std::expected<FileStat, Errno> {
      const Lookup lock(tree_->names);
      const auto place = lookup(path, follows);
      if (!place) return std::unexpected(place.error());
      return stat_of(*tree_, *place->node);
    });
  }

  Errno set_times_at(std::string_view path, bool follows, const std::array<timespec, 2>& times) override {
    return within_memory([&] {
      const Lookup lock(tree_->names);
      const auto place = lookup(path, follows);
      if (!place) return place.error();
      place->node->set_times(times);
      return Errno::success;
    });
  }

  Errno create_directory(std::string_view path) override {
    return within_memory([&] {
      const Change lock(tree_->names);
      const auto place = Tree::walk(*node_, path, Follow::no, LeafKind::entry);
      if (!place) return place.error();
      if (place->node != nullptr) return Errno::exist;
      if (place->parent->is_removed()) return Errno::noent;
      auto made = tree_->make_directory(*place->parent, true);
      if (!made) return made.error();
      return tree_->add(*place->parent, place->name, std::move(*made), true);
    });
  }

  Errno remove_directory(std::string_view path) override {
    std::shared_ptr<Node> removed;
    return within_memory([&] {
      const Change lock(tree_->names);
      const auto place = Tree::walk(*node_, path, Follow::no, LeafKind::entry);
      if (!place) return place.error();
      if (place->node == nullptr) return Errno::noent;
      if (place->node->type != FileType::directory) return Errno::notdir;
      if (place->name.empty()) return Errno::inval;
      if (!static_cast<DirectoryNode&>(*place->node).entries.empty()) return Errno::notempty;
      removed = tree_->remove(*place->parent, place->name);
      return Errno::success;
    });
  }

  Errno unlink(std::string_view path) override {
    std::shared_ptr<Node> removed;  // given back without the lock: it may be large
    return within_memory([&] {
      const Change lock(tree_->names);
      const auto place = Tree::walk(*node_, path, Follow::no, LeafKind::entry);
      if (!place) return place.error();
      if (place->node == nullptr) return Errno::noent;
      if (place->node->type == FileType::directory) return Errno::isdir;
      if (place->must_be_directory) return Errno::notdir;
      removed = tree_->remove(*place->parent, place->name);
      return Errno::success;
    });
  }

  Count read_link(std::string_view path, std::span<std::uint8_t> target) override {
    return within_memory([&]() -> Count {
      const Lookup lock(tree_->names);
      const auto place = lookup(path, false);
      if (!place) return std::unexpected(place.error());
      if (place->node->type != FileType::symbolic_link) return std::unexpected(Errno::inval);
      const std::string& stored = static_cast<LinkNode&>(*place->node).target;
      const std::size_t size = std::min(stored.size(), target.size());
      if (size != 0) std::memcpy(target.data(), stored.data(), size);
      place->node->touch_access();
      return size;
    });
  }

  Errno symlink(std::string_view target, std::string_view path) override {
    return within_memory([&] {
      if (target.empty()) return Errno::noent;
      if (target.front() == '/') return Errno::notcapable;
      const Change lock(tree_->names);
      const auto place = Tree::walk(*node_, path, Follow::no, LeafKind::entry);
      if (!place) return place.error();
      if (const Errno error = check_new_name(*place); error != Errno::success) return error;
      auto made = tree_->make_link(target, true);
      if (!made) return made.error();
      return tree_->add(*place->parent, place->name, std::move(*made), true);
    });
  }

  Errno link(std::string_view path, bool follows, Directory& to, std::string_view new_path) override {
    return within_memory([&] {
      auto* const target = same_tree(to);
      if (target == nullptr) return Errno::xdev;
      const Change lock(tree_->names);
      const auto from = lookup(path, follows);
      if (!from) return from.error();
      const auto place = Tree::walk(*target->node_, new_path, Follow::no, LeafKind::entry);
      if (!place) return place.error();
      if (const Errno error = check_new_name(*place); error != Errno::success) return error;
      if (from->node->type == FileType::directory) return Errno::perm;
      return tree_->add(*place->parent, place->name, from->node->shared_from_this(), true);
    });
  }

  Errno rename(std::string_view path, Directory& to, std::string_view new_path) override {
    std::shared_ptr<Node> replaced;
    return within_memory([&] {
      auto* const target = same_tree(to);
      if (target == nullptr) return Errno::xdev;
      const Change lock(tree_->names);
      const auto from = Tree::walk(*node_, path, Follow::no, LeafKind::entry);
      if (!from) return from.error();
      if (from->must_be_directory && from->node == nullptr) return Errno::noent;
      if (from->must_be_directory && from->node->type != FileType::directory) return Errno::notdir;
      const auto place = Tree::walk(*target->node_, new_path, Follow::no, LeafKind::entry);
      if (!place) return place.error();
      if (place->must_be_directory) {
        if (from->node == nullptr) return Errno::noent;
        if (from->node->type != FileType::directory) return Errno::notdir;
        if (place->node != nullptr && place->node->type != FileType::directory) return Errno::notdir;
      }
      if (from->name.empty() || place->name.empty()) return Errno::busy;
      if (from->node == nullptr) return Errno::noent;
      if (const Errno error = check_rename(*from, *place); error != Errno::success) return error;
      if (from->node == place->node) return Errno::success;
      if (place->parent->is_removed()) return Errno::noent;
      return tree_->move(*from->parent, from->name, *place->parent, place->name, replaced);
    });
  }

 private:
  MemoryDirectory* same_tree(Directory& other) const {
    auto* const directory = dynamic_cast<MemoryDirectory*>(&other);
    return directory != nullptr && directory->tree_ == tree_ ? directory : nullptr;
  }

  bool add_entry(EntrySink& sink, std::uint64_t next, const Node& node, std::string_view name) const {
    DirEnt entry;
    entry.next = next;
    entry.ino = node.ino;
    entry.name_length = static_cast<std::uint32_t>(name.size());
    entry.type = node.type;
    return sink.add(entry, name);
  }

  // What is there, or an error.
  [[nodiscard]] std::expected<Place, Errno> lookup(std::string_view path, bool follows) const {
    auto place = Tree::walk(*node_, path, follows ? Follow::yes : Follow::no, LeafKind::lookup);
    if (!place) return place;
    if (place->node == nullptr) return std::unexpected(Errno::noent);
    if (place->must_be_directory && place->node->type != FileType::directory) return std::unexpected(Errno::notdir);
    return place;
  }

  // For names that are to be made, of something that is not a directory: a slash behind them is always an error.
  static Errno check_new_name(const Place& place) {
    if (place.node != nullptr) {
      return !place.must_be_directory || place.node->type == FileType::directory ? Errno::exist : Errno::notdir;
    }
    if (place.must_be_directory || place.parent->is_removed()) return Errno::noent;
    return Errno::success;
  }

  static Errno check_rename(const Place& from, const Place& to) {
    const bool is_directory = from.node->type == FileType::directory;
    if (is_directory && is_within(*to.parent, *from.node)) return Errno::inval;
    if (to.node == nullptr || to.node == from.node) return Errno::success;
    if (to.node->type != FileType::directory) return is_directory ? Errno::notdir : Errno::success;
    // Also where the target is above the source, which is in it then.
    if (is_within(*from.parent, *to.node)) return Errno::notempty;
    if (!is_directory) return Errno::isdir;
    return static_cast<DirectoryNode&>(*to.node).entries.empty() ? Errno::success : Errno::notempty;
  }

  // Whether `directory` is `above` or beneath it.
  static bool is_within(const DirectoryNode& directory, const Node& above) {
    for (const DirectoryNode* at = &directory; at != nullptr; at = at->parent) {
      if (at == &above) return true;
      if (at == at->parent) return false;
    }
    return false;
  }

  std::expected<std::shared_ptr<File>, Errno> open_locked(std::string_view path, const Opening& opening) {
    const bool is_exclusive = opening.creates && opening.is_exclusive;
    // What is created has no slash behind its name.
    if (opening.creates && path.ends_with('/'))
      return std::unexpected(path.front() == '/' ? Errno::notcapable : Errno::isdir);
    auto place =
        Tree::walk(*node_, path, opening.follows && !is_exclusive ? Follow::yes : Follow::no, LeafKind::lookup);
    if (!place) return std::unexpected(place.error());
    if (opening.creates && place->must_be_directory) {
      return std::unexpected(is_exclusive ? Errno::exist : Errno::isdir);
    }
    if (place->node == nullptr) {
      if (!opening.creates || place->parent->is_removed()) return std::unexpected(Errno::noent);
      auto made = tree_->make_file({}, true);
      if (!made) return std::unexpected(made.error());
      auto file = opened(*made, opening);
      const Errno error = tree_->add(*place->parent, place->name, std::move(*made), true);
      if (error != Errno::success) return std::unexpected(error);
      return file;
    }
    if (is_exclusive) return std::unexpected(Errno::exist);
    const bool wants_directory = opening.wants_directory || place->must_be_directory;
    switch (place->node->type) {
      case FileType::directory:
        if (opening.creates || opening.writes || opening.truncates) return std::unexpected(Errno::isdir);
        return std::make_shared<MemoryDirectory>(tree_, shared<DirectoryNode>(*place->node));
      case FileType::symbolic_link:
        return std::unexpected(wants_directory ? Errno::notdir : Errno::loop);
      default:
        break;
    }
    if (wants_directory) return std::unexpected(Errno::notdir);
    auto file = opened(shared<FileNode>(*place->node), opening);
    if (opening.truncates) {
      if (const Errno error = file->set_size(0); error != Errno::success) return std::unexpected(error);
    }
    return file;
  }

  std::shared_ptr<File> opened(std::shared_ptr<FileNode> node, const Opening& opening) const {
    return std::make_shared<MemoryFile>(tree_, std::move(node), (opening.flags & fdflag::append) != 0);
  }

  const TreeRef tree_;  // outlives the node
  const std::shared_ptr<DirectoryNode> node_;
  std::atomic<std::uint64_t> listed_ = FileData::kMaxSize;  // where the listing ends that was begun last
};

// Makes the directories above a path of the embedder's, and gives the last of them with the name in it.
std::expected<Place, Errno> make_way(Tree& tree, std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  DirectoryNode& root = *tree.root();
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    const auto place = Tree::walk(root, path.substr(0, slash), Follow::yes, LeafKind::lookup);
    if (!place) return place;
    if (place->node != nullptr) continue;
    auto made = tree.make_directory(*place->parent, false);
    if (!made) return std::unexpected(made.error());
    const Errno error = tree.add(*place->parent, place->name, std::move(*made), false);
    if (error != Errno::success) return std::unexpected(error);
  }
  return Tree::walk(root, path, Follow::no, LeafKind::entry);
}

}  // namespace

TreeRef make_tree(std::uint64_t limit) { return std::make_shared<Tree>(limit); }

std::shared_ptr<Directory> root_of(const TreeRef& tree) {
  return std::make_shared<MemoryDirectory>(tree, tree->root());
}

Errno add_file(Tree& tree, std::string_view path, SharedBytes bytes) {
  std::shared_ptr<Node> replaced;
  return within_memory([&] {
    const Change lock(tree.names);
    const auto place = make_way(tree, path);
    if (!place) return place.error();
    if (place->must_be_directory) return Errno::isdir;
    if (place->node != nullptr) {
      if (place->node->type != FileType::regular_file) return Errno::exist;
      replaced = tree.remove(*place->parent, place->name);
    }
    auto made = tree.make_file(std::move(bytes), false);
    if (!made) return made.error();
    return tree.add(*place->parent, place->name, std::move(*made), false);
  });
}

Errno add_directory(Tree& tree, std::string_view path) {
  return within_memory([&] {
    const Change lock(tree.names);
    const auto place = make_way(tree, path);
    if (!place) return place.error();
    if (place->node != nullptr) return place->node->type == FileType::directory ? Errno::success : Errno::exist;
    auto made = tree.make_directory(*place->parent, false);
    if (!made) return made.error();
    return tree.add(*place->parent, place->name, std::move(*made), false);
  });
}

Errno add_symlink(Tree& tree, std::string_view path, std::string_view target) {
  return within_memory([&] {
    if (target.empty()) return Errno::noent;
    const Change lock(tree.names);
    const auto place = make_way(tree, path);
    if (!place) return place.error();
    if (place->must_be_directory) return Errno::notdir;
    if (place->node != nullptr) return Errno::exist;
    auto made = tree.make_link(target, false);
    if (!made) return made.error();
    return tree.add(*place->parent, place->name, std::move(*made), false);
  });
}

std::expected<std::string, Errno> contents(Tree& tree, std::string_view path, std::uint64_t most) {
  return within_memory([&]() -> std::expected<std::string, Errno> {
    while (path.starts_with('/')) path.remove_prefix(1);
    std::shared_ptr<FileNode> file;
    {
      const Lookup lock(tree.names);
      const auto place = Tree::walk(*tree.root(), path, Follow::yes, LeafKind::lookup);
      if (!place) return std::unexpected(place.error());
      if (place->node == nullptr) return std::unexpected(Errno::noent);
      if (place->node->type == FileType::directory) return std::unexpected(Errno::isdir);
      if (place->must_be_directory) return std::unexpected(Errno::notdir);
      file = shared<FileNode>(*place->node);
    }
    const Lookup lock(file->mutex);
    // Holes are free in the tree; here they would not be.
    if (file->data.size() > most) return std::unexpected(Errno::fbig);
    std::string bytes(file->data.size(), '\0');
    file->data.read(0, {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
    return bytes;
  });
}

std::uint64_t used_bytes(const Tree& tree) { return tree.budget.used(); }

}  // namespace wasi::preview1::memory
