#include "tools/wasirun/nearest.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace wasirun {

namespace {

constexpr std::size_t kMostChanges = 2;  // further away is another word, not a slip
constexpr std::size_t kShortestPart = 3;

// How many characters have to be changed, added, removed, or swapped with their neighbour.
// Source: https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance#Optimal_string_alignment_distance
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, last);
    std::swap(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1), last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

std::string_view without_dashes(std::string_view word) {
  word.remove_prefix(std::min(word.find_first_not_of('-'), word.size()));
  return word;
}

}  // namespace

std::string nearest_word(std::string_view word, std::span<const std::string> known) {
  std::string nearest;
  std::size_t best = kMostChanges + 1;
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(word, candidate);
    // Of a short word little would be left.
    if (distance < best && 2 * distance < without_dashes(candidate).size()) {
      best = distance;
      nearest = candidate;
    }
  }
  if (!nearest.empty()) return nearest;
  const std::string_view part = without_dashes(word);
  const auto whole =
      std::ranges::find_if(known, [part](std::string_view candidate) { return candidate.contains(part); });
  return part.size() >= kShortestPart && whole != known.end() ? *whole : std::string();
}

}  // namespace wasirun
