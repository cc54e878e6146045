// See memory_tree.h.
#include "wasi/memory_tree.h"

#include <sys/stat.h>

#include <algorithm>
#include <climits>
#include <new>
#include <utility>

namespace wasi::preview1::memory {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
// As many links as Linux follows in one path.
constexpr int kMaxLinks = 40;

// No device of the host's has such a number.
std::uint64_t next_device() {
  static std::atomic<std::uint64_t> next{std::uint64_t{1} << 32};
  return next.fetch_add(1, std::memory_order_relaxed);
}

template <class Made, class... Args>
std::expected<std::shared_ptr<Made>, Errno> make(Tree& tree, std::uint64_t cost, Args&&... args) {
  if (!tree.budget.take(cost)) return std::unexpected(Errno::nospc);
  try {
    return std::make_shared<Made>(tree.next_ino(), tree.budget, cost, std::forward<Args>(args)...);
  } catch (const std::bad_alloc&) {
    tree.budget.give(cost);
    return std::unexpected(Errno::nospc);
  }
}

}  // namespace

std::uint64_t now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * kSecond + static_cast<std::uint64_t>(time.tv_nsec);
}

void Node::touch_access() {
  constexpr std::uint64_t kDay = 86'400 * kSecond;
  const std::uint64_t last = atim;
  const std::uint64_t time = now();
  if (last <= mtim || last <= ctim || time >= last + kDay) atim = time;
}

void Node::set_times(const std::array<timespec, 2>& times) {
  const std::uint64_t time = now();
  const auto set = [time](std::atomic<std::uint64_t>& field, const timespec& given) {
    if (given.tv_nsec == UTIME_OMIT) return;
    field = given.tv_nsec == UTIME_NOW
                ? time
                : static_cast<std::uint64_t>(given.tv_sec) * kSecond + static_cast<std::uint64_t>(given.tv_nsec);
  };
  set(atim, times[0]);
  set(mtim, times[1]);
  ctim = time;
}

Node* DirectoryNode::find(std::string_view name) const {
  const auto entry = entries.find(name);
  return entry == entries.end() ? nullptr : entry->second.node.get();
}

Tree::Tree(std::uint64_t limit)
    : budget(limit),
      device_(next_device()),
      root_(std::make_shared<DirectoryNode>(next_ino(), budget, std::uint64_t{0}, nullptr)) {
  root_->parent = root_.get();
  root_->links = 2;
}

Tree::~Tree() {
  // One directory at a time: a guest can nest them deeper than our stack is. They make up the list themselves, since
  // there may be no memory for one.
  std::shared_ptr<DirectoryNode> open = root_;
  while (open != nullptr) {
    const std::shared_ptr<DirectoryNode> directory = std::move(open);
    open = std::move(directory->next_to_end);
    directory->order.clear();
    for (auto& [name, entry] : directory->entries) {
      budget.give(entry.cost);
      if (entry.node->type == FileType::directory) {
        auto child = std::static_pointer_cast<DirectoryNode>(std::move(entry.node));
        child->next_to_end = std::move(open);
        open = std::move(child);
      }
    }
    directory->entries.clear();
  }
}

std::expected<Place, Errno> Tree::walk(DirectoryNode& base, std::string_view path, Follow follow, LeafKind kind) {
  if (path.empty()) return std::unexpected(Errno::noent);
  if (path.front() == '/') return std::unexpected(Errno::notcapable);
  std::string expanded;  // what is left to walk, once a link has been put in front of it
  std::string_view rest = path;
  DirectoryNode* here = &base;
  bool must_be_directory = false;
  int links = 0;
  while (true) {
    while (rest.ends_with('/')) {
      must_be_directory = true;
      rest.remove_suffix(1);
    }
    const std::size_t slash = rest.find('/');
    const std::string_view name = rest.substr(0, slash);
    const bool is_last = slash == std::string_view::npos;
    rest = is_last ? std::string_view() : rest.substr(rest.find_first_not_of('/', slash));

    if (name == "." || name == "..") {
      if (name == "..") {
        if (here == &base) return std::unexpected(Errno::notcapable);
        here = here->parent;
      }
      if (is_last) return Place{here, {}, here, true};
      continue;
    }
    if (name.size() > NAME_MAX) return std::unexpected(Errno::nametoolong);
    Node* const node = here->find(name);
    const bool follows = !is_last || follow == Follow::yes || (must_be_directory && kind == LeafKind::lookup);
    if (node != nullptr && node->type == FileType::symbolic_link && follows) {
      const std::string& target = static_cast<const LinkNode*>(node)->target;
      if (++links > kMaxLinks) return std::unexpected(Errno::loop);
      if (target.front() == '/') return std::unexpected(Errno::notcapable);
      std::string joined = target;
      if (!is_last) joined.append("/").append(rest);
      if (joined.size() >= std::size_t{2} * PATH_MAX) return std::unexpected(Errno::nametoolong);
      expanded = std::move(joined);
      rest = expanded;
      continue;
    }
    if (is_last) return Place{here, std::string(name), node, must_be_directory};
    if (node == nullptr) return std::unexpected(Errno::noent);
    if (node->type != FileType::directory) return std::unexpected(Errno::notdir);
    here = static_cast<DirectoryNode*>(node);
  }
}

