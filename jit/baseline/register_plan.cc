#include "jit/baseline/register_plan.h"

#include <algorithm>
#include <array>

namespace wasi::jit::baseline {

namespace {

// A use saves a load or a store; a preserved register costs one of each.
constexpr std::uint32_t kLeastWeight = 3;
// Fewer accesses load the memory's base each time.
constexpr std::uint32_t kLeastAccesses = 3;
// Iterations that a loop is expected to have when it is weighed against what is before and behind it.
constexpr std::uint32_t kIterations = 8;

struct Slot {
  std::uint8_t reg = 0;
  bool survives = false;
  std::uint32_t local = Value::kNone;
  std::uint32_t weight = 0;
  bool is_stale = true;
  bool is_inherited = false;
};

constexpr std::size_t kMostSlots = std::max(std::size(kPreservedPins) + std::size(kOtherPins), std::size(kVectorPins));
using Slots = ShortList<Slot, kMostSlots>;

Slots slots_of(Bank bank, bool has_memory_base) {
  Slots slots;
  if (bank == Bank::vector) {
    for (const std::uint8_t reg : kVectorPins) slots.push_back({.reg = reg});
    return slots;
  }
  for (const std::uint8_t reg : kPreservedPins) {
    if (reg != kMemoryBase || !has_memory_base) slots.push_back({.reg = reg, .survives = true});
  }
  for (const std::uint8_t reg : kOtherPins) slots.push_back({.reg = reg});
  return slots;
}

class Planner {
 public:
  Planner(RegisterPlan& into, const BodyScan& scan, const PlanOptions& options)
      : scan_(scan), options_(options), plan_(into) {}

  void run() {
    plan_.regions.clear();
    plan_.preserved = 0;
    plan_.has_memory_base = options_.may_have_memory_base && scan_.accesses >= kLeastAccesses;
    plan_function();
    for (const LoopScan& loop : scan_.loops) plan_loop(loop);
    for (const PinRegion& region : plan_.regions) {
      for (const Pin& pin : region.pins) note(pin.bank, pin.reg);
      if (region.exec != Local::kNoPin) note(Bank::general, region.exec);
    }
    if (plan_.has_memory_base) note(Bank::general, kMemoryBase);
  }

 private:
  void note(Bank bank, std::uint8_t reg) {
    if (bank == Bank::general && is_preserved(reg)) plan_.preserved |= bit(reg);
  }

  [[nodiscard]] Bank bank_of_local(std::uint32_t local) const { return bank_of(type_of(scan_.locals[local])); }

  void plan_function() {
    PinRegion region;
    if (options_.pins_locals) {
      Heaviest candidates[2];
      for (std::uint32_t i = 0; i < scan_.locals.size(); ++i) {
        if (scan_.weights[i] < kLeastWeight) continue;
        keep_heaviest(candidates[static_cast<unsigned>(bank_of_local(i))], {i, scan_.weights[i], true});
      }
      for (const Bank bank : {Bank::general, Bank::vector}) {
        auto& of_bank = candidates[static_cast<unsigned>(bank)];
        Slots slots = slots_of(bank, plan_.has_memory_base);
        // Without calls, registers that need not be saved come first.
        if (scan_.calls == 0 && bank == Bank::general) {
          std::rotate(slots.begin(), slots.end() - std::ssize(kOtherPins), slots.end());
        }
        const std::size_t count = std::min(of_bank.size(), slots.size());
        for (std::size_t i = 0; i < count; ++i) {
          if (!pays(slots[i], of_bank[i].weight, scan_.calls)) continue;
          region.pins.push_back({bank, slots[i].reg, of_bank[i].local, true});
        }
      }
    }
    plan_.regions.push_back(std::move(region));
  }

