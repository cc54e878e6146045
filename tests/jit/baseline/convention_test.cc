// Values of every type pass every kind of call between machine code, the interpreter and the host unchanged, whatever
// the signature: more values than there are registers, i32s and f32s with anything in the upper half of their slots.
#include <fmt/format.h>

#include <array>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "mixed_world.h"
#include "runtime/instance.h"
#include "runtime/store.h"

namespace wasi::jit::baseline {
namespace {

using runtime::Instance;
using runtime::Slot;
using wasm::ValType;

constexpr std::size_t kMostParams = 40;
constexpr std::size_t kMostResults = 12;
constexpr int kRounds = 24;

std::mt19937_64 random_numbers(41);

std::size_t random_below(std::size_t end) { return random_numbers() % end; }

struct Number {
  std::uint64_t low = 0;
  std::uint64_t high = 0;  // of a v128
  friend bool operator==(const Number&, const Number&) = default;
};

std::vector<ValType> random_types(std::size_t most) {
  const ValType types[] = {wasm::kI32,  wasm::kI64,     wasm::kF32,      wasm::kF64,
                           wasm::kV128, wasm::kFuncRef, wasm::kExternRef};
  // Now and then of few types, so that their registers run out.
  const std::size_t kinds = random_below(3) == 0 ? 2 : std::size(types);
  const std::size_t first = random_below(std::size(types));
  std::vector<ValType> list(random_below(most + 1));
  for (ValType& type : list) type = types[(first + random_below(kinds)) % std::size(types)];
  return list;
}

// What a slot of the type means: the upper half of an i32 and f32 is undefined.
std::uint64_t meaning(ValType type, std::uint64_t bits) {
  return type == wasm::kI32 || type == wasm::kF32 ? static_cast<std::uint32_t>(bits) : bits;
}

// References are no objects of the heap; nobody looks behind them.
Number random_number(ValType type) {
  if (type.is_ref()) return {random_below(4) == 0 ? 0 : random_below(1U << 20) * 16};
  return {meaning(type, random_numbers()), type.is_vector() ? random_numbers() : 0};
}

std::vector<Number> random_values(const std::vector<ValType>& types) {
  std::vector<Number> values;
  for (const ValType type : types) values.push_back(random_number(type));
  return values;
}

void write(Slot* slots, const std::vector<ValType>& types, const std::vector<Number>& values) {
  for (std::size_t i = 0; i < types.size(); ++i) {
    const bool is_half = types[i] == wasm::kI32 || types[i] == wasm::kF32;
    slots++->u64 = values[i].low | (is_half ? random_numbers() << 32 : 0);
    if (types[i].is_vector()) slots++->u64 = values[i].high;
  }
}

std::vector<Number> read(const Slot* slots, const std::vector<ValType>& types) {
  std::vector<Number> values;
  for (const ValType type : types) {
    Number& value = values.emplace_back();
    value.low = meaning(type, slots++->u64);
    if (type.is_vector()) value.high = slots++->u64;
  }
  return values;
}

std::string text_of(const std::vector<ValType>& types, std::string_view keyword) {
  std::string text = "(" + std::string(keyword);
  for (const ValType type : types) text += " " + wasm::to_string(type);
  return text + ")";
}

// How one list of values is made of another one: each from a value of its type, an i64 from an i32 of which the upper
// half counts then, or from nothing.
class Mapping {
 public:
  Mapping(const std::vector<ValType>& from, const std::vector<ValType>& to) {
    for (const ValType type : to) {
      std::vector<Source> sources;
      for (std::size_t i = 0; i < from.size(); ++i) {
        if (from[i] == type) sources.push_back({.kind = Kind::same, .index = i, .constant = {}});
        if (from[i] == wasm::kI32 && type == wasm::kI64) {
          sources.push_back({.kind = Kind::extended, .index = i, .constant = {}});
        }
      }
      if (sources.empty() || random_below(8) == 0) {
        sources = {{.kind = Kind::constant, .index = 0, .constant = type.is_ref() ? Number() : random_number(type)}};
      }
      sources_.push_back(sources[random_below(sources.size())]);
      types_.push_back(type);
    }
  }
  [[nodiscard]] std::vector<Number> apply(const std::vector<Number>& values) const {
    std::vector<Number> made;
    for (const Source& source : sources_) {
      made.push_back(source.kind == Kind::constant ? source.constant : values[source.index]);
    }
    return made;
  }
  // Of locals from `first` on.
  [[nodiscard]] std::string text(std::size_t first = 0) const {
    std::string text;
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      const Source& source = sources_[i];
      const std::string local = fmt::format("(local.get {})", first + source.index);
      if (source.kind == Kind::same) text += local;
      if (source.kind == Kind::extended) text += "(i64.extend_i32_u " + local + ")";
      if (source.kind == Kind::constant) text += constant_text(types_[i], source.constant);
    }
    return text;
  }

