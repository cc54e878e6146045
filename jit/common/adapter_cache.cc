#include "jit/common/adapter_cache.h"

#include <string_view>
#include <utility>

#include "base/result.h"
#include "jit/common/adapters.h"
#include "jit/common/code_space.h"

namespace wasi::jit {

namespace {

// "if:v" of a function that takes an integer and a float and gives a vector.
std::string shape_of(const wasm::FuncType& type) {
  std::string shape;
  const auto add = [&shape](wasm::ValType value) {
    if (value.is_vector()) {
      shape += 'v';
    } else {
      shape += value == wasm::kF32 || value == wasm::kF64 ? 'f' : 'i';
    }
  };
  for (const wasm::ValType value : type.params) add(value);
  shape += ':';
  for (const wasm::ValType value : type.results) add(value);
  return shape;
}

struct Maker {
  std::string_view name;  // for tools
  Result<std::vector<std::uint8_t>> (*make)(const NativeSignature& signature);
};
// By Adapters::Kind.
constexpr Maker kMakers[] = {
    {"wasm entry from slots", make_slot_entry},     {"wasm entry to slots", make_native_entry},
    {"wasm entry to the host", make_host_entry},    {"wasm entry into a loop", make_loop_entry},
    {"wasm entry of a tail call", make_tail_entry}, {"wasm entry from the host", make_call_entry}};

}  // namespace

Adapters::Adapters(AdapterCache& cache, const wasm::FuncType& type, std::string shape)
    : cache_(cache), signature_(native_signature(type)), shape_(std::move(shape)) {}

Adapters::~Adapters() { cache_.forget(shape_); }

Result<const void*> Adapters::get(Kind kind) {
  std::atomic<const void*>& entry = entries_[static_cast<std::size_t>(kind)];
  if (const void* made = entry.load(std::memory_order_acquire)) return made;
  const std::lock_guard lock(mutex_);
  if (const void* made = entry.load(std::memory_order_relaxed)) return made;
  const Maker& maker = kMakers[static_cast<std::size_t>(kind)];
  const auto bytes = WASI_TRY(maker.make(signature_));
  code_.push_back(WASI_TRY(cache_.space_.place(bytes, fmt::format("{} {}", maker.name, shape_))));
  const void* const made = code_.back().bytes().data();
  entry.store(made, std::memory_order_release);
  return made;
}

Result<runtime::SlotEntry> Adapters::slot_entry() {
  return reinterpret_cast<runtime::SlotEntry>(const_cast<void*>(WASI_TRY(get(Kind::slot_entry))));
}

Result<runtime::NativeEntry> Adapters::native_entry() { return get(Kind::native_entry); }

Result<runtime::NativeEntry> Adapters::host_entry() { return get(Kind::host_entry); }

Result<const void*> Adapters::tail_entry() { return get(Kind::tail_entry); }

Result<runtime::LoopTarget::Entry> Adapters::loop_entry() {
  return reinterpret_cast<runtime::LoopTarget::Entry>(const_cast<void*>(WASI_TRY(get(Kind::loop_entry))));
}

Result<runtime::CallEntry> Adapters::call_entry() {
  return reinterpret_cast<runtime::CallEntry>(const_cast<void*>(WASI_TRY(get(Kind::call_entry))));
}

AdapterCache::~AdapterCache() { kept_.clear(); }

std::shared_ptr<Adapters> AdapterCache::of(const wasm::FuncType& type) {
  std::string shape = shape_of(type);
  const bool is_small = type.params.size() + type.results.size() <= kKeptShapeValues;
  std::shared_ptr<Adapters> adapters;  // goes behind the lock, which its destructor takes
  const std::lock_guard lock(mutex_);
  if (const auto known = shapes_.find(shape); known != shapes_.end()) {
    if ((adapters = known->second.lock())) return adapters;
  }
  adapters = std::make_shared<Adapters>(*this, type, shape);
  if (is_small && kept_.size() < kKeptShapes) kept_.push_back(adapters);
  shapes_.insert_or_assign(std::move(shape), adapters);
  return adapters;
}

Result<runtime::NativeEntry> AdapterCache::direct_entry() {
  const std::lock_guard lock(mutex_);
  if (direct_.bytes().empty()) {
    direct_ = WASI_TRY(space_.place(WASI_TRY(make_direct_entry()), "wasm entry to the host, direct"));
  }
  return direct_.bytes().data();
}

std::size_t AdapterCache::size() const {
  const std::lock_guard lock(mutex_);
  return shapes_.size();
}

void AdapterCache::forget(const std::string& shape) {
  const std::lock_guard lock(mutex_);
  const auto found = shapes_.find(shape);
  // Somebody may have asked for the shape anew meanwhile.
  if (found != shapes_.end() && found->second.expired()) shapes_.erase(found);
}

}  // namespace wasi::jit
