// A tree of files in memory: nodes, the names by which they are found, and the walk from a path to a node.
//
// Locks: one for all names of a tree, one per file for its contents. The names' is taken first, and never two files' at
// once, so nothing can wait in a circle. Attributes are atomic and need none.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "wasi/abi.h"
#include "wasi/memory_data.h"

namespace wasi::preview1::memory {

// What a node and a name take from the budget besides data and text: about what they take of the host's memory.
inline constexpr std::uint64_t kNodeCost = 256;
inline constexpr std::uint64_t kNameCost = 192;

// Nanoseconds since 1970, now.
std::uint64_t now();

class Node : public std::enable_shared_from_this<Node> {
 public:
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  virtual ~Node() { budget_.give(cost_); }

  const FileType type;
  const std::uint64_t ino;
  std::atomic<std::uint64_t> links = 0;  // names of it; a directory's also "." and those that its directories have
  std::atomic<std::uint64_t> atim = now();
  std::atomic<std::uint64_t> mtim = atim.load();
  std::atomic<std::uint64_t> ctim = atim.load();

  // Contents or attributes have changed.
  void touch_contents() { mtim = ctim = now(); }
  void touch_attributes() { ctim = now(); }
  // As often as Linux does unless told otherwise: the first time after a change, and once a day.
  void touch_access();
  void set_times(const std::array<timespec, 2>& times);

 protected:
  // `cost` was taken from the budget.
  Node(FileType type, std::uint64_t ino, Budget& budget, std::uint64_t cost)
      : type(type), ino(ino), budget_(budget), cost_(cost) {}

 private:
  Budget& budget_;
  std::uint64_t cost_;
};

class FileNode : public Node {
 public:
  FileNode(std::uint64_t ino, Budget& budget, std::uint64_t cost, SharedBytes base)
      : Node(FileType::regular_file, ino, budget, cost), data(budget, std::move(base)) {}
  std::shared_mutex mutex;  // of `data`
  FileData data;
};

class LinkNode : public Node {
 public:
  LinkNode(std::uint64_t ino, Budget& budget, std::uint64_t cost, std::string target)
      : Node(FileType::symbolic_link, ino, budget, cost), target(std::move(target)) {}
  const std::string target;
};

// A name in a directory. Its cookie never changes and is never given to another, so a listing that stands at one goes
// on behind it, whatever was added and removed meanwhile.
struct Entry {
  std::shared_ptr<Node> node;
  std::uint64_t cookie = 0;
  std::uint64_t cost = 0;
};

// Everything in it is the names' lock's matter.
class DirectoryNode : public Node {
 public:
  // Sorted rather than hashed, since who chooses the names could choose such that collide.
  using Entries = std::map<std::string, Entry, std::less<>>;
  static constexpr std::uint64_t kFirstCookie = 2;  // 0 is ".", 1 is ".."

  DirectoryNode(std::uint64_t ino, Budget& budget, std::uint64_t cost, DirectoryNode* parent)
      : Node(FileType::directory, ino, budget, cost), parent(parent) {}

  [[nodiscard]] Node* find(std::string_view name) const;
  [[nodiscard]] bool is_removed() const { return links == 0; }

  DirectoryNode* parent;  // of the root: itself; null when it was removed
  Entries entries;
  std::map<std::uint64_t, Entries::iterator> order;  // by cookie
  std::uint64_t next_cookie = kFirstCookie;
  std::shared_ptr<DirectoryNode> next_to_end;  // while the tree ends
};

// Where a path leads: a directory, a name in it, and what is there.
struct Place {
  DirectoryNode* parent = nullptr;
  std::string name;      // empty: the directory itself
  Node* node = nullptr;  // what is there; null: nothing
  bool must_be_directory = false;
};

enum class Follow : bool { no, yes };
// As os::LeafKind: whether a slash at the end makes a link be followed.
enum class LeafKind : bool { lookup, entry };

class Tree {
 public:
  explicit Tree(std::uint64_t limit);
  ~Tree();
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  [[nodiscard]] const std::shared_ptr<DirectoryNode>& root() const { return root_; }
  [[nodiscard]] std::uint64_t device() const { return device_; }
  [[nodiscard]] std::uint64_t next_ino() { return next_ino_.fetch_add(1, std::memory_order_relaxed); }

  // What follows needs the names' lock; what changes something, all of it.
  std::shared_mutex names;
  // Never above `base`, whatever `path` and links say.
  static std::expected<Place, Errno> walk(DirectoryNode& base, std::string_view path, Follow follow, LeafKind kind);
  // A new node, of which nothing is known yet but its cost. What is not counted is the embedder's.
  std::expected<std::shared_ptr<FileNode>, Errno> make_file(SharedBytes base, bool is_counted);
  std::expected<std::shared_ptr<LinkNode>, Errno> make_link(std::string_view target, bool is_counted);
  std::expected<std::shared_ptr<DirectoryNode>, Errno> make_directory(DirectoryNode& parent, bool is_counted);
  // Gives a node a name that is free.
  Errno add(DirectoryNode& directory, std::string_view name, std::shared_ptr<Node> node, bool is_counted);
  // Takes a name away. The node is the caller's to let go of, when the lock is no longer held.
  std::shared_ptr<Node> remove(DirectoryNode& directory, std::string_view name);
  // Gives the node of one name another name, which is free or gives up its node: into `replaced`.
  Errno move(DirectoryNode& from, std::string_view name, DirectoryNode& to, std::string_view new_name,
             std::shared_ptr<Node>& replaced);

  Budget budget;

 private:
  static void attach(DirectoryNode& directory, Node& node);
  static void detach(DirectoryNode& directory, Node& node);

  std::uint64_t device_;
  std::atomic<std::uint64_t> next_ino_ = 1;
  std::shared_ptr<DirectoryNode> root_;
};

}  // namespace wasi::preview1::memory
