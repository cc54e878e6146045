// Counts lines, words and bytes of files (or of standard input), and prints the words that occur most.
//
// usage: wordcount [-n COUNT] [FILE...]
//
// Plain C against the C library: it is compiled for wasm32-wasi (build.sh) and runs under wasirun, but a native
// compiler takes it too.
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kLongestWord = 63, kFewestLetters = 4 };

struct entry {
  char* word;
  unsigned long count;
};

// A hash table with linear probing; its size is a power of two.
struct table {
  struct entry* entries;
  size_t size;
  size_t used;
};

struct counts {
  unsigned long lines;
  unsigned long words;
  unsigned long bytes;
};

static void* checked(void* memory) {
  if (memory == NULL) {
    fputs("wordcount: out of memory\n", stderr);
    exit(1);
  }
  return memory;
}

static size_t hash(const char* word) {
  size_t value = 2166136261u;
  for (; *word != '\0'; ++word) value = (value ^ (unsigned char)*word) * 16777619u;
  return value;
}

static struct entry* find(const struct table* table, const char* word) {
  size_t place = hash(word) & (table->size - 1);
  while (table->entries[place].word != NULL && strcmp(table->entries[place].word, word) != 0) {
    place = (place + 1) & (table->size - 1);
  }
  return &table->entries[place];
}

static void grow(struct table* table) {
  struct table larger = {.size = table->size == 0 ? 256 : table->size * 2};
  larger.entries = checked(calloc(larger.size, sizeof(struct entry)));
  for (size_t i = 0; i < table->size; ++i) {
    if (table->entries[i].word == NULL) continue;
    *find(&larger, table->entries[i].word) = table->entries[i];
    ++larger.used;
  }
  free(table->entries);
  *table = larger;
}

static void add(struct table* table, const char* word) {
  if (table->used * 2 >= table->size) grow(table);
  struct entry* entry = find(table, word);
  if (entry->word == NULL) {
    entry->word = checked(strdup(word));
    ++table->used;
  }
  ++entry->count;
}

// Words that stand in the table are letters alone and have some length: "the" tells nothing about a text.
static void end_word(struct table* table, char* word, size_t length) {
  if (length < kFewestLetters || length > kLongestWord) return;
  word[length] = '\0';
  add(table, word);
}

static int count_stream(FILE* file, struct counts* counts, struct table* table) {
  char word[kLongestWord + 1];
  size_t length = 0;  // of the run of letters that is being read
  int in_word = 0;
  int c;
  while ((c = getc(file)) != EOF) {
    ++counts->bytes;
    if (c == '\n') ++counts->lines;
    if (isspace(c)) {
      in_word = 0;
    } else if (!in_word) {
      in_word = 1;
      ++counts->words;
    }
    if (isalpha(c)) {
      if (length < kLongestWord) word[length] = (char)tolower(c);
      ++length;
    } else {
      end_word(table, word, length);
      length = 0;
    }
  }
  end_word(table, word, length);
  return ferror(file);
}

static int count_file(const char* name, struct counts* total, struct table* table) {
  FILE* file = strcmp(name, "-") == 0 ? stdin : fopen(name, "r");
  struct counts counts = {0, 0, 0};
  if (file == NULL || count_stream(file, &counts, table) != 0) {
    fprintf(stderr, "wordcount: %s: %s\n", name, strerror(errno));
    return 1;
  }
  if (file != stdin) fclose(file);
  printf("%8lu %8lu %8lu  %s\n", counts.lines, counts.words, counts.bytes, name);
  total->lines += counts.lines;
  total->words += counts.words;
  total->bytes += counts.bytes;
  return 0;
}

// Most frequent first; in alphabetical order where they are equally frequent.
static int compare(const void* left, const void* right) {
  const struct entry* a = left;
  const struct entry* b = right;
  if (a->count != b->count) return a->count < b->count ? 1 : -1;
  if (a->word == NULL || b->word == NULL) return (a->word == NULL) - (b->word == NULL);
  return strcmp(a->word, b->word);
}

static void print_top(struct table* table, size_t wanted) {
  if (table->used == 0) return;
  qsort(table->entries, table->size, sizeof(struct entry), compare);
  if (wanted > table->used) wanted = table->used;
  printf("\n%zu different words; the most frequent:\n", table->used);
  const unsigned long most = table->entries[0].count;
  for (size_t i = 0; i < wanted; ++i) {
    const struct entry* entry = &table->entries[i];
    printf("%8lu  %-16s ", entry->count, entry->word);
    for (unsigned long bar = 0; bar < (entry->count * 40 + most - 1) / most; ++bar) putchar('#');
    putchar('\n');
  }
}

int main(int argc, char** argv) {
  size_t wanted = 10;
  int first = 1;
  if (argc > 1 && strcmp(argv[1], "-n") == 0) {
    char* end = NULL;
    wanted = argc > 2 ? strtoul(argv[2], &end, 10) : 0;
    if (end == NULL || *end != '\0') {
      fputs("usage: wordcount [-n COUNT] [FILE...]\n", stderr);
      return 2;
    }
    first = 3;
  }
  struct table table = {NULL, 0, 0};
  struct counts total = {0, 0, 0};
  int failed = 0;
  printf("%8s %8s %8s\n", "lines", "words", "bytes");
  if (first >= argc) failed = count_file("-", &total, &table);
  for (int i = first; i < argc; ++i) failed |= count_file(argv[i], &total, &table);
  if (argc - first > 1) printf("%8lu %8lu %8lu  in total\n", total.lines, total.words, total.bytes);
  print_top(&table, wanted);
  return failed;
}
