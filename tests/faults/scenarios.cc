// See scenarios.h.
#include "scenarios.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

namespace wasi::preview1::test {
namespace {

constexpr std::uint64_t kFollow = lookupflag::symlink_follow;

// What most functions are called with: a descriptor of a file or of a directory.
void file(World& world) { world.fd = world.open("sub/file"); }
void directory(World& world) {
  for (int i = 0; i < 40; ++i) world.dir.write(fmt::format("root/sub/deep/entry-with-a-longer-name-{}", i), "");
  const auto opened = world.guest.open("sub/deep", oflag::directory, right::kAll & ~right::fd_write);
  REQUIRE(opened.error == Errno::success);
  world.fd = opened.fd;
}
void new_file(World& world) { world.fd = world.open("sub/new", oflag::creat); }

std::function<Errno(World&)> call(std::string_view name, std::vector<std::uint64_t> arguments) {
  return [name, arguments](World& world) { return world.guest.call(name, arguments); };
}
// The same with the scenario's descriptor in front and the place for results behind.
std::function<Errno(World&)> fd_call(std::string_view name, std::vector<std::uint64_t> arguments,
                                     bool has_result = false) {
  return [=](World& world) {
    std::vector<std::uint64_t> all = {world.fd};
    all.insert(all.end(), arguments.begin(), arguments.end());
    if (has_result) all.push_back(world.out);
    return world.guest.call(name, all);
  };
}
std::function<Errno(World&)> path_call(std::string_view name, std::string_view path) {
  return [=](World& world) { return world.guest.path_call(name, path); };
}

std::string number(World& world) { return std::to_string(world.guest.read<std::uint64_t>(world.out)); }
std::string size_and_type(World& world) {
  const auto stat = world.guest.read<FileStat>(world.out);
  return fmt::format("type {}, {} bytes", static_cast<int>(stat.type), stat.size);
}
// Names, types and their order, as one listing after the other tells them.
std::string listing(World& world, std::size_t size) {
  std::string text;
  for (std::size_t at = 0; at + sizeof(DirEnt) <= size;) {
    const auto entry = world.guest.read<DirEnt>(static_cast<std::uint32_t>(world.data + at));
    at += sizeof(DirEnt);
    if (at + entry.name_length > size) break;
    text += fmt::format("{} {}\n", world.text(static_cast<std::uint32_t>(world.data + at), entry.name_length),
                        static_cast<int>(entry.type));
    at += entry.name_length;
  }
  return text;
}
std::function<std::string(World&)> times_of(std::string_view path) {
  return [path](World& world) {
    struct stat status{};
    if (::lstat((world.dir / "root" / path).c_str(), &status) != 0) return std::string("gone");
    return fmt::format("{}.{}, {}.{}", status.st_atim.tv_sec, status.st_atim.tv_nsec, status.st_mtim.tv_sec,
                       status.st_mtim.tv_nsec);
  };
}

// --- transfers

// As world.buffers has it.
std::function<Errno(World&)> transfer(std::string_view name, std::vector<std::uint64_t> offset = {},
                                      std::uint32_t count = World::kBuffers) {
  return [=](World& world) {
    const std::uint32_t buffers =
        count == 1 ? world.guest.iovs({{world.data, std::uint32_t{World::kBytes}}}) : world.buffers;
    std::vector<std::uint64_t> arguments = {world.fd, buffers, count};
    arguments.insert(arguments.end(), offset.begin(), offset.end());
    arguments.push_back(world.out);
    return world.guest.call(name, arguments);
  };
}
void fill_buffers(World& world) {
  std::memcpy(world.guest.memory().data() + world.data, World::pattern().data(), World::kBytes);
}
std::function<void(World&)> then(std::function<void(World&)> first, std::function<void(World&)> second) {
  return [=](World& world) { first(world), second(world); };
}

// What was read is the beginning of the file; the rest is where it was.
void reads_file(World& world, std::size_t told) {
  std::string all = world.text(world.data, told);
  std::string piece;
  while (!(piece = world.guest.read_text(world.fd, 5000)).empty()) {
    all += piece;
    if (all.size() > World::kBytes) break;
  }
  CHECK((all == World::pattern()));
}
// Reading at an offset leaves the position alone.
void reads_at(World& world, std::size_t told) {
  CHECK((world.text(world.data, told) == World::pattern().substr(1000, told)));
  reads_file(world, 0);
}
void writes_file(World& world, std::size_t told) {
  CHECK((world.dir.read("root/sub/new") == World::pattern().substr(0, told)));
  // The position is behind what was written: the guest goes on there.
  REQUIRE(world.guest.write_text(world.fd, "and on") == Errno::success);
  CHECK((world.dir.read("root/sub/new") == World::pattern().substr(0, told) + "and on"));
}
void writes_at(World& world, std::size_t told) {
  const std::string expected = told == 0 ? "" : std::string(1000, '\0') + World::pattern().substr(0, told);
  CHECK((world.dir.read("root/sub/new") == expected));
}
void appends(World& world, std::size_t told) {
  CHECK((world.dir.read("root/sub/other") == "other" + World::pattern().substr(0, told)));
}
void reads_stream(World& world, std::size_t told) {
  std::string all = world.text(world.data, told);
  if (const auto on_wait = world.on_wait) on_wait();
  world.streams.end();
  std::string piece;
  while (!(piece = world.guest.read_text(0, 5000)).empty()) {
    all += piece;
    if (all.size() > World::kBytes) break;
  }
  CHECK((all == World::pattern()));
}
void writes_stream(World& world, std::size_t told) {
  CHECK((world.streams.taken() == World::pattern().substr(0, told)));
}

void readable(World& world) {
  world.fd = 0;
  world.streams.put(World::pattern());
}
void readable_later(World& world) {
  world.fd = 0;
  world.on_wait = [&world] {
    world.on_wait = nullptr;
    world.streams.put(World::pattern());
  };
}
void writable(World& world) {
  world.fd = 1;
  fill_buffers(world);
}
void writable_later(World& world) {
  writable(world);
  world.streams.fill();
  world.on_wait = [&world] { world.streams.drain(); };
}
// Has room for a part of it at a time.
void writable_in_parts(World& world) {
  writable(world);
  world.streams.make_small();
  world.on_wait = [&world] { world.streams.drain(); };
}
void nonblocking(World& world) {
  REQUIRE(world.guest.call("fd_fdstat_set_flags", {world.fd, fdflag::nonblock}) == Errno::success);
}

// --- sockets

constexpr std::uint64_t kListener = 2;

void connection(World& world) {
  world.peer.connect();
  REQUIRE(world.guest.call("sock_accept", {kListener, 0, world.out}) == Errno::success);
  world.fd = world.guest.read<std::uint32_t>(world.out);
}
void receives(World& world, std::size_t told) {
  std::string all = world.text(world.data, told);
  world.peer.end();
  std::string piece;
  while (!(piece = world.guest.read_text(world.fd, 5000)).empty()) {
    all += piece;
    if (all.size() > World::kBytes) break;
  }
  CHECK((all == World::pattern()));
}

// --- waiting

std::uint32_t subscribe(World& world, std::uint32_t index, EventType type, std::uint32_t clock_or_fd,
                        std::uint64_t timeout = 0) {
  Subscription subscription{};
  subscription.userdata = index + 1;
  subscription.type = type;
  subscription.clock_or_fd = clock_or_fd;
  subscription.timeout = timeout;
  world.guest.write(world.data + index * 48, subscription);
  return index + 1;
}
std::function<Errno(World&)> poll(std::uint32_t count) {
  return [count](World& world) {
    return world.guest.call("poll_oneoff", {world.data, world.data + 1024, count, world.out});
  };
}
std::string events(World& world) {
  std::string text;
  for (std::uint32_t i = 0; i < world.guest.read<std::uint32_t>(world.out); ++i) {
    const auto event = world.guest.read<Event>(world.data + 1024 + i * 32);
    text += fmt::format("{}: error {}, type {}\n", event.userdata, static_cast<int>(event.error),
                        static_cast<int>(event.type));
  }
  return text;
}

// --- opening

std::function<Errno(World&)> open(std::string_view path, std::uint32_t oflags, Rights base = right::kAll,
                                  std::uint32_t fdflags = 0) {
  return [=](World& world) {
    const auto opened = world.guest.open(path, oflags, base, kRoot, lookupflag::symlink_follow, fdflags);
    world.fd = opened.fd;
    return opened.error;
  };
}
// What is read from what was opened, which shows that it is what was asked for.
std::string opened_text(World& world) {
  return fmt::format("descriptor {}, type {}, {}", world.fd, static_cast<int>(world.guest.fdstat(world.fd).type),
                     world.guest.read_text(world.fd, 100));
}

constexpr Rights kReads = right::kAll & ~right::fd_write;

}  // namespace

std::vector<Scenario> scenarios() {
  constexpr std::uint64_t kTimes = fstflag::atim | fstflag::mtim;
  return {
      // What the program itself knows.
      {.function = "args_get", .call = [](World& w) { return w.guest.call("args_get", {w.out, w.data}); }},
      {.function = "args_sizes_get",
       .call = [](World& w) { return w.guest.call("args_sizes_get", {w.out, w.out + 8}); }},
      {.function = "environ_get", .call = [](World& w) { return w.guest.call("environ_get", {w.out, w.data}); }},
      {.function = "environ_sizes_get",
       .call = [](World& w) { return w.guest.call("environ_sizes_get", {w.out, w.out + 8}); }},
      {.function = "fd_fdstat_get", .prepare = file, .call = fd_call("fd_fdstat_get", {}, true)},
      {.function = "fd_fdstat_set_rights",
       .prepare = file,
       .call = fd_call("fd_fdstat_set_rights", {right::fd_read, 0})},
      {.function = "fd_prestat_get", .call = [](World& w) { return w.guest.call("fd_prestat_get", {kRoot, w.out}); }},
      {.function = "fd_prestat_dir_name",
       .call = [](World& w) { return w.guest.call("fd_prestat_dir_name", {kRoot, w.out, 16}); }},
      {.function = "proc_exit", .call = call("proc_exit", {3})},
      {.function = "proc_raise", .call = call("proc_raise", {6})},
      {.function = "sched_yield", .call = call("sched_yield", {})},

      {.function = "clock_res_get",
       .call = [](World& w) { return w.guest.call("clock_res_get", {1, w.out}); },
       .rests_on = {"clock_getres"}},
      {.function = "clock_time_get",
       .call = [](World& w) { return w.guest.call("clock_time_get", {1, 0, w.out}); },
       .rests_on = {"clock_gettime"}},
      {.function = "random_get",
       .call = [](World& w) { return w.guest.call("random_get", {w.data, World::kBytes}); },
       .look =
           [](World& w) {
             // Chances are one in 256^16 that random bytes are these.
             const std::string zeros(16, '\0');
             return w.text(w.data, 16) != zeros && w.text(w.data + World::kBytes - 16, 16) != zeros ? "all" : "some";
           },
       .rests_on = {"getrandom"}},

      // One descriptor.
      {.function = "fd_advise",
       .prepare = file,
       .call = fd_call("fd_advise", {0, 100, 3}),
       .rests_on = {"posix_fadvise"}},
      {.function = "fd_allocate",
       .prepare = new_file,
       .call = fd_call("fd_allocate", {0, 50000}),
       .rests_on = {"fallocate"}},
      {.function = "fd_close",
       .prepare = file,
       .call = fd_call("fd_close", {}),
       .look = [](World& w) { return std::string(name_of(w.guest.call("fd_close", {w.fd}))); },
       .rests_on = {"close"}},
      {.function = "fd_datasync", .prepare = file, .call = fd_call("fd_datasync", {}), .rests_on = {"fdatasync"}},
      {.function = "fd_sync", .prepare = file, .call = fd_call("fd_sync", {}), .rests_on = {"fsync"}},
      {.function = "fd_fdstat_set_flags",
       .prepare = file,
       .call = fd_call("fd_fdstat_set_flags", {fdflag::append}),
       .look = [](World& w) { return std::to_string(w.guest.fdstat(w.fd).flags); },
       .rests_on = {"fcntl"}},
      {.function = "fd_filestat_get",
       .prepare = file,
       .call = fd_call("fd_filestat_get", {}, true),
       .look = size_and_type,
       .rests_on = {"fstat"}},
      {.function = "fd_filestat_set_size",
       .prepare = file,
       .call = fd_call("fd_filestat_set_size", {20}),
       .rests_on = {"ftruncate"}},
      {.function = "fd_filestat_set_times",
       .prepare = file,
       .call = fd_call("fd_filestat_set_times", {1'000'000'001, 2'000'000'002, kTimes}),
       .look = times_of("sub/file"),
       .rests_on = {"futimens"}},
      {.function = "fd_seek",
       .prepare = file,
       .call = fd_call("fd_seek", {10, 0}, true),
       .look = number,
       .rests_on = {"lseek"}},
      {.function = "fd_tell",
       .prepare = file,
       .call = fd_call("fd_tell", {}, true),
       .look = number,
       .rests_on = {"lseek"}},
      {.function = "fd_renumber",
       .prepare =
           [](World& w) {
             file(w);
             (void)w.open("sub/other");
           },
       .call = [](World& w) { return w.guest.call("fd_renumber", {w.fd, w.fd + 1}); },
       .look = [](World& w) { return w.guest.read_text(w.fd + 1, 20); },
       .rests_on = {"close"},
       .harmless = {{"close"}}},
      {.function = "fd_readdir",
       .prepare = directory,
       .call = [](World& w) { return w.guest.call("fd_readdir", {w.fd, w.data, World::kBytes, 0, w.out}); },
       .look = [](World& w) { return listing(w, w.guest.read<std::uint32_t>(w.out)); },
       .rests_on = {"getdents64"}},

      // Transfers.
      {.function = "fd_read",
       .what = "a file",
       .prepare = file,
       .call = transfer("fd_read"),
       .rests_on = {"read"},
       .verify = reads_file},
      {.function = "fd_read",
       .what = "a file into one buffer",
       .prepare = file,
       .call = transfer("fd_read", {}, 1),
       .rests_on = {"read"},
       .verify = reads_file,
       .uses_read_and_write = true},
      {.function = "fd_pread",
       .what = "into one buffer",
       .prepare = file,
       .call = transfer("fd_pread", {1000}, 1),
       .rests_on = {"pread"},
       .verify = reads_at},
      {.function = "fd_write",
       .what = "a file from one buffer",
       .prepare = then(new_file, fill_buffers),
       .call = transfer("fd_write", {}, 1),
       .rests_on = {"write"},
       .verify = writes_file,
       .uses_read_and_write = true},
      {.function = "fd_pwrite",
       .what = "from one buffer",
       .prepare = then(new_file, fill_buffers),
       .call = transfer("fd_pwrite", {1000}, 1),
       .rests_on = {"pwrite"},
       .verify = writes_at},
      {.function = "fd_read",
       .what = "a pipe",
       .prepare = readable,
       .call = transfer("fd_read"),
       .rests_on = {"read"},
       .verify = reads_stream},
      {.function = "fd_read",
       .what = "a pipe, later",
       .prepare = readable_later,
       .call = transfer("fd_read"),
       .rests_on = {"read", "poll"},
       .verify = reads_stream},
      {.function = "fd_read",
       .what = "a pipe, nonblocking",
       .prepare = then(readable, nonblocking),
       .call = transfer("fd_read"),
       .rests_on = {"read"},
       .verify = reads_stream,
       .waits = false},
      {.function = "fd_pread",
       .prepare = file,
       .call = transfer("fd_pread", {1000}),
       .rests_on = {"pread"},
       .verify = reads_at},
      {.function = "fd_write",
       .what = "a file",
       .prepare = then(new_file, fill_buffers),
       .call = transfer("fd_write"),
       .rests_on = {"write"},
       .verify = writes_file},
      {.function = "fd_write",
       .what = "to the end of a file",
       .prepare = then([](World& w) { w.fd = w.open("sub/other", 0, fdflag::append); }, fill_buffers),
       .call = transfer("fd_write"),
       .rests_on = {"write"},
       .verify = appends},
      {.function = "fd_write",
       .what = "a pipe",
       .prepare = writable,
       .call = transfer("fd_write"),
       .rests_on = {"write"},
       .verify = writes_stream},
      {.function = "fd_write",
       .what = "a full pipe",
       .prepare = writable_later,
       .call = transfer("fd_write"),
       .rests_on = {"write", "poll"},
       .verify = writes_stream},
      {.function = "fd_write",
       .what = "a small pipe",
       .prepare = writable_in_parts,
       .call = transfer("fd_write"),
       .rests_on = {"write", "poll"},
       .verify = writes_stream},
      {.function = "fd_write",
       .what = "a pipe, nonblocking",
       .prepare = then(writable, nonblocking),
       .call = transfer("fd_write"),
       .rests_on = {"write"},
       .verify = writes_stream,
       .waits = false},
      {.function = "fd_pwrite",
       .prepare = then(new_file, fill_buffers),
       .call = transfer("fd_pwrite", {1000}),
       .rests_on = {"pwrite"},
       .verify = writes_at},

      // Paths.
      {.function = "path_create_directory",
       .call = path_call("path_create_directory", "sub/new"),
       .rests_on = {"openat", "mkdirat"}},
      {.function = "path_filestat_get",
       .call =
           [](World& w) { return w.guest.call("path_filestat_get", {kRoot, 0, w.guest.put("sub/to_sub"), 10, w.out}); },
       .look = size_and_type,
       .rests_on = {"openat", "fstatat"}},
      {.function = "path_filestat_get",
       .what = "of a link's target",
       .call =
           [](World& w) {
             return w.guest.call("path_filestat_get", {kRoot, kFollow, w.guest.put("sub/to_sub"), 10, w.out});
           },
       .look = size_and_type,
       .rests_on = {"openat", "fstatat", "readlinkat"}},
      {.function = "path_filestat_set_times",
       .call = [](World& w) { return w.guest.set_times("sub/file", 2'000'000'002); },
       .look = [](World& w) { return times_of("sub/file")(w).substr(times_of("sub/file")(w).find(',')); },
       .rests_on = {"openat", "utimensat"}},
      {.function = "path_filestat_set_times",
       .what = "of a link's target",
       .call = [](World& w) { return w.guest.set_times("to_file", 2'000'000'002, kFollow); },
       .look = [](World& w) { return times_of("sub/file")(w).substr(times_of("sub/file")(w).find(',')); },
       .rests_on = {"readlinkat", "utimensat"}},
      {.function = "path_link",
       .call = [](World& w) { return w.guest.hard_link("sub/file", "sub/deep/new"); },
       .rests_on = {"openat", "linkat"}},
      {.function = "path_link",
       .what = "to a link's target",
       .call = [](World& w) { return w.guest.hard_link("to_file", "sub/deep/new", kRoot, kRoot, kFollow); },
       .rests_on = {"readlinkat", "linkat"}},
      {.function = "path_link",
       .what = "with slashes",
       .call = [](World& w) { return w.guest.hard_link("sub/file", "sub/new/"); },
       .rests_on = {"openat", "fstatat"}},
      {.function = "path_open",
       .what = "to read",
       .call = open("sub/file", 0, kReads),
       .look = opened_text,
       .rests_on = {"openat"}},
      {.function = "path_open",
       .what = "through a link",
       .call = open("to_file", 0),
       .look = opened_text,
       .rests_on = {"openat"}},
      {.function = "path_open",
       .what = "a directory",
       .call = open("sub/deep", oflag::directory, kReads),
       .look = opened_text,
       .rests_on = {"openat"}},
      {.function = "path_open",
       .what = "a new file",
       .call = open("sub/new", oflag::creat | oflag::excl),
       .look = opened_text,
       .rests_on = {"openat", "fstat"},
       .leaves = "sub/new"},
      {.function = "path_open",
       .what = "to truncate",
       .call = open("sub/file", oflag::trunc),
       .look = opened_text,
       .rests_on = {"openat", "fstat", "ftruncate"}},
      {.function = "path_open",
       .what = "to append",
       .call = open("sub/file", oflag::creat, right::kAll, fdflag::append | fdflag::dsync),
       .look = opened_text,
       .rests_on = {"openat", "fstat"}},
      {.function = "path_readlink",
       .call =
           [](World& w) {
             return w.guest.call("path_readlink", {kRoot, w.guest.put("sub/to_sub"), 10, w.data, 100, w.out});
           },
       .look = [](World& w) { return w.text(w.data, w.guest.read<std::uint32_t>(w.out)); },
       .rests_on = {"openat", "readlinkat"}},
      {.function = "path_remove_directory",
       .call = path_call("path_remove_directory", "sub/deep"),
       .rests_on = {"openat", "unlinkat"}},
      {.function = "path_rename",
       .call = [](World& w) { return w.guest.rename("sub/file", "sub/deep/new"); },
       .rests_on = {"openat", "renameat"}},
      {.function = "path_rename",
       .what = "over another",
       .call = [](World& w) { return w.guest.rename("sub/file", "sub/other"); },
       .rests_on = {"openat", "renameat"}},
      {.function = "path_rename",
       .what = "a directory, with slashes",
       .call = [](World& w) { return w.guest.rename("sub/deep/", "sub/new/"); },
       .rests_on = {"openat", "fstatat", "renameat"}},
      {.function = "path_symlink",
       .call = [](World& w) { return w.guest.symlink("deep/x", "sub/new"); },
       .rests_on = {"openat", "symlinkat"}},
      {.function = "path_unlink_file",
       .call = path_call("path_unlink_file", "sub/file"),
       .rests_on = {"openat", "unlinkat"}},

      // Waiting.
      {.function = "poll_oneoff",
       .what = "a clock",
       .prepare = [](World& w) { subscribe(w, 0, EventType::clock, 1, 1'000'000); },
       .call = poll(1),
       .look = events},
      {.function = "poll_oneoff",
       .what = "a pipe",
       .prepare =
           [](World& w) {
             readable_later(w);
             subscribe(w, 0, EventType::fd_read, 0);
             subscribe(w, 1, EventType::clock, 1, std::uint64_t{1} << 60);
           },
       .call = poll(2),
       .look = events,
       .rests_on = {"poll"},
       .harmless = {{"ioctl"}}},
      {.function = "poll_oneoff",
       .what = "a file",
       .prepare =
           [](World& w) {
             file(w);
             subscribe(w, 0, EventType::fd_read, w.fd);
             subscribe(w, 1, EventType::fd_write, w.fd);
           },
       .call = poll(2),
       .look = events,
       .rests_on = {"lseek", "fstat"},
       .harmless = {{"lseek"}, {"fstat"}}},
      // Sockets.
      {.function = "sock_accept",
       .prepare = [](World& w) { w.peer.connect(); },
       .call = [](World& w) { return w.guest.call("sock_accept", {kListener, 0, w.out}); },
       .look =
           [](World& w) {
             return fmt::format("type {}", static_cast<int>(w.guest.fdstat(w.guest.read<std::uint32_t>(w.out)).type));
           },
       .rests_on = {"poll", "accept"},
       .harmless = {{"getsockopt"}}},
      {.function = "sock_recv",
       .prepare = [](World& w) { connection(w), w.peer.put(World::pattern()); },
       .call =
           [](World& w) { return w.guest.call("sock_recv", {w.fd, w.buffers, World::kBuffers, 0, w.out, w.out + 4}); },
       .rests_on = {"recvmsg"},
       .verify = receives},
      {.function = "sock_recv",
       .what = "all",
       .prepare = [](World& w) { connection(w), w.peer.put(World::pattern()); },
       .call =
           [](World& w) {
             return w.guest.call("sock_recv",
                                 {w.fd, w.buffers, World::kBuffers, riflag::recv_waitall, w.out, w.out + 4});
           },
       .rests_on = {"recvmsg"},
       .verify = receives},
      {.function = "sock_send",
       .prepare = then(connection, fill_buffers),
       .call = [](World& w) { return w.guest.call("sock_send", {w.fd, w.buffers, World::kBuffers, 0, w.out}); },
       .rests_on = {"sendmsg"},
       .verify = [](World& w, std::size_t told) { CHECK((w.peer.taken() == World::pattern().substr(0, told))); }},
      {.function = "sock_shutdown",
       .prepare = connection,
       .call = [](World& w) { return w.guest.call("sock_shutdown", {w.fd, sdflag::rd | sdflag::wr}); },
       .look = [](World& w) { return w.peer.taken(); },
       .rests_on = {"shutdown"}},
  };
}

}  // namespace wasi::preview1::test
