#include "transform/hadamard/block.h"

#include <algorithm>
#include <bit>

namespace haagenti {
namespace {

unsigned log2_of(std::uint64_t power) { return static_cast<unsigned>(std::countr_zero(power)); }

unsigned pass_count(const HadamardJob& job, unsigned begin, unsigned end) { return (end - begin + job.radix_log2 - 1) / job.radix_log2; }

// Calls fn(log2 of the first step's distance, log2 of the rows) for passes that share the steps [begin, end) evenly.
template <class Fn>
void for_each_pass(const HadamardJob& job, unsigned begin, unsigned end, const Fn& fn) {
  while (begin < end) {
    const unsigned passes = pass_count(job, begin, end);
    const unsigned log2_rows = (end - begin + passes - 1) / passes;
    fn(begin, log2_rows);
    begin += log2_rows;
  }
}

// The next of the passes that share the bytes from `next` on.
class SharedAhead {
 public:
  SharedAhead(const std::uint8_t* next, std::uint64_t n_bytes, unsigned passes) : next_(next), share_(next == nullptr ? 0 : n_bytes / std::max(1u, passes)) {}
  Ahead take() {
    const Ahead ahead{next_, share_};
    next_ += share_;
    return ahead;
  }

 private:
  const std::uint8_t* next_;
  const std::uint64_t share_;
};

HadamardSigns signs_at(const HadamardJob& job, HadamardSigns::When when, std::uint64_t column) {
  HadamardSigns signs = job.signs;
  if (signs.when != when) signs.when = HadamardSigns::When::kNever;
  signs.begin += column;
  return signs;
}

// The steps [begin, end), as log2, of n contiguous elements in work; the block's last step leads to dst.
void steps_of_rows(const HadamardJob& job, const HadamardBlock& block, std::uint64_t n, unsigned begin, unsigned end, SharedAhead& ahead) {
  for_each_pass(job, begin, end, [&](unsigned log2_step, unsigned log2_rows) {
    const bool last = log2_step + log2_rows == log2_of(job.block);
    const std::uint64_t step = std::uint64_t{1} << log2_step, group = step << log2_rows;
    hadamard_columns({
        .src = block.work,
        .src_row_step = step,
        .src_group_step = group,
        .dst = last ? block.dst : block.work,
        .dst_row_step = step,
        .dst_group_step = group,
        .dtype = job.computed,
        .dst_dtype = last ? job.dtype : job.computed,
        .groups = n / group,
        .width = step,
        .log2_rows = log2_rows,
        .last = last,
        .scale = job.scale,
        .signs = signs_at(job, HadamardSigns::When::kAfter, block.column),
        .stream = last && job.stream,
        .ahead = ahead.take(),
    });
  });
}

// n elements: all steps below n.
void transform_run(const HadamardJob& job, const HadamardBlock& block, std::uint64_t n) {
  const unsigned steps = log2_of(n), in_tile = std::min(steps, job.tile_log2);
  const unsigned in_near = std::min(steps, std::max(in_tile, log2_of(kNearBlock)));
  const std::uint64_t near = std::uint64_t{1} << in_near;
  HadamardBlock part = block;
  for (std::uint64_t at = 0; at < n; at += near) {
    part.src = block.src + at * job.element_size();
    part.work = block.work + at * job.computed_size();
    part.dst = block.dst + at * job.element_size();
    part.column = block.column + at;
    if (job.from_memory && at + near < n) part.next = part.src + near * job.element_size();
    if (at + near == n) part.next = block.next;
    SharedAhead ahead(part.next, near * job.element_size(), 1 + pass_count(job, in_tile, in_near));
    hadamard_tiles({
        .src = part.src,
        .src_dtype = job.dtype,
        .dst = part.work,
        .dst_dtype = job.computed,
        .n = near,
        .log2_steps = in_tile,
        .last = false,
        .scale = job.scale,
        .signs = signs_at(job, HadamardSigns::When::kBefore, part.column),
        .ahead = ahead.take(),
    });
    steps_of_rows(job, part, near, in_tile, in_near, ahead);
  }
  SharedAhead ahead(block.next, n * job.element_size(), pass_count(job, in_near, steps));
  steps_of_rows(job, block, n, in_near, steps, ahead);
}

}  // namespace

bool fits_tile(const HadamardJob& job) { return log2_of(job.block) <= job.tile_log2; }

void transform_small_blocks(const HadamardJob& job, const HadamardBlock& first, std::uint64_t n) {
  hadamard_tiles({
      .src = first.src,
      .src_dtype = job.dtype,
      .dst = first.dst,
      .dst_dtype = job.dtype,
      .n = n,
      .log2_steps = log2_of(job.block),
      .last = true,
      .scale = job.scale,
      .signs = signs_at(job, job.signs.when, first.column),
      .stream = job.stream,
      .ahead = {first.src + kNearBlock * job.element_size(), job.from_memory ? n * job.element_size() : 0},
  });
}

void transform_block(const HadamardJob& job, const HadamardBlock& block) { transform_run(job, block, job.block); }

void transform_part(const HadamardJob& job, const HadamardBlock& block, std::uint64_t part) {
  const std::uint64_t at = part * kFarBlock;
  HadamardBlock run = block;
  run.src += at * job.element_size();
  run.work += at * job.computed_size();
  run.column += at;
  run.next = part + 1 < job.block / kFarBlock ? run.src + kFarBlock * job.element_size() : nullptr;
  transform_run(job, run, kFarBlock);
}

// Cache lines of the rows that a strip reads next: the processor does not foresee accesses a power of two apart.
constexpr std::uint64_t kColumnsAhead = 128;

std::uint64_t strip_width(const HadamardJob& job) { return std::clamp<std::uint64_t>(kColumnScratch / (job.block / kFarBlock), 32, 256); }

void transform_strip(const HadamardJob& job, const HadamardBlock& block, std::uint64_t column, std::uint64_t width, std::uint8_t* scratch) {
  const std::uint64_t parts = job.block / kFarBlock, size = job.computed_size();
  const std::uint8_t* work = block.work + column * size;
  std::uint8_t* dst = block.dst + column * job.element_size();
  for_each_pass(job, 0, log2_of(parts), [&](unsigned log2_step, unsigned log2_rows) {
    const bool first = log2_step == 0, last = log2_step + log2_rows == log2_of(parts);
    const std::uint64_t step = std::uint64_t{1} << log2_step, group = step << log2_rows;
    // Rows of the block are kFarBlock apart, those of the scratch follow each other.
    const std::uint64_t src_row = first ? kFarBlock : width, dst_row = last ? kFarBlock : width;
    // The last pass takes the rows one by one, because its results are not contiguous; it has one group.
    for (std::uint64_t row = 0; row < (last ? step : 1); ++row) {
      hadamard_columns({
          .src = (first ? work : scratch) + row * src_row * size,
          .src_row_step = step * src_row,
          .src_group_step = group * src_row,
          .dst = last ? dst + row * dst_row * job.element_size() : scratch,
          .dst_row_step = step * dst_row,
          .dst_group_step = group * dst_row,
          .dtype = job.computed,
          .dst_dtype = last ? job.dtype : job.computed,
          .groups = parts / group,
          .width = last || first ? width : step * width,
          .log2_rows = log2_rows,
          .last = last,
          .scale = job.scale,
          .signs = signs_at(job, HadamardSigns::When::kAfter, block.column + column + row * kFarBlock),
          .ahead_columns = first ? kColumnsAhead : 0,
      });
    }
  });
}

}  // namespace haagenti
