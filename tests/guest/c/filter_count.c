// A filter as wc is one: stdin to its end, in stream buffers.
#include <ctype.h>
#include <stdio.h>

int main(void) {
  long lines = 0, words = 0, bytes = 0, column = 0, longest = 0;
  unsigned histogram[256] = {0};
  int in_word = 0;
  for (int c; (c = getchar()) != EOF;) {
    bytes++;
    histogram[c]++;
    if (c == '\n') {
      lines++;
      if (column > longest) longest = column;
      column = 0;
    } else {
      column++;
    }
    if (isspace(c)) {
      in_word = 0;
    } else if (!in_word) {
      in_word = 1;
      words++;
    }
  }
  printf("%ld lines, %ld words, %ld bytes, longest %ld\n", lines, words, bytes, longest);
  for (int i = 'a'; i <= 'z'; i++) printf("%c %u\n", i, histogram[i]);
  return 0;
}
