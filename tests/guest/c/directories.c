// Directories: making, listing, walking, removing; links; many entries.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int by_text(const void* a, const void* b) { return strcmp(*(char* const*)a, *(char* const*)b); }

static size_t list(const char* path, char** names, size_t capacity) {
  DIR* dir = opendir(path);
  if (dir == NULL) {
    printf("%s cannot be listed\n", path);
    return 0;
  }
  size_t count = 0;
  for (struct dirent* entry; (entry = readdir(dir)) != NULL;) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (count < capacity) names[count++] = strdup(entry->d_name);
  }
  closedir(dir);
  qsort(names, count, sizeof(char*), by_text);
  return count;
}

static void walk(const char* path, int depth) {
  char* names[64];
  size_t count = list(path, names, 64);
  for (size_t i = 0; i < count; i++) {
    char child[512];
    snprintf(child, sizeof child, "%s/%s", path, names[i]);
    struct stat info;
    if (lstat(child, &info) != 0) {
      printf("%s: no stat\n", child);
    } else {
      const char* kind = S_ISDIR(info.st_mode) ? "directory" : S_ISLNK(info.st_mode) ? "link" : "file";
      printf("%*s%s (%s, %ld)\n", depth * 2, "", names[i], kind, S_ISREG(info.st_mode) ? (long)info.st_size : -1L);
      if (S_ISDIR(info.st_mode)) walk(child, depth + 1);
    }
    free(names[i]);
  }
}

static void put(const char* path, const char* text) {
  FILE* file = fopen(path, "w");
  if (file == NULL) {
    printf("%s cannot be made\n", path);
    return;
  }
  fputs(text, file);
  fclose(file);
}

int main(void) {
  printf("mkdir %d\n", mkdir("tree", 0755));
  printf("mkdir again %d, exists %d\n", mkdir("tree", 0755), errno == EEXIST);
  mkdir("tree/a", 0755);
  mkdir("tree/a/b", 0755);
  put("tree/one.txt", "1");
  put("tree/a/two.txt", "22");
  put("tree/a/b/three.txt", "333");
  put("tree/\xc3\xa4\xe2\x82\xac.txt", "names are bytes");
  printf("symlink %d\n", symlink("a/two.txt", "tree/link"));
  walk("tree", 0);

  char target[64];
  long length = readlink("tree/link", target, sizeof target);
  printf("link -> %.*s\n", (int)length, target);
  struct stat through;
  printf("stat through the link %d, %ld bytes\n", stat("tree/link", &through), (long)through.st_size);
  put("tree/link", "written through the link");
  printf("target has now %ld bytes\n", stat("tree/a/two.txt", &through) == 0 ? (long)through.st_size : -1L);

  printf("rmdir of a full one %d, not empty %d\n", rmdir("tree/a"), errno == ENOTEMPTY);
  printf("unlink of a directory %d\n", unlink("tree/a") == 0);
  printf("rename of a directory %d\n", rename("tree/a/b", "tree/moved"));
  walk("tree", 0);
  printf("dots: %d\n", stat("tree/a/../moved/./three.txt", &through));

  mkdir("many", 0755);
  for (int i = 0; i < 700; i++) {
    char name[64];
    snprintf(name, sizeof name, "many/entry-%03d-with-a-name-of-some-length", (i * 37) % 700);
    put(name, "");
  }
  char** names = malloc(1000 * sizeof(char*));
  size_t count = list("many", names, 1000);
  printf("%zu entries, first %s, last %s\n", count, names[0], names[count - 1]);
  for (size_t i = 0; i < count; i++) {
    char name[128];
    snprintf(name, sizeof name, "many/%s", names[i]);
    if (unlink(name) != 0) printf("%s cannot be removed\n", name);
    free(names[i]);
  }
  free(names);
  printf("rmdir %d\n", rmdir("many"));
  DIR* dir = opendir("tree");
  int first = 0;
  int second = 0;
  while (readdir(dir) != NULL) first++;
  rewinddir(dir);
  while (readdir(dir) != NULL) second++;
  printf("rewound: %d\n", first == second);
  closedir(dir);
  return 0;
}
