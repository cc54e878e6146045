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
#define WASI_FUNCTION(name, result, parameters, what, ...) Signature<result __VA_OPT__(, ) __VA_ARGS__>::Type name;
#include "wasi/preview1.def"
#undef WASI_FUNCTION
}  // namespace impl

// A row of the table.
struct FunctionInfo {
  std::string_view name;
  std::string_view parameters;  // names of `kinds`, separated by spaces
  std::string_view what;
  bool returns = true;
  std::span<const ParamInfo> kinds;
};
std::span<const FunctionInfo> function_infos();

}  // namespace wasi::preview1
