// Strings and memory: searching, splitting, moving with overlap, numbers in every base.
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned hash(const void* data, size_t length) {
  unsigned h = 2166136261u;
  for (size_t i = 0; i < length; i++) h = (h ^ ((const unsigned char*)data)[i]) * 16777619u;
  return h;
}

int main(void) {
  char text[] = "the quick  brown,fox;jumps over the lazy dog";
  const char* hay = "needle in hay";
  int words = 0;
  for (char* word = strtok(text, " ,;"); word != NULL; word = strtok(NULL, " ,;")) printf("%d:%s ", ++words, word);
  printf("\n%s %s %td %zu %zu\n", strchr("abcabc", 'b'), strrchr("abcabc", 'b'), strstr(hay, "in") - hay,
         strspn("aabbcc", "ab"), strcspn("aabbcc", "c"));
  printf("%d %d %d\n", strcmp("a", "b") < 0, strncmp("abcd", "abce", 3), memcmp("a\0b", "a\0c", 3) < 0);

  unsigned char* block = malloc(70000);
  for (int i = 0; i < 70000; i++) block[i] = (unsigned char)(i * i >> 3);
  for (int round = 0; round < 200; round++) {
    size_t from = (size_t)(round * 331 % 30000), to = (size_t)(round * 577 % 30000),
           length = (size_t)(round * 97 % 35000);
    memmove(block + to, block + from, length);
  }
  printf("memmove %08x\n", hash(block, 70000));
  memset(block + 100, 0xab, 60000);
  memcpy(block + 5, "copied", 6);
  printf("memset %08x, memchr %ld\n", hash(block, 70000), (long)((unsigned char*)memchr(block, 0xab, 70000) - block));
  free(block);

  const char* numbers[] = {
      "0", "-42", "0x7fff", "0777", "99999999999999999999", "z1", "  12abc", "-9223372036854775808"};
  for (int i = 0; i < 8; i++) {
    char* end;
    errno = 0;
    long long any = strtoll(numbers[i], &end, 0);
    printf("%s -> %lld rest [%s] range %d", numbers[i], any, end, errno == ERANGE);
    printf(", base 36 %lld, base 16 %llu\n", strtoll(numbers[i], NULL, 36), strtoull(numbers[i], NULL, 16));
  }
  printf("[%5d] [%-5d] [%05d] [%+d] [%x] [%#X] [%o] [%c] [%10.3s] [%%] [%p]\n", 42, 42, 42, 42, 48879, 48879, 8, 'q',
         "abcdef", (void*)16);
  printf("[%hhd] [%hd] [%ld] [%lld] [%zu] [%jd] [%*d]\n", (signed char)-1, (short)-2, -3L, -4LL, (size_t)5,
         (intmax_t)-6, 8, 7);
  char buffer[16];
  int needed = snprintf(buffer, sizeof buffer, "%s-%d", "a longer text than fits", 1);
  printf("[%s] needed %d\n", buffer, needed);
  int a, b;
  char word[16];
  int count = sscanf("12 0x1F rest of", "%d %x %15s", &a, (unsigned*)&b, word);
  printf("%d %d %d %s\n", count, a, b, word);
  for (int c = 32; c < 127; c += 7) printf("%c%d%d%d ", c, isalpha(c) != 0, isdigit(c) != 0, ispunct(c) != 0);
  printf("\n%c%c\n", toupper('x'), tolower('Y'));
  char joined[200] = "";
  for (int i = 0; i < 10; i++) strncat(joined, &"abcdefghij"[i], 3);
  printf("%s %zu\n", joined, strlen(joined));
  return 0;
}
