// Files: writing, reading, appending, seeking, truncating, renaming, removing, and what errors say.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char* error_name(int error) {
  switch (error) {
    case 0:
      return "none";
    case ENOENT:
      return "ENOENT";
    case EEXIST:
      return "EEXIST";
    case EISDIR:
      return "EISDIR";
    case ENOTDIR:
      return "ENOTDIR";
    case EBADF:
      return "EBADF";
    case EINVAL:
      return "EINVAL";
    case ENOTEMPTY:
      return "ENOTEMPTY";
    default:
      return "another";
  }
}

static void report(const char* what, int result) { printf("%s: %s\n", what, result < 0 ? error_name(errno) : "ok"); }

static void show(const char* path) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) {
    printf("%s: %s\n", path, error_name(errno));
    return;
  }
  char text[256];
  size_t length = fread(text, 1, sizeof text - 1, file);
  text[length] = 0;
  printf("%s: %zu bytes [%s], end %d, error %d\n", path, length, text, feof(file) != 0, ferror(file) != 0);
  fclose(file);
}

static void streams(void) {
  FILE* file = fopen("notes.txt", "w");
  fprintf(file, "line %d\nline %s\n", 1, "two");
  fclose(file);
  show("notes.txt");
  file = fopen("notes.txt", "a");
  fputs("appended\n", file);
  fclose(file);
  show("notes.txt");
  file = fopen("notes.txt", "r+");
  fseek(file, 5, SEEK_SET);
  fputc('X', file);
  fseek(file, -4, SEEK_END);
  char tail[8] = {0};
  size_t length = fread(tail, 1, 3, file);
  printf("tail: %zu [%s], at %ld\n", length, tail, ftell(file));
  rewind(file);
  char line[64];
  while (fgets(line, sizeof line, file) != NULL) printf("line: %s", line);
  fclose(file);
}

static void descriptors(void) {
  int fd = open("raw.bin", O_RDWR | O_CREAT | O_EXCL, 0644);
  report("create", fd);
  report("create again", open("raw.bin", O_RDWR | O_CREAT | O_EXCL, 0644));
  unsigned char block[1000];
  for (int i = 0; i < 1000; i++) block[i] = (unsigned char)(i * 7);
  long total = 0;
  for (int i = 0; i < 50; i++) total += write(fd, block, sizeof block);
  printf("written %ld, position %ld\n", total, (long)lseek(fd, 0, SEEK_CUR));
  printf("end %ld, hole starts %ld\n", (long)lseek(fd, 0, SEEK_END), (long)lseek(fd, 60000, SEEK_SET));
  printf("write past the end: %ld\n", (long)write(fd, "end", 3));
  unsigned char back[8];
  printf("pread: %ld", (long)pread(fd, back, sizeof back, 49996));
  for (int i = 0; i < 8; i++) printf(" %d", back[i]);
  printf("\npwrite: %ld\n", (long)pwrite(fd, "abc", 3, 10));
  printf("position kept: %ld\n", (long)lseek(fd, 0, SEEK_CUR));
  struct stat info;
  report("fstat", fstat(fd, &info));
  printf("size %ld, regular %d, links %d\n", (long)info.st_size, S_ISREG(info.st_mode), (int)info.st_nlink);
  report("ftruncate", ftruncate(fd, 100));
  report("fstat", fstat(fd, &info));
  printf("size %ld\n", (long)info.st_size);
  report("negative seek", (int)lseek(fd, -1, SEEK_SET));
  report("fsync", fsync(fd));
  report("close", close(fd));
  report("close again", close(fd));
  report("write when closed", (int)write(fd, "x", 1));
  fd = open("raw.bin", O_RDONLY);
  report("write to a read-only descriptor", (int)write(fd, "x", 1));
  close(fd);
  fd = open("raw.bin", O_WRONLY | O_APPEND);
  lseek(fd, 0, SEEK_SET);
  write(fd, "tail", 4);
  close(fd);
  fd = open("raw.bin", O_RDONLY);
  printf("after append %ld\n", (long)lseek(fd, 0, SEEK_END));
  close(fd);
  fd = open("raw.bin", O_WRONLY | O_TRUNC);
  close(fd);
  report("stat", stat("raw.bin", &info));
  printf("truncated to %ld\n", (long)info.st_size);
}

static void names(void) {
  report("rename", rename("notes.txt", "renamed.txt"));
  show("notes.txt");
  show("renamed.txt");
  report("link", link("renamed.txt", "second.txt"));
  struct stat info;
  stat("renamed.txt", &info);
  printf("links: %d\n", (int)info.st_nlink);
  report("unlink", unlink("renamed.txt"));
  show("second.txt");
  report("unlink what is not there", unlink("absent"));
  report("open what is not there", open("absent", O_RDONLY));
  report("open a directory for writing", open(".", O_WRONLY));
  report("file as directory", open("second.txt/x", O_RDONLY));
  report("access", access("second.txt", R_OK));
  report("access what is not there", access("absent", F_OK));
  report("mkdir over a file", mkdir("second.txt", 0755));
}

int main(void) {
  show("input.txt");
  streams();
  descriptors();
  names();
  return 0;
}
