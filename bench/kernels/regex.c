// A regular expression matcher: patterns become a nondeterministic automaton, whose sets of states run over the text.
#include "bench.h"

enum { kStates = 128, kRoom = 16 * 1024 };

typedef enum { kByte, kAny, kClass, kSplit, kMatch, kStart, kEnd } StateKind;
typedef struct {
  StateKind kind;
  uint8_t byte;
  uint8_t is_negated;
  int16_t next, other;
  uint32_t members[8];  // of a class
} State;

static State states[kStates];
static int state_count;
static const char* pattern;

// A piece of the automaton under construction: where it begins and the list of its ends, linked through them.
typedef struct {
  int start;
  int ends;
} Piece;

// An end is a state's `next` (even) or `other` (odd); -1 is the last of a list.
static int16_t* end_of(int end) { return end % 2 == 0 ? &states[end / 2].next : &states[end / 2].other; }

static int add_state(StateKind kind) {
  if (state_count == kStates) exit(3);
  memset(&states[state_count], 0, sizeof states[0]);
  states[state_count].kind = kind;
  states[state_count].next = states[state_count].other = -1;
  return state_count++;
}

static void patch(int ends, int to) {
  while (ends != -1) {
    const int following = *end_of(ends);
    *end_of(ends) = (int16_t)to;
    ends = following;
  }
}

static int join(int a, int b) {
  int last = a;
  while (*end_of(last) != -1) last = *end_of(last);
  *end_of(last) = (int16_t)b;
  return a;
}

static Piece parse_alternatives(void);

static void add_member(State* state, uint8_t c) { state->members[c / 32] |= 1u << c % 32; }

static Piece parse_atom(void) {
  const char c = *pattern++;
  if (c == '(') {
    const Piece inner = parse_alternatives();
    pattern++;  // )
    return inner;
  }
  const StateKind kind = c == '.' ? kAny : c == '[' ? kClass : c == '^' ? kStart : c == '$' ? kEnd : kByte;
  const int at = add_state(kind);
  if (kind == kByte) states[at].byte = (uint8_t)(c == '\\' ? *pattern++ : c);
  if (kind == kClass) {
    states[at].is_negated = *pattern == '^';
    if (*pattern == '^') pattern++;
    for (; *pattern != ']'; pattern++) {
      add_member(&states[at], (uint8_t)*pattern);
      if (pattern[1] == '-') {
        for (int member = *pattern; member <= pattern[2]; member++) add_member(&states[at], (uint8_t)member);
        pattern += 2;
      }
    }
    pattern++;
  }
  return (Piece){at, 2 * at};
}

static Piece parse_repeated(void) {
  Piece piece = parse_atom();
  for (; *pattern == '*' || *pattern == '+' || *pattern == '?'; pattern++) {
    const int split = add_state(kSplit);
    states[split].next = (int16_t)piece.start;
    if (*pattern == '?') {
      piece = (Piece){split, join(2 * split + 1, piece.ends)};
    } else {
      patch(piece.ends, split);
      piece = (Piece){*pattern == '*' ? split : piece.start, 2 * split + 1};
    }
  }
  return piece;
}

static Piece parse_sequence(void) {
  Piece sequence = parse_repeated();
  while (*pattern != '\0' && *pattern != '|' && *pattern != ')') {
    const Piece following = parse_repeated();
    patch(sequence.ends, following.start);
    sequence.ends = following.ends;
  }
  return sequence;
}

static Piece parse_alternatives(void) {
  Piece piece = parse_sequence();
  while (*pattern == '|') {
    pattern++;
    const Piece following = parse_sequence();
    const int split = add_state(kSplit);
    states[split].next = (int16_t)piece.start;
    states[split].other = (int16_t)following.start;
    piece = (Piece){split, join(piece.ends, following.ends)};
  }
  return piece;
}

static uint32_t marks[kStates];
static uint32_t mark;

typedef struct {
  int count;
  int16_t states[kStates];
} Set;

static void enter(Set* set, int at, int is_first, int is_last) {
  if (at < 0 || marks[at] == mark) return;
  marks[at] = mark;
  const State* state = &states[at];
  if (state->kind == kSplit) {
    enter(set, state->next, is_first, is_last);
    enter(set, state->other, is_first, is_last);
  } else if (state->kind == kStart) {
    if (is_first) enter(set, state->next, is_first, is_last);
  } else if (state->kind == kEnd) {
    if (is_last) enter(set, state->next, is_first, is_last);
  } else {
    set->states[set->count++] = (int16_t)at;
  }
}

static int accepts(const State* state, uint8_t c) {
  switch (state->kind) {
    case kByte:
      return state->byte == c;
    case kAny:
      return 1;
    case kClass:
      return (state->members[c / 32] >> c % 32 & 1) != state->is_negated;
    default:
      return 0;
  }
}

// Whether the line has a match anywhere.
static int matches(int start, const char* line, size_t length) {
  Set sets[2];
  Set* now = &sets[0];
  Set* next = &sets[1];
  now->count = 0;
  mark++;
  for (size_t i = 0;; i++) {
    enter(now, start, i == 0, i == length);
    for (int s = 0; s < now->count; s++) {
      if (states[now->states[s]].kind == kMatch) return 1;
    }
    if (i == length) return 0;
    mark++;
    next->count = 0;
    for (int s = 0; s < now->count; s++) {
      const State* state = &states[now->states[s]];
      if (accepts(state, (uint8_t)line[i])) enter(next, state->next, 0, i + 1 == length);
    }
    Set* const kept = now;
    now = next;
    next = kept;
  }
}

static char text[kRoom];

static uint64_t run(uint32_t size) {
  static const char* const kPatterns[] = {"[a-z]+@[a-z]+\\.(com|org)", "^(0|1)*11(0|1)*$", "(a|b)*abb(a|c)?.x",
                                          "[0-9]+-[0-9]+-[0-9]+", "^[^@]*(e|i|o)u?$"};
  static const char kLetters[] = "abcdeiou01@.-x57";
  Random random = {27};
  size_t length = 0;
  while (length + 80 < kRoom) {
    for (uint32_t letters = 10 + random_below(&random, 50); letters > 0; letters--) {
      text[length++] = kLetters[random_below(&random, 16)];
    }
    if (random_below(&random, 3) == 0) length += (size_t)sprintf(text + length, "who@site.com");
    text[length++] = '\n';
  }
  uint64_t sum = 0;
  for (uint32_t round = 0; round < size; round++) {
    state_count = 0;
    memset(marks, 0, sizeof marks);
    mark = 0;
    pattern = kPatterns[round % 5];
    const Piece piece = parse_alternatives();
    patch(piece.ends, add_state(kMatch));
    uint32_t found = 0;
    for (size_t at = 0; at < length;) {
      const size_t line = (size_t)((const char*)memchr(text + at, '\n', length - at) - (text + at));
      found = found * 3 + (uint32_t)matches(piece.start, text + at, line);
      at += line + 1;
    }
    sum = add_checksum(sum, found);
  }
  return sum;
}

KERNEL(35, NULL)
