#include "bytecodec/zstd/context.h"

#include <new>

#include "bytecodec/zstd/dictionary.h"
#include "haagenti/base/executor.h"

namespace haagenti::zstd {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

// Bytes of input that a worker takes at a time. A job costs tables to clear and a hand-over, so their number grows with the square root of
// the input, and 4 MiB still makes two. It is a matter of the input alone: the number of workers must not show in what is written.
std::uint64_t job_size(std::uint64_t content_size) {
  if (content_size == 0) return 4 * kMiB;
  if (content_size < 8 * kMiB) return 2 * kMiB;
  return content_size < 32 * kMiB ? 4 * kMiB : 8 * kMiB;
}

}  // namespace

bool has_workers() { return ZSTD_cParam_getBounds(ZSTD_c_nbWorkers).upperBound > 0; }

bool CompressionContext::is_alive() const { return context_ == nullptr || options_.threads <= 1 || generation_ == fork_generation(); }

ZSTD_CCtx* CompressionContext::get() {
  if (!is_alive()) release();
  if (context_ == nullptr) make();
  return context_;
}

void CompressionContext::make() {
  context_ = ZSTD_createCCtx();
  if (context_ == nullptr) throw std::bad_alloc();
  if (options_.threads > 1) generation_ = fork_generation();
  set(ZSTD_c_compressionLevel, options_.level);
  set(ZSTD_c_checksumFlag, options_.checksum ? 1 : 0);
  if (options_.threads > 1) set(ZSTD_c_nbWorkers, static_cast<int>(options_.threads));
  if (options_.dictionary) ZSTD_CCtx_refCDict(context_, compression_dictionary(*options_.dictionary, options_.level));
}

// Freeing a context with workers waits for them: in a forked child, for ever. There it is left where it is.
void CompressionContext::release() {
  if (is_alive()) ZSTD_freeCCtx(context_);
  context_ = nullptr;
}

void CompressionContext::reset() {
  if (options_.threads > 1) {
    release();
  } else {
    ZSTD_CCtx_reset(context_, ZSTD_reset_session_only);
  }
}

void CompressionContext::set_job_size(std::uint64_t content_size) {
  if (options_.threads > 1) set(ZSTD_c_jobSize, static_cast<int>(job_size(content_size)));
}

void CompressionContext::set(ZSTD_cParameter parameter, int value) {
  const std::size_t result = ZSTD_CCtx_setParameter(context_, parameter, value);
  if (ZSTD_isError(result)) fail(ErrorKind::kUnsupported, "zstd: the library refuses a parameter: ", ZSTD_getErrorName(result));
}

DecompressionContext::DecompressionContext() : context_(ZSTD_createDCtx()) {
  if (context_ == nullptr) throw std::bad_alloc();
}

}  // namespace haagenti::zstd
