#include "tools/serve/wit_memory.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <utility>

#include "base/byte_reader.h"

namespace wasirun::serve {

namespace {

constexpr std::uint32_t kStringSize = 8;  // of a pointer and a length
constexpr std::uint32_t kPairSize = 2 * kStringSize;
constexpr std::uint64_t kLargest = UINT32_MAX;
// What a pair of strings costs the host beside its bytes.
constexpr std::uint64_t kPairCost = sizeof(HttpField);

std::string over_budget(std::string_view what, const LiftBudget& budget) {
  return fmt::format("{} is too large: there may be {} bytes", what, budget.all());
}

}  // namespace

wasi::Trap host_trap(std::string message) {
  return wasi::Trap{.code = wasi::TrapCode::host_error, .message = std::move(message)};
}

WitMemory::Lifted<WitMemory> WitMemory::of(const wasi::Instance& instance) {
  const auto memory = instance.memory("memory");
  if (!memory) return std::unexpected(memory.error().message);
  if (memory->type().is_64) return std::unexpected("the memory has 64-bit addresses, and the interface 32-bit ones");
  auto realloc = instance.function<std::uint32_t(std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t)>(
      "canonical_abi_realloc");
  return WitMemory(*memory, realloc ? std::optional(*std::move(realloc)) : std::nullopt);
}

WitMemory::Lowered<WitMemory> WitMemory::of(const wasi::Caller& caller) {
  const auto instance = caller.instance();
  if (!instance) return std::unexpected(host_trap("called by no instance of a module"));
  auto memory = of(*instance);
  if (!memory) return std::unexpected(host_trap(std::move(memory).error()));
  return *std::move(memory);
}

std::string WitMemory::outside(std::string_view what, std::uint64_t address, std::uint64_t size) {
  return fmt::format("{} lies outside of the memory: {} bytes at {:#x}", what, size, address);
}

WitMemory::Lifted<std::string> WitMemory::lift_bytes(WitList list, LiftBudget& budget, std::string_view what) const {
  const auto text = memory_.text(list.address, list.length);
  // What is empty may point anywhere.
  if (list.length == 0) return std::string();
  if (!text) return std::unexpected(outside(what, list.address, list.length));
  if (!budget.take(list.length)) return std::unexpected(over_budget(what, budget));
  return std::string(*text);
}

WitMemory::Lifted<std::string> WitMemory::lift_string(WitList list, LiftBudget& budget, std::string_view what) const {
  auto text = lift_bytes(list, budget, what);
  if (text && !wasi::base::is_utf8(*text)) return std::unexpected(fmt::format("{} is not UTF-8", what));
  return text;
}

WitMemory::Lifted<std::vector<HttpField>> WitMemory::lift_fields(WitList list, LiftBudget& budget,
                                                                 std::string_view what) const {
  const std::uint64_t size = std::uint64_t{list.length} * kPairSize;
  if (list.length != 0 && !memory_.range(list.address, size)) {
    return std::unexpected(outside(what, list.address, size));
  }
  std::vector<HttpField> fields;
  for (std::uint32_t i = 0; i < list.length; ++i) {
    if (!budget.take(kPairCost)) return std::unexpected(over_budget(what, budget));
    const auto words = memory_.read<std::array<std::uint32_t, 4>>(list.address + std::uint64_t{i} * kPairSize);
    if (!words) return std::unexpected(outside(what, list.address, size));
    auto name = lift_string({(*words)[0], (*words)[1]}, budget, fmt::format("name {} of {}", i, what));
    if (!name) return std::unexpected(std::move(name).error());
    auto value = lift_string({(*words)[2], (*words)[3]}, budget, fmt::format("value {} of {}", i, what));
    if (!value) return std::unexpected(std::move(value).error());
    fields.push_back({*std::move(name), *std::move(value)});
  }
  return fields;
}

WitMemory::Lowered<std::uint32_t> WitMemory::allocate(std::uint64_t size, std::uint32_t alignment) const {
  // Guests take pointers that are not null, also of what is empty.
  if (size == 0) return alignment;
  if (size > kLargest) return std::unexpected(host_trap(fmt::format("{} bytes are too much for the guest", size)));
  if (!realloc_) return std::unexpected(host_trap("the module exports no canonical_abi_realloc of the right type"));
  auto address = (*realloc_)(0, 0, alignment, static_cast<std::uint32_t>(size));
  if (!address) return std::unexpected(std::move(address).error());
  if (!memory_.range(*address, size)) {
    return std::unexpected(host_trap(outside("what canonical_abi_realloc gave", *address, size)));
  }
  return *address;
}

WitMemory::Lowered<void> WitMemory::write_list(std::uint64_t address, WitList list) const {
  if (memory_.write(address, std::array<std::uint32_t, 2>{list.address, list.length})) return {};
  return std::unexpected(host_trap(outside("the place for a result", address, kStringSize)));
}

WitMemory::Lowered<WitList> WitMemory::lower_bytes(std::string_view bytes) const {
  const auto address = allocate(bytes.size(), 1);
  if (!address) return std::unexpected(address.error());
  if (!bytes.empty()) std::memcpy(memory_.range(*address, bytes.size())->data(), bytes.data(), bytes.size());
  return WitList{*address, static_cast<std::uint32_t>(bytes.size())};
}

WitMemory::Lowered<WitList> WitMemory::lower_strings(std::span<const std::string> strings) const {
  const auto address = allocate(strings.size() * std::uint64_t{kStringSize}, alignof(std::uint32_t));
  if (!address) return std::unexpected(address.error());
  for (std::size_t i = 0; i < strings.size(); ++i) {
    const auto text = lower_bytes(strings[i]);
    if (!text) return std::unexpected(text.error());
    if (auto written = write_list(*address + i * std::uint64_t{kStringSize}, *text); !written) {
      return std::unexpected(std::move(written).error());
    }
  }
  return WitList{*address, static_cast<std::uint32_t>(strings.size())};
}

WitMemory::Lowered<WitList> WitMemory::lower_fields(std::span<const HttpField> fields) const {
  const auto address = allocate(fields.size() * std::uint64_t{kPairSize}, alignof(std::uint32_t));
  if (!address) return std::unexpected(address.error());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::uint64_t place = *address + i * std::uint64_t{kPairSize};
    const std::string_view texts[] = {fields[i].name, fields[i].value};
    for (std::uint32_t half = 0; half < 2; ++half) {
      const auto text = lower_bytes(texts[half]);
      if (!text) return std::unexpected(text.error());
      if (auto written = write_list(place + half * kStringSize, *text); !written) {
        return std::unexpected(std::move(written).error());
      }
    }
  }
  return WitList{*address, static_cast<std::uint32_t>(fields.size())};
}

}  // namespace wasirun::serve
