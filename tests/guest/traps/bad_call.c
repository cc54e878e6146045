// A call through a pointer of another type.
__attribute__((noinline)) long long other(double x) { return (long long)x; }

int main(void) {
  void* volatile pointer = (void*)other;
  return ((int (*)(int, int))pointer)(1, 2);
}
