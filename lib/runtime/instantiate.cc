// Instantiation, in the spec's order: imports are matched, objects made, segments written, the start
// function called.
// Source: https://webassembly.github.io/spec/core/exec/modules.html#instantiation
#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/result.h"
#include "binary/format.h"
#include "os/populate.h"
#include "runtime/const_expr.h"
#include "runtime/gc_heap.h"
#include "runtime/import_match.h"
#include "runtime/instance_private.h"
#include "runtime/store.h"
#include "runtime/store_impl.h"
#include "runtime/tier_policy.h"
#include "runtime/trap_raise.h"

namespace wasi::runtime {

// One instantiation in progress. Steps that can fail return an error, those that run guest-visible
// effects a trap.
class Instantiation {
 public:
  Instantiation(Store& store, std::span<const std::shared_ptr<ModuleCode>, kBoundsCheckModes> code,
                std::span<const External> imports, bool functions_match)
      : store_(store),
        code_(code),
        module_(*code.front()->module),
        imports_(imports),
        functions_match_(functions_match) {}

  std::expected<Instance*, Store::InstantiationFailure> run() {
    if (Result<void> made = make(); !made) {
      return std::unexpected(Store::InstantiationFailure{std::move(made).error(), std::nullopt});
    }
    std::optional<Trap> trap = write_elements();
    if (!trap) {
      if (Result<void> written = write_image(); !written) {
        return std::unexpected(Store::InstantiationFailure{std::move(written).error(), std::nullopt});
      }
      trap = write_data();
    }
    if (!trap) trap = start();
    if (trap) return std::unexpected(Store::InstantiationFailure{std::nullopt, std::move(trap)});
    return instance_;
  }

 private:
  Result<void> make() {
    WASI_TRY(check());
    // The code is exchanged below, when the memories are known.
    instance_ = store_.impl_->instances.emplace_back(std::make_unique<Instance>(store_, code_.front())).get();
    instance_->priv->func_refs = os::ZeroedArray<FuncRef>(module_.bodies.size());
    if (writes_most_references()) {
      os::populate(instance_->priv->func_refs.data(), module_.bodies.size() * sizeof(FuncRef));
    }
    instance_->priv->dropped_data.resize(module_.data_segments());
    instance_->priv->dropped_elements.resize(module_.elements.size());
    instance_->priv->element_values.resize(module_.elements.size());
    add_types();
    take_imports();
    WASI_TRY(make_memories());
    choose_code();
    WASI_TRY(make_globals());
    WASI_TRY(make_tables());
    for (std::size_t i = module_.imported_tags; i < module_.tags.size(); ++i) {
      instance_->tags.push_back(store_.add_tag(module_.types[module_.tags[i].value]));
    }
    fill_context();
    return evaluate_offsets();
  }

  Result<void> check() {
    if (module_.registry.get() != &store_.registry()) {
      return fail(ErrorKind::argument, "the module and the store belong to different engines");
    }
    if (const wasm::FeatureSet missing = module_.features - wasm::kRunnableFeatures; !missing.empty()) {
      return fail(ErrorKind::unsupported, "the module uses features that this version does not run: {}",
                  fmt::join(wasm::names_of(missing), ", "));
    }
    for (std::size_t i = 0; i < module_.imports.size(); ++i) {
      if (i >= imports_.size() || imports_[i].func == nullptr) {
        return std::unexpected(unknown_import(module_, module_.imports[i]));
      }
      if (functions_match_ && module_.imports[i].kind() == wasm::ExternalKind::func) continue;
      WASI_TRY(match_import(module_, module_.imports[i], imports_[i]));
    }
    if (store_.impl_->instances.size() >= store_.options().limits.instances) {
      return fail(ErrorKind::limit, "the store's limit of {} instances is reached", store_.options().limits.instances);
    }
    if (!store_.reserve_objects(object_bytes())) {
      return fail(ErrorKind::limit, "an instance of {} bytes cannot be had: the store allows {} bytes, {} are taken",
                  object_bytes(), store_.options().limits.memory_bytes, store_.impl_->memory_bytes);
    }
    const std::uint64_t count = store_.impl_->instances.size();
    if (!store_.may_grow(Resource::instance, count, count + 1, store_.options().limits.instances)) {
      return fail(ErrorKind::limit, "the embedder's limiter refuses another instance, beside {}", count);
    }
    return {};
  }

  // Into tables. Large ones are left to their pages' faults, of which there may be few.
  [[nodiscard]] bool writes_most_references() const {
    std::size_t written = 0;
    for (const wasm::ElementSegment& segment : module_.elements) {
      if (segment.mode == wasm::SegmentMode::active) written += segment.functions.size();
    }
    return written > module_.bodies.size() / 2 && module_.bodies.size() * sizeof(FuncRef) <= os::kMostPopulated;
  }

