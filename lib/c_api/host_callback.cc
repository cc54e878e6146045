// Calls of C functions by guests.
#include "c_api/host_callback.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "c_api/types.h"
#include "c_api/values.h"
#include "engine/convert.h"

namespace wasi::c {

namespace {

constexpr std::size_t kFew = 8;

Trap wrong_result(const Error& error, std::size_t index) {
  return {.code = TrapCode::host_error,
          .message = fmt::format("host function: result {}: {}", index + 1, error.message)};
}

}  // namespace

bool HostCallback::is_there() const {
  return std::visit([](auto pointer) { return pointer != nullptr; }, function);
}

void HostCallback::set_type(wasm::FuncType its_type) {
  type = std::move(its_type);
  has_few_numbers_ = type.params.size() <= kFew && type.results.size() <= kFew &&
                     std::ranges::all_of(type.params, is_number) && std::ranges::all_of(type.results, is_number);
}

wasm_trap_t* HostCallback::call(detail::StoreState& state, const Caller& caller, const wasm_val_vec_t& args,
                                wasm_val_vec_t& results) const {
  if (const auto* plain = std::get_if<wasm_func_callback_t>(&function)) return (*plain)(&args, &results);
  if (const auto* with_env = std::get_if<wasm_func_callback_with_env_t>(&function)) {
    return (*with_env)(finalizer.data(), &args, &results);
  }
  wasirun_caller_t its_caller{caller, {StoreBox::of(state).shared_from_this()}};
  return std::get<wasirun_func_callback_t>(function)(finalizer.data(), &its_caller, &args, &results);
}

std::optional<Trap> HostCallback::run_with_numbers(detail::StoreState& state, const Caller& caller,
                                                   runtime::Slot* slots) const {
  std::array<wasm_val_t, kFew> args;
  std::array<wasm_val_t, kFew> results;
  for (std::size_t i = 0; i < type.params.size(); ++i) args[i] = read_number(slots[i], type.params[i]);
  for (std::size_t i = 0; i < type.results.size(); ++i) results[i] = read_number({.u64 = 0}, type.results[i]);
  const wasm_val_vec_t arg_vec = {type.params.size(), args.data()};
  wasm_val_vec_t result_vec = {type.results.size(), results.data()};
  wasm_trap_t* const trap = call(state, caller, arg_vec, result_vec);
  std::optional<Trap> failure;
  if (trap != nullptr) failure = release_trap(trap);
  for (std::size_t i = 0; i < type.results.size(); ++i) {
    if (failure || !write_number(slots[i], results[i], type.results[i])) [[unlikely]] {
      // What it may have been given instead of a number is owned.
      if (!failure) failure = wrong_result(value_of(results[i], type.results[i], StoreBox::of(state)).error(), i);
      wasm_val_delete(&results[i]);
    }
  }
  return failure;
}

std::optional<Trap> HostCallback::run(detail::StoreState& state, const Caller& caller, runtime::Slot* slots) const {
  if (has_few_numbers_) return run_with_numbers(state, caller, slots);
  StoreBox& box = StoreBox::of(state);
  Values args(type.params.size());
  read_slots(slots, type.params, box, args.data());
  Values results(type.results.size());
  for (std::size_t i = 0; i < type.results.size(); ++i) {
    results.data()[i] = zero_of(kind_of(type.results[i], box.registry()));
  }
  const wasm_val_vec_t arg_vec = args.vec();
  wasm_val_vec_t result_vec = results.vec();
  if (wasm_trap_t* const trap = call(state, caller, arg_vec, result_vec)) return release_trap(trap);
  if (auto wrong = write_slots(slots, results.all(), type.results, box, "result")) {
    return Trap{.code = TrapCode::host_error, .message = "host function: " + *std::move(wrong)};
  }
  return std::nullopt;
}

std::expected<void, Trap> HostCallback::run(detail::StoreState& state, const Caller& caller,
                                            std::span<const Value> args, std::span<Value> results) const {
  StoreBox& box = StoreBox::of(state);
  const auto shared = box.shared_from_this();
  Values arg_vals(args.size());
  for (std::size_t i = 0; i < args.size(); ++i) arg_vals.data()[i] = val_of(args[i], shared);
  Values result_vals(results.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    result_vals.data()[i] = zero_of(kind_of(results[i].type(), box.registry()));
  }
  const wasm_val_vec_t arg_vec = arg_vals.vec();
  wasm_val_vec_t result_vec = result_vals.vec();
  if (wasm_trap_t* const trap = call(state, caller, arg_vec, result_vec)) return std::unexpected(release_trap(trap));
  for (std::size_t i = 0; i < results.size(); ++i) {
    auto value = value_of(result_vals.data()[i], detail::to_internal(results[i].type()), box);
    if (!value) return std::unexpected(wrong_result(value.error(), i));
    results[i] = *std::move(value);
  }
  return {};
}

}  // namespace wasi::c
