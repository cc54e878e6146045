#include "tools/serve/guest_store.h"

namespace wasirun::serve {

namespace {

Failure no_resources(const std::string& message) {
  return {.status = 503, .message = message, .kind = FailureKind::resources};
}

}  // namespace

GuestStore::GuestStore(const GuestSetup& setup, const RequestContext& context) {
  wasi::StoreConfig config = setup.store;
  config.memory_limit = context.memory_limit;
  auto store = wasi::Store::create(setup.engine, config);
  if (!store) {
    failure_ = no_resources(store.error().to_string());
    return;
  }
  store_.emplace(*std::move(store));
  if (const auto set = store_->set_deadline(context.deadline); !set) {
    failure_ = no_resources(set.error().to_string());
    return;
  }
  interrupter_ = store_->interrupter();
  if (context.cancelled.stop_possible()) on_cancel_.emplace(context.cancelled, Interrupt{*this});
}

Failure failure_of(const wasi::InstantiationError& error) {
  if (error.trap() != nullptr) return failure_of(*error.trap());
  return no_resources(error.to_string());
}

wasi::Stdio log_stream(const RequestContext& context) {
  return wasi::Stdio::writer([&context](std::span<const std::uint8_t> bytes) -> std::expected<std::size_t, std::errc> {
    if (context.log) context.log({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    return bytes.size();
  });
}

}  // namespace wasirun::serve
