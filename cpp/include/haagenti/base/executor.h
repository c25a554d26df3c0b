// Runs independent pieces of work on a few threads. The pieces, not the threads, decide the result: same bytes for every thread count.
// Not responsible for ordering, priorities or nesting (a nested or concurrent call runs its pieces on the calling thread).
#pragma once

#include <cstddef>
#include <functional>

namespace haagenti {

// Threads that `parallel_for` uses, the caller among them.
std::size_t num_threads();

// n = 0 restores the default: the processors this process may run on, or what set_default_num_threads said.
void set_num_threads(std::size_t n);

// What to use as long as set_num_threads was not called (a framework's own choice).
void set_default_num_threads(std::size_t n);

// Calls fn(0) .. fn(n - 1), each once, and returns when all have returned. The first exception is thrown here after the running pieces
// have ended; pieces not begun by then are dropped.
void parallel_for(std::size_t n, const std::function<void(std::size_t)>& fn);

}  // namespace haagenti
