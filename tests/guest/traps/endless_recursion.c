// Recursion without end that needs no memory of its own: the engine's stack is what runs out.
static int descend(int n);
static int (*volatile next)(int) = descend;

__attribute__((noinline)) static int descend(int n) { return next(n + 1) ^ n; }

int main(void) { return next(0); }