  // What the instance and its own objects will take, but for the contents of memories and tables.
  [[nodiscard]] std::uint64_t object_bytes() const {
    const auto count = [](std::size_t objects, std::size_t bytes) { return std::uint64_t{objects} * bytes; };
    return sizeof(Instance) + sizeof(Instance::Private) + count(module_.bodies.size(), sizeof(FuncRef)) +
           count(module_.imports.size(), 2 * sizeof(void*)) +
           count(module_.memories.size(), sizeof(Memory) + 3 * sizeof(void*)) +
           count(module_.tables.size(), sizeof(Table) + sizeof(wasm::TypeRef) + 3 * sizeof(void*)) +
           count(module_.globals.size(), sizeof(Global) + sizeof(wasm::TypeRef) + 2 * sizeof(void*)) +
           count(module_.tags.size(), sizeof(Tag) + sizeof(wasm::TypeRef) + sizeof(void*)) +
           count(module_.data_segments(), 1) + count(module_.data.size(), sizeof(std::uint64_t)) +
           count(module_.elements.size(), 1 + sizeof(std::vector<Slot>) + sizeof(std::uint64_t));
  }

  // The heap learns of the types before anything can be made of them.
  void add_types() {
    const bool makes_objects = std::ranges::any_of(
        module_.types, [&](wasm::TypeId type) { return module_.registry->at(type).kind != wasm::CompositeKind::func; });
    if (makes_objects) store_.heap().add_types(module_.types);
  }

  void take_imports() {
    for (const External& external : imports_.first(module_.imports.size())) {
      switch (external.kind) {
        case wasm::ExternalKind::func:
          instance_->imported_functions.push_back(external.func);
          break;
        case wasm::ExternalKind::table:
          instance_->tables.push_back(external.table);
          break;
        case wasm::ExternalKind::memory:
          instance_->memories.push_back(external.memory);
          break;
        case wasm::ExternalKind::global:
          instance_->globals.push_back(external.global);
          break;
        case wasm::ExternalKind::tag:
          instance_->tags.push_back(external.tag);
          break;
      }
    }
  }

  Result<void> make_memories() {
    for (std::size_t i = module_.imported_memories; i < module_.memories.size(); ++i) {
      instance_->memories.push_back(WASI_TRY(store_.add_memory(module_.memories[i])));
    }
    return {};
  }

  // Unchecked code needs guard pages around every memory; checked code runs on any.
  void choose_code() {
    const bool all_guarded = std::ranges::all_of(
        instance_->memories, [](const Memory* memory) { return memory->checks() == BoundsChecks::guard_pages; });
    const BoundsChecks mode =
        all_guarded && (!instance_->memories.empty() || store_.options().checks == BoundsChecks::guard_pages)
            ? BoundsChecks::guard_pages
            : BoundsChecks::explicit_checks;
    const std::shared_ptr<ModuleCode>& code = code_[static_cast<std::size_t>(mode)];
    WASI_CHECK(code != nullptr && code->checks == mode);
    instance_->code = code;
    store_.exec_.native_tier = code->tier;
    if (code->policy != nullptr && store_.exec_.policy == nullptr) code->policy->begin(store_.exec_);
    auto& tiers = store_.impl_->tiers;
    if (std::ranges::find(tiers, code->tier) == tiers.end()) tiers.push_back(code->tier);
    instance_->vm.functions = code->functions;
    instance_->vm.exec = &store_.exec();
  }

  Result<void> make_globals() {
    instance_->globals.reserve(module_.globals.size());
    for (std::size_t i = module_.imported_globals; i < module_.globals.size(); ++i) {
      const wasm::Global& global = module_.globals[i];
      Slot value[2] = {};
      WASI_TRY(evaluate_const(*instance_, global.init, {value, global.type.type.slots()}));
      instance_->globals.push_back(store_.add_global(global.type, value[0], value[1]));
    }
    return {};
  }

  Result<void> make_tables() {
    for (std::size_t i = module_.imported_tables; i < module_.tables.size(); ++i) {
      const wasm::Table& table = module_.tables[i];
      Slot init{.u64 = 0};
      if (table.init) init = WASI_TRY(evaluate_const(*instance_, *table.init));
      instance_->tables.push_back(WASI_TRY(store_.add_table(table.type, init.ref)));
    }
    return {};
  }

  void fill_context() {
    Instance::Private& priv = *instance_->priv;
    for (Memory* memory : instance_->memories) priv.memory_views.push_back(memory->view());
    for (Table* table : instance_->tables) priv.table_views.push_back(&table->view);
    for (Global* global : instance_->globals) priv.global_cells.push_back(global->cell);
    VmContext& vm = instance_->vm;
    vm.memory0 = priv.memory_views.empty() ? &priv.no_memory : priv.memory_views.front();
    vm.memories = priv.memory_views.data();
    vm.tables = priv.table_views.data();
    vm.globals = priv.global_cells.data();
    vm.imported_functions = instance_->imported_functions.data();
    static_assert(sizeof(wasm::TypeId) == sizeof(std::uint32_t));
    vm.func_refs = instance_->priv->func_refs.data();
    vm.type_ids = module_.types.empty() ? nullptr : &module_.types.begin()->value;
  }

