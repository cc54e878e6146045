// without_openat2 ERRNO COMMAND...: runs a command whose openat2 fails, as in a container whose seccomp profile does
// not know it (ENOSYS, or EPERM from older ones).
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const unsigned error = (unsigned)atoi(argv[1]);
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog filter = {sizeof program / sizeof *program, program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    perror("without_openat2: no filter");
    return 77;
  }
  // Proves that the filter works: without it the null pointer would be EFAULT or EINVAL.
  if (syscall(SYS_openat2, -1, NULL, NULL, 0) != -1 || errno != (int)error) return 2;
  execv(argv[2], argv + 2);
  perror(argv[2]);
  return 127;
}
