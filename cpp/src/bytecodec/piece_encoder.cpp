// A stream in pieces, gathered until every thread has some and then compressed side by side.
#include <algorithm>
#include <cstring>

#include "bytecodec/piece_runner.h"

namespace haagenti {
namespace {

// Pieces a thread compresses at a time: enough that starting the threads costs nothing beside them.
constexpr std::size_t kPiecesPerThread = 2;
// More is gathered only where it is not a piece a thread.
constexpr std::size_t kUsualBatch = 64u << 20;

std::size_t batch_size(std::size_t piece, std::size_t threads) { return std::max(piece * threads, std::min(piece * threads * kPiecesPerThread, kUsualBatch)); }

class PieceEncoder final : public Encoder {
 public:
  PieceEncoder(std::unique_ptr<PieceFormat> format, std::uint32_t threads)
      : format_(std::move(format)), runner_(*format_, threads), batch_(batch_size(format_->piece_size(), threads)) {}

  EncodeStep step(ByteView src, MutableByteView dst, Directive directive) override {
    EncodeStep step;
    for (;;) {
      step.produced += drain(dst.subspan(step.produced));
      if (given_ < staged_.size()) return step;
      const ByteView rest = src.subspan(step.consumed);
      if (!rest.empty()) {
        step.consumed += take(rest);
      } else if (directive == Directive::kContinue || settled_ == directive) {
        settled_ = Directive::kContinue;
        step.done = true;
        return step;
      } else {
        settle(directive);
      }
    }
  }

 private:
  // Gives out staged bytes; begins anew behind the last.
  std::size_t drain(MutableByteView dst) {
    const std::size_t n = std::min(dst.size(), staged_.size() - given_);
    if (n > 0) std::memcpy(dst.data(), staged_.data() + given_, n);
    given_ += n;
    if (given_ == staged_.size()) {
      staged_.clear();
      given_ = 0;
    }
    return n;
  }

  // Takes input, and compresses where there is enough of it. Whole batches are read where they lie.
  std::size_t take(ByteView src) {
    if (gathered_.empty() && src.size() >= batch_) {
      run(src.first(batch_));
      return batch_;
    }
    const std::size_t n = std::min(src.size(), batch_ - gathered_.size());
    gathered_.insert(gathered_.end(), src.begin(), src.begin() + static_cast<std::ptrdiff_t>(n));
    if (gathered_.size() == batch_) run_gathered();
    return n;
  }

  void settle(Directive directive) {
    run_gathered();
    if (directive == Directive::kFinish) {
      begin();
      format_->end(staged_);
      begun_ = false;
    }
    settled_ = directive;
  }

  void begin() {
    if (!begun_) format_->begin(staged_, std::nullopt);
    begun_ = true;
  }

  void run_gathered() {
    run(gathered_);
    gathered_.clear();
  }

  void run(ByteView src) {
    begin();
    runner_.run(src, [&](ByteView piece_src, const Piece& piece, ByteView packed) {
      format_->absorb(piece_src, piece);
      staged_.insert(staged_.end(), packed.begin(), packed.end());
      if (piece.stored) staged_.insert(staged_.end(), piece_src.begin(), piece_src.end());
    });
  }

  std::unique_ptr<PieceFormat> format_;
  PieceRunner runner_;
  const std::size_t batch_;
  std::vector<std::uint8_t> gathered_;  // input
  std::vector<std::uint8_t> staged_;    // output
  std::size_t given_ = 0;               // of staged_
  bool begun_ = false;
  Directive settled_ = Directive::kContinue;  // the directive whose output is staged already
};

}  // namespace

std::unique_ptr<Encoder> piece_encoder(std::unique_ptr<PieceFormat> format, std::uint32_t threads) {
  return std::make_unique<PieceEncoder>(std::move(format), threads);
}

}  // namespace haagenti
