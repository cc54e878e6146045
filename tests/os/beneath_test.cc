// The resolver, in both of its ways: whatever a path or a link says, nothing outside of the directory is reached.
#include "os/beneath.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstddef>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "support/temp_dir.h"

namespace wasi::os {
namespace {

// outside/ holds the secret; inside/ is what the guest is given.
struct Tree {
  test::TempDir dir;
  UniqueFd root;

  Tree() {
    dir.make_directory("outside/deep");
    dir.write("outside/secret", "secret");
    dir.make_directory("inside/a/b/c");
    dir.make_directory("inside/d");
    dir.write("inside/file", "file");
    dir.write("inside/a/file", "a/file");
    dir.write("inside/a/b/file", "a/b/file");
    root.reset(::open((dir / "inside").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(root);
  }
  void link(std::string_view target, std::string_view name) const {
    dir.link(target, std::string("inside/").append(name));
  }
};

std::string contents(int fd) {
  char buffer[64];
  const ssize_t size = ::read(fd, buffer, sizeof(buffer));
  return size < 0 ? "?" : std::string(buffer, static_cast<std::size_t>(size));
}

ino_t inode(int fd) {
  struct stat status{};
  REQUIRE(::fstat(fd, &status) == 0);
  return status.st_ino;
}

ino_t inode(const std::filesystem::path& path) {
  struct stat status{};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status.st_ino;
}

// Both ways; sections run once for each.
Resolver resolver() { return Resolver(GENERATE(false, true)); }

int error_of_open(const Resolver& resolver, const Tree& tree, std::string_view path, Follow follow = Follow::yes,
                  int flags = O_RDONLY) {
  const auto file = resolver.open_file_beneath(tree.root.get(), path, follow, flags, 0600);
  return file ? 0 : file.error();
}

int error_of_place(const Resolver& resolver, const Tree& tree, std::string_view path, Follow follow, LeafKind kind) {
  const auto place = resolver.open_beneath(tree.root.get(), path, follow, kind);
  return place ? 0 : place.error();
}

TEST_CASE("paths inside are found", "[beneath]") {
  const Tree tree;
  const Resolver way = resolver();
  tree.link("b", "a/link");
  tree.link("../file", "a/up");
  tree.link("b/", "a/slashed");
  tree.link("link/file", "a/two_steps");
  tree.link(".", "here");
  const std::pair<const char*, const char*> paths[] = {
      {"file", "file"},
      {"./file", "file"},
      {"a/file", "a/file"},
      {"a//b///file", "a/b/file"},
      {"a/./b/../file", "a/file"},
      {"a/../file", "file"},
      {"a/b/../../a/b/c/../file", "a/b/file"},
      {"a/link/file", "a/b/file"},
      {"a/up", "file"},
      {"a/link/../up", "file"},
      {"a/slashed/file", "a/b/file"},
      {"a/two_steps", "a/b/file"},
      {"here/here/a/up", "file"},
  };
  for (const auto& [path, expected] : paths) {
    INFO(path << (way.walks() ? " (walk)" : " (openat2)"));
    const auto file = way.open_file_beneath(tree.root.get(), path, Follow::yes, O_RDONLY, 0);
    REQUIRE(file);
    CHECK(contents(file->get()) == expected);
    const auto place = way.open_beneath(tree.root.get(), path, Follow::yes, LeafKind::lookup);
    REQUIRE(place);
    struct stat status{};
    REQUIRE(::fstatat(place->parent(), place->leaf(), &status, AT_SYMLINK_NOFOLLOW) == 0);
    CHECK(status.st_ino == inode(file->get()));
  }
}

TEST_CASE("paths that leave are refused, wherever the dots stand", "[beneath]") {
  const Tree tree;
  const Resolver way = resolver();
  for (const char* path : {"..", "../", "../outside/secret", "../inside/file", "./../outside/secret",
                           "a/../../outside/secret", "a/b/../../../outside/secret", "a/b/c/../../../..", "d/../..",
                           "d/./.././..", "/", "/etc/passwd", "//etc/passwd", "///"}) {
    INFO(path << (way.walks() ? " (walk)" : " (openat2)"));
    for (const Follow follow : {Follow::no, Follow::yes}) {
      CHECK(error_of_open(way, tree, path, follow) == kEscapes);
      CHECK(error_of_open(way, tree, path, follow, O_RDONLY | O_DIRECTORY) == kEscapes);
      CHECK(error_of_place(way, tree, path, follow, LeafKind::lookup) == kEscapes);
      CHECK(error_of_place(way, tree, path, follow, LeafKind::entry) == kEscapes);
    }
    CHECK(error_of_open(way, tree, path, Follow::no, O_WRONLY | O_CREAT) != 0);
  }
}

TEST_CASE("links that leave are refused, by one step or by several", "[beneath]") {
  const Tree tree;
  const Resolver way = resolver();
  tree.link("..", "up");
  tree.link("../outside", "out");
  tree.link("../outside/", "out_slash");
  tree.link("../outside/secret", "secret");
  tree.link("/etc/passwd", "absolute");
  tree.link((tree.dir / "outside/secret").string(), "absolute_secret");
  tree.link((tree.dir / "inside/file").string(), "absolute_inside");
  tree.link("a/step", "chain");
  tree.link("b/step", "a/step");
  tree.link("../../../outside/secret", "a/b/step");
  tree.link("a/../..", "dots");
  tree.link("up/outside/secret", "through_up");
  tree.link("../inside/file", "out_and_in");
  for (const char* path :
       {"up/outside/secret", "up/inside/file", "out/secret", "out_slash/secret", "secret", "absolute",
        "absolute_secret", "absolute_inside", "chain", "a/step", "a/b/step", "dots/outside/secret", "through_up",
        "a/../secret", "out_and_in", "out/../inside/file", "out/deep/.."}) {
    INFO(path << (way.walks() ? " (walk)" : " (openat2)"));
    CHECK(error_of_open(way, tree, path) == kEscapes);
    CHECK(error_of_open(way, tree, path, Follow::yes, O_RDONLY | O_CREAT) == kEscapes);
    CHECK(error_of_place(way, tree, path, Follow::yes, LeafKind::lookup) == kEscapes);
    CHECK(error_of_place(way, tree, path, Follow::yes, LeafKind::entry) == kEscapes);
  }
  // The links themselves can be handled, as long as nobody follows them.
  for (const char* path : {"up", "out", "secret", "absolute", "chain", "a/b/step"}) {
    INFO(path);
    const auto place = way.open_beneath(tree.root.get(), path, Follow::no, LeafKind::entry);
    REQUIRE(place);
    struct stat status{};
    REQUIRE(::fstatat(place->parent(), place->leaf(), &status, AT_SYMLINK_NOFOLLOW) == 0);
    CHECK(S_ISLNK(status.st_mode));
    CHECK(error_of_open(way, tree, path, Follow::no) == ELOOP);
  }
}

TEST_CASE("a trailing slash does not make the kernel follow a link out", "[beneath]") {
  const Tree tree;
  const Resolver way = resolver();
  tree.link("..", "up");
  tree.link("../outside", "out");
  tree.link("../outside/", "out_slash");
  tree.link("out/", "twice");
  tree.link("twice/", "thrice");
  tree.link("a/", "fine");
  for (const char* path : {"up/", "up//", "up/.", "out/", "out///", "out_slash/", "twice/", "thrice/", "twice",
                           "thrice/.", "fine/../out/"}) {
    INFO(path << (way.walks() ? " (walk)" : " (openat2)"));
    const bool is_link_itself = std::string_view(path) == "twice";
    for (const int flags : {O_RDONLY, O_RDONLY | O_DIRECTORY, O_PATH}) {
      CHECK(error_of_open(way, tree, path, Follow::yes, flags) == kEscapes);
      if (!is_link_itself) CHECK(error_of_open(way, tree, path, Follow::no, flags) == kEscapes);
    }
    if (!is_link_itself) CHECK(error_of_place(way, tree, path, Follow::no, LeafKind::lookup) == kEscapes);
  }
  // As an entry the name keeps its link, and the caller is told about the slash.
  const auto place = way.open_beneath(tree.root.get(), "out/", Follow::no, LeafKind::entry);
  REQUIRE(place);
  CHECK(place->must_be_directory());
  CHECK(std::string(place->leaf()) == "out");
  CHECK(place->parent() == tree.root.get());

  CHECK(error_of_open(way, tree, "fine/", Follow::no, O_RDONLY) == 0);
  CHECK(error_of_open(way, tree, "a/", Follow::no, O_RDONLY) == 0);
  CHECK(error_of_open(way, tree, "file/") == ENOTDIR);
  CHECK(error_of_open(way, tree, "file///", Follow::no) == ENOTDIR);
  CHECK(error_of_open(way, tree, "missing/") == ENOENT);
  CHECK(error_of_open(way, tree, "missing/", Follow::yes, O_WRONLY | O_CREAT) == EISDIR);
  CHECK_FALSE(tree.dir.has("inside/missing"));
}

TEST_CASE("creation follows links inside and none out", "[beneath]") {
  const Tree tree;
  const Resolver way = resolver();
  tree.link("d/new", "to_new");
  tree.link("../outside/planted", "to_outside");
  tree.link("new_directory/", "to_new_slash");
  CHECK(error_of_open(way, tree, "to_new", Follow::yes, O_WRONLY | O_CREAT) == 0);
  CHECK(tree.dir.has("inside/d/new"));
  CHECK(error_of_open(way, tree, "to_new", Follow::yes, O_WRONLY | O_CREAT | O_EXCL) == EEXIST);
  CHECK(error_of_open(way, tree, "to_new", Follow::no, O_WRONLY | O_CREAT) == ELOOP);
  CHECK(error_of_open(way, tree, "to_outside", Follow::yes, O_WRONLY | O_CREAT) == kEscapes);
  CHECK(error_of_open(way, tree, "to_outside", Follow::no, O_WRONLY | O_CREAT) == ELOOP);
  CHECK(error_of_open(way, tree, "to_outside", Follow::yes, O_WRONLY | O_CREAT | O_EXCL) == EEXIST);
  CHECK_FALSE(tree.dir.has("outside/planted"));
  CHECK(error_of_open(way, tree, "to_new_slash", Follow::yes, O_WRONLY | O_CREAT) == EISDIR);
  CHECK_FALSE(tree.dir.has("inside/new_directory"));
}

TEST_CASE("magic links of /proc lead nowhere", "[beneath]") {
  const Resolver way = resolver();
  const UniqueFd proc(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!proc) {
    WARN("SKIPPED: no /proc here");
    return;
  }
  const test::TempDir dir;
  dir.write("secret", "secret");
  const UniqueFd held(::open((dir / "secret").c_str(), O_RDONLY | O_CLOEXEC));
  const UniqueFd directory(::open(dir.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::string to_file = "self/fd/" + std::to_string(held.get());
  const std::string to_directory = "self/fd/" + std::to_string(directory.get());
  for (const std::string& path :
       {to_file, to_directory, to_directory + "/", to_directory + "/secret", std::string("self/root/etc/passwd"),
        std::string("self/cwd"), std::string("self/cwd/"), std::string("self/exe"),
        std::string("thread-self/fd/") + std::to_string(held.get())}) {
    INFO(path << (way.walks() ? " (walk)" : " (openat2)"));
    const auto file = way.open_file_beneath(proc.get(), path, Follow::yes, O_RDONLY, 0);
    REQUIRE_FALSE(file);
    CHECK((file.error() == kEscapes || file.error() == ELOOP));
    const auto place = way.open_beneath(proc.get(), path + "/x", Follow::no, LeafKind::entry);
    REQUIRE_FALSE(place);
    CHECK((place.error() == kEscapes || place.error() == ELOOP || place.error() == ENOTDIR));
  }
  // Its ordinary links do lead somewhere.
  const auto status = way.open_file_beneath(proc.get(), "self/status", Follow::no, O_RDONLY, 0);
  CHECK(status);
}

TEST_CASE("a path that ends in dots is a directory, not a name", "[beneath]") {
  const Tree tree;
  const Resolver way = resolver();
  const std::pair<const char*, const char*> paths[] = {{".", "inside"},        {"./", "inside"},
                                                       {"a/.", "inside/a"},    {"a/..", "inside"},
                                                       {"a/b/..", "inside/a"}, {"a/b/../", "inside/a"}};
  for (const auto& [path, expected] : paths) {
    INFO(path << (way.walks() ? " (walk)" : " (openat2)"));
    const auto place = way.open_beneath(tree.root.get(), path, Follow::no, LeafKind::entry);
    REQUIRE(place);
    CHECK(std::string(place->leaf()) == ".");
    CHECK(place->must_be_directory());
    CHECK(inode(place->parent()) == inode(tree.dir / expected));
  }
}

TEST_CASE("wrong paths have the errors of POSIX", "[beneath]") {
  const Tree tree;
  const Resolver way = resolver();
  tree.link("loop", "loop");
  tree.link("ring2", "ring1");
  tree.link("ring1", "ring2");
  INFO((way.walks() ? "walk" : "openat2"));
  CHECK(error_of_open(way, tree, "") == ENOENT);
  CHECK(error_of_open(way, tree, "missing") == ENOENT);
  CHECK(error_of_open(way, tree, "missing/file") == ENOENT);
  CHECK(error_of_open(way, tree, "file/x") == ENOTDIR);
  CHECK(error_of_open(way, tree, "file/..") == ENOTDIR);
  CHECK(error_of_open(way, tree, "missing/..") == ENOENT);
  CHECK(error_of_open(way, tree, "loop") == ELOOP);
  CHECK(error_of_open(way, tree, "ring1") == ELOOP);
  CHECK(error_of_open(way, tree, "ring1/x") == ELOOP);
  CHECK(error_of_place(way, tree, "ring1/x", Follow::no, LeafKind::entry) == ELOOP);
  CHECK(error_of_open(way, tree, std::string(256, 'n')) == ENAMETOOLONG);
  CHECK(error_of_open(way, tree, "a/" + std::string(256, 'n') + "/x") == ENAMETOOLONG);
  CHECK(error_of_place(way, tree, std::string(256, 'n'), Follow::no, LeafKind::entry) == ENAMETOOLONG);
  std::string longest;
  while (longest.size() < PATH_MAX) longest += "a/../";
  CHECK(error_of_open(way, tree, longest) == ENAMETOOLONG);
}

TEST_CASE("the walk holds a bounded number of descriptors", "[beneath]") {
  const test::TempDir dir;
  UniqueFd at(::open(dir.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const UniqueFd root(::dup(at.get()));
  std::string path;
  for (int i = 0; i < 300; ++i) {
    REQUIRE(::mkdirat(at.get(), "d", 0700) == 0);
    at.reset(::openat(at.get(), "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    path += "d/";
  }
  const auto place = Resolver(true).open_beneath(root.get(), path + "x", Follow::no, LeafKind::entry);
  REQUIRE_FALSE(place);
  CHECK(place.error() == ENAMETOOLONG);
}

// From here on this process gets `error` for openat2, as a container's profile does it.
bool forbid_openat2(int error) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

TEST_CASE("where a profile forbids openat2 the walk takes over", "[beneath]") {
  const Tree tree;
  tree.link("../outside", "out");
  tree.link("b", "a/link");
  const int error = GENERATE(ENOSYS, EPERM);
  // The resolver may have been made before the profile was.
  const bool made_before = GENERATE(false, true);
  const Resolver before(false);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // No test framework in here: the exit status says which step went wrong.
    if (!forbid_openat2(error)) ::_exit(77);
    const Resolver after(false);
    const Resolver& way = made_before ? before : after;
    const auto found = way.open_file_beneath(tree.root.get(), "a/link/file", Follow::yes, O_RDONLY, 0);
    if (!found || contents(found->get()) != "a/b/file") ::_exit(1);
    const auto place = way.open_beneath(tree.root.get(), "a/b/x", Follow::no, LeafKind::entry);
    if (!place || std::string_view(place->leaf()) != "x") ::_exit(2);
    if (error_of_open(way, tree, "out/secret") != kEscapes) ::_exit(3);
    if (error_of_open(way, tree, "a/../../outside/secret") != kEscapes) ::_exit(4);
    if (error_of_open(way, tree, "out/", Follow::no) != kEscapes) ::_exit(5);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) {
    WARN("SKIPPED: this system lets no process install a filter");
    return;
  }
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a directory that is moved out meanwhile does not take its dots along", "[beneath]") {
  const Tree tree;
  const Resolver way = resolver();
  tree.dir.write("inside/secret", "inside");
  tree.dir.write("secret", "above");
  const UniqueFd outside(::open((tree.dir / "outside").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::atomic<bool> stop = false;
  std::thread mover([&] {
    while (!stop.load(std::memory_order_relaxed)) {
      (void)::renameat(tree.root.get(), "a/b", outside.get(), "b");
      (void)::renameat(outside.get(), "b", tree.root.get(), "a/b");
    }
  });
  int escaped = 0;
  for (int i = 0; i < 20000; ++i) {
    const auto file = way.open_file_beneath(tree.root.get(), "a/b/c/../../../secret", Follow::yes, O_RDONLY, 0);
    if (file && contents(file->get()) != "inside") ++escaped;
  }
  stop = true;
  mover.join();
  CHECK(escaped == 0);
}

TEST_CASE("a directory that is swapped for a link meanwhile does not open the way out", "[beneath]") {
  const Tree tree;
  const Resolver way = resolver();
  tree.dir.write("inside/d/secret", "inside");
  tree.link("../outside", "trap");
  std::atomic<bool> stop = false;
  std::thread swapper([&] {
    while (!stop.load(std::memory_order_relaxed)) {
      // d and the link exchange their names without end.
      (void)::renameat2(tree.root.get(), "d", tree.root.get(), "trap", RENAME_EXCHANGE);
    }
  });
  int opened = 0;
  int escaped = 0;
  // On a busy machine the swapper may stand still for long, with the link in the directory's place.
  for (int i = 0; i < 20'000 || (opened == 0 && i < 5'000'000); ++i) {
    const auto file =
        way.open_file_beneath(tree.root.get(), i % 2 == 0 ? "d/secret" : "a/../d/./secret", Follow::yes, O_RDONLY, 0);
    if (!file) continue;
    ++opened;
    if (contents(file->get()) != "inside") ++escaped;
  }
  stop = true;
  swapper.join();
  CHECK(escaped == 0);
  CHECK(opened > 0);
}

}  // namespace
}  // namespace wasi::os
