// What a WASI program is given: arguments, environment, directories, stdio. Nothing is given by itself.
// Source: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
#pragma once

#include <wasi/detail/export.h>
#include <wasi/detail/function.h>
#include <wasi/detail/memory.h>
#include <wasi/memory_directory.h>
#include <wasi/path_view.h>
#include <wasi/socket.h>
#include <wasi/stdio.h>
#include <wasi/virtual_files.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace wasi {

namespace detail {
struct Internals;
}

// What the guest may do below a directory that it is given.
enum class Access : std::uint8_t { read_only, read_write };

// What a program may have or ask for at once. Beyond it, a call fails with the errno that is named, and does nothing.
struct WasiLimits {
  // Descriptors that are open at a time, streams and directories included: EMFILE. The process's own limit holds too.
  std::uint32_t descriptors = 65536;
  std::uint32_t path_length = 4095;     // bytes of a path, 4095 at most: ENAMETOOLONG
  std::uint32_t subscriptions = 16384;  // of one poll_oneoff: EINVAL
  std::uint32_t iovecs = 65536;         // buffers of one read or write: EINVAL
};

// What a trace shows of calls.
struct TraceOptions {
  std::size_t string_size = 32;        // this many bytes of data
  bool times = false;                  // how long each call took, as "<0.000012>"
  std::vector<std::string> functions;  // only these, "*" standing for any characters: {"path_*", "fd_read"}; empty: all
};

// Time as a program sees it, where that is not the host's: to test, to replay, to hide. Functions are called on the
// thread on which the guest runs, by the threads of a program at once; what they throw, the guest sees as EIO.
struct WasiTime {
  // Nanoseconds since 1970, and on a clock that never goes back. Empty: the host's. Where `monotonic` is given, it also
  // stands for the processor's time that was used.
  std::function<std::uint64_t()> realtime = {};
  std::function<std::uint64_t()> monotonic = {};
  std::uint64_t resolution = 1;  // of the clocks that are given, in nanoseconds
  // Lets so many nanoseconds go by instead of waiting: a timeout of poll_oneoff has come when it returns, whatever the
  // clocks say. It is not called while something else that the guest waits for is ready. Empty: the host waits.
  std::function<void(std::uint64_t nanoseconds)> sleep = {};
};

// A plain value. Directories and files are opened when a program is instantiated; failures are reported there.
class WasiConfig {
 public:
  // The whole argument list, the program's name first.
  WASI_API WasiConfig& args(std::vector<std::string> values);
  // One variable. A name that was set before gets the new value.
  WASI_API WasiConfig& env(std::string_view name, std::string_view value);
  // What a variable is set to by now; empty: it is not.
  [[nodiscard]] WASI_API std::optional<std::string> env(std::string_view name) const;
  // The process's whole environment, or one variable of it (nothing happens when it is not set).
  WASI_API WasiConfig& inherit_env();
  WASI_API WasiConfig& inherit_env(std::string_view name);
  // The directory `host` and all below it, as `guest`.
  WASI_API WasiConfig& preopen(PathView host, std::string_view guest, Access access = Access::read_write);
  // A listener, a connection: sockets get the descriptors from 3 on, in this order, before all directories.
  WASI_API WasiConfig& socket(Socket given);
  // The same, but what the program may write below it is limited to `bytes` in all (EDQUOT). A write counts each time,
  // with the hole that it leaves; so do the growth of a file that is given a size, the ranges that storage is asked
  // for, and 256 bytes for each file, directory or link that is made. What is removed is not given back.
  WASI_API WasiConfig& preopen_limited(PathView host, std::string_view guest, std::uint64_t bytes);
  // A directory in memory, which all programs with this configuration share.
  WASI_API WasiConfig& preopen(MemoryDirectory directory, std::string_view guest, Access access = Access::read_write);
  // A directory of the embedder's making, which all programs with this configuration share.
  WASI_API WasiConfig& preopen(std::shared_ptr<VirtualDirectory> directory, std::string_view guest,
                               Access access = Access::read_write);
  // An empty directory in memory, for each program its own. For `limit` see MemoryDirectory.
  WASI_API WasiConfig& scratch(std::string_view guest, std::uint64_t limit = MemoryDirectory::kDefaultLimit);
  WASI_API WasiConfig& time(WasiTime time);
  // What random_get gives, instead of the host's randomness: what the function fills in (as of WasiTime), or a sequence
  // that only the seed determines, for each program from its beginning. The latter hides nothing from anybody.
  WASI_API WasiConfig& random(std::function<void(std::span<std::uint8_t>)> fill);
  WASI_API WasiConfig& random_seed(std::uint64_t seed);
  WASI_API WasiConfig& limits(const WasiLimits& limits);
  WASI_API WasiConfig& stdin_from(Stdio source);
  WASI_API WasiConfig& stdout_to(Stdio target);
  WASI_API WasiConfig& stderr_to(Stdio target);
  WASI_API WasiConfig& inherit_stdio();
  // Called with one line per WASI call, without newline, on the thread that calls; never by two at once. A call that
  // has to wait gets a line more, which ends in "<unfinished ...>", before it does. What the function makes the guest
  // do, by calling it, is not traced.
  WASI_API WasiConfig& trace(std::function<void(std::string_view)> sink, TraceOptions options = {});
  // Most threads that the program may have at a time besides its first (wasi-threads); 0: none. Each has a Store of its
  // own with the first one's limits, in which the memories that are not shared count anew.
  WasiConfig& max_threads(std::uint32_t count) { return max_threads_ = count, *this; }

 private:
  friend struct detail::Internals;
  struct Scratch {};
  struct Preopen {
    std::variant<std::string, MemoryDirectory, std::shared_ptr<VirtualDirectory>, Scratch> place;
    std::string guest;
    Access access = Access::read_write;
    std::optional<std::uint64_t> limit = std::nullopt;  // of what may be written
  };
  std::vector<std::string> args_;
  std::vector<std::string> env_;  // "NAME=value"
  std::vector<Preopen> preopens_;
  std::vector<Socket> sockets_;
  Stdio in_ = Stdio::null();
  Stdio out_ = Stdio::null();
  Stdio err_ = Stdio::null();
  WasiTime time_;
  std::function<void(std::span<std::uint8_t>)> random_;
  std::optional<std::uint64_t> random_seed_;
  WasiLimits limits_;
  std::uint32_t max_threads_ = 128;
  std::function<void(std::string_view)> trace_;
  TraceOptions trace_options_;
};

}  // namespace wasi
