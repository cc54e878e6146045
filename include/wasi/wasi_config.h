// What a WASI program is given: arguments, environment, directories, stdio. Nothing is given by itself.
// Source: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wasi {

namespace detail {
struct Internals;
}

// What the guest may do below a directory that it is given.
enum class Access : std::uint8_t { read_only, read_write };

// What stands behind descriptor 0, 1 or 2 of the guest.
class Stdio {
 public:
  static Stdio null() { return Stdio(Kind::null, -1); }        // reads end at once, writes vanish
  static Stdio inherit() { return Stdio(Kind::inherit, -1); }  // the process's own
  // A descriptor of the embedder's: it is neither closed nor changed, and must stay open while the guest lives.
  static Stdio fd(int descriptor) { return Stdio(Kind::fd, descriptor); }

 private:
  friend struct detail::Internals;
  enum class Kind : std::uint8_t { null, inherit, fd };
  Stdio(Kind kind, int descriptor) : kind_(kind), fd_(descriptor) {}
  Kind kind_;
  int fd_;
};

// What a trace shows of calls.
struct TraceOptions {
  std::size_t string_size = 32;        // this many bytes of data
  bool times = false;                  // how long each call took, as "<0.000012>"
  std::vector<std::string> functions;  // only these, "*" standing for any characters: {"path_*", "fd_read"}; empty: all
};

// A plain value. Directories are opened when a program is instantiated; failures are reported there.
class WasiConfig {
 public:
  // The whole argument list, the program's name first.
  WasiConfig& args(std::vector<std::string> values) {
    args_ = std::move(values);
    return *this;
  }
  // One variable. A name that was set before gets the new value.
  WasiConfig& env(std::string_view name, std::string_view value);
  // The process's whole environment, or one variable of it (nothing happens when it is not set).
  WasiConfig& inherit_env();
  WasiConfig& inherit_env(std::string_view name);
  // The directory `host` and all below it, as `guest`.
  WasiConfig& preopen(const std::filesystem::path& host, std::string_view guest, Access access = Access::read_write) {
    preopens_.push_back({host.string(), std::string(guest), access});
    return *this;
  }
  WasiConfig& stdin_from(Stdio source) { return in_ = source, *this; }
  WasiConfig& stdout_to(Stdio target) { return out_ = target, *this; }
  WasiConfig& stderr_to(Stdio target) { return err_ = target, *this; }
  WasiConfig& inherit_stdio() {
    return stdin_from(Stdio::inherit()).stdout_to(Stdio::inherit()).stderr_to(Stdio::inherit());
  }
  // Called with one line per WASI call, without newline, on the thread that calls; never by two at once. A call that
  // has to wait gets a line more, which ends in "<unfinished ...>", before it does.
  WasiConfig& trace(std::function<void(std::string_view)> sink, TraceOptions options = {}) {
    trace_ = std::move(sink);
    trace_options_ = std::move(options);
    return *this;
  }
  // Most threads that the program may have at a time besides its first (wasi-threads); 0: none. Each has a Store of its
  // own with the first one's limits, in which the memories that are not shared count anew.
  WasiConfig& max_threads(std::uint32_t count) { return max_threads_ = count, *this; }

 private:
  friend struct detail::Internals;
  struct Preopen {
    std::string host;
    std::string guest;
    Access access;
  };
  std::vector<std::string> args_;
  std::vector<std::string> env_;  // "NAME=value"
  std::vector<Preopen> preopens_;
  Stdio in_ = Stdio::null();
  Stdio out_ = Stdio::null();
  Stdio err_ = Stdio::null();
  std::uint32_t max_threads_ = 128;
  std::function<void(std::string_view)> trace_;
  TraceOptions trace_options_;
};

}  // namespace wasi
