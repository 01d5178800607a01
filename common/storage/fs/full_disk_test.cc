// The file store on a disk that is really full: a small tmpfs in a mount namespace of a child
// process. Where that is not permitted, FsStoreTest's limit on file sizes is all there is.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "common/base/hash.h"
#include "common/storage/fs/fs_store.h"
#include "common/storage/identity.h"
#include "common/storage/result_store_contract.h"

namespace phasor::storage {
namespace {

namespace fs = std::filesystem;

constexpr int kNotPermitted = 77;

bool MountSmallDisk(const std::string& folder) {
  const int flags = ::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER;
  return ::unshare(flags) == 0 &&
         ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("none", folder.c_str(), "tmpfs", 0, "size=256k") == 0;
}

size_t Unfinished(const std::string& folder) {
  size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    files += entry.path().string().find(".tmp-") != std::string::npos;
  }
  return files;
}

// "" or the first thing that is wrong.
std::string ProblemOnAFullDisk(const std::string& folder) {
  const auto store = FsStore::Open({.root = folder}).value();
  if (!Identify(*store, "").ok()) return "no identity";
  const std::string blob(20'000, 'x');
  Status put;
  int written = 0;
  while (put.ok() && written < 100) {
    put = store->Put("jobs/a/r/" + std::to_string(written), blob);
    written += put.ok() ? 1 : 0;
  }
  if (put.code() != StatusCode::kResourceExhausted) return "put: " + put.ToString();
  while (store->Put("jobs/a/small/" + RandomToken(), "x").ok()) {
  }
  const Status opened = FsStore::Open({.root = folder}).status();
  if (!opened.ok()) return "a full store is to be opened: " + opened.ToString();
  const Status created = store->CreateTerminal(TestRecord(1)).status();
  TerminalRecord large = TestRecord(2);
  large.details.assign(100'000, 'x');
  const Status refused = store->CreateTerminal(large).status();
  if (refused.code() != StatusCode::kResourceExhausted) return "create: " + refused.ToString();
  if (store->ReadTerminal(TestId(2)).status().code() != StatusCode::kNotFound)
    return "half a record";
  if (store->ReadTerminal(TestId(1)).ok() != created.ok()) return "a record in spite of an error";
  if (Unfinished(folder) != 0) return "something half-written is left";
  for (int i = 0; i < written; ++i) {
    if (store->Get("jobs/a/r/" + std::to_string(i)).value() != blob) return "a blob is damaged";
  }
  for (int i = 0; i < written; ++i) {
    if (!store->Delete("jobs/a/r/" + std::to_string(i)).ok()) return "no deleting on a full disk";
  }
  const Status again = store->CreateTerminal(large).status();
  return again.ok() ? "" : "with room again: " + again.ToString();
}

TEST(FullDiskTest, WhatDoesNotFitIsExhaustedAndNothingHalfWrittenIsLeft) {
  std::string folder = testing::TempDir() + "phasor-full-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (!MountSmallDisk(folder)) _exit(kNotPermitted);
    const std::string problem = ProblemOnAFullDisk(folder);
    if (!problem.empty()) std::fprintf(stderr, "%s\n", problem.c_str());
    _exit(problem.empty() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  fs::remove_all(folder);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNotPermitted) {
    GTEST_SKIP() << "mounting a tmpfs is not permitted here";
  }
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace phasor::storage
