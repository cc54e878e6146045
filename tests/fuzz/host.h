// The functions that the host gives to every case: what they are called, and what they take and give. How they behave
// stands in host.cc.
#pragma once

#include <wasi/wasi.h>

#include <string>
#include <string_view>
#include <vector>

#include "fuzz/types.h"

namespace wasi::test::fuzz {

inline constexpr std::string_view kHostModule = "host";

// Functions of C++ types, with letters as in opcodes.def.
struct TypedHostFunction {
  std::string_view name;
  std::string_view params;
  std::string_view results;
};
inline constexpr TypedHostFunction kTypedHostFunctions[] = {
    {"add", "il", "l"},      {"mean", "fdf", "d"}, {"swap", "vl", "lv"}, {"peek", "l", "i"},
    {"poke", "li", ""},      {"nothing", "", ""},  {"refuse", "i", "i"}, {"many", "ilfdvilfdvilfdv", "vdfli"},
    {"call back", "i", "i"}, {"raise", "i", ""},
};

std::vector<ValType> types_of_letters(std::string_view letters);

// A function of any type: its results are made of its arguments.
struct UntypedHostFunction {
  std::string name;
  std::vector<ValType> params;
  std::vector<ValType> results;
};
// Whether values of the type can be handed to the host and taken from it.
bool is_host_type(ValType type);

// Defines all of them, and the tag that "raise" throws ("tag", of an i32) in `store`.
void define_host(Linker& linker, Store& store, const std::vector<UntypedHostFunction>& functions, bool has_loose_nans);
inline constexpr std::string_view kHostTag = "tag";

}  // namespace wasi::test::fuzz
