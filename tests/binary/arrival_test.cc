// Decoding of bytes that arrive meanwhile: none is looked at before it is there, and what is lost is told.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "binary/support.h"
#include "support/wat.h"

namespace wasi::binary {
namespace {

// Every section, several bodies, data behind a long expression, numbers of more than one byte, custom sections in
// front, between and at the end.
test::Bytes sample() {
  std::string sum = "(i32.const 100000)";
  for (int i = 0; i < 30; ++i) sum = "(i32.add " + sum + " (i32.const 100000))";
  test::Bytes bytes = test::wat(R"((module $named
    (import "env" "log" (func $log (param i32 i64)))
    (import "env" "base" (global $base i32))
    (type $unary (func (param i32) (result i32)))
    (func $twice (export "twice") (type $unary) (i32.mul (local.get 0) (i32.const 200000)))
    (func $start (call $log (i32.const 1) (i64.const 2)))
    (func $large (drop (i64.const 0x123456789abcdef)) (drop (i64.const 0x123456789abcdef))
      (drop (i64.const 0x123456789abcdef)) (drop (i64.const 0x123456789abcdef)) (drop (i64.const 0x123456789abcdef))
      (drop (i64.const 0x123456789abcdef)) (drop (i64.const 0x123456789abcdef)) (drop (i64.const 0x123456789abcdef))
      (drop (i64.const 0x123456789abcdef)) (drop (i64.const 0x123456789abcdef)) (drop (i64.const 0x123456789abcdef))
      (drop (i64.const 0x123456789abcdef)) (drop (i64.const 0x123456789abcdef)) (drop (i64.const 0x123456789abcdef)))
    (table 4 5 funcref)
    (memory 1)
    (tag $thrown (param i64))
    (global $counter (mut i64) (i64.const -5))
    (start $start)
    (elem (i32.const 0) $twice $start)
    (data (global.get $base) "hello")
    (data "passive")
    (data (offset )" + sum + R"() "behind a long expression")))",
                                "--debug-names");
  const test::Bytes custom = test::section(
      test::kCustomSection, test::join(test::name("something of one's own"), test::Bytes(300, std::uint8_t{0xAA})));
  bytes.insert(bytes.begin() + kHeaderBytes, custom.begin(), custom.end());
  return test::join(bytes, custom);
}

// Bytes that are wrong until they arrive.
class Slow {
 public:
  explicit Slow(test::Bytes bytes) : bytes_(std::move(bytes)), seen_(bytes_.size(), std::uint8_t{0xFF}) {}

  // Brings what is asked for, to the byte.
  Result<Arrived> bring(std::size_t begin, std::size_t end) {
    REQUIRE(begin < end);
    REQUIRE(end <= bytes_.size());
    if (end > limit_) return fail(ErrorKind::io, "lost behind {}", limit_);
    std::copy(bytes_.begin() + static_cast<std::ptrdiff_t>(begin), bytes_.begin() + static_cast<std::ptrdiff_t>(end),
              seen_.begin() + static_cast<std::ptrdiff_t>(begin));
    brought_ += end - begin;
    return Arrived{begin, end};
  }
  Result<std::shared_ptr<wasm::Module>> decode(std::size_t limit) {
    limit_ = limit;
    std::ranges::fill(seen_, std::uint8_t{0xFF});
    brought_ = 0;
    return decode_module({seen_, nullptr}, std::make_shared<wasm::TypeRegistry>(),
                         [this](std::size_t begin, std::size_t end) { return bring(begin, end); });
  }
  [[nodiscard]] std::size_t brought() const { return brought_; }

 private:
  test::Bytes bytes_;
  test::Bytes seen_;
  std::size_t limit_ = 0;
  std::size_t brought_ = 0;
};

TEST_CASE("nothing is looked at before it has arrived") {
  const test::Bytes bytes = sample();
  const auto expected = decode(bytes);
  Slow slow(bytes);
  const auto module = slow.decode(bytes.size());
  if (!module) FAIL(module.error().to_string());

  CHECK((*module)->functions.size() == expected->functions.size());
  CHECK((*module)->imports.size() == expected->imports.size());
  CHECK((*module)->exports.size() == expected->exports.size());
  CHECK((*module)->features == expected->features);
  const auto ranges = [](const wasm::Module& decoded) {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> all;
    for (const wasm::Section& section : decoded.sections) {
      all.emplace_back(section.payload.offset, section.payload.size);
    }
    for (const wasm::DataSegment& segment : decoded.data) {
      all.emplace_back(segment.offset.offset, segment.offset.size);
      all.emplace_back(segment.bytes.offset, segment.bytes.size);
    }
    for (const wasm::FunctionBody& body : decoded.bodies) all.emplace_back(body.offset, body.size);
    return all;
  };
  CHECK(ranges(**module) == ranges(*expected));
  REQUIRE((*module)->custom_sections.size() == expected->custom_sections.size());
  for (std::size_t i = 0; i < expected->custom_sections.size(); ++i) {
    CHECK((*module)->custom_sections[i].name == expected->custom_sections[i].name);
  }
  // The large body and the custom sections were never asked for.
  CHECK(slow.brought() < bytes.size());
}

TEST_CASE("what does not arrive is an error, wherever it would have stood") {
  const test::Bytes bytes = sample();
  Slow slow(bytes);
  std::size_t lost = 0;
  for (std::size_t limit = 0; limit < bytes.size(); ++limit) {
    CAPTURE(limit);
    const auto module = slow.decode(limit);
    if (module) continue;  // passed over
    ++lost;
    REQUIRE(module.error().kind == ErrorKind::io);
    REQUIRE(module.error().message == "lost behind " + std::to_string(limit));
  }
  // Whatever stands before the last section's name is needed, or what follows it is.
  CHECK(lost > bytes.size() - 350);
}

}  // namespace
}  // namespace wasi::binary
