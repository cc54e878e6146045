// preview1.def as data, and as declarations of what is written by hand.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "wasi/call.h"
#include "wasi/params.h"

namespace wasi::preview1 {

// What the one function that does not return gives instead of an error.
struct Exit {
  std::uint32_t status = 0;
};

template <class Result, class... Kinds>
struct Signature {
  using Type = Result(Call& call, Kinds&... kinds);
};

// The functions themselves, each in the file of its subject: process.cc, fd.cc, path.cc, ...
namespace impl {
#define WASI_FUNCTION(name, since, result, capability, parameters, what, hosts, ...) \
  Signature<result __VA_OPT__(, ) __VA_ARGS__>::Type name;
#include "wasi/preview1.def"
#undef WASI_FUNCTION
}  // namespace impl

// The first version that has a function. Snapshot 0 is what the module wasi_unstable offers: see snapshot0.h.
enum class Since : std::uint8_t { snapshot0, preview1 };

// What functions are for, as a program's user sees it.
enum class Capability : std::uint8_t {
#define WASI_CAPABILITY(name, what, needs, options) name,
#include "wasi/capabilities.def"
#undef WASI_CAPABILITY
};

struct CapabilityInfo {
  Capability id;
  std::string_view name;
  std::string_view what;
  std::string_view needs;
  std::string_view options;  // of wasirun, separated by ", "; empty: always there
};
std::span<const CapabilityInfo> capability_infos();

// A row of the table.
struct FunctionInfo {
  std::string_view name;
  Since since = Since::snapshot0;
  Capability capability = Capability::descriptors;
  std::string_view parameters;  // names of `kinds`, separated by spaces
  std::string_view what;
  std::string_view hosts;  // what depends on the host's kernel or file system
  bool returns = true;
  std::span<const ParamInfo> kinds;
};
std::span<const FunctionInfo> function_infos();

}  // namespace wasi::preview1
