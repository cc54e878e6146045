// See beneath.h.
#include "os/beneath.h"

#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "os/refusal.h"
#include "os/retry.h"

namespace wasi::os {
namespace {

// As many links as Linux itself follows in one path.
constexpr int kMaxLinks = 40;
// How deep the walk goes: one descriptor is open per level.
constexpr std::size_t kMaxDepth = 256;
// openat2 gives up (EAGAIN) when the tree is renamed under it; after some tries the walk takes over.
constexpr int kOpenat2Tries = 4;

constexpr int kDirectory = O_PATH | O_DIRECTORY | O_CLOEXEC;

// openat2 needs a terminated string. Paths longer than PATH_MAX are refused, as the kernel would.
struct CPath {
  char text[PATH_MAX];
  [[nodiscard]] bool assign(std::string_view path) {
    if (path.size() >= sizeof(text)) return false;
    std::memcpy(text, path.data(), path.size());
    text[path.size()] = '\0';
    return true;
  }
};

int openat2(int dirfd, const char* path, int flags, mode_t mode) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
  // openat2 refuses a mode where nothing can be created.
  how.mode = (flags & O_CREAT) != 0 ? mode & 07777 : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  int fd = -1;
  int tries = 0;
  do {
    fd = static_cast<int>(::syscall(SYS_openat2, dirfd, path, &how, sizeof(how)));
  } while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++tries < kOpenat2Tries)));
  return fd;
}

bool has_openat2() {
  // A filter may have any answer; none can be told from a refusal of one path, hence this probe.
  static const bool available = [] {
    const UniqueFd probe(openat2(AT_FDCWD, ".", kDirectory, 0));
    return static_cast<bool>(probe) || (!may_refuse_call(errno) && errno != E2BIG);
  }();
  return available;
}

// Whether a path that openat2 failed for is to be walked, whose answer then counts: it comes to the same where the
// error is the file's own.
bool is_worth_a_walk(int error) { return error == EAGAIN || may_refuse_call(error); }

// The answer where both have failed: openat2's where it may be true and the walk ended at a limit of its own.
int failure_of(int openat2_error, int walk_error) {
  const bool is_limit = walk_error == ENAMETOOLONG || walk_error == EMFILE || walk_error == ENFILE;
  return is_limit && openat2_error != ENOSYS && openat2_error != EAGAIN ? openat2_error : walk_error;
}

std::string_view without_trailing_slashes(std::string_view path) {
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  return path;
}

int checked(std::string_view path) {
  if (path.empty()) return ENOENT;
  if (path.front() == '/') return kEscapes;
  if (path.size() >= PATH_MAX) return ENAMETOOLONG;
  return 0;
}

bool is_dots(std::string_view name) { return name == "." || name == ".."; }

// The target of the link `name` in `directory`, in `buffer`; the error otherwise (EINVAL: not a link).
std::expected<std::string_view, int> read_link(int directory, const char* name, CPath& buffer) {
  const ssize_t size = retry([&] { return ::readlinkat(directory, name, buffer.text, sizeof(buffer.text)); });
  if (size < 0) return std::unexpected(errno);
  if (static_cast<std::size_t>(size) == sizeof(buffer.text)) return std::unexpected(ENAMETOOLONG);
  return std::string_view(buffer.text, static_cast<std::size_t>(size));
}

}  // namespace

bool Place::set_leaf(std::string_view name) {
  if (name.size() > NAME_MAX) return false;
  std::memcpy(leaf_, name.data(), name.size());
  leaf_[name.size()] = '\0';
  return true;
}

// The way without openat2. `stack_` holds the directories between the root and here, so `..` needs no system call
// and cannot be led astray by a directory that somebody moves.
class Walk {
 public:
  explicit Walk(int root) : root_(root) {}

  std::expected<Place, int> run(std::string_view path, Follow follow, LeafKind kind) {
    std::string expanded;  // what is left to walk, once a link has been put in front of it
    std::string_view rest = path;
    bool must_be_directory = false;
    int links = 0;
    while (true) {
      // Only the slashes of the whole rest matter: the ones between components are skipped below.
      const std::string_view stripped = without_trailing_slashes(rest);
      if (stripped.size() != rest.size()) {
        must_be_directory = true;
        rest = stripped;
      }
      if (rest.empty()) return place(".", must_be_directory);
      const std::size_t slash = rest.find('/');
      const std::string_view name = rest.substr(0, slash);
      const bool last = slash == std::string_view::npos;
      rest = last ? std::string_view() : rest.substr(slash);
      while (!rest.empty() && rest.front() == '/') rest.remove_prefix(1);

      if (name == ".") {
        // Nothing to do, but where it comes last it means the directory itself.
        if (last) return place(".", true);
        continue;
      }
      if (name == "..") {
        if (stack_.empty()) return std::unexpected(kEscapes);
        stack_.pop_back();
        if (last) return place(".", true);
        continue;
      }
      if (name.size() > NAME_MAX) return std::unexpected(ENAMETOOLONG);
      char terminated[NAME_MAX + 1];
      std::memcpy(terminated, name.data(), name.size());
      terminated[name.size()] = '\0';

      if (last) {
        const bool follow_leaf = follow == Follow::yes || (must_be_directory && kind == LeafKind::lookup);
        if (!follow_leaf) return place(terminated, must_be_directory);
      } else {
        // O_NOFOLLOW is sound here, because the name has no slash.
        UniqueFd next(retry([&] { return ::openat(here(), terminated, kDirectory | O_NOFOLLOW); }));
        if (next) {
          if (stack_.size() == kMaxDepth) return std::unexpected(ENAMETOOLONG);
          stack_.push_back(std::move(next));
          continue;
        }
        if (errno != ENOTDIR && errno != ELOOP) return std::unexpected(errno);
      }

      CPath buffer;
      const auto target = read_link(here(), terminated, buffer);
      if (!target) {
        // Not a link: as a last component it is what was looked for, before others it is in the way. A name
        // that does not exist is an answer too, since the caller may create it.
        if (last && (target.error() == EINVAL || target.error() == ENOENT)) {
          return place(terminated, must_be_directory);
        }
        return std::unexpected(target.error() == EINVAL ? ENOTDIR : target.error());
      }
      if (++links > kMaxLinks) return std::unexpected(ELOOP);
      if (target->empty()) return std::unexpected(ENOENT);
      if (target->front() == '/') return std::unexpected(kEscapes);
      std::string joined(*target);
      if (!last) {
        joined += '/';
        joined += rest;
      }
      if (joined.size() >= static_cast<std::size_t>(2 * PATH_MAX)) return std::unexpected(ENAMETOOLONG);
      expanded = std::move(joined);
      rest = expanded;
    }
  }

