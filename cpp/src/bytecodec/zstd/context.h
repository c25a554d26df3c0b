// zstd's contexts, made at first use and kept; one with workers is made anew in a forked child, where its threads do not exist.
// Not responsible for which parameters are right: callers say level, checksum and dictionary.
#pragma once

#include <zstd.h>

#include <cstdint>

#include "haagenti/base/error.h"
#include "haagenti/bytecodec/compressor.h"

namespace haagenti::zstd {

class CompressionContext {
 public:
  explicit CompressionContext(const CompressOptions& options) : options_(options) {}
  ~CompressionContext() { release(); }
  CompressionContext(const CompressionContext&) = delete;
  CompressionContext& operator=(const CompressionContext&) = delete;

  // Where the context is of this process, or none is made yet.
  bool is_alive() const;
  // With all parameters set, and between frames.
  ZSTD_CCtx* get();
  // The size of the jobs of the next frame, for workers. content_size: 0 where it is not known.
  void set_job_size(std::uint64_t content_size);
  // Forgets the frame begun. zstd 1.5.4 crashes when a context with workers goes on after an error: that one is made anew.
  void reset();

  const CompressOptions& options() const { return options_; }
  std::uint64_t n_bytes_held() const { return context_ == nullptr ? 0 : ZSTD_sizeof_CCtx(context_); }

 private:
  void make();
  void release();
  void set(ZSTD_cParameter parameter, int value);

  const CompressOptions options_;
  ZSTD_CCtx* context_ = nullptr;
  unsigned generation_ = 0;  // fork_generation() when the context was made
};

class DecompressionContext {
 public:
  DecompressionContext();
  ~DecompressionContext() { ZSTD_freeDCtx(context_); }
  DecompressionContext(const DecompressionContext&) = delete;
  DecompressionContext& operator=(const DecompressionContext&) = delete;
  DecompressionContext(DecompressionContext&& other) noexcept : context_(other.context_) { other.context_ = nullptr; }
  DecompressionContext& operator=(DecompressionContext&&) = delete;

  ZSTD_DCtx* get() const { return context_; }

 private:
  ZSTD_DCtx* context_;
};

// Whether the linked library was built with threads.
bool has_workers();

}  // namespace haagenti::zstd
