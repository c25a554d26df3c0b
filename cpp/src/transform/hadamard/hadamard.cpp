// The transform of an array of blocks: checks, pieces of work for the threads, scratch, polling.
// Not responsible for the passes of a block (block.h).
#include "haagenti/transform/hadamard.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <thread>

#include "haagenti/base/buffer.h"
#include "haagenti/base/checked.h"
#include "haagenti/base/error.h"
#include "haagenti/base/executor.h"
#include "transform/hadamard/block.h"

namespace haagenti {
namespace {

constexpr std::uint64_t kPieceElements = 65536;  // 20 to 60 microseconds of one core
constexpr std::uint64_t kStreamBytes = 8 << 20;  // of a result that is not worth keeping in a cache; as in encoding/decode.cpp
constexpr std::uint64_t kFromMemoryBytes = 4 << 20;  // of an array that does not stay in an L2 cache
constexpr std::uint64_t kKeptBytes = 8 << 20;    // scratch that a thread keeps for the next call

// Asks the caller's function on the caller's thread, at most once in kPause.
class PollNowAndThen {
 public:
  explicit PollNowAndThen(const Poll& poll) : poll_(poll) {}
  void operator()() {
    if (!poll_ || std::this_thread::get_id() != thread_) return;
    const auto now = std::chrono::steady_clock::now();
    if (now - asked_ < kPause) return;
    asked_ = now;
    poll_();
  }

 private:
  static constexpr auto kPause = std::chrono::milliseconds(5);
  const Poll& poll_;
  const std::thread::id thread_ = std::this_thread::get_id();
  std::chrono::steady_clock::time_point asked_ = std::chrono::steady_clock::now();
};

// Bytes of this thread, until the next call.
std::uint8_t* scratch(std::uint64_t n_bytes) {
  thread_local Buffer buffer;
  if (buffer.size() < n_bytes) buffer = Buffer(n_bytes);
  return buffer.data();
}

// Runs fn(0) .. fn(n - 1) on the threads, or here when there is one piece.
template <class Fn>
void for_each_piece(std::uint64_t n, PollNowAndThen& poll, const Fn& fn) {
  const auto piece = [&](std::size_t i) {
    fn(i);
    poll();
  };
  if (n == 1) return piece(0);
  parallel_for(n, piece);
}

void check(const HadamardArgs& a) {
  if (!std::has_single_bit(a.block)) fail(ErrorKind::kInvalidArgument, "hadamard: expected a block that is a power of two, found ", a.block);
  if (a.cols % a.block != 0) fail(ErrorKind::kInvalidArgument, "hadamard: the block ", a.block, " does not divide rows of ", a.cols);
  if (a.dtype != DType::kF32 && a.dtype != DType::kF64 && a.dtype != DType::kF16 && a.dtype != DType::kBF16) {
    fail(ErrorKind::kInvalidArgument, "hadamard: expected F32, F64, F16 or BF16, found ", dtype_name(a.dtype));
  }
}

// Rows that follow each other without a gap are one row, where signs do not tell them apart.
HadamardArgs joined(HadamardArgs a) {
  if (a.seed || a.src_stride != a.cols || a.dst_stride != a.cols) return a;
  a.cols *= a.rows;
  a.rows = 1;
  return a;
}

HadamardJob job_of(const HadamardArgs& a) {
  using When = HadamardSigns::When;
  HadamardJob job{};
  job.dtype = a.dtype;
  job.computed = a.dtype == DType::kF64 ? DType::kF64 : DType::kF32;
  job.block = a.block;
  const double scale = 1.0 / std::sqrt(static_cast<double>(a.block));
  job.scale = a.dtype == DType::kF64 ? scale : static_cast<double>(static_cast<float>(scale));
  job.tile_log2 = hadamard_tile_log2(job.computed);
  job.radix_log2 = hadamard_radix_log2();
  const std::uint64_t n_bytes = a.rows * a.cols * job.element_size();
  const std::uint64_t row_bytes = a.dst_stride * job.element_size(), block_bytes = a.block * job.element_size();
  const bool aligned = reinterpret_cast<std::uintptr_t>(a.dst) % 64 == 0 && row_bytes % 64 == 0 && block_bytes % 64 == 0;
  job.stream = a.src != a.dst && n_bytes > kStreamBytes && aligned && a.dtype == job.computed && a.block <= kFarBlock;
  job.from_memory = n_bytes > kFromMemoryBytes;
  job.signs = {!a.seed ? When::kNever : a.inverse ? When::kAfter : When::kBefore, a.seed.value_or(0), a.col_begin};
  return job;
}

// Blocks of at most kFarBlock elements: pieces of rows, or of parts of long rows.
class ManyBlocks {
 public:
  ManyBlocks(const HadamardArgs& args, const HadamardJob& job) : a_(args), job_(job) {
    segment_ = std::min(a_.cols, round_up(kPieceElements, a_.block));
    per_row_ = ceil_div(a_.cols, segment_);
    per_piece_ = std::max<std::uint64_t>(1, kPieceElements / segment_);
  }