 private:
  enum class Kind : std::uint8_t { same, extended, constant };
  struct Source {
    Kind kind;
    std::size_t index;
    Number constant;
  };
  static std::string constant_text(ValType type, const Number& value) {
    if (type == wasm::kI32) return fmt::format("(i32.const {})", value.low);
    if (type == wasm::kI64) return fmt::format("(i64.const {})", value.low);
    if (type == wasm::kF32) return fmt::format("(f32.reinterpret_i32 (i32.const {}))", value.low);
    if (type == wasm::kF64) return fmt::format("(f64.reinterpret_i64 (i64.const {}))", value.low);
    if (type.is_vector()) return fmt::format("(v128.const i64x2 {} {})", value.low, value.high);
    return type == wasm::kFuncRef ? "(ref.null func)" : "(ref.null extern)";
  }
  std::vector<Source> sources_;
  std::vector<ValType> types_;
};

using World = MixedWorld;

// A function of the host that keeps what it is given and gives what it is told to.
struct Host {
  std::vector<ValType> params;
  std::vector<ValType> results;
  std::vector<Number> seen;
  std::vector<Number> given;
  int calls = 0;

  static std::optional<Trap> run(void* data, runtime::HostCall& call) {
    auto& host = *static_cast<Host*>(data);
    host.calls += 1;
    host.seen = read(call.slots, host.params);
    write(call.slots, host.results, host.given);
    return std::nullopt;
  }
};

struct Target {
  std::string name;
  bool is_host;  // at the end of the chain
};

// How the target is called: what stands in front of the arguments, and behind them.
struct Kind {
  std::string_view name;
  bool is_tail;
};
constexpr Kind kKinds[] = {{"call", false},       {"call_indirect", false},       {"call_ref", false},
                           {"return_call", true}, {"return_call_indirect", true}, {"return_call_ref", true}};

std::string call_text(const Kind& kind, const Target& target, std::size_t index, const std::string& arguments) {
  if (kind.name.ends_with("_indirect")) {
    return fmt::format("({} (type $t) {} (i32.const {}))", kind.name, arguments, index);
  }
  if (kind.name.ends_with("_ref")) {
    return fmt::format("({} $t {} (ref.func ${}))", kind.name, arguments, target.name);
  }
  return fmt::format("({} ${} {})", kind.name, target.name, arguments);
}

TEST_CASE("values of every signature pass calls between machine code, the interpreter and the host") {
  // All calls are of functions of one type, by functions of another one, which gives back what it got: as it is in a
  // tail call, something made of it in a plain one.
  for (int round = 0; round < kRounds; ++round) {
    CAPTURE(round);
    World world;
    const std::vector<ValType> params = random_types(kMostParams);
    const std::vector<ValType> results = random_types(kMostResults);
    const std::vector<ValType> outer_params = random_types(kMostParams);
    const std::vector<ValType> outer_results = random_types(kMostResults);
    const Mapping to_arguments(outer_params, params);
    const Mapping of_leaf(params, results);
    const Mapping to_results(results, outer_results);

    const auto host = std::make_shared<Host>();
    host->params = params;
    host->results = results;
    const wasm::TypeRef type = world.store.registry().add_func({params, results}).value();
    const runtime::External host_function(&world.store.add_host_function(type.id(), Host::run, host)->ref);

    const std::string t = "(type $t (func " + text_of(params, "param") + text_of(results, "result") + "))";
    const std::string leaf = "(type $t) " + of_leaf.text() + ")";
    Instance& other = world.instantiate(
        fmt::format(R"((module {} (func $i_leaf (export "i") {} (func $leaf (export "c") {}))", t, leaf, leaf), {});

    const Target targets[] = {{"host", true},       {"other_i", false},    {"other_c", false},   {"i_leaf", false},
                              {"leaf", false},      {"i_to_host", true},   {"to_host", true},    {"i_to_leaf", false},
                              {"to_i_leaf", false}, {"to_other_i", false}, {"i_to_other", false}};
    std::string identity;
    for (std::size_t i = 0; i < params.size(); ++i) identity += fmt::format("(local.get {})", i);
    const auto relay = [&](std::string_view name, std::string_view to) {
      return fmt::format("(func ${} (type $t) (return_call ${} {}))", name, to, identity);
    };
    std::string wat = "(module " + t + R"((import "h" "f" (func $host (type $t)))
        (import "o" "i" (func $other_i (type $t))) (import "o" "c" (func $other_c (type $t))) (table funcref (elem )";
    for (const Target& target : targets) wat += " $" + target.name;
    wat += ")) (func $i_leaf " + leaf + " (func $leaf " + leaf + relay("i_to_host", "host") + relay("to_host", "host") +
           relay("i_to_leaf", "leaf") + relay("to_i_leaf", "i_leaf") + relay("to_other_i", "other_i") +
           relay("i_to_other", "other_c");
    std::string locals = text_of(results, "local");
    std::string take_results;
    for (std::size_t i = results.size(); i-- > 0;)
      take_results += fmt::format("(local.set {})", outer_params.size() + i);
    for (const std::string_view tier : {"i", "c"}) {
      for (const Kind& kind : kKinds) {
        for (std::size_t i = 0; i < std::size(targets); ++i) {
          const std::string name = fmt::format("{}_{}_{}", tier, kind.name, targets[i].name);
          wat += fmt::format("\n(func ${} (export \"{}\") {} {}", name, name, text_of(outer_params, "param"),
                             text_of(kind.is_tail ? results : outer_results, "result"));
          const std::string call = call_text(kind, targets[i], i, to_arguments.text());
          wat += kind.is_tail ? call + ")" : locals + call + take_results + to_results.text(outer_params.size()) + ")";
        }
      }
    }
    Instance& instance =
        world.instantiate(wat + ")", {host_function, *other.find_export("i"), *other.find_export("c")});

    const std::size_t room = 1 + 2 * (kMostParams + kMostResults);
    for (const std::string_view tier : {"i", "c"}) {
      for (const Kind& kind : kKinds) {
        for (const Target& target : targets) {
          const std::string name = fmt::format("{}_{}_{}", tier, kind.name, target.name);
          CAPTURE(name);
          const std::vector<Number> given = random_values(outer_params);
          host->given = random_values(results);
          host->calls = 0;
          std::vector<Slot> slots(room);
          write(slots.data(), outer_params, given);
          REQUIRE(world.store.call(*instance.find_export(name)->func, slots));
          const std::vector<Number> arguments = to_arguments.apply(given);
          const std::vector<Number> inner = target.is_host ? host->given : of_leaf.apply(arguments);
          if (target.is_host) {
            REQUIRE(host->calls == 1);
            REQUIRE(host->seen == arguments);
          }
          if (kind.is_tail) {
            REQUIRE(read(slots.data(), results) == inner);
          } else {
            REQUIRE(read(slots.data(), outer_results) == to_results.apply(inner));
          }
          REQUIRE(world.store.exec().top == nullptr);
          REQUIRE(world.store.exec().native_span == nullptr);
          REQUIRE(world.store.exec().thrown == nullptr);
        }
      }
    }
    // That there were two tiers.
    std::size_t compiled = 0;
    std::size_t interpreted = 0;
    for (std::uint32_t i = instance.module().imported_functions; i < instance.module().functions.size(); ++i) {
      const runtime::FunctionCode& code = instance.code->code(wasm::FuncIndex(i));
      (code.native_code.load() != nullptr ? compiled : interpreted) += 1;
    }
    CHECK(compiled == interpreted);
  }
}

// Functions of the host are called by the host, too.
TEST_CASE("values of every signature pass calls of the host by the host") {
  for (int round = 0; round < 100; ++round) {
    World world;
    const auto host = std::make_shared<Host>();
    host->params = random_types(kMostParams);
    host->results = random_types(kMostResults);
    host->given = random_values(host->results);
    const wasm::TypeRef type = world.store.registry().add_func({host->params, host->results}).value();
    runtime::HostFunction* const function = world.store.add_host_function(type.id(), Host::run, host);
    const std::vector<Number> given = random_values(host->params);
    std::vector<Slot> slots(1 + 2 * (kMostParams + kMostResults));
    write(slots.data(), host->params, given);
    REQUIRE(world.store.call(function->ref, slots));
    REQUIRE(host->seen == given);
    REQUIRE(read(slots.data(), host->results) == host->given);
  }
}

}  // namespace
}  // namespace wasi::jit::baseline
