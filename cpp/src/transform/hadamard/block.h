// Which passes make the transform of one block, so that each works in a cache.
// Not responsible for the loops (passes.h), for arrays of blocks, threads and polling (hadamard.cpp).
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "haagenti/base/dtype.h"
#include "transform/hadamard/passes.h"

namespace haagenti {

// Elements. Runs of kNearBlock go through all their steps in the L1 cache (16 KiB of binary32, 32 KiB of binary64), those of kFarBlock in an
// L2 cache of 1 MiB; longer blocks are cut into columns, which go through the remaining steps in a scratch of kColumnScratch, also for L2.
inline constexpr std::uint64_t kNearBlock = 4096;
inline constexpr std::uint64_t kFarBlock = 65536;
inline constexpr std::uint64_t kColumnScratch = 65536;

// What all blocks of a call share.
struct HadamardJob {
  DType dtype;       // of the elements in memory
  DType computed;    // F32 or F64
  std::uint64_t block;
  double scale;
  HadamardSigns signs;  // begin: of the array's column 0
  unsigned tile_log2;   // hadamard_tile_log2, hadamard_radix_log2
  unsigned radix_log2;
  bool stream;       // results go past the caches
  bool from_memory;  // the array is larger than caches: what comes next is asked for early

  std::uint64_t element_size() const { return dtype_bits(dtype) / 8; }
  std::uint64_t computed_size() const { return computed == DType::kF64 ? 8 : 4; }
};

// Where a block lies. `work` has as many elements of the computed dtype as the block; it may be `dst` when that holds them.
struct HadamardBlock {
  const std::uint8_t* src;
  std::uint8_t* work;
  std::uint8_t* dst;
  std::uint64_t column;                // of its first element
  const std::uint8_t* next = nullptr;  // if the job is from_memory: the source of the block that comes after it
};

// Whether blocks need one pass only, that of tiles.
bool fits_tile(const HadamardJob& job);

// n elements of such blocks, from src to dst.
void transform_small_blocks(const HadamardJob& job, const HadamardBlock& first, std::uint64_t n);

// A block of at most kFarBlock elements.
void transform_block(const HadamardJob& job, const HadamardBlock& block);

// The steps below kFarBlock of part `part` of a longer block, from src to work.
void transform_part(const HadamardJob& job, const HadamardBlock& block, std::uint64_t part);

// Columns of a longer block that are transformed together; as many of the job's computed dtype fit into the scratch for all parts.
std::uint64_t strip_width(const HadamardJob& job);

// The steps from kFarBlock on of columns [column, column + width) of the parts, from work to dst. scratch: block / kFarBlock * width elements.
void transform_strip(const HadamardJob& job, const HadamardBlock& block, std::uint64_t column, std::uint64_t width, std::uint8_t* scratch);

}  // namespace haagenti