  std::uint64_t pieces() const { return ceil_div(a_.rows * per_row_, per_piece_); }

  void piece(std::uint64_t i) const {
    const std::uint64_t end = std::min(a_.rows * per_row_, (i + 1) * per_piece_);
    for (std::uint64_t s = i * per_piece_; s < end; ++s) {
      const std::uint64_t begin = s % per_row_ * segment_;
      segment(s / per_row_, begin, std::min(segment_, a_.cols - begin));
    }
  }

 private:
  const std::uint8_t* source(std::uint64_t row, std::uint64_t column) const { return a_.src + (row * a_.src_stride + column) * job_.element_size(); }

  void segment(std::uint64_t row, std::uint64_t column, std::uint64_t n) const {
    const std::uint64_t size = job_.element_size();
    HadamardBlock block{source(row, column), nullptr, a_.dst + (row * a_.dst_stride + column) * size, column};
    if (fits_tile(job_)) return transform_small_blocks(job_, block, n);
    const std::uint8_t* next = !job_.from_memory ? nullptr : column + n < a_.cols ? source(row, column + n) : row + 1 < a_.rows ? source(row + 1, 0) : nullptr;
    std::uint8_t* work = job_.dtype == job_.computed && !job_.stream ? nullptr : scratch(a_.block * job_.computed_size());
    for (std::uint64_t at = 0; at < n; at += a_.block) {
      block.work = work != nullptr ? work : block.dst;
      block.next = job_.from_memory && at + a_.block < n ? block.src + a_.block * size : next;
      transform_block(job_, block);
      block.src += a_.block * size;
      block.dst += a_.block * size;
      block.column += a_.block;
    }
  }

  const HadamardArgs& a_;
  const HadamardJob& job_;
  std::uint64_t segment_;
  std::uint64_t per_row_;
  std::uint64_t per_piece_;
};

// A block of more than kFarBlock elements: first its parts, then its columns.
void transform_long_block(const HadamardJob& job, const HadamardBlock& block, PollNowAndThen& poll) {
  for_each_piece(job.block / kFarBlock, poll, [&](std::size_t part) { transform_part(job, block, part); });
  const std::uint64_t width = strip_width(job), bytes = job.block / kFarBlock * width * job.computed_size();
  for_each_piece(kFarBlock / width, poll, [&](std::size_t strip) {
    if (bytes <= kKeptBytes) return transform_strip(job, block, strip * width, width, scratch(bytes));
    transform_strip(job, block, strip * width, width, Buffer(bytes).data());
  });
}

void transform_long_blocks(const HadamardArgs& a, const HadamardJob& job, PollNowAndThen& poll) {
  const std::uint64_t size = job.element_size();
  Buffer work(job.dtype == job.computed ? 0 : a.block * job.computed_size());
  for (std::uint64_t row = 0; row < a.rows; ++row) {
    for (std::uint64_t column = 0; column < a.cols; column += a.block) {
      std::uint8_t* dst = a.dst + (row * a.dst_stride + column) * size;
      const std::uint8_t* src = a.src + (row * a.src_stride + column) * size;
      transform_long_block(job, {src, work.size() != 0 ? work.data() : dst, dst, column}, poll);
    }
  }
}

}  // namespace

void hadamard(const HadamardArgs& given, const Poll& poll) {
  check(given);
  if (given.rows == 0 || given.cols == 0) return;
  const HadamardArgs args = joined(given);
  const HadamardJob job = job_of(args);
  PollNowAndThen now_and_then(poll);
  if (args.block > kFarBlock) return transform_long_blocks(args, job, now_and_then);
  const ManyBlocks blocks(args, job);
  for_each_piece(blocks.pieces(), now_and_then, [&](std::size_t i) { blocks.piece(i); });
}

}  // namespace haagenti
