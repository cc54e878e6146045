// Features: the proposals as runtime bits. The table is features.def.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace wasi::wasm {

enum class Feature : std::uint8_t {
#define WASM_FEATURE(name, text, runs) name,
#include "wasm/features.def"
#undef WASM_FEATURE
};

inline constexpr std::uint8_t kFeatureCount = 0
#define WASM_FEATURE(name, text, runs) +1
#include "wasm/features.def"
#undef WASM_FEATURE
    ;

// A set of features, cheap to copy.
class FeatureSet {
 public:
  constexpr FeatureSet() = default;
  constexpr FeatureSet(std::initializer_list<Feature> features) {
    for (Feature f : features) add(f);
  }
  static constexpr FeatureSet all() {
    FeatureSet set;
    set.bits_ = (1U << kFeatureCount) - 1;
    return set;
  }
  constexpr void add(Feature f) { bits_ |= bit(f); }
  constexpr void remove(Feature f) { bits_ &= ~bit(f); }
  [[nodiscard]] constexpr bool has(Feature f) const { return (bits_ & bit(f)) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  constexpr FeatureSet operator|(FeatureSet other) const { return FeatureSet(bits_ | other.bits_); }
  constexpr FeatureSet operator-(FeatureSet other) const { return FeatureSet(bits_ & ~other.bits_); }
  constexpr FeatureSet& operator|=(FeatureSet other) {
    bits_ |= other.bits_;
    return *this;
  }
  constexpr bool operator==(const FeatureSet&) const = default;
  // As a number, and back: bits without a feature are lost.
  [[nodiscard]] constexpr std::uint32_t bits() const { return bits_; }
  static constexpr FeatureSet of_bits(std::uint32_t bits) { return FeatureSet(bits & all().bits_); }

 private:
  constexpr explicit FeatureSet(std::uint32_t bits) : bits_(bits) {}
  static constexpr std::uint32_t bit(Feature f) { return 1U << static_cast<unsigned>(f); }
  std::uint32_t bits_ = 0;
};

constexpr std::string_view name_of(Feature f) {
  switch (f) {
#define WASM_FEATURE(name, text, runs) \
  case Feature::name:                  \
    return text;
#include "wasm/features.def"
#undef WASM_FEATURE
  }
  return "unknown";
}

inline std::vector<std::string_view> names_of(FeatureSet features) {
  std::vector<std::string_view> names;
  for (std::uint8_t i = 0; i < kFeatureCount; ++i) {
    const auto feature = static_cast<Feature>(i);
    if (features.has(feature)) names.push_back(name_of(feature));
  }
  return names;
}

// What this version can execute; a module that uses more is refused at instantiation.
inline constexpr FeatureSet kRunnableFeatures = [] {
  FeatureSet set;
#define WASM_FEATURE(name, text, runs) \
  if (runs) set.add(Feature::name);
#include "wasm/features.def"
#undef WASM_FEATURE
  return set;
}();

}  // namespace wasi::wasm
