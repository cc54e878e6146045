// `..` in every position of a path.
#include "escape.h"

int main(void) {
  static const char* const kOut[] = {
      "..",
      "../",
      "..//",
      "./..",
      "../.",
      "../..",
      "../../../../../../../../../../../../etc/passwd",
      "../outside",
      "../outside/",
      "../outside/secret",
      "../outside/planted",
      "./../outside/secret",
      ".//..//outside//secret",
      "../root/file",  // out and back in
      "../root",
      "folder/../../outside/secret",
      "folder/../..",
      "folder/../../",
      "folder/../../root/file",
      "folder/deep/../../../outside/secret",
      "folder/deep/../deep/../../../outside/planted",
      "folder/./.././../outside/secret",
      "folder/deep/../../..",
      "folder/deep/../../../root/folder/../file",
      "inward/../../outside/secret",  // inward -> folder/deep, so `..` is folder
      "inward/../../../outside/secret",
      "inward/../../..",
  };
  for (unsigned i = 0; i < sizeof kOut / sizeof *kOut; ++i) {
    // This one stays inside: it is folder/deep/../../outside.
    if (strcmp(kOut[i], "inward/../../outside/secret") == 0) {
      REFUSED_BY_ALL(kRoot, kOut[i], NOENT);
    } else {
      REFUSED_BY_ALL(kRoot, kOut[i], NOTCAPABLE);
    }
  }
  // From a directory further down it is the same: what lies above is not part of it.
  Fd folder = 0;
  EXPECT(OK, open_fd(kRoot, "folder", 0, kDirectory, kAllRights & ~kWrite, &folder));
  EXPECT(NOTCAPABLE, open_path(folder, "..", kFollow, kDirectory, kRead));
  EXPECT(NOTCAPABLE, open_path(folder, "../file", kFollow, 0, kRead));
  EXPECT(NOTCAPABLE, open_path(folder, "deep/../../file", kFollow, 0, kRead));
  EXPECT(NOTCAPABLE, rename_path(folder, "deep", folder, "../deep"));
  EXPECT(OK, rename_path(folder, "deep", kRoot, "moved"));  // to where the other descriptor reaches
  EXPECT(OK, rename_path(kRoot, "moved", folder, "deep"));

  // Those that stay inside work.
  static const char* const kIn[] = {"folder/../file", "folder/deep/../../file", "./folder/.././file",
                                    "inward/../../file", "folder/deep/.././../file"};
  for (unsigned i = 0; i < sizeof kIn / sizeof *kIn; ++i) {
    REQUIRE(strcmp(content(kRoot, kIn[i]), "file") == 0);
  }
  // `..` behind what is no directory or is not there is an error, not a way back.
  EXPECT(NOTDIR, open_path(kRoot, "file/..", kFollow, 0, kRead));
  EXPECT(NOTDIR, open_path(kRoot, "file/../file", kFollow, 0, kRead));
  EXPECT(NOENT, open_path(kRoot, "nothing/../file", kFollow, 0, kRead));
  UNTOUCHED(kRoot);
  return finish();
}
