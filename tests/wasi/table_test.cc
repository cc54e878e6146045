// preview1.def: the types that guests link against, every pointer of every function out of bounds, the docs.
#include "wasi/table.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <ranges>
#include <set>

#include "guest.h"
#include "support/shared.h"
#include "support/temp_dir.h"

namespace wasi::preview1 {
namespace {

using test::Guest;
using test::kRoot;

TEST_CASE("all functions of the module are there, with the types of its definition", "[table]") {
  // From the witx file; a letter per parameter: i is i32, I is i64.
  const std::map<std::string, std::string> expected = {
      {"args_get", "ii"},
      {"args_sizes_get", "ii"},
      {"environ_get", "ii"},
      {"environ_sizes_get", "ii"},
      {"clock_res_get", "ii"},
      {"clock_time_get", "iIi"},
      {"fd_advise", "iIIi"},
      {"fd_allocate", "iII"},
      {"fd_close", "i"},
      {"fd_datasync", "i"},
      {"fd_fdstat_get", "ii"},
      {"fd_fdstat_set_flags", "ii"},
      {"fd_fdstat_set_rights", "iII"},
      {"fd_filestat_get", "ii"},
      {"fd_filestat_set_size", "iI"},
      {"fd_filestat_set_times", "iIIi"},
      {"fd_pread", "iiiIi"},
      {"fd_prestat_get", "ii"},
      {"fd_prestat_dir_name", "iii"},
      {"fd_pwrite", "iiiIi"},
      {"fd_read", "iiii"},
      {"fd_readdir", "iiiIi"},
      {"fd_renumber", "ii"},
      {"fd_seek", "iIii"},
      {"fd_sync", "i"},
      {"fd_tell", "ii"},
      {"fd_write", "iiii"},
      {"path_create_directory", "iii"},
      {"path_filestat_get", "iiiii"},
      {"path_filestat_set_times", "iiiiIIi"},
      {"path_link", "iiiiiii"},
      {"path_open", "iiiiiIIii"},
      {"path_readlink", "iiiiii"},
      {"path_remove_directory", "iii"},
      {"path_rename", "iiiiii"},
      {"path_symlink", "iiiii"},
      {"path_unlink_file", "iii"},
      {"poll_oneoff", "iiii"},
      {"proc_exit", "i"},
      {"proc_raise", "i"},
      {"sched_yield", ""},
      {"random_get", "ii"},
      {"sock_accept", "iii"},
      {"sock_recv", "iiiiii"},
      {"sock_send", "iiiii"},
      {"sock_shutdown", "ii"},
  };
  std::map<std::string, std::string> found;
  for (const Function& function : functions()) {
    std::string letters;
    for (const wasm::ValType type : function.type.params) letters += type == wasm::kI64 ? 'I' : 'i';
    found.emplace(function.name, letters);
    INFO(function.name);
    if (function.name == "proc_exit") {
      CHECK(function.type.results.empty());
    } else {
      CHECK(function.type.results == std::vector<wasm::ValType>{wasm::kI32});
    }
  }
  CHECK(functions().size() == expected.size());
  CHECK(found == expected);
}

TEST_CASE("every parameter has a name", "[table]") {
  for (const FunctionInfo& info : function_infos()) {
    INFO(info.name);
    const auto names = info.parameters.empty() ? 0 : 1 + std::ranges::count(info.parameters, ' ');
    CHECK(static_cast<std::size_t>(names) == info.kinds.size());
    CHECK_FALSE(info.what.empty());
  }
}

// The arguments of one call, and which of them are pointers.
struct Pointer {
  std::size_t slot;
  std::uint64_t unit;                     // bytes, or bytes per element
  std::optional<std::size_t> count_slot;  // slot of the number of elements
};
struct Arguments {
  std::vector<std::uint64_t> values;
  std::vector<Pointer> pointers;
};

// Arguments with which the call gets past everything but a bad pointer.
Arguments good_arguments(Guest& guest, const FunctionInfo& info, std::uint32_t file) {
  Arguments result;
  const auto pointer = [&](std::uint64_t address, std::uint64_t unit, std::optional<std::size_t> count_slot = {}) {
    result.pointers.push_back({result.values.size(), unit, count_slot});
    result.values.push_back(address);
  };
  for (const ParamInfo& kind : info.kinds) {
    const std::size_t slot = result.values.size();
    switch (kind.shape) {
      case Shape::fd: {
        const bool is_socket = kind.type == "socket";
        const bool wants_directory =
            (kind.rights & right::kOfDirectories & ~right::kOfFiles) != 0 || info.name.starts_with("fd_prestat");
        // Descriptor 0 may receive, 1 may send.
        const std::uint32_t socket = (kind.rights & right::fd_write) != 0 ? 1 : 0;
        result.values.push_back(is_socket ? socket : wants_directory ? kRoot : file);
        break;
      }
      case Shape::value:
        result.values.push_back(0);
        break;
      case Shape::place:
        pointer(guest.allocate(64), kind.unit);
        break;
      case Shape::array: {
        const bool is_path = kind.type == "path";
        const bool is_iovs = kind.unit == 8;
        const std::uint32_t place = is_iovs   ? guest.iovs({{guest.allocate(8), 8}})
                                    : is_path ? guest.put("file")
                                              : guest.allocate(64);
        pointer(place, kind.unit, slot + 1);
        result.values.push_back(is_iovs ? 1 : is_path ? 4 : 64);
        break;
      }
      case Shape::strings:
        pointer(guest.allocate(64), 4);
        pointer(guest.allocate(64), 1);
        break;
      case Shape::events: {
        Subscription subscription{};
        const std::uint32_t place = guest.allocate(sizeof(subscription));
        guest.write(place, subscription);
        pointer(place, sizeof(Subscription), slot + 2);
        pointer(guest.allocate(sizeof(Event)), sizeof(Event), slot + 2);
        result.values.push_back(1);
        break;
      }
    }
  }
  return result;
}

TEST_CASE("a pointer out of bounds is EFAULT in every function, and nothing has happened", "[table]") {
  const wasi::test::TempDir dir;
  dir.write("file", "contents");
  int sockets[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
  Config config = test::with_directory(dir.path());
  config.args = {"program", "argument"};
  config.env = {"NAME=value"};
  config.in = {.kind = Stdio::Kind::fd, .fd = sockets[0]};
  config.out = {.kind = Stdio::Kind::fd, .fd = sockets[1]};

  std::set<std::string_view> tried;
  for (const FunctionInfo& info : function_infos()) {
    Guest guest(config);
    const auto file = guest.open("file", 0, right::kAll);
    REQUIRE(file.error == Errno::success);
    const Arguments good = good_arguments(guest, info, file.fd);
    if (good.pointers.empty()) continue;
    tried.insert(info.name);
    const std::uint64_t size = guest.memory().size();

    const auto expect_fault = [&](const std::vector<std::uint64_t>& arguments, const std::string& what) {
      INFO(info.name << ": " << what);
      const std::vector<std::uint8_t> before(guest.memory().begin(), guest.memory().end());
      CHECK(guest.call(info.name, arguments) == Errno::fault);
      CHECK_FALSE(guest.trap().has_value());
      CHECK(std::ranges::equal(before, guest.memory()));
      CHECK(dir.read("file") == "contents");
      CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 1);
    };
    for (const Pointer& pointer : good.pointers) {
      for (const std::uint64_t bad : {size, size - pointer.unit + 1, size + 1, std::uint64_t{0x8000'0000},
                                      std::uint64_t{0xFFFF'FFFF}, 0x1'0000'0000 - pointer.unit}) {
        std::vector<std::uint64_t> arguments = good.values;
        arguments[pointer.slot] = bad;
        // One byte more than there is, where the end of memory itself would still be the empty range.
        expect_fault(arguments, "slot " + std::to_string(pointer.slot) + " = " + std::to_string(bad));
      }
      if (!pointer.count_slot) continue;
      for (const std::uint64_t bad : {size / pointer.unit + 1, std::uint64_t{0xFFFF'FFFF}, std::uint64_t{0x8000'0000},
                                      std::uint64_t{0x2000'0001}}) {
        std::vector<std::uint64_t> arguments = good.values;
        arguments[*pointer.count_slot] = bad;
        expect_fault(arguments, "count " + std::to_string(bad));
      }
    }
    // Buffers that are pointed to.
    for (std::size_t i = 0, slot = 0; i < info.kinds.size(); slot += info.kinds[i++].signature.size()) {
      if (info.kinds[i].unit != 8 || info.kinds[i].shape != Shape::array) continue;
      const auto at = static_cast<std::uint32_t>(good.values[slot]);
      for (const auto& [address, length] :
           std::initializer_list<std::pair<std::uint32_t, std::uint32_t>>{{static_cast<std::uint32_t>(size), 1},
                                                                          {0xFFFF'FFFF, 1},
                                                                          {0xFFFF'FFFF, 0xFFFF'FFFF},
                                                                          {16, 0xFFFF'FFF0},
                                                                          {static_cast<std::uint32_t>(size) - 1, 2}}) {
        guest.write(at, address);
        guest.write(at + 4, length);
        expect_fault(good.values, "buffer " + std::to_string(address) + "+" + std::to_string(length));
      }
    }
    // The same call with nothing wrong does not say EFAULT.
    if (!std::ranges::any_of(info.kinds, [](const ParamInfo& kind) { return kind.unit == 8; })) {
      INFO(info.name);
      CHECK(guest.call(info.name, good.values) != Errno::fault);
    }
    dir.write("file", "contents");
    for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
      if (entry.path().filename() != "file") std::filesystem::remove_all(entry.path());
    }
  }
  CHECK(tried.size() == 32);
  ::close(sockets[0]);
  ::close(sockets[1]);
}

TEST_CASE("a program without memory gets EFAULT, not a crash", "[table]") {
  const wasi::test::TempDir dir;
  dir.write("file", "contents");
  Guest guest(test::with_directory(dir.path()), false);
  CHECK(guest.call("args_sizes_get", {0, 0}) == Errno::fault);
  CHECK(guest.call("fd_prestat_get", {kRoot, 0}) == Errno::fault);
  CHECK(guest.call("clock_time_get", {0, 0, 8}) == Errno::fault);
  CHECK(guest.call("path_unlink_file", {kRoot, 0, 4}) == Errno::fault);
  CHECK(guest.call("random_get", {0, 1}) == Errno::fault);
  CHECK(guest.call("random_get", {0, 0}) == Errno::success);
  CHECK(guest.call("sched_yield", {}) == Errno::success);
  CHECK(guest.call("fd_close", {kRoot}) == Errno::success);
}

// The table of docs/wasi.md.
std::string docs_table() {
  std::string table =
      "| function | parameters | what it does | rights | capability | where hosts differ |\n"
      "| --- | --- | --- | --- | --- | --- |\n";
  for (const FunctionInfo& info : function_infos()) {
    std::string parameters;
    std::string rights;
    std::string_view names = info.parameters;
    for (const ParamInfo& kind : info.kinds) {
      const std::size_t space = names.find(' ');
      if (!parameters.empty()) parameters += ", ";
      parameters += std::string(names.substr(0, space)) + ": " + std::string(kind.type);
      names.remove_prefix(space == std::string_view::npos ? names.size() : space + 1);
      for (std::size_t bit = 0; bit < kRightNames.size(); ++bit) {
        if ((kind.rights >> bit & 1) == 0) continue;
        if (!rights.empty()) rights += ", ";
        rights += kRightNames[bit];
      }
    }
    const CapabilityInfo& capability = capability_infos()[static_cast<std::size_t>(info.capability)];
    const std::string name = "`" + std::string(info.name) + "`";
    for (const std::string_view cell : {std::string_view(name), std::string_view(parameters), info.what,
                                        std::string_view(rights), capability.name, info.hosts}) {
      table += "| ";
      table += cell;
      table += ' ';
    }
    table += "|\n";
  }
  return table;
}

std::string capabilities_table() {
  std::string table =
      "| capability | what a program does with it | what it needs | options of `wasirun` |\n| --- | --- | --- | --- "
      "|\n";
  for (const CapabilityInfo& info : capability_infos()) {
    table += "| " + std::string(info.name) + " | " + std::string(info.what) + " | " + std::string(info.needs) + " | " +
             (info.options.empty() ? "" : "`" + std::string(info.options) + "`") + " |\n";
  }
  return table;
}

std::string rights_table() {
  struct Row {
    std::string_view name;
    std::uint8_t holders;
    bool changes;
    right::Grant granted;
  };
  using namespace right;
  static constexpr Row kRows[] = {
#define WASI_RIGHT(name, holders, changes, granted) {#name, holders, changes, granted},
#include "wasi/rights.def"
#undef WASI_RIGHT
  };
  static constexpr std::pair<std::uint8_t, std::string_view> kHolders[] = {
      {kFiles, "files"}, {kDirectories, "directories"}, {kStreams, "streams"}, {kSockets, "sockets"}};
  std::string table =
      "| right | what can have it | changes files | what is opened has it |\n| --- | --- | --- | --- |\n";
  for (const Row& row : kRows) {
    std::string holders;
    for (const auto& [bit, name] : kHolders) {
      if ((row.holders & bit) != 0) holders.append(holders.empty() ? "" : ", ").append(name);
    }
    table += "| `" + std::string(row.name) + "` | " + holders + " | " + (row.changes ? "yes" : "") + " | " +
             (row.granted == kAlways          ? "always"
              : row.granted == kWithWriting   ? "with `fd_write`"
              : row.granted == kUnlessWriting ? "when asked for, or where `fd_write` is not"
                                              : "when asked for") +
             " |\n";
  }
  return table;
}

// All kinds of flags that functions take, with the number of bits that mean something.
constexpr std::pair<std::string_view, std::size_t> kFlagKinds[] = {
    {FdFlags::kType, 5}, {OFlags::kType, 4},  {LookupFlags::kType, 1}, {FstFlags::kType, 4},
    {RiFlags::kType, 2}, {SiFlags::kType, 0}, {SdFlags::kType, 2}};

TEST_CASE("a bit that means nothing is EINVAL in every set of flags, and nothing has happened", "[table]") {
  const wasi::test::TempDir dir;
  dir.write("file", "contents");
  int sockets[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
  Config config = test::with_directory(dir.path());
  config.in = {.kind = Stdio::Kind::fd, .fd = sockets[0]};
  config.out = {.kind = Stdio::Kind::fd, .fd = sockets[1]};
  std::set<std::string_view> tried;
  for (const std::string_view module : {kModuleName, kOldModuleName}) {
    for (const FunctionInfo& info : function_infos()) {
      if (find_function(module, info.name) == nullptr) continue;
      Guest guest(config);
      const auto file = guest.open("file", 0, right::kAll);
      REQUIRE(file.error == Errno::success);
      guest.use_module(module);
      const Arguments good = good_arguments(guest, info, file.fd);
      std::size_t slot = 0;
      for (const ParamInfo& kind : info.kinds) {
        const auto* const flags = std::ranges::find(kFlagKinds, kind.type, [](const auto& row) { return row.first; });
        if (flags != std::end(kFlagKinds)) {
          tried.insert(kind.type);
          for (std::size_t bit = flags->second; bit < 32; ++bit) {
            INFO(module << " " << info.name << ": " << kind.type << " bit " << bit);
            std::vector<std::uint64_t> arguments = good.values;
            arguments[slot] |= std::uint64_t{1} << bit;
            CHECK(guest.call(info.name, arguments) == Errno::inval);
            CHECK_FALSE(guest.trap().has_value());
          }
        }
        slot += kind.signature.size();
      }
    }
  }
  CHECK(tried.size() == std::size(kFlagKinds));
  CHECK(dir.read("file") == "contents");
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 1);
  ::close(sockets[0]);
  ::close(sockets[1]);
}

// Programs ask for all rights by setting every bit.
TEST_CASE("bits of rights that mean nothing are dropped", "[table]") {
  const wasi::test::TempDir dir;
  dir.write("file", "contents");
  Guest guest(test::with_directory(dir.path()));
  for (unsigned bit = 30; bit < 64; ++bit) {
    INFO(bit);
    const Rights unknown = Rights{1} << bit;
    const auto file = guest.open("file", 0, right::fd_read | unknown, kRoot, 0, 0, unknown);
    REQUIRE(file.error == Errno::success);
    CHECK(guest.fdstat(file.fd).rights_base == right::fd_read);
    CHECK(guest.fdstat(file.fd).rights_inheriting == 0);
    CHECK(guest.call("fd_fdstat_set_rights", {file.fd, right::fd_read | unknown, unknown}) == Errno::success);
    CHECK(guest.fdstat(file.fd).rights_base == right::fd_read);
    CHECK(guest.call("fd_close", {file.fd}) == Errno::success);
  }
}

TEST_CASE("every function has a capability, every capability but threads a function", "[table]") {
  std::set<std::string_view> used = {"threads"};
  for (const FunctionInfo& info : function_infos()) {
    const CapabilityInfo& capability = capability_infos()[static_cast<std::size_t>(info.capability)];
    CHECK(capability.id == info.capability);
    used.insert(capability.name);
  }
  CHECK(used.size() == capability_infos().size());
}

TEST_CASE("the tables in docs/wasi.md are those of the .def files", "[table]") {
  std::ifstream file(::wasi::test::project_path("docs/wasi.md"));
  REQUIRE(file);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  for (const std::string& table : {docs_table(), capabilities_table(), rights_table()}) {
    const bool is_current = text.find(table) != std::string::npos;
    // Not through the test framework, which would break the lines.
    if (!is_current) std::cerr << "the table should be:\n" << table;
    CHECK(is_current);
  }
}

}  // namespace
}  // namespace wasi::preview1
