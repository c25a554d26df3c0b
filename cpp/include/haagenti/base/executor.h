// Runs independent pieces of work on a few threads. The pieces, not the threads, decide the result: same bytes for every thread count.
// Not responsible for ordering, priorities or nesting (a nested or concurrent call runs its pieces on the calling thread).
#pragma once

#include <cstddef>
#include <functional>

namespace haagenti {

// Processors this process may run on.
std::size_t available_processors();

// Threads that `parallel_for` uses, the caller among them.
std::size_t num_threads();

// n = 0 restores the default: the processors this process may run on, or what set_default_num_threads said.
void set_num_threads(std::size_t n);

// What to use as long as set_num_threads was not called (a framework's own choice).
void set_default_num_threads(std::size_t n);

// Calls fn(0) .. fn(n - 1), each once, and returns when all have returned. The first exception is thrown here after the running pieces
// have ended; pieces not begun by then are dropped.
void parallel_for(std::size_t n, const std::function<void(std::size_t)>& fn);

// As parallel_for, on n_threads of its own, the caller among them: for long work whose caller names the number, and for several callers at
// once. fn is given the piece and the thread (0 .. n_threads - 1). Where the system refuses a thread, the others do its work.
void parallel_for_on(std::size_t n_threads, std::size_t n, const std::function<void(std::size_t piece, std::size_t thread)>& fn);

// How often this process is a fork of the one that loaded the library: what holds threads is made anew when the number changes.
unsigned fork_generation();

}  // namespace haagenti