  // As many as there are registers, sorted.
  using Heaviest = ShortList<LocalUses, kMostSlots>;
  static void keep_heaviest(Heaviest& list, const LocalUses& uses) {
    std::size_t at = list.size();
    if (at < kMostSlots) {
      list.push_back(uses);
    } else if (!heavier(uses, list[--at])) {
      return;
    }
    for (; at > 0 && heavier(uses, list[at - 1]); --at) list[at] = list[at - 1];
    list[at] = uses;
  }
  static bool heavier(const LocalUses& a, const LocalUses& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.local < b.local;
  }
  // Registers that do not survive calls are for locals that are used more often than there are calls, a store and a
  // load each.
  static bool pays(const Slot& slot, std::uint32_t weight, std::uint32_t calls) {
    return slot.survives || weight > 2 * std::uint64_t{calls};
  }

  void plan_loop(const LoopScan& loop) {
    const std::uint32_t parent = loop.parent;
    if (!options_.pins_locals || !options_.pins_per_loop || scan_.has_handlers || loop.is_too_deep) {
      PinRegion same = plan_.regions[parent];
      same.parent = parent;
      plan_.regions.push_back(std::move(same));
      return;
    }
    PinRegion region;
    region.parent = parent;
    const std::span<const LocalUses> uses = std::span(scan_.loop_uses).subspan(loop.first_use, loop.use_count);
    for (const Bank bank : {Bank::general, Bank::vector}) {
      Slots slots = slots_of(bank, plan_.has_memory_base);
      for (Slot& slot : slots) {
        const Pin* pin = plan_.regions[parent].find(bank, slot.reg);
        if (pin == nullptr) continue;
        const auto use = std::ranges::find(uses, pin->local, &LocalUses::local);
        slot.local = pin->local;
        slot.weight = use != uses.end() ? use->weight : 0;
        slot.is_stale = pin->is_stale;
        slot.is_inherited = true;
        // Better at home where there are calls in every iteration.
        if (!pays(slot, slot.weight, loop.calls)) slot = {.reg = slot.reg, .survives = slot.survives};
      }
      for (const LocalUses& use : uses) {
        if (bank_of_local(use.local) != bank) continue;
        if (std::ranges::find(slots, use.local, &Slot::local) != slots.end()) continue;
        Slot* best = nullptr;
        for (Slot& slot : slots) {
          if (!pays(slot, use.weight, loop.calls)) continue;
          if (best == nullptr || slot.weight < best->weight ||
              (slot.weight == best->weight && slot.local == Value::kNone && best->local != Value::kNone)) {
            best = &slot;
          }
        }
        if (best == nullptr) continue;
        // Around the loop: this one comes and goes, and so does the one that makes room.
        const std::uint32_t around = best->local == Value::kNone ? 2 : 4;
        if ((std::uint64_t{use.weight} - std::min(use.weight, best->weight)) * kIterations <= around) continue;
        *best = {.reg = best->reg,
                 .survives = best->survives,
                 .local = use.local,
                 .weight = use.weight,
                 .is_stale = use.is_written};
      }
      if (bank == Bank::general) make_room_for_exec(slots);
      for (const Slot& slot : slots) {
        if (slot.local != Value::kNone) {
          region.pins.push_back({bank, slot.reg, slot.local, slot.is_stale});
        } else if (slot.survives && region.exec == Local::kNoPin) {
          region.exec = slot.reg;
        }
      }
    }
    plan_.regions.push_back(std::move(region));
  }

  // Two loads in each iteration against what a local that is seldom used costs around the loop.
  static void make_room_for_exec(Slots& slots) {
    Slot* least = nullptr;
    for (Slot& slot : slots) {
      if (!slot.survives) continue;
      if (slot.local == Value::kNone) return;
      if (least == nullptr || slot.weight < least->weight) least = &slot;
    }
    if (least != nullptr && least->weight < 2) *least = {.reg = least->reg, .survives = true};
  }

  const BodyScan& scan_;
  const PlanOptions& options_;
  RegisterPlan& plan_;
};

}  // namespace

const Pin* PinRegion::find(Bank bank, std::uint8_t reg) const {
  for (const Pin& pin : pins) {
    if (pin.bank == bank && pin.reg == reg) return &pin;
  }
  return nullptr;
}

void plan_registers(RegisterPlan& into, const BodyScan& scan, const PlanOptions& options) {
  Planner(into, scan, options).run();
}

}  // namespace wasi::jit::baseline
