#include "haagenti/base/executor.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace haagenti {
namespace {

// Meant to catch the next of a row of small calls without a wake-up by the kernel, and to end soon when there is none. Not tuned.
constexpr auto kSpin = std::chrono::microseconds(20);

struct Job {
  Job(std::size_t count, const std::function<void(std::size_t)>& function) : n(count), fn(function) {}
  const std::size_t n;
  const std::function<void(std::size_t)>& fn;
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> n_inside{0};
  std::mutex mutex;
  std::exception_ptr error;

  void run() {
    for (std::size_t i = next.fetch_add(1); i < n; i = next.fetch_add(1)) {
      try {
        fn(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
        next.store(n);
      }
    }
  }
};

class ThreadPool {
 public:
  // Where the system refuses a thread, those that exist do the work: the caller is one of them.
  explicit ThreadPool(std::size_t wanted) : wanted_(wanted) {
    workers_.reserve(wanted);
    try {
      for (std::size_t i = 0; i < wanted; ++i) workers_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
    }
  }

  ~ThreadPool() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
      ++epoch_;
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  std::size_t wanted() const { return wanted_; }

  void run(Job& job) {
    {
      const std::lock_guard lock(mutex_);
      job_ = &job;
      ++epoch_;
    }
    wake_.notify_all();
    job.run();
    {
      const std::lock_guard lock(mutex_);
      job_ = nullptr;  // nobody enters any more
    }
    while (job.n_inside.load() != 0) std::this_thread::yield();
  }

 private:
  void work() {
    std::size_t seen = 0;
    for (;;) {
      const auto deadline = std::chrono::steady_clock::now() + kSpin;
      while (epoch_.load() == seen && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
      Job* job;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return epoch_.load() != seen; });
        seen = epoch_.load();
        if (stop_) return;
        job = job_;
        if (job != nullptr) job->n_inside.fetch_add(1);
      }
      if (job == nullptr) continue;
      job->run();
      job->n_inside.fetch_sub(1);
    }
  }

  const std::size_t wanted_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<std::size_t> epoch_{0};
  Job* job_ = nullptr;
  bool stop_ = false;
  std::vector<std::thread> workers_;
};

// All of this is leaked on purpose: threads may still run while statics are destroyed at exit.
struct State {
  std::atomic_flag busy;  // one job at a time; set by the thread whose job runs
  std::unique_ptr<ThreadPool> pool;
};

// Takes the pool when nobody has it, without waiting; a nested call finds it taken.
class PoolLease {
 public:
  explicit PoolLease(State& state) : state_(state), taken_(!state.busy.test_and_set(std::memory_order_acquire)) {}
  ~PoolLease() {
    if (taken_) state_.busy.clear(std::memory_order_release);
  }
  PoolLease(const PoolLease&) = delete;
  PoolLease& operator=(const PoolLease&) = delete;
  explicit operator bool() const { return taken_; }

 private:
  State& state_;
  const bool taken_;
};

std::atomic<std::size_t> g_chosen{0};
std::atomic<std::size_t> g_default{0};
State* g_state = nullptr;
std::atomic<unsigned> g_forks{0};
std::once_flag g_once;

// The workers do not exist in a forked child: it starts with a fresh state, and the old one is never touched again.
void forget_after_fork() {
  g_state = new State;
  g_forks.fetch_add(1);
}

State& state() {
  std::call_once(g_once, [] {
    g_state = new State;
    pthread_atfork(nullptr, nullptr, &forget_after_fork);
  });
  return *g_state;
}

}  // namespace

std::size_t available_processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<std::size_t>(CPU_COUNT(&set));
  return std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

std::size_t num_threads() {
  if (const std::size_t n = g_chosen.load()) return n;
  if (const std::size_t n = g_default.load()) return n;
  return available_processors();
}

void set_num_threads(std::size_t n) { g_chosen.store(n); }
void set_default_num_threads(std::size_t n) { g_default.store(n); }

void parallel_for(std::size_t n, const std::function<void(std::size_t)>& fn) {
  Job job(n, fn);
  const std::size_t wanted = num_threads() - 1;
  if (n < 2 || wanted == 0) {
    job.run();
  } else if (const PoolLease lease(state()); lease) {
    State& shared = state();
    if (!shared.pool || shared.pool->wanted() != wanted) {
      shared.pool.reset();
      shared.pool = std::make_unique<ThreadPool>(wanted);
    }
    shared.pool->run(job);
  } else {
    job.run();
  }
  if (job.error) std::rethrow_exception(job.error);
}

void parallel_for_on(std::size_t n_threads, std::size_t n, const std::function<void(std::size_t, std::size_t)>& fn) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr error;
  const auto work = [&](std::size_t thread) {
    for (std::size_t i = next.fetch_add(1); i < n; i = next.fetch_add(1)) {
      try {
        fn(i, thread);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
        next.store(n);
      }
    }
  };
  std::vector<std::thread> others;
  others.reserve(std::min(n_threads, n));
  try {
    for (std::size_t thread = 1; thread < std::min(n_threads, n); ++thread) others.emplace_back(work, thread);
  } catch (...) {  // too little of something: whatever it is, the threads that run must be waited for
  }
  work(0);
  for (std::thread& other : others) other.join();
  if (error) std::rethrow_exception(error);
}

unsigned fork_generation() {
  state();  // registers the handler
  return g_forks.load(std::memory_order_relaxed);
}

}  // namespace haagenti
