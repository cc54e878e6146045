// Functions of the host in a store, whether a linker makes them or the embedder does.
#pragma once

#include <wasi/function.h>

#include <memory>
#include <optional>
#include <span>

#include "engine/state.h"
#include "runtime/host_function.h"
#include "wasm/types.h"

namespace wasi::detail {

// The data of a host function, and how it is entered with slots.
BoundFunction bound_function(HostThunks thunks, std::shared_ptr<void> callable, StoreState& store);
std::optional<Trap> enter_bound(void* data, runtime::HostCall& call);

// Whether the type is one of an import which the function stands for (type_for in link.h): its results are looked at.
enum class Adapted : bool { no, yes };

// `type` is a function type of the engine, which the caller holds meanwhile.
runtime::HostFunction* add_host_function(StoreState& store, wasm::TypeId type, HostThunks thunks,
                                         std::shared_ptr<void> callable, Adapted adapted = Adapted::no);

// What stands behind a function whose type is known at run time only, and how it is entered.
std::shared_ptr<void> make_untyped(std::span<const ValueType> params, std::span<const ValueType> results,
                                   UntypedFunction function);
HostThunks untyped_thunks();

}  // namespace wasi::detail