std::expected<std::shared_ptr<FileNode>, Errno> Tree::make_file(SharedBytes base, bool is_counted) {
  return make<FileNode>(*this, is_counted ? kNodeCost : 0, std::move(base));
}

std::expected<std::shared_ptr<LinkNode>, Errno> Tree::make_link(std::string_view target, bool is_counted) {
  return make<LinkNode>(*this, is_counted ? kNodeCost + target.size() : 0, std::string(target));
}

std::expected<std::shared_ptr<DirectoryNode>, Errno> Tree::make_directory(DirectoryNode& parent, bool is_counted) {
  return make<DirectoryNode>(*this, is_counted ? kNodeCost : 0, &parent);
}

// What a directory's name means to the numbers of links.
void Tree::attach(DirectoryNode& directory, Node& node) {
  ++node.links;
  if (node.type != FileType::directory) return;
  ++directory.links;
  static_cast<DirectoryNode&>(node).parent = &directory;
}

void Tree::detach(DirectoryNode& directory, Node& node) {
  --node.links;
  if (node.type == FileType::directory) --directory.links;
}

Errno Tree::add(DirectoryNode& directory, std::string_view name, std::shared_ptr<Node> node, bool is_counted) {
  if (directory.is_removed()) return Errno::noent;
  const std::uint64_t cost = is_counted ? kNameCost + name.size() : 0;
  if (!budget.take(cost)) return Errno::nospc;
  Node& added = *node;
  DirectoryNode::Entries::iterator place;
  try {
    place = directory.entries.emplace(name, Entry{std::move(node), directory.next_cookie, cost}).first;
    try {
      directory.order.emplace_hint(directory.order.end(), directory.next_cookie, place);
    } catch (const std::bad_alloc&) {
      directory.entries.erase(place);
      throw;
    }
  } catch (const std::bad_alloc&) {
    budget.give(cost);
    return Errno::nospc;
  }
  ++directory.next_cookie;
  if (added.type == FileType::directory && added.links == 0) added.links = 1;  // its own "."
  attach(directory, added);
  added.touch_attributes();
  directory.touch_contents();
  return Errno::success;
}

std::shared_ptr<Node> Tree::remove(DirectoryNode& directory, std::string_view name) {
  const auto place = directory.entries.find(name);
  std::shared_ptr<Node> node = std::move(place->second.node);
  budget.give(place->second.cost);
  directory.order.erase(place->second.cookie);
  directory.entries.erase(place);
  detach(directory, *node);
  if (node->type == FileType::directory) {
    node->links = 0;
    static_cast<DirectoryNode&>(*node).parent = nullptr;
  }
  node->touch_attributes();
  directory.touch_contents();
  return node;
}

Errno Tree::move(DirectoryNode& from, std::string_view name, DirectoryNode& to, std::string_view new_name,
                 std::shared_ptr<Node>& replaced) {
  const auto old_place = from.entries.find(name);
  const std::shared_ptr<Node> node = old_place->second.node;
  const auto new_place = to.entries.find(new_name);
  if (new_place == to.entries.end()) {
    // A name takes what the other gives up, so a full tree can still be put in order.
    const std::uint64_t held = old_place->second.cost;
    const std::uint64_t cost = held == 0 ? 0 : kNameCost + new_name.size();
    if (cost > held && !budget.take(cost - held)) return Errno::nospc;
    if (const Errno error = add(to, new_name, node, false); error != Errno::success) {
      if (cost > held) budget.give(cost - held);
      return error;
    }
    to.entries.find(new_name)->second.cost = cost;
    if (cost < held) budget.give(held - cost);
    old_place->second.cost = 0;
  } else {
    // The name stays where it is in a listing, so that nobody misses it.
    replaced = std::exchange(new_place->second.node, node);
    detach(to, *replaced);
    if (replaced->type == FileType::directory) {
      replaced->links = 0;
      static_cast<DirectoryNode&>(*replaced).parent = nullptr;
    }
    replaced->touch_attributes();
    attach(to, *node);
    to.touch_contents();
  }
  budget.give(old_place->second.cost);
  from.order.erase(old_place->second.cookie);
  from.entries.erase(old_place);
  detach(from, *node);
  from.touch_contents();
  node->touch_attributes();
  return Errno::success;
}

}  // namespace wasi::preview1::memory
