#include "fuzz/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/state.h"
#include "engine/tiers.h"
#include "fuzz/edges.h"
#include "interp/interpreter.h"
#include "mutation/mutate.h"

namespace wasi::test::fuzz {

namespace {

constexpr std::uint32_t kFuel[] = {40, 250};  // of calls with one list of arguments and with the next
constexpr std::size_t kMostElements = 40;     // of a table that are looked at
// Of code that charges: what most calls get, which is always enough, and what others get less than.
constexpr std::uint64_t kMuchFuel = std::uint64_t{1} << 50;
constexpr std::uint64_t kLittleFuel = 300;
constexpr std::uint64_t kCharged = 4;  // of so many cases one

Engine make_public(bool fuel, BoundsChecks checks, TierSelection tier = TierSelection::interpreter) {
  return Engine::create({.bounds_checks = checks, .tier = tier, .fuel = fuel}).value();
}

// Machine code from so many calls and iterations on; where they end in a loop, that is where it is entered.
Engine make_automatic(bool fuel, std::uint32_t threshold, BoundsChecks checks) {
  return Engine::create({.bounds_checks = checks,
                         .fuel = fuel,
                         .tier_threshold = threshold,
                         .tier_threads = 0,
                         .optimises = false})
      .value();
}

// And from there to the optimising compiler's at the second call or iteration.
Engine make_optimising_automatic(bool fuel, std::uint32_t threshold, BoundsChecks checks, bool is_strict) {
  return Engine::create({.bounds_checks = checks,
                         .fuel = fuel,
                         .strict_memory = is_strict,
                         .tier_threshold = threshold,
                         .tier_threads = 0,
                         .optimise_threshold = 0})
      .value();
}

// An interpreter whose code is made in another way than users get it.
Engine make_interpreter(bool fuel, interp::CodeStyle style, BoundsChecks checks) {
  auto state = std::make_shared<detail::EngineState>();
  state->config.bounds_checks = checks;
  state->config.fuel = fuel;
  state->registry = std::make_shared<wasm::TypeRegistry>();
  state->tier = interp::make_interpreter({.style = style, .charges_fuel = fuel});
  return detail::Internals::engine(std::move(state));
}

Engine make_optimising(bool fuel, BoundsChecks checks, bool is_strict) {
  return Engine::create(
             {.bounds_checks = checks, .tier = TierSelection::optimising, .fuel = fuel, .strict_memory = is_strict})
      .value();
}

// Code as simple as compilers make it: whatever can be switched off is.
Engine make_unoptimised(bool fuel, TierSelection tier) {
  auto state = std::make_shared<detail::EngineState>();
  state->config.tier = tier;
  state->config.fuel = fuel;
  state->registry = std::make_shared<wasm::TypeRegistry>();
  state->without = {.baseline = jit::baseline::OptimisationSet::all(), .unit = jit::UnitOptimisationSet::all()};
  detail::make_tiers(*state).value();
  return detail::Internals::engine(std::move(state));
}

constexpr Configuration kConfigurations[] = {
    {"interpreter, guard pages", [](bool fuel) { return make_public(fuel, BoundsChecks::guard_pages); }},
    {"interpreter, explicit checks", [](bool fuel) { return make_public(fuel, BoundsChecks::explicit_checks); }},
    {"interpreter, plain code",
     [](bool fuel) { return make_interpreter(fuel, interp::CodeStyle::plain, BoundsChecks::guard_pages); }},
    {"interpreter, collecting", [](bool fuel) { return make_public(fuel, BoundsChecks::guard_pages); }, true},
    {"baseline, guard pages",
     [](bool fuel) { return make_public(fuel, BoundsChecks::guard_pages, TierSelection::baseline); }},
    {"baseline, explicit checks",
     [](bool fuel) { return make_public(fuel, BoundsChecks::explicit_checks, TierSelection::baseline); }},
    {"baseline, collecting",
     [](bool fuel) { return make_public(fuel, BoundsChecks::guard_pages, TierSelection::baseline); }, true},
    {"baseline, all optimisations off", [](bool fuel) { return make_unoptimised(fuel, TierSelection::baseline); }},
    {"automatic, compiling at once", [](bool fuel) { return make_automatic(fuel, 1, BoundsChecks::guard_pages); }},
    {"automatic, entering at loop heads",
     [](bool fuel) { return make_automatic(fuel, 2, BoundsChecks::explicit_checks); }},
    {"automatic, compiling after a while, collecting",
     [](bool fuel) { return make_automatic(fuel, 7, BoundsChecks::guard_pages); }, true},
    {.name = "optimising, guard pages",
     .make_engine = [](bool fuel) { return make_optimising(fuel, BoundsChecks::guard_pages, false); },
     .precision = Precision::other_calls,
     .is_optimising = true},
    {.name = "optimising, explicit checks",
     .make_engine = [](bool fuel) { return make_optimising(fuel, BoundsChecks::explicit_checks, false); },
     .is_optimising = true},
    {.name = "optimising, strict",
     .make_engine = [](bool fuel) { return make_optimising(fuel, BoundsChecks::guard_pages, true); },
     .precision = Precision::functions,
     .is_optimising = true},
    {.name = "optimising, strict, explicit checks, collecting",
     .make_engine = [](bool fuel) { return make_optimising(fuel, BoundsChecks::explicit_checks, true); },
     .gc_stress = true,
     .is_optimising = true},
    {.name = "optimising, all optimisations off",
     .make_engine = [](bool fuel) { return make_unoptimised(fuel, TierSelection::optimising); },
     .precision = Precision::other_calls,
     .is_optimising = true},
    {.name = "automatic, optimising at once",
     .make_engine = [](bool fuel) { return make_optimising_automatic(fuel, 1, BoundsChecks::guard_pages, false); },
     .precision = Precision::other_calls,
     .is_optimising = true},
    {.name = "automatic, optimising at loop heads, strict, explicit checks, collecting",
     .make_engine = [](bool fuel) { return make_optimising_automatic(fuel, 2, BoundsChecks::explicit_checks, true); },
     .gc_stress = true,
     .is_optimising = true},
};

std::uint64_t hash_bytes(std::span<const std::uint8_t> bytes) {
  std::uint64_t hash = bytes.size();
  const auto mix = [&](std::uint64_t word) { hash = std::rotl(hash ^ word, 23) * 0x9E37'79B9'7F4A'7C15; };
  while (bytes.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    mix(word);
    bytes = bytes.subspan(8);
  }
  for (const std::uint8_t byte : bytes) mix(byte);
  return hash;
}
std::uint64_t hash_text(std::string_view text) {
  return hash_bytes({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

// What a case does in one configuration, as it happens.
class Run {
 public:
  Run(const Engine& engine, const Configuration& configuration, const Case& generated, std::uint32_t rounds,
      const Transcript* expected, bool is_verbose)
      : engine_(engine),
        configuration_(configuration),
        case_(generated),
        rounds_(rounds),
        expected_(configuration.precision == Precision::other_calls ? expected : nullptr),
        is_verbose_(is_verbose),
        charges_fuel_(engine.config().fuel) {}

  Transcript run(RunStatistics* statistics, std::uint64_t& calls) {
    statistics_ = statistics;
    if (expected_ != nullptr && expected_->leaves_memory.front()) {
      transcript_.is_given_up = true;
      return std::move(transcript_);
    }
    if (load() && instantiate()) {
      Random random(case_.argument_seed);
      for (std::size_t i = 0; i < modules_.size(); ++i) call_exports(i, random);
      calls += calls_;
      if (statistics_ != nullptr) statistics_->first_calls += calls_;
    } else if (statistics_ != nullptr) {
      ++statistics_->not_begun;
    }
    if (!transcript_.is_given_up) note_all();
    return std::move(transcript_);
  }

 private:
  void say(auto&& make_line) {
    if (is_verbose_) transcript_.lines.emplace_back(transcript_.words.size(), make_line());
  }
  void note(std::uint64_t word) { note(word, has_left_memory_ ? Precision::functions : Precision::other_calls); }
  void note(std::uint64_t word, Precision precision) {
    transcript_.words.push_back(word);
    transcript_.precisions.push_back(precision);
  }

  // Before what comes of a call is noted. Null: it returns.
  void end_call(const Trap* trap) {
    std::vector<bool>& leaves = transcript_.leaves_memory;
    if (expected_ != nullptr) {
      has_left_memory_ = leaves.size() < expected_->leaves_memory.size() && expected_->leaves_memory[leaves.size()];
    } else {
      has_left_memory_ = trap != nullptr && trap->code == TrapCode::memory_out_of_bounds;
    }
    leaves.push_back(has_left_memory_);
  }

  void note_charged() {
    const std::uint64_t left = store_->fuel().value();
    say([&] { return fmt::format("of what is charged {} is left", left); });
    note(left);
  }

  bool load() {
    for (const auto& bytes : case_.modules) {
      auto module = Module::from_bytes(engine_, std::span<const std::uint8_t>(bytes));
      if (!module) {
        refuse(modules_.size(), "is refused", module.error().to_string());
        return false;
      }
      modules_.push_back(*module);
    }
    return true;
  }

  // All modules, in a new store.
  bool instantiate() {
    instances_.clear();
    fuel_.reset();
    has_left_memory_ = false;
    store_.emplace(engine_, StoreConfig{.table_limit = configuration_.table_limit,
                                        .gc_heap_limit = 64U << 20,
                                        .gc_stress = configuration_.gc_stress});
    Linker linker(engine_);
    linker.allow_redefinition(true);  // each instance is "earlier" for the next
    define_host(linker, *store_, case_.host_functions, case_.has_loose_nans);
    if (charges_fuel_) store_->set_fuel(kMuchFuel).value();
    for (const Module& module : modules_) {
      auto instance = linker.instantiate(*store_, module);
      if (!instance) {
        if (transcript_.leaves_memory.empty()) end_call(instance.error().trap());
        if (instance.error().trap() == nullptr) {
          refuse(instances_.size(), "cannot be instantiated", instance.error().to_string());
        } else {
          note_trap("instantiation", *instance.error().trap());
        }
        return false;
      }
      if (instances_.empty() && !case_.fuel.empty()) fuel_ = instance->global(case_.fuel).value();
      linker.define_instance("earlier", *instance);
      instances_.push_back(*instance);
    }
    if (transcript_.leaves_memory.empty()) end_call(nullptr);
    return true;
  }

  // Not what valid modules come to. All configurations agree on it, so the first one says it.
  void refuse(std::size_t module, std::string_view what, const std::string& why) {
    transcript_.lines.emplace_back(SIZE_MAX, fmt::format("module {} {}: {}", module, what, why));
  }

  void call_exports(std::size_t at, Random& random) {
    for (const ExportType& item : modules_[at].exports()) {
      const auto* type = std::get_if<FunctionType>(&item.type.type);
      if (type == nullptr) continue;
      for (std::uint32_t round = 0; round < rounds_; ++round) {
        std::vector<std::uint8_t> bytes(type->params.size() * 12);
        for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.next());
        if (transcript_.is_given_up) return;
        if (has_left_memory_) {
          note_all();
          if (!instantiate()) transcript_.is_given_up = true;
          if (transcript_.is_given_up) return;
        }
        Entropy entropy(bytes);
        std::vector<Value> arguments;
        for (const ValueType param : type->params) {
          const auto value = argument(param, instances_[at], entropy);
          if (!value) break;
          arguments.push_back(*value);
        }
        std::uint64_t charged_fuel = kMuchFuel;
        if (charges_fuel_ && random.below(4) == 0) charged_fuel = random.below(kLittleFuel);
        if (arguments.size() == type->params.size()) {
          call(at, item.name, arguments, kFuel[round % std::size(kFuel)], charged_fuel);
        }
      }
    }
  }

  static std::optional<Value> argument(ValueType type, const Instance& instance, Entropy& entropy) {
    switch (type.kind()) {
      case ValueType::Kind::i32:
        return edge_i32(entropy);
      case ValueType::Kind::i64:
        return edge_i64(entropy);
      case ValueType::Kind::f32:
        return std::bit_cast<float>(edge_f32(entropy));
      case ValueType::Kind::f64:
        return std::bit_cast<double>(edge_f64(entropy));
      case ValueType::Kind::v128:
        return Value::from_bits(type, edge_v128(entropy));
      case ValueType::Kind::ref:
        return std::nullopt;
      default:
        break;
    }
    const bool is_null = entropy.chance(80);
    const std::uint32_t number = entropy.below(1000);
    if (is_null) return Value::zero_of(type);
    if (type == ValueType::externref()) return ExternRef{reinterpret_cast<void*>(std::uintptr_t{8} * (number + 1))};
    if (type == ValueType::anyref() || type == ValueType::eqref() || type == ValueType::i31ref()) {
      return Value::from_i31(static_cast<std::int32_t>(number) - 500);
    }
    if (type == ValueType::funcref()) {
      for (const ExportType& item : instance.module().exports()) {
        if (item.type.kind() == ExternKind::function) return instance.func(item.name).value().to_value();
      }
    }
    return Value::zero_of(type);
  }

  void call(std::size_t at, const std::string& name, const std::vector<Value>& arguments, std::uint32_t fuel,
            std::uint64_t charged_fuel) {
    const auto describe = [&] {
      std::string text = fmt::format("module {}, {}(", at, name);
      for (std::size_t i = 0; i < arguments.size(); ++i) {
        text += (i == 0 ? "" : ", ") + arguments[i].type().to_string() + " " + arguments[i].to_string();
      }
      text += fmt::format(") with fuel {}", fuel);
      return charges_fuel_ ? text + fmt::format(", {} to be charged", charged_fuel) : text;
    };
    if (fuel_) fuel_->set(static_cast<std::int32_t>(fuel)).value();
    if (charges_fuel_) store_->set_fuel(charged_fuel).value();
    const auto function = instances_[at].func(name).value();
    ++calls_;
    const auto results = function.call(arguments);
    end_call(results ? nullptr : &results.error());
    if (results) {
      if (statistics_ != nullptr) ++statistics_->returned;
      say([&] { return describe() + " returns"; });
      note(0);
      for (const Value& value : *results) note_value("result", value);
    } else {
      note_trap(is_verbose_ ? describe() : std::string(), results.error());
    }
    if (fuel_) note_value("fuel that is left", fuel_->get());
    if (charges_fuel_ && !transcript_.is_given_up) note_charged();
    if (is_verbose_ && !transcript_.is_given_up) note_all();
  }

  void note_trap(const std::string& what, const Trap& trap) {
    if (trap.code == TrapCode::stack_overflow) {
      transcript_.is_given_up = true;
      return;
    }
    if (statistics_ != nullptr) ++statistics_->traps[trap.code];
    say([&] { return what + " traps: " + trap.to_string(); });
    note(1 + static_cast<std::uint64_t>(trap.code));
    if (trap.code != TrapCode::uncaught_exception) {
      note(hash_text(trap.message));
      note(trap.omitted_frames);
      const Precision precision = has_left_memory_ ? Precision::functions : Precision::other_calls;
      for (const StackFrame& frame : trap.backtrace) {
        note(frame.function_index);
        note(hash_text(frame.function));
        const bool may_vary = has_left_memory_ && &frame == trap.backtrace.data();
        note(frame.offset.value_or(UINT64_MAX), may_vary ? Precision::everything : precision);
      }
    }
    if (const auto exception = Exception::from_trap(*store_, trap)) {
      for (const Value& value : exception->values()) note_value("thrown", value);
    }
  }

  void note_value(std::string_view what, const Value& value) {
    say([&] { return fmt::format("{}: {} {}", what, value.type().to_string(), value.to_string()); });
    if (value.type().is_reference()) {
      const ReferenceKind kind = value.reference_kind().value_or(ReferenceKind::null);
      note(static_cast<std::uint64_t>(kind));
      if (kind == ReferenceKind::i31 || kind == ReferenceKind::host) note(value.bits()[0]);
      return;
    }
    const auto single = value.as<float>();
    const auto number = value.as<double>();
    if (case_.has_loose_nans && ((single && *single != *single) || (number && *number != *number))) return note(1);
    const bool is_narrow = value.type() == ValueType::i32() || value.type() == ValueType::f32();
    note(is_narrow ? value.bits()[0] & 0xFFFF'FFFF : value.bits()[0]);
    if (value.type() == ValueType::v128()) note(value.bits()[1]);
  }

  // Where it first differs is found by looking at everything behind each call.
  void note_all() {
    for (std::size_t i = 0; i < instances_.size(); ++i) note_state(i);
  }

  void note_state(std::size_t at) {
    for (const ExportType& item : instances_[at].module().exports()) {
      const auto line = [&](std::string_view what) { return fmt::format("module {}, {} {}", at, what, item.name); };
      if (const auto* memory_type = std::get_if<MemoryType>(&item.type.type); memory_type != nullptr) {
        const Memory memory = instances_[at].memory(item.name).value();
        say([&] { return line("memory") + fmt::format(" of {} bytes", memory.size()); });
        note(hash_bytes(memory.bytes()));
      } else if (item.type.kind() == ExternKind::global) {
        note_value(is_verbose_ ? line("global") : "", instances_[at].global(item.name).value().get());
      } else if (item.type.kind() == ExternKind::table) {
        const Table table = instances_[at].table(item.name).value();
        say([&] { return line("table") + fmt::format(" of {} elements", table.size()); });
        note(table.size());
        for (std::uint64_t i = 0; i < std::min<std::uint64_t>(table.size(), kMostElements); ++i) {
          const Value element = table.get(i).value();
          say([&] { return line("table") + fmt::format(", element {}", i); });
          note(static_cast<std::uint64_t>(element.reference_kind().value_or(ReferenceKind::null)));
        }
      }
    }
  }

  const Engine& engine_;
  const Configuration& configuration_;
  const Case& case_;
  const std::uint32_t rounds_;
  const Transcript* const expected_;  // where what leaves a memory is not told by the configuration itself
  const bool is_verbose_;
  const bool charges_fuel_;
  std::vector<Module> modules_;
  std::optional<Store> store_;
  std::vector<Instance> instances_;
  std::optional<Global> fuel_;
  bool has_left_memory_ = false;  // the last call has
  Transcript transcript_;
  RunStatistics* statistics_ = nullptr;
  std::uint64_t calls_ = 0;
};

// Whether there is something to collect.
bool allocates(const Case& generated) {
  for (std::uint16_t i = 0; i < wasm::kOpCount; ++i) {
    const wasm::Feature feature = wasm::kOps[i].feature;
    const bool is_heap = feature == wasm::Feature::gc || feature == wasm::Feature::exceptions ||
                         feature == wasm::Feature::legacy_exceptions;
    if (is_heap && generated.counts[i] != 0) return true;
  }
  return false;
}

// Where two transcripts part, in either; empty where they do not.
std::optional<std::pair<std::size_t, std::size_t>> first_difference(const Transcript& a, const Transcript& b,
                                                                    Precision precision) {
  const auto skip = [precision](const Transcript& transcript, std::size_t& at) {
    while (at < transcript.words.size() && precision > transcript.precisions[at]) ++at;
  };
  std::size_t left = 0;
  std::size_t right = 0;
  for (;; ++left, ++right) {
    skip(a, left);
    skip(b, right);
    if (left >= a.words.size() || right >= b.words.size()) break;
    if (a.words[left] != b.words[right]) return std::pair(left, right);
  }
  // Who gave up did the same up to there.
  const bool ends_left = left >= a.words.size();
  const bool ends_right = right >= b.words.size();
  if ((ends_left && (ends_right || a.is_given_up)) || (ends_right && b.is_given_up)) return std::nullopt;
  return std::pair(left, right);
}

// The lines in front of a word: the last call and what it is that differs.
std::string context(const Transcript& transcript, std::size_t word) {
  std::string call;
  std::string last;
  for (const auto& [at, line] : transcript.lines) {
    if (at > word) break;
    if (line.find(" with fuel ") != line.npos || line.starts_with("instantiation")) call = line;
    last = line;
  }
  return call == last ? call : call + "\n    then " + last;
}

}  // namespace

std::span<const Configuration> configurations() {
  static const bool has_optimising = Engine::create({.tier = TierSelection::optimising}).has_value();
  std::span<const Configuration> all = kConfigurations;
  if (!has_optimising) {
    all =
        all.first(static_cast<std::size_t>(std::ranges::find(all, true, &Configuration::is_optimising) - all.begin()));
  }
  return all;
}

Differential::Differential(std::span<const Configuration> chosen, std::uint32_t rounds) : rounds_(rounds) {
  for (const Configuration& configuration : chosen) {
    members_.push_back({configuration, configuration.make_engine(false), configuration.make_engine(true)});
  }
}

Transcript Differential::run_one(Member& member, const Case& generated, const Transcript* expected, bool is_verbose) {
  RunStatistics* statistics = is_verbose || &member != &members_.front() ? nullptr : &statistics_;
  std::uint64_t ignored = 0;
  const bool charges_fuel = generated.argument_seed % kCharged == 1;
  const Engine& engine = charges_fuel ? member.charging_engine : member.engine;
  return Run(engine, member.configuration, generated, rounds_, expected, is_verbose)
      .run(statistics, is_verbose ? ignored : statistics_.calls);
}

std::optional<std::string> Differential::run(const Case& generated) {
  ++statistics_.cases;
  const Transcript expected = run_one(members_.front(), generated, nullptr, false);
  if (!expected.lines.empty()) return expected.lines.front().second;
  bool is_given_up = expected.is_given_up;
  for (Member& member : std::span(members_).subspan(1)) {
    if (member.configuration.gc_stress && !allocates(generated)) continue;
    if (member.configuration.is_optimising && generated.has_exact_nans) continue;
    const Transcript found = run_one(member, generated, &expected, false);
    is_given_up = is_given_up || found.is_given_up;
    const Precision precision = member.configuration.precision;
    if (!first_difference(expected, found, precision) && found.lines.empty()) continue;
    const Transcript left = run_one(members_.front(), generated, nullptr, true);
    const Transcript right = run_one(member, generated, &left, true);
    const auto words = first_difference(left, right, precision);
    const std::string names =
        fmt::format("\"{}\" and \"{}\" disagree", members_.front().configuration.name, member.configuration.name);
    if (!words) return names + ", but not when asked again";
    return fmt::format("{}\n  {}\n  {}", names, context(left, words->first), context(right, words->second));
  }
  if (is_given_up) ++statistics_.given_up;
  return std::nullopt;
}

}  // namespace wasi::test::fuzz
