// Real modules, damaged: truncated everywhere, with bits flipped, bytes replaced, inserted and removed. Decoding
// and validating give a module or an error about a place in it, each time; sanitizer builds make the most of it.
//
// The mutations come from a fixed seed, so a failure names the module and the case that shows it again.
#include <algorithm>
#include <random>

#include "binary/allocation_meter.h"
#include "binary/names.h"
#include "binary/support.h"
#include "support/shared.h"
#include "validate/validator.h"

namespace wasi::binary {
namespace {

using test::Bytes;

enum class Outcome { malformed, invalid, valid };

// Takes the bytes through everything that reads them before a module may be instantiated.
Outcome load(const Bytes& bytes) {
  const auto check = [&](const Error& error) {
    const bool of_bytes = error.kind == ErrorKind::malformed || error.kind == ErrorKind::invalid;
    if (!of_bytes && error.kind != ErrorKind::limit) FAIL("unexpected kind: " << error.to_string());
    if (error.message.empty()) FAIL("an error without a message");
    if (error.kind == ErrorKind::malformed && !error.offset) FAIL("no offset: " << error.to_string());
    if (error.offset && *error.offset > bytes.size()) FAIL("offset beyond the end: " << error.to_string());
  };
  auto decoded = decode_module({bytes, nullptr}, std::make_shared<wasm::TypeRegistry>());
  if (!decoded) {
    check(decoded.error());
    return Outcome::malformed;
  }
  wasm::Module& module = **decoded;
  (void)decode_names(module);
  if (const auto valid = validate::validate_module(module); !valid) {
    check(valid.error());
    return Outcome::invalid;
  }
  if (const auto valid = validate::validate_functions(module, 1); !valid) {
    check(valid.error());
    return Outcome::invalid;
  }
  return Outcome::valid;
}

// The module with section `index` cut to `size` bytes, its size field made to agree.
Bytes with_section_cut(const Bytes& bytes, const wasm::Module& module, std::size_t index, std::size_t size) {
  Bytes result(bytes.begin(), bytes.begin() + 8);
  for (std::size_t i = 0; i < module.sections.size(); ++i) {
    const wasm::Section& section = module.sections[i];
    const auto payload = module.view(section.payload).first(i == index ? size : section.payload.size);
    result = test::join(result, Bytes{section.id}, test::leb(payload.size()), payload);
  }
  return result;
}

TEST_CASE("every prefix of a real module") {
  const auto path = test::shared_path("bench/guests/hello.wasm");
  if (!path) return;
  const Bytes bytes = test::read_file(*path);
  const auto whole = decode(bytes);
  // Without its last sections a module may still be one; elsewhere a cut is an error.
  std::vector<std::size_t> boundaries{8};
  for (const wasm::Section& section : whole->sections) {
    boundaries.push_back(std::size_t{section.payload.offset} + section.payload.size);
  }
  CHECK(load(bytes) == Outcome::valid);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Outcome outcome = load(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)));
    if (outcome != Outcome::malformed && !std::ranges::binary_search(boundaries, size)) {
      FAIL("the first " << size << " bytes are taken for a module");
    }
  }
}

TEST_CASE("every section of a real module, cut short") {
  const auto path = test::shared_path("bench/guests/hello.wasm");
  if (!path) return;
  const Bytes bytes = test::read_file(*path);
  const auto whole = decode(bytes);
  for (std::size_t i = 0; i < whole->sections.size(); ++i) {
    const std::size_t size = whole->sections[i].payload.size;
    const std::size_t step = 1 + size / 500;
    for (std::size_t cut = 0; cut < size; cut += step) {
      const Outcome outcome = load(with_section_cut(bytes, *whole, i, cut));
      if (whole->sections[i].id != test::kCustomSection && outcome != Outcome::malformed) {
        FAIL("section " << i << " cut to " << cut << " bytes is taken");
      }
    }
  }
}

void mutate(Bytes& bytes, std::mt19937& random) {
  const auto position = [&] { return random() % bytes.size(); };
  switch (random() % 6) {
    case 0:
    case 1:
      bytes[position()] ^= static_cast<std::uint8_t>(1U << random() % 8);
      break;
    case 2:
      bytes[position()] = static_cast<std::uint8_t>(random());
      break;
    case 3: {  // a number that claims much
      const std::size_t at = position();
      for (std::size_t i = at; i < std::min(at + 4, bytes.size()); ++i) bytes[i] = 0xFF;
      break;
    }
    case 4: {
      const auto at = bytes.begin() + static_cast<std::ptrdiff_t>(position());
      bytes.erase(at, at + std::min<std::ptrdiff_t>(1 + static_cast<std::ptrdiff_t>(random() % 4), bytes.end() - at));
      break;
    }
    default:
      bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(position()), static_cast<std::uint8_t>(random()));
  }
}

TEST_CASE("damaged modules are refused or valid, and cost bounded memory") {
  const auto paths = test::shared_modules();
  std::size_t outcomes[3] = {};
  for (const auto& path : paths) {
    const Bytes original = test::read_file(path);
    std::seed_seq seed{1, static_cast<int>(original.size())};
    std::mt19937 random(seed);
    // Each case costs time in proportion to the module's size.
    const std::size_t cases = std::clamp<std::size_t>((std::size_t{4} << 20) / original.size(), 10, 100);
    for (std::size_t i = 0; i < cases; ++i) {
      Bytes bytes = original;
      for (std::size_t count = 1 + random() % 3; count != 0 && !bytes.empty(); --count) mutate(bytes, random);
      INFO("module " << path << ", case " << i);
      const test::AllocationMeter meter;
      ++outcomes[static_cast<std::size_t>(load(bytes))];
      if (meter.peak() > 64 * bytes.size() + (1 << 20)) FAIL("took " << meter.peak() << " bytes of memory");
    }
  }
  if (paths.empty()) return;
  INFO("malformed, invalid, valid: " << outcomes[0] << ", " << outcomes[1] << ", " << outcomes[2]);
  // The mutations reach every stage; a seed for which they do not tests less than it says.
  CHECK(outcomes[0] + outcomes[1] + outcomes[2] > 3000);
  for (const std::size_t count : outcomes) CHECK(count > 100);
}

// Headers, types and segments are a small part of a large module, so they are aimed at.
TEST_CASE("damaged sections before the code") {
  const auto path = test::shared_path("bench/guests/hello.wasm");
  if (!path) return;
  const Bytes original = test::read_file(*path);
  const auto whole = decode(original);
  std::mt19937 random(3);
  for (const wasm::Section& section : whole->sections) {
    if (section.id == test::kCodeSection || section.id == test::kCustomSection) continue;
    for (int i = 0; i < 300; ++i) {
      Bytes bytes = original;
      for (int count = 0; count < 1 + i % 2; ++count) {
        bytes[section.payload.offset + random() % section.payload.size] = static_cast<std::uint8_t>(random());
      }
      INFO("section " << int{section.id} << ", case " << i);
      load(bytes);
    }
  }
}

}  // namespace
}  // namespace wasi::binary
