// malloc and free of many small nodes: binary trees of depth 4 to 14, made, walked and freed.
#include "bench.h"

typedef struct Tree {
  struct Tree* left;
  struct Tree* right;
} Tree;

static Tree* make(int depth) {
  Tree* tree = allocate(sizeof *tree);
  tree->left = depth > 0 ? make(depth - 1) : NULL;
  tree->right = depth > 0 ? make(depth - 1) : NULL;
  return tree;
}

static uint32_t count(const Tree* tree) { return tree == NULL ? 0 : 1 + count(tree->left) + count(tree->right); }

static void release(Tree* tree) {
  if (tree == NULL) return;
  release(tree->left);
  release(tree->right);
  free(tree);
}

static uint64_t run(uint32_t size) {
  uint64_t nodes = 0;
  Tree* kept = make(12);
  for (uint32_t round = 0; round < size; round++) {
    Tree* tree = make(4 + (int)(round % 11));
    nodes += count(tree);
    release(tree);
  }
  nodes += count(kept);
  release(kept);
  return nodes;
}

KERNEL(72, NULL)
