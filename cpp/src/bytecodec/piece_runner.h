// Compresses the pieces of a buffer on several threads and hands them on in order.
// Not responsible for headers, trailers or where the bytes go.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>

#include "haagenti/bytecodec/pieces.h"

namespace haagenti {

class PieceRunner {
 public:
  // Called in order, one at a time, while other pieces are being compressed.
  using Commit = std::function<void(ByteView src, const Piece& piece, ByteView packed)>;

  PieceRunner(const PieceFormat& format, std::uint32_t threads) : format_(format), threads_(threads) {}

  void run(ByteView src, const Commit& commit);
  std::uint64_t n_bytes_held() const;

 private:
  struct Slot {
    std::vector<std::uint8_t> packed;
    Piece piece;
    bool full = false;
  };

  void prepare(std::size_t n_pieces);
  void run_piece(ByteView src, std::size_t index, std::size_t thread, const Commit& commit);
  bool wait_for_slot(std::size_t index);
  void commit_in_order(ByteView src, const Commit& commit);
  ByteView piece_of(ByteView src, std::size_t index) const;

  const PieceFormat& format_;
  const std::uint32_t threads_;
  std::vector<std::unique_ptr<PieceCompressor>> compressors_;  // one a thread
  std::vector<Slot> slots_;

  std::mutex mutex_;
  std::condition_variable committed_;
  std::size_t next_ = 0;     // the first piece not committed
  bool committing_ = false;  // by the thread that found the next piece ready
  bool failed_ = false;
};

}  // namespace haagenti
