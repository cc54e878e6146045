// WASI preview1 for embedders: what a program is given, and the functions that it imports.
//
// A Context is the state behind one running program: arguments, environment, the table of descriptors. The
// module's functions find it as the data of their HostFunction. An ordinary embedder of lib/runtime: nothing here
// knows about tiers.
// Source: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/host_function.h"
#include "wasi/program_sources.h"
#include "wasm/types.h"

namespace wasi {
class VirtualDirectory;
}

namespace wasi::preview1 {

inline constexpr std::string_view kModuleName = "wasi_snapshot_preview1";
// Snapshot 0: the same functions as they were before that, see snapshot0.h.
inline constexpr std::string_view kOldModuleName = "wasi_unstable";
// wasi-threads, one function, which is no matter of a Context: lib/engine/wasi_threads.h.
inline constexpr std::string_view kThreadsModule = "wasi";
inline constexpr std::string_view kThreadSpawn = "thread-spawn";

class File;
namespace memory {
class Tree;
}

enum class Access : std::uint8_t { read_only, read_write };

// A directory of the host or in memory, and the name under which the guest finds it.
struct Preopen {
  std::string host_path;
  std::string guest_path;
  Access access = Access::read_write;
  std::optional<std::uint64_t> write_limit = std::nullopt;  // bytes that may be written below it in all (EDQUOT)
  std::shared_ptr<memory::Tree> tree = nullptr;             // instead of host_path
  std::shared_ptr<VirtualDirectory> made = nullptr;         // the same
};

// What stands behind descriptor 0, 1 or 2.
struct Stdio {
  enum class Kind : std::uint8_t {
    inherit,  // the process's own
    null,     // reads end at once, writes vanish
    fd,       // `fd`, which stays the embedder's: it is not closed here and must outlive the context
    path,     // a file of the host: read, or written from its start or (`appends`) from its end
    file,     // `file`
  };
  Kind kind = Kind::null;
  int fd = -1;
  std::string path = {};
  bool appends = false;
  std::shared_ptr<File> file = nullptr;
};

// What a program may have or ask for at once.
struct Limits {
  static constexpr std::uint32_t kMostPathLength = 4095;
  std::uint32_t descriptors = 65536;            // open ones: EMFILE, before the host's own limits are hit
  std::uint32_t path_length = kMostPathLength;  // bytes: ENAMETOOLONG
  std::uint32_t subscriptions = 16384;          // of one poll_oneoff: EINVAL
  std::uint32_t iovecs = 65536;                 // buffers of one read or write: EINVAL
};

class GivenSocket;  // lib/wasi/given_socket.h

// What becomes of calls, for somebody to look at: see trace.h.
struct TraceConfig {
  std::function<void(std::string_view)> sink;  // called with each line, without newline; empty: off
  std::size_t string_size = 32;                // how much is shown of data
  bool times = false;                          // whether the line says how long the call took
  std::vector<std::string> functions;          // only those that match one of these (fnmatch); empty: all
};
// Whether a pattern of TraceConfig means this function.
bool matches(const std::string& pattern, std::string_view function);

struct Config {
  std::vector<std::string> args;                      // with the program's name first
  std::vector<std::string> env;                       // "NAME=value"
  std::vector<std::shared_ptr<GivenSocket>> sockets;  // descriptors 3, 4, ... in this order
  std::vector<Preopen> preopens;                      // behind them, in this order
  Stdio in;
  Stdio out;
  Stdio err;
  Limits limits;
  TraceConfig trace;
  TimeSource time;
  RandomSource random;
  bool force_path_walk = false;  // resolve paths without openat2, as older kernels must
};

// The state of one program. Thread-safe: the stores of all of its threads share it.
class Context {
 public:
  // Opens the preopens. Errors name the directory and say why it cannot be given.
  static Result<std::shared_ptr<Context>> create(Config config);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  struct State;  // lib/wasi/state.h: for the functions themselves
  [[nodiscard]] State& state() { return *state_; }

 private:
  explicit Context(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

// One function of the module. Its HostFunction's data is the Context.
struct Function {
  std::string_view name;
  wasm::FuncType type;
  runtime::HostBody body;
};

// All functions of wasi_snapshot_preview1, or of wasi_unstable, in the order of preview1.def; none of another module.
// Made once, valid for ever.
std::span<const Function> functions(std::string_view module = kModuleName);
// Null where there is no such function.
const Function* find_function(std::string_view module, std::string_view name);

}  // namespace wasi::preview1
