#include "bytecodec/piece_runner.h"

#include <algorithm>

#include "haagenti/base/checked.h"
#include "haagenti/base/executor.h"

namespace haagenti {
namespace {

// A thread that is ahead of the next piece in order compresses this many pieces before it waits.
constexpr std::size_t kSlotsPerThread = 3;

}  // namespace

ByteView PieceRunner::piece_of(ByteView src, std::size_t index) const {
  const std::size_t size = format_.piece_size();
  const std::size_t begin = index * size;
  return src.subspan(begin, std::min(size, src.size() - begin));
}

void PieceRunner::prepare(std::size_t n_pieces) {
  const std::size_t n_threads = std::min<std::size_t>(threads_, n_pieces);
  while (compressors_.size() < n_threads) compressors_.push_back(format_.make_compressor());
  slots_.resize(std::max(slots_.size(), std::min(n_pieces, n_threads == 1 ? 1 : n_threads * kSlotsPerThread)));
  for (Slot& slot : slots_) slot.full = false;
  next_ = 0;
  committing_ = failed_ = false;
}

void PieceRunner::run(ByteView src, const Commit& commit) {
  const std::size_t n_pieces = ceil_div(src.size(), format_.piece_size());
  if (n_pieces == 0) return;
  prepare(n_pieces);
  parallel_for_on(threads_, n_pieces, [&](std::size_t index, std::size_t thread) {
    try {
      run_piece(src, index, thread, commit);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failed_ = true;
      committed_.notify_all();
      throw;
    }
  });
}

void PieceRunner::run_piece(ByteView src, std::size_t index, std::size_t thread, const Commit& commit) {
  if (!wait_for_slot(index)) return;
  const ByteView piece = piece_of(src, index);
  Slot& slot = slots_[index % slots_.size()];
  // Seldom done: resizing writes zeros.
  const std::uint64_t bound = format_.piece_bound(piece.size());
  if (slot.packed.size() < bound) slot.packed.resize(bound);
  slot.piece = compressors_[thread]->compress(piece, slot.packed.data());
  {
    const std::lock_guard lock(mutex_);
    slot.full = true;
  }
  commit_in_order(src, commit);
}

// False: another piece has failed, and the slot may still be in use.
bool PieceRunner::wait_for_slot(std::size_t index) {
  std::unique_lock lock(mutex_);
  committed_.wait(lock, [&] { return failed_ || index < next_ + slots_.size(); });
  return !failed_;
}

void PieceRunner::commit_in_order(ByteView src, const Commit& commit) {
  std::unique_lock lock(mutex_);
  if (committing_ || failed_) return;
  committing_ = true;
  while (slots_[next_ % slots_.size()].full && !failed_) {
    Slot& slot = slots_[next_ % slots_.size()];
    lock.unlock();
    commit(piece_of(src, next_), slot.piece, {slot.packed.data(), slot.piece.size});
    lock.lock();
    slot.full = false;
    ++next_;
    committed_.notify_all();
  }
  committing_ = false;
}

std::uint64_t PieceRunner::n_bytes_held() const {
  std::uint64_t held = 0;
  for (const Slot& slot : slots_) held += slot.packed.size();
  return held;
}

}  // namespace haagenti
