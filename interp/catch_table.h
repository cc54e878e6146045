// Which exceptions a function catches, and where: found by code position, so that code that nobody throws
// through pays nothing.
//
// The bodies of try blocks are regions, which nest. A position belongs to the innermost region around it;
// where none of that region's clauses takes the exception, its parent's are asked.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace wasi::interp {

struct CatchClause {
  static constexpr std::uint32_t kAnyTag = UINT32_MAX;
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr std::uint16_t kNoSlot = UINT16_MAX;

  std::uint32_t tag = kAnyTag;             // in the module's index space
  std::uint32_t target = 0;                // code position to go on at
  std::uint32_t next = kNone;              // the region's next clause
  std::uint16_t values_slot = 0;           // where the tag's values go
  std::uint16_t exception_slot = kNoSlot;  // where the exception itself goes
};

struct CatchRegion {
  std::uint32_t first_clause = CatchClause::kNone;
  std::uint32_t parent = 0;  // region 0 is what lies in no try: it has no clauses
};

// From this position on, up to the next one's, code belongs to this region.
struct RegionStart {
  std::uint32_t position = 0;
  std::uint32_t region = 0;
};

struct CatchTable {
  std::span<const RegionStart> starts;  // by position
  std::span<const CatchRegion> regions;
  std::span<const CatchClause> clauses;

  // The clause that takes what is thrown at `position`; `is_tag(index)` says whether the tag is the exception's.
  template <class IsTag>
  [[nodiscard]] const CatchClause* find(std::uint32_t position, IsTag is_tag) const {
    const auto after = std::ranges::upper_bound(starts, position, {}, &RegionStart::position);
    if (after == starts.begin()) return nullptr;
    for (std::uint32_t region = (after - 1)->region; region != 0; region = regions[region].parent) {
      for (std::uint32_t i = regions[region].first_clause; i != CatchClause::kNone; i = clauses[i].next) {
        if (clauses[i].tag == CatchClause::kAnyTag || is_tag(clauses[i].tag)) return &clauses[i];
      }
    }
    return nullptr;
  }
};

// A table while the function is translated.
class CatchTableBuilder {
 public:
  void clear() {
    starts_.clear();
    regions_.assign(1, {});
    clauses_.clear();
    current_ = 0;
  }
  void trim(std::size_t most) {
    if (held_bytes() > most) *this = {};
  }
  [[nodiscard]] bool empty() const { return starts_.empty(); }
  [[nodiscard]] CatchTable table() const { return {starts_, regions_, clauses_}; }
  [[nodiscard]] std::uint64_t size_bytes() const {
    return empty() ? 0
                   : sizeof(CatchTable) + starts_.size() * sizeof(RegionStart) + regions_.size() * sizeof(CatchRegion) +
                         clauses_.size() * sizeof(CatchClause);
  }
  [[nodiscard]] std::uint64_t held_bytes() const {
    return starts_.capacity() * sizeof(RegionStart) + regions_.capacity() * sizeof(CatchRegion) +
           clauses_.capacity() * sizeof(CatchClause);
  }
  [[nodiscard]] std::uint32_t region() const { return current_; }

  // A region inside of the current one begins.
  std::uint32_t open(std::uint32_t position) {
    const auto region = static_cast<std::uint32_t>(regions_.size());
    regions_.push_back({CatchClause::kNone, current_});
    enter(position, region);
    return region;
  }
  // From here on code belongs to `region`.
  void enter(std::uint32_t position, std::uint32_t region) {
    current_ = region;
    // A start that no code follows means nothing.
    if (!starts_.empty() && starts_.back().position == position) {
      starts_.back().region = region;
    } else {
      starts_.push_back({position, region});
    }
  }
  // What the region does not catch is `parent`'s.
  void set_parent(std::uint32_t region, std::uint32_t parent) { regions_[region].parent = parent; }
  // Adds the region's last clause; `before` is the one that was its last, or kNone.
  std::uint32_t add(std::uint32_t region, std::uint32_t before, const CatchClause& clause) {
    const auto index = static_cast<std::uint32_t>(clauses_.size());
    clauses_.push_back(clause);
    (before == CatchClause::kNone ? regions_[region].first_clause : clauses_[before].next) = index;
    return index;
  }
  [[nodiscard]] CatchClause& clause(std::uint32_t index) { return clauses_[index]; }

 private:
  std::vector<RegionStart> starts_;
  std::vector<CatchRegion> regions_{1};
  std::vector<CatchClause> clauses_;
  std::uint32_t current_ = 0;
};

}  // namespace wasi::interp