 private:
  [[nodiscard]] int here() const { return stack_.empty() ? root_ : stack_.back().get(); }

  std::expected<Place, int> place(std::string_view leaf, bool must_be_directory) {
    Place result;
    result.borrowed_ = root_;
    if (!stack_.empty()) result.owned_ = std::move(stack_.back());
    result.must_be_directory_ = must_be_directory;
    if (!result.set_leaf(leaf)) return std::unexpected(ENAMETOOLONG);
    return result;
  }

  int root_;
  std::vector<UniqueFd> stack_;
};

Resolver::Resolver(bool force_walk) : walks_(force_walk || !has_openat2()) {}

std::expected<Place, int> Resolver::open_beneath(int dirfd, std::string_view path, Follow follow, LeafKind kind) const {
  if (const int error = checked(path); error != 0) return std::unexpected(error);
  if (walks_) return Walk(dirfd).run(path, follow, kind);

  const std::string_view stripped = without_trailing_slashes(path);
  Place place;
  place.borrowed_ = dirfd;
  place.must_be_directory_ = stripped.size() != path.size();
  const std::size_t slash = stripped.rfind('/');
  std::string_view name = slash == std::string_view::npos ? stripped : stripped.substr(slash + 1);
  // A path that ends in dots means a directory, not a name in one: all of it is the parent.
  const bool ends_in_dots = is_dots(name);
  const std::string_view parent = ends_in_dots                      ? stripped
                                  : slash == std::string_view::npos ? std::string_view()
                                                                    : stripped.substr(0, slash);
  if (ends_in_dots) {
    name = ".";
    place.must_be_directory_ = true;
  }
  if (!parent.empty() && parent != ".") {
    CPath terminated;
    if (!terminated.assign(parent)) return std::unexpected(ENAMETOOLONG);
    place.owned_.reset(openat2(dirfd, terminated.text, kDirectory, 0));
    if (!place.owned_) {
      const int error = errno;
      if (!is_worth_a_walk(error)) return std::unexpected(error);
      auto walked = Walk(dirfd).run(path, follow, kind);
      if (!walked) return std::unexpected(failure_of(error, walked.error()));
      return walked;
    }
  }
  if (!place.set_leaf(name)) return std::unexpected(ENAMETOOLONG);
  const bool follow_leaf = follow == Follow::yes || (place.must_be_directory_ && kind == LeafKind::lookup);
  if (follow_leaf && !ends_in_dots) {
    // Most leaves are no links. Where one is, its target counts from the root again, which the walk knows how to do.
    CPath buffer;
    const auto target = read_link(place.parent(), place.leaf(), buffer);
    if (target) return Walk(dirfd).run(path, follow, kind);
    // Whoever takes what cannot be looked at for something else would use the link instead of its target.
    if (target.error() != EINVAL && target.error() != ENOENT) return std::unexpected(target.error());
  }
  return place;
}

std::expected<UniqueFd, int> Resolver::open_file_beneath(int dirfd, std::string_view path, Follow follow, int flags,
                                                         mode_t mode) const {
  if (const int error = checked(path); error != 0) return std::unexpected(error);
  const std::string_view stripped = without_trailing_slashes(path);
  const bool slashes = stripped.size() != path.size();
  // What open() creates has no slash behind its name.
  if (slashes && (flags & O_CREAT) != 0) return std::unexpected(EISDIR);
  // O_CREAT|O_EXCL looks at the name itself, whatever `follow` says.
  const bool exclusive = (flags & O_CREAT) != 0 && (flags & O_EXCL) != 0;
  const bool follow_leaf = !exclusive && (follow == Follow::yes || slashes);
  if (slashes) flags |= O_DIRECTORY;
  int refusal = 0;
  if (!walks_) {
    CPath terminated;
    if (!terminated.assign(stripped)) return std::unexpected(ENAMETOOLONG);
    UniqueFd fd(openat2(dirfd, terminated.text, flags | (follow_leaf ? 0 : O_NOFOLLOW), mode));
    if (fd) return fd;
    refusal = errno;
    if (!is_worth_a_walk(refusal)) return std::unexpected(refusal);
  }
  auto place = Walk(dirfd).run(path, follow_leaf ? Follow::yes : Follow::no, LeafKind::lookup);
  if (!place) return std::unexpected(walks_ ? place.error() : failure_of(refusal, place.error()));
  if (place->must_be_directory()) {
    if ((flags & O_CREAT) != 0) return std::unexpected(EISDIR);
    flags |= O_DIRECTORY;
  }
  UniqueFd fd(retry([&] { return ::openat(place->parent(), place->leaf(), flags | O_NOFOLLOW | O_CLOEXEC, mode); }));
  if (!fd) return std::unexpected(errno);
  return fd;
}

}  // namespace wasi::os
