// The sink that makes nothing: validation is the checked walk with it. Other sinks may derive from it and
// hide what they are interested in.
#pragma once

#include "validate/sink.h"

namespace wasi::validate {

struct EmptySink {
  struct Label {};
  using Block = Control<Label>;

  void begin(auto&) {}
  void instruction(auto&, wasm::Op, const Immediates&) {}
  void block(auto&, Block&) {}
  void loop(auto&, Block&) {}
  void if_(auto&, Block&) {}
  void else_(auto&, Block&, bool) {}
  void end(auto&, Block&, bool) {}
  void br(auto&, Block&) {}
  void br_if(auto&, Block&) {}
  void br_table(auto&, std::span<Block* const>) {}
  void br_on(auto&, wasm::Op, const Immediates&, Block&) {}
  void return_(auto&) {}
  void unreachable(auto&) {}
  void call(auto&, wasm::Op, wasm::FuncIndex) {}
  void call_indirect(auto&, wasm::Op, wasm::TypeIndex, wasm::TableIndex) {}
  void call_ref(auto&, wasm::Op, wasm::TypeIndex) {}
  void try_table(auto&, Block&, std::span<const CatchClause<Label>>) {}
  void throw_(auto&, wasm::TagIndex) {}
  void throw_ref(auto&) {}
  void legacy_try(auto&, wasm::Op, Block*, std::uint32_t) {}
};

}  // namespace wasi::validate
