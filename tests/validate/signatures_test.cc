// The table of fixed signatures agrees with the opcode table.
#include "validate/signatures.h"

#include <catch2/catch.hpp>

using namespace wasi;
using validate::kSignatures;
using validate::Signature;

TEST_CASE("every fixed row of the opcode table has its signature, and no other") {
  const auto letter = [](wasm::ValType type, bool is_address) {
    if (is_address) return 'a';
    return "?ilfdv"[static_cast<int>(type.kind())];
  };
  for (std::size_t i = 0; i < wasm::kOpCount; ++i) {
    const wasm::OpInfo& row = wasm::kOps[i];
    const Signature& signature = kSignatures[i];
    INFO(row.text);
    CHECK(signature.is_fixed == (row.signature != "*"));
    if (!signature.is_fixed) continue;
    std::string text;
    for (std::size_t p = 0; p < signature.count; ++p) {
      text += letter(signature.params[p], (signature.addresses >> p & 1) != 0);
    }
    text += ':';
    for (std::size_t r = 0; r < signature.result_count; ++r) {
      text += letter(signature.results[r], r == 0 && (signature.addresses & Signature::kResultAddress) != 0);
    }
    CHECK(text == row.signature);
    CHECK(1U << signature.align == (row.access == 0 ? 1 : row.access));
  }
}

TEST_CASE("short signatures are the fixed ones of at most two operands and one result") {
  for (std::size_t i = 0; i < wasm::kOpCount; ++i) {
    const Signature& full = kSignatures[i];
    const validate::ShortSignature& row = validate::kShortSignatures[i];
    INFO(wasm::kOps[i].text);
    CHECK((row.count == validate::ShortSignature::kNotShort) ==
          (!full.is_fixed || full.count > 2 || full.result_count > 1));
    CHECK(row.features.has(wasm::kOps[i].feature));
    if (row.count == validate::ShortSignature::kNotShort) continue;
    CHECK(row.count == full.count);
    CHECK(row.results == full.result_count);
    CHECK(row.result_slots == (full.result_count == 0 ? 0 : full.results[0].slots()));
    CHECK((row.top_mask != 0) == (full.count >= 1));
    CHECK((row.below_mask != 0) == (full.count == 2));
  }
}
