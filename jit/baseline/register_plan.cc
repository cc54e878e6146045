#include "jit/baseline/register_plan.h"

#include <algorithm>
#include <array>
#include <utility>

#include "jit/common/native_abi.h"

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

constexpr std::size_t kMostSlots =
    std::max(std::size(kPreservedPins) + std::size(kOtherPins) + 1, std::size(kVectorPins));
using Slots = ShortList<Slot, kMostSlots>;

// Where nothing is called, those that need not be saved come first.
Slots slots_of(Bank bank, std::uint8_t memory_base, bool has_calls, bool has_spare) {
  Slots slots;
  if (bank == Bank::vector) {
    for (const std::uint8_t reg : kVectorPins) slots.push_back({.reg = reg});
    return slots;
  }
  const auto add = [&](std::uint8_t reg, bool survives) {
    if (reg != memory_base) slots.push_back({.reg = reg, .survives = survives});
  };
  if (!has_calls) {
    for (const std::uint8_t reg : kOtherPins) add(reg, false);
    if (has_spare) add(kSparePin, false);
  }
  for (const std::uint8_t reg : kPreservedPins) add(reg, true);
  if (has_calls) {
    for (const std::uint8_t reg : kOtherPins) add(reg, false);
  }
  return slots;
}

class Planner {
 public:
  Planner(RegisterPlan& into, const BodyScan& scan, const PlanOptions& options)
      : scan_(scan), options_(options), plan_(into) {}

  void run() {
    plan_.regions.clear();
    plan_.preserved = 0;
    plan_.is_leaf = scan_.calls == 0 && options_.knows_leaves && !scan_.has_handlers;
    plan_.memory_base = Local::kNoPin;
    if (options_.may_have_memory_base && scan_.accesses >= (plan_.is_leaf ? 1 : kLeastAccesses)) {
      plan_.memory_base = plan_.is_leaf ? kLeafMemoryBase : kMemoryBase;
    }
    plan_function();
    for (const LoopScan& loop : scan_.loops) plan_loop(loop);
    for (const PinRegion& region : plan_.regions) {
      for (const Pin& pin : region.pins) note(pin.bank, pin.reg);
      if (region.exec != Local::kNoPin) note(Bank::general, region.exec);
    }
    if (plan_.has_memory_base()) note(Bank::general, plan_.memory_base);
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
        if (scan_.weights[i] < (plan_.is_leaf ? 1 : kLeastWeight)) continue;
        keep_heaviest(candidates[static_cast<unsigned>(bank_of_local(i))], {i, scan_.weights[i], true});
      }
      for (const Bank bank : {Bank::general, Bank::vector}) {
        auto& of_bank = candidates[static_cast<unsigned>(bank)];
        Slots slots = slots_of(bank, plan_.memory_base, scan_.calls != 0, plan_.is_leaf && scan_.is_frugal);
        const std::size_t count = std::min(of_bank.size(), slots.size());
        if (plan_.is_leaf && bank == Bank::general) leave_parameters(slots, std::span(of_bank.begin(), count));
        for (std::size_t i = 0; i < count; ++i) {
          if (!pays(slots[i], of_bank[i].weight, scan_.calls)) continue;
          if (slots[i].survives && of_bank[i].weight < kLeastWeight) continue;
          region.pins.push_back({bank, slots[i].reg, of_bank[i].local, true});
        }
      }
    }
    plan_.regions.push_back(std::move(region));
  }

  // Where a parameter comes in a register that locals have, it stays there: their order is changed.
  void leave_parameters(Slots& slots, std::span<LocalUses> locals) const {
    PlaceAssigner places = PlaceAssigner::of_params();
    for (std::uint32_t param = 0; param < options_.params.size(); ++param) {
      const Place place = places.next(options_.params[param]);
      if (place.bank != Place::Bank::general) continue;
      const auto local = std::ranges::find(locals, param, &LocalUses::local);
      const auto slot = std::ranges::find(slots, place.number, &Slot::reg);
      if (local == locals.end() || slot == slots.end()) continue;
      std::swap(slots[static_cast<std::size_t>(local - locals.begin())], *slot);
    }
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
      const bool has_spare = loop.calls == 0 && loop.is_frugal && options_.knows_leaves;
      Slots slots = slots_of(bank, plan_.memory_base, loop.calls != 0, has_spare);
      for (Slot& slot : slots) {
        const Pin* pin = plan_.regions[parent].find(bank, slot.reg);
        if (pin == nullptr) continue;
        const auto use = std::ranges::find(uses, pin->local, &LocalUses::local);
        slot.local = pin->local;
        slot.weight = use != uses.end() ? use->weight : 0;
        slot.is_stale = pin->is_stale;
        slot.is_inherited = true;
        // Better at home where there are calls in every iteration.
        if (loop.calls != 0 && !pays(slot, slot.weight, loop.calls))
          slot = {.reg = slot.reg, .survives = slot.survives};
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
      if (bank == Bank::general) region.exec = place_exec(slots, plan_.regions[parent].exec, loop.calls != 0);
      for (const Slot& slot : slots) {
        if (slot.local != Value::kNone) region.pins.push_back({bank, slot.reg, slot.local, slot.is_stale});
      }
    }
    plan_.regions.push_back(std::move(region));
  }

  // Two loads in each iteration against what a local that is seldom used costs around the loop. Where there are calls
  // the register has to survive them, and one of which the function has no other use costs more than it saves.
  std::uint8_t place_exec(Slots& slots, std::uint8_t outer, bool has_calls) const {
    Slot* free = nullptr;
    Slot* least = nullptr;
    for (Slot& slot : slots) {
      if (has_calls && (!slot.survives || !is_used(slot.reg))) continue;
      if (slot.local == Value::kNone) {
        if (free == nullptr || slot.reg == outer) free = &slot;
      } else if (least == nullptr || slot.weight < least->weight) {
        least = &slot;
      }
    }
    if (free != nullptr) return free->reg;
    if (least == nullptr || least->weight >= 2) return Local::kNoPin;
    *least = {.reg = least->reg, .survives = least->survives};
    return least->reg;
  }
  [[nodiscard]] bool is_used(std::uint8_t reg) const {
    return std::ranges::any_of(plan_.regions, [reg](const PinRegion& region) {
      return region.exec == reg || region.find(Bank::general, reg) != nullptr;
    });
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
