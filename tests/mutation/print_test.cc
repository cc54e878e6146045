// Damaged modules as text: what can be decoded is printed or refused with an error, flat and folded alike.
#include "text/print.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <optional>

#include "binary/decoder.h"
#include "mutation/mutate.h"
#include "support/sanitizers.h"
#include "support/shared.h"

using namespace wasi;

namespace {

struct Tally {
  int undecodable = 0;
  int refused = 0;
  int printed = 0;
};

// Of a small module. Under a sanitizer each takes ten times as long.
#if defined(WASI_TEST_SANITIZER)
constexpr std::uint64_t kRounds = 20;
#else
constexpr std::uint64_t kRounds = 80;
#endif

// How much text the module makes; empty where it cannot be printed.
std::optional<std::size_t> size_of_text(const wasm::Module& module, bool fold) {
  // A byte can stand for the locals of a function, so that text is never bounded by the module's size alone.
  constexpr std::size_t kEnough = 16 << 20;
  std::size_t size = 0;
  const auto printed = text::print_module(module, {.fold = fold}, [&](std::string_view piece) {
    size += piece.size();
    return size < kEnough;
  });
  if (printed) return size;
  REQUIRE_FALSE(printed.error().message.empty());
  REQUIRE((printed.error().kind == ErrorKind::malformed || printed.error().kind == ErrorKind::limit));
  REQUIRE(printed.error().offset.has_value());
  return std::nullopt;
}

void run_case(std::vector<std::uint8_t> bytes, Tally& tally) {
  const auto module = binary::decode_module({bytes, nullptr}, std::make_shared<wasm::TypeRegistry>());
  if (!module) {
    ++tally.undecodable;
    return;
  }
  const auto flat = size_of_text(**module, false);
  REQUIRE(size_of_text(**module, true).has_value() == flat.has_value());
  ++(flat ? tally.printed : tally.refused);
}

}  // namespace

TEST_CASE("damaged modules are printed or refused") {
  Tally tally;
  for (const auto& path : test::shared_modules()) {
    const std::vector<std::uint8_t> original = test::read_file(path);
    const std::uint64_t rounds = original.size() < 100'000 ? kRounds : kRounds / 10;
    for (std::uint64_t seed = 5000; seed < 5000 + rounds; ++seed) {
      INFO(path.filename().string() << ", seed " << seed);
      test::Random random(seed ^ original.size());
      run_case(test::mutate(original, random), tally);
    }
  }
  if (tally.printed + tally.refused + tally.undecodable == 0) return;
  WARN(tally.undecodable << " modules could not be decoded, " << tally.refused << " not printed, " << tally.printed
                         << " were printed");
  CHECK(tally.printed > 0);
  CHECK(tally.refused > 0);
}
