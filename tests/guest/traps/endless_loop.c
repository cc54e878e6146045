// Stopped from outside, by a deadline.
int main(void) {
  for (volatile int i = 0;; i++) {
  }
}
