// The executor: every piece once, exceptions, nesting, fork.
#include "haagenti/base/executor.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

namespace haagenti {
namespace {

TEST(Executor, RunsEveryPieceOnce) {
  for (const std::size_t threads : {1, 2, 5}) {
    set_num_threads(threads);
    for (const std::size_t n : {0, 1, 2, 1000}) {
      std::vector<std::atomic<int>> seen(n);
      parallel_for(n, [&](std::size_t i) { ++seen[i]; });
      for (const auto& count : seen) EXPECT_EQ(count.load(), 1);
    }
  }
  set_num_threads(0);
}

TEST(Executor, ThrowsTheFirstExceptionAndStaysUsable) {
  set_num_threads(3);
  EXPECT_THROW(parallel_for(100, [](std::size_t i) { if (i == 7) throw std::runtime_error("seven"); }), std::runtime_error);
  std::atomic<int> count = 0;
  parallel_for(100, [&](std::size_t) { ++count; });
  EXPECT_EQ(count.load(), 100);
  set_num_threads(0);
}

TEST(Executor, NestedAndConcurrentCallsFinish) {
  set_num_threads(2);
  std::atomic<int> count = 0;
  const auto work = [&] {
    for (int k = 0; k < 50; ++k) {
      parallel_for(8, [&](std::size_t) { parallel_for(4, [&](std::size_t) { ++count; }); });
    }
  };
  std::thread other(work);
  work();
  other.join();
  EXPECT_EQ(count.load(), 2 * 50 * 8 * 4);
  set_num_threads(0);
}

TEST(Executor, WorksWhereTheSystemRefusesThreads) {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit limit{1, 1};
    setrlimit(RLIMIT_NPROC, &limit);
    if (getuid() == 0 && setuid(65534) != 0) _exit(2);  // root is not limited
    set_num_threads(64);
    std::atomic<int> count = 0;
    for (int k = 0; k < 3; ++k) parallel_for(100, [&](std::size_t) { ++count; });
    _exit(count.load() == 300 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(Executor, WorksInAForkedChild) {
  set_num_threads(2);
  parallel_for(4, [](std::size_t) {});
  const pid_t child = fork();
  if (child == 0) {
    std::atomic<int> count = 0;
    parallel_for(100, [&](std::size_t) { ++count; });
    _exit(count.load() == 100 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  set_num_threads(0);
}

}  // namespace
}  // namespace haagenti
