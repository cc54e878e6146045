// A case in several configurations of the engine, which have to agree on everything that can be seen: results bit by
// bit, traps with their messages and whole backtraces, memories, tables, globals and what fuel is left. Some cases run
// in engines whose code charges fuel, some calls of them with little of it.
//
// What may differ, and is not compared:
// - NaNs of scalar floats where Case::has_loose_nans says so: then any NaN is as good as another, as the specification
//   has it. Else an operation on two NaNs, where our tiers may return either, is followed by instructions that make its
//   result the canonical one, and all bits have to agree. Where Case::has_exact_nans says so that includes what
//   operations do with one NaN, or make of none; such cases are not for the optimising compiler.
// - The backtrace of an exception that nobody catches, and by which name its tag is called: machine code forgets the
//   frames that were left on the way to one that catches something else (runtime/native_unwind.h).
// - Where the stack ends: a case is given up, up to there, when any configuration's stack is exhausted.
// - What Precision says.
#pragma once

#include <wasi/wasi.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/generate.h"

namespace wasi::test::fuzz {

// How much of what happens where something outside of a memory is accessed is told.
enum class Precision : std::uint8_t {
  everything,
  // Not which instruction of the innermost function it was: a load may be part of the one that takes what is loaded.
  functions,
  // Nothing of the call: other things may have been moved past the access, or nobody wants what is loaded
  // (EngineConfig::strict_memory). The next call is of new instances, in all configurations.
  other_calls,
};

struct Configuration {
  std::string_view name;
  Engine (*make_engine)(bool charges_fuel);
  bool gc_stress = false;
  std::uint64_t table_limit = 10'000;
  Precision precision = Precision::everything;
  bool is_optimising = false;  // compiles for milliseconds, and computes with constants
};
// The first one is what the others are compared with. The optimising compiler's are the last, where there is one.
std::span<const Configuration> configurations();

struct RunStatistics {
  std::uint64_t cases = 0;
  std::uint64_t calls = 0;                       // in all configurations
  std::uint64_t first_calls = 0;                 // in the first one
  std::uint64_t returned = 0;                    // of those
  std::uint64_t given_up = 0;                    // cases whose stack was exhausted
  std::uint64_t not_begun = 0;                   // cases that trapped when they were instantiated
  std::map<TrapCode, std::uint64_t> traps = {};  // of the first configuration
};

// What one configuration did. Lines say what the words mean, where they were asked for.
struct Transcript {
  std::vector<std::uint64_t> words;
  std::vector<Precision> precisions;                       // by word: the least with which it is told
  std::vector<std::pair<std::size_t, std::string>> lines;  // with the number of words in front
  std::vector<bool> leaves_memory;  // by call, the instantiation first: accesses something outside of a memory
  bool is_given_up = false;
};

class Differential {
 public:
  // Each function is called with so many lists of arguments.
  explicit Differential(std::span<const Configuration> chosen = configurations(), std::uint32_t rounds = 2);

  // Why configurations disagree; empty: they agree. Also when a module is refused, which none may be.
  std::optional<std::string> run(const Case& generated);

  [[nodiscard]] const RunStatistics& statistics() const { return statistics_; }

 private:
  struct Member {
    Configuration configuration;
    Engine engine;
    Engine charging_engine;
  };
  // `expected` is the first configuration's; null: it is to be had.
  Transcript run_one(Member& member, const Case& generated, const Transcript* expected, bool is_verbose);

  std::vector<Member> members_;
  const std::uint32_t rounds_;
  RunStatistics statistics_;
};

}  // namespace wasi::test::fuzz
