// A program's temporary files below /tmp (or where TMPDIR says): made, renamed, listed, mapped out and thrown away.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char* root;

static const char* in(const char* name) {
  static char paths[4][512];
  static int next;
  char* path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", root, name);
  return path;
}

// wasi-libc has no mkstemp: the same by hand.
static int make_temporary(char* name, size_t size) {
  for (int attempt = 0; attempt < 100; attempt++) {
    snprintf(name, size, "temporary-%02d", attempt);
    int fd = open(in(name), O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd >= 0 || errno != EEXIST) return fd;
  }
  return -1;
}

static int by_text(const void* a, const void* b) { return strcmp(*(char* const*)a, *(char* const*)b); }

static void list(const char* path) {
  char* names[256];
  size_t count = 0;
  DIR* dir = opendir(path);
  if (dir == NULL) {
    printf("cannot list: %s\n", strerror(errno));
    return;
  }
  int dots = 0;
  for (struct dirent* entry; (entry = readdir(dir)) != NULL;) {
    if (entry->d_name[0] == '.') {
      dots++;
    } else if (count < 256) {
      names[count++] = strdup(entry->d_name);
    }
  }
  closedir(dir);
  qsort(names, count, sizeof(char*), by_text);
  printf("%d dots, %zu entries:", dots, count);
  for (size_t i = 0; i < count; i++) {
    if (i < 8) printf(" %s", names[i]);
    free(names[i]);
  }
  printf("\n");
}

static void show(const char* name) {
  char text[100];
  FILE* file = fopen(in(name), "r");
  if (file == NULL) {
    printf("%s: %d\n", name, errno == ENOENT);
    return;
  }
  size_t size = fread(text, 1, sizeof text, file);
  printf("%s: %zu bytes, \"%.*s\"\n", name, size, (int)size, text);
  fclose(file);
}

static void put(const char* name, const char* mode, const char* text) {
  FILE* file = fopen(in(name), mode);
  if (file == NULL) {
    printf("%s cannot be opened: %s\n", name, strerror(errno));
    return;
  }
  fputs(text, file);
  if (fclose(file) != 0) printf("%s cannot be closed\n", name);
}

int main(void) {
  const char* given = getenv("TMPDIR");
  root = given != NULL ? given : "/tmp";
  list(root);

  // Two temporary files, the first of which is unlinked while it is open.
  char first[64];
  char second[64];
  int a = make_temporary(first, sizeof first);
  int b = make_temporary(second, sizeof second);
  printf("temporary files %s %s, opened %d\n", first, second, a >= 0 && b >= 0);
  unlink(in(first));
  printf("wrote %zd\n", write(a, "still here", 10));
  char text[32] = "";
  printf("read %zd: %s\n", pread(a, text, 10, 0), text);
  struct stat info;
  printf("links %ld, size %ld\n", fstat(a, &info) == 0 ? (long)info.st_nlink : -1L, (long)info.st_size);
  close(a);

  // A sparse file of a gigabyte and a bit.
  printf("seek %lld\n", (long long)lseek(b, 1LL << 30, SEEK_SET));
  printf("write %zd\n", write(b, "end", 3));
  printf("size %lld\n", fstat(b, &info) == 0 ? (long long)info.st_size : -1LL);
  memset(text, 'x', sizeof text);
  printf("hole reads %zd", pread(b, text, 4, 12345678));
  printf(" as %d\n", text[0] + text[1] + text[2] + text[3]);
  printf("truncate %d\n", ftruncate(b, 2));
  close(b);
  unlink(in(second));

  // Texts, appended to, renamed over each other, linked.
  put("log", "w", "one\n");
  put("log", "a", "two\n");
  put("other", "w", "to be replaced");
  show("log");
  printf("rename %d\n", rename(in("log"), in("other")));
  show("log");
  show("other");
  printf("link %d, symlink %d\n", link(in("other"), in("hard")), symlink("other", in("soft")));
  put("soft", "a", "three\n");
  show("hard");
  printf("links %ld\n", stat(in("soft"), &info) == 0 ? (long)info.st_nlink : -1L);
  long length = readlink(in("soft"), text, sizeof text);
  printf("readlink %.*s\n", (int)length, text);

  // Update in place, by a FILE in both directions.
  FILE* file = fopen(in("numbers"), "w+");
  for (int i = 0; i < 10000; i++) fprintf(file, "%06d\n", i);
  fseek(file, 7 * 5000, SEEK_SET);
  fputs("middle", file);
  rewind(file);
  char line[16];
  int lines = 0;
  int odd = 0;
  while (fgets(line, sizeof line, file) != NULL) {
    if (strcmp(line, "middle\n") == 0) {
      odd = lines;
    } else if (atoi(line) != lines) {
      printf("line %d is %s", lines, line);
    }
    lines++;
  }
  printf("%d lines, line %d is another\n", lines, odd);
  fclose(file);

  // Directories: what is in the way, what is moved, what is removed.
  printf("mkdir %d %d\n", mkdir(in("d"), 0755), mkdir(in("d/e"), 0755));
  printf("again %d, exists %d\n", mkdir(in("d"), 0755), errno == EEXIST);
  printf("into itself %d, invalid %d\n", rename(in("d"), in("d/e/f")), errno == EINVAL);
  printf("over a file %d\n", rename(in("d"), in("other")));
  printf("full %d, not empty %d\n", rmdir(in("d")), errno == ENOTEMPTY);
  for (int i = 0; i < 200; i++) {
    char name[64];
    snprintf(name, sizeof name, "d/e/file-%03d", i);
    put(name, "w", name);
  }
  printf("move %d\n", rename(in("d/e"), in("moved")));
  list(in("moved"));
  DIR* dir = opendir(in("moved"));
  int removed = 0;
  for (struct dirent* entry; (entry = readdir(dir)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    char name[64];
    snprintf(name, sizeof name, "moved/%s", entry->d_name);
    if (unlink(in(name)) == 0) removed++;
  }
  closedir(dir);
  printf("removed %d while listing\n", removed);
  printf("rmdir %d %d\n", rmdir(in("moved")), rmdir(in("d")));
  printf("opening none: %d\n", open(in("none/file"), O_RDONLY) < 0 && errno == ENOENT);
  printf("opening below a file: %d\n", open(in("other/file"), O_RDONLY) < 0 && errno == ENOTDIR);
  printf("a slash behind a file: %d\n", open(in("other/"), O_RDONLY) < 0 && errno == ENOTDIR);
  list(root);
  for (size_t i = 0; i < 4; i++) unlink(in((const char*[]){"other", "hard", "soft", "numbers"}[i]));
  list(root);
  return 0;
}
