// Where a module spends its time: what a run has seen, for a compilation that knows what matters.
#pragma once

#include <wasi/detail/export.h>
#include <wasi/error.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wasi {

// Of one module. A plain value: copy it, keep it, change it. Module::profile() gives what runs have seen,
// Module::compile() takes it.
struct Profile {
  struct Loop {
    std::uint64_t offset = 0;  // of the `loop` instruction in the module's bytes
    std::uint64_t count = 0;   // of its turns, about
    friend bool operator==(const Loop&, const Loop&) = default;
  };
  // Whom a call by reference reached: `call_indirect`, `call_ref`, and the tail calls of that kind.
  struct Callee {
    std::uint64_t call = 0;                      // offset of the call instruction in the module's bytes
    std::optional<std::uint32_t> function = {};  // by its index; none: all others together
    std::uint64_t count = 0;                     // of such calls, about
    friend bool operator==(const Callee&, const Callee&) = default;
  };
  struct Function {
    std::uint32_t index = 0;
    std::uint64_t count = 0;           // of calls and turns of loops, about; large pieces of code count as several
    std::vector<Loop> loops = {};      // by their offsets; their counts are a part of the function's
    std::string name = {};             // by the name section, for people
    std::vector<Callee> callees = {};  // of its calls by reference; by the call, the others, then by function
    friend bool operator==(const Function&, const Function&) = default;
  };

  std::string module = {};               // which one: 32 hexadecimal digits, a hash of its bytes
  std::vector<Function> functions = {};  // those that were seen, by their indices
  friend bool operator==(const Profile&, const Profile&) = default;

  // A text that begins with a line "wasirun profile 2", as docs/tiers.md describes it. The same profile gives the same
  // text.
  [[nodiscard]] WASI_API std::string to_text() const;
  // Reads such a text. Errors: `malformed`, with the line; `unsupported` for another version of the format.
  WASI_API static Result<Profile> parse(std::string_view text);
  // Adds what another run has seen. `argument` error where that was of another module; a profile without a module is of
  // any.
  WASI_API Result<void> merge(const Profile& other);
};

}  // namespace wasi