  // All constant expressions that later steps need, so that no error comes after the first effect.
  Result<void> evaluate_offsets() {
    for (std::size_t i = 0; i < module_.elements.size(); ++i) {
      const wasm::ElementSegment& segment = module_.elements[i];
      std::uint64_t offset = 0;
      if (segment.mode == wasm::SegmentMode::active) {
        offset = WASI_TRY(evaluate_address(segment.offset, module_.tables[segment.table.value].type.address));
      }
      element_offsets_.push_back(offset);
      WASI_TRY(evaluate_elements(segment, instance_->priv->element_values[i]));
    }
    // All at once: there may be a hundred thousand of them.
    const auto data = std::ranges::find(module_.sections, binary::format::kData, &wasm::Section::id);
    if (module_.memory_image != nullptr) WASI_TRY(module_.memory_image->check());
    if (!module_.data.empty()) WASI_TRY(module_.check(data->payload));
    for (const wasm::DataSegment& segment : module_.data) {
      std::uint64_t offset = 0;
      if (segment.mode == wasm::SegmentMode::active) {
        offset = WASI_TRY(evaluate_address(segment.offset, module_.memories[segment.memory.value].address));
      }
      data_offsets_.push_back(offset);
    }
    return {};
  }

  // Objects that expressions make have an identity, so they are made once and kept.
  Result<void> evaluate_elements(const wasm::ElementSegment& segment, std::vector<Slot>& values) {
    const bool is_kept = is_traced(*module_.registry, segment.type);
    if (is_kept) values.resize(segment.expressions.size());
    for (std::size_t i = 0; i < segment.expressions.size(); ++i) {
      const Slot value = WASI_TRY(evaluate_const(*instance_, segment.expressions[i]));
      if (is_kept) values[i] = value;
    }
    return {};
  }

  // An i32 leaves the slot's high half undefined.
  Result<std::uint64_t> evaluate_address(wasm::ConstExpr expression, wasm::AddressType type) {
    const Slot value = WASI_TRY(evaluate_const(*instance_, expression));
    return type == wasm::AddressType::i64 ? value.u64 : value.u32;
  }

  std::optional<Trap> write_elements() {
    for (std::uint32_t i = 0; i < module_.elements.size(); ++i) {
      const wasm::ElementSegment& segment = module_.elements[i];
      if (segment.mode == wasm::SegmentMode::passive) continue;
      if (segment.mode == wasm::SegmentMode::active &&
          !instance_->table_init(segment.table.value, i, element_offsets_[i], 0,
                                 static_cast<std::uint32_t>(segment.size()))) {
        return segment_trap(TrapCode::table_out_of_bounds, "element", i, segment.size(), element_offsets_[i],
                            instance_->tables[segment.table.value]->view.size);
      }
      instance_->drop_element(i);
    }
    return std::nullopt;
  }

  // What stands for the first segments, none of which traps. Nobody can have grown the memory yet.
  Result<void> write_image() {
    if (module_.memory_image == nullptr) return {};
    const wasm::MemoryImage& image = *module_.memory_image;
    WASI_TRY(instance_->memories[image.memory.value]->storage()->write_image(image));
    std::vector<bool>& dropped = instance_->priv->dropped_data;
    std::fill_n(dropped.begin(), image.segments, true);
    return {};
  }

  std::optional<Trap> write_data() {
    const std::uint32_t imaged = module_.imaged_segments();
    for (std::uint32_t i = 0; i < module_.data.size(); ++i) {
      const wasm::DataSegment& segment = module_.data[i];
      if (segment.mode != wasm::SegmentMode::active) continue;
      if (!instance_->memory_init(segment.memory.value, imaged + i, data_offsets_[i], 0,
                                  static_cast<std::uint32_t>(segment.bytes.size))) {
        return segment_trap(TrapCode::memory_out_of_bounds, "data", imaged + i, segment.bytes.size, data_offsets_[i],
                            instance_->memories[segment.memory.value]->bytes().size());
      }
      instance_->drop_data(imaged + i);
    }
    return std::nullopt;
  }

  Trap segment_trap(TrapCode code, const char* kind, std::uint32_t index, std::uint64_t size, std::uint64_t offset,
                    std::uint64_t room) {
    Trap trap = make_trap(store_.exec(), code);
    trap.message +=
        fmt::format(": {} segment {} of size {} at {} does not fit into {}", kind, index, size, offset, room);
    return trap;
  }

  std::optional<Trap> start() {
    if (!module_.start) return std::nullopt;
    auto done = store_.call(*instance_->func_ref(*module_.start), {});
    if (done) return std::nullopt;
    return std::move(done).error();
  }

  Store& store_;
  std::span<const std::shared_ptr<ModuleCode>, kBoundsCheckModes> code_;
  const wasm::Module& module_;
  std::span<const External> imports_;
  bool functions_match_;
  Instance* instance_ = nullptr;
  std::vector<std::uint64_t> element_offsets_;
  std::vector<std::uint64_t> data_offsets_;
};

std::expected<Instance*, Store::InstantiationFailure> Store::instantiate(
    std::span<const std::shared_ptr<ModuleCode>, kBoundsCheckModes> code, std::span<const External> imports,
    bool functions_match) {
  return Instantiation(*this, code, imports, functions_match).run();
}

}  // namespace wasi::runtime
