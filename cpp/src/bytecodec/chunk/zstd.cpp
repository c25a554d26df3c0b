// Chunks of `zstd`: one Zstandard frame a chunk. Contexts are kept per thread: creating one costs more than compressing a small chunk.
#include <zstd.h>

#include <memory>
#include <new>

#include "haagenti/base/error.h"
#include "bytecodec/chunk/chunk.h"

namespace haagenti {
namespace {

template <class Context, Context* (*create)(), std::size_t (*release)(Context*)>
Context* thread_context() {
  struct Release {
    void operator()(Context* context) const { release(context); }
  };
  thread_local const std::unique_ptr<Context, Release> context(create());
  if (!context) throw std::bad_alloc();
  return context.get();
}

std::uint64_t bound(std::uint64_t n_bytes) { return ZSTD_compressBound(n_bytes); }

std::uint64_t compress(ByteView src, std::uint8_t* dst, int level) {
  auto* context = thread_context<ZSTD_CCtx, ZSTD_createCCtx, ZSTD_freeCCtx>();
  const std::size_t size = ZSTD_compressCCtx(context, dst, ZSTD_compressBound(src.size()), src.data(), src.size(), level);
  if (ZSTD_isError(size)) fail(ErrorKind::kInvalidArgument, "zstd: ", ZSTD_getErrorName(size));
  return size;
}

constexpr std::uint32_t kFrameMagic = 0xfd2fb528;  // RFC 8878, 3.1.1; a library may also know the frames of drafts

// The stated size and the frame's extent are checked first: nothing is decoded for a frame that lies about either.
void decompress_into(ByteView src, MutableByteView dst) {
  if (src.size() < sizeof kFrameMagic || load_le<std::uint32_t>(src.data()) != kFrameMagic) fail(ErrorKind::kCorrupt, "not a zstd frame");
  const unsigned long long stated = ZSTD_getFrameContentSize(src.data(), src.size());
  if (stated != dst.size()) fail(ErrorKind::kCorrupt, "zstd frame does not state the expected size of ", dst.size(), " bytes");
  const std::size_t extent = ZSTD_findFrameCompressedSize(src.data(), src.size());
  if (ZSTD_isError(extent) || extent != src.size()) fail(ErrorKind::kCorrupt, "zstd frame does not end with its chunk");
  auto* context = thread_context<ZSTD_DCtx, ZSTD_createDCtx, ZSTD_freeDCtx>();
  const std::size_t size = ZSTD_decompressDCtx(context, dst.data(), dst.size(), src.data(), src.size());
  if (ZSTD_isError(size)) fail(ErrorKind::kCorrupt, "zstd: ", ZSTD_getErrorName(size));
  if (size != dst.size()) fail(ErrorKind::kCorrupt, "zstd frame holds ", size, " bytes, expected ", dst.size());
}

}  // namespace

ChunkFunctions zstd_chunk() { return {bound, compress, decompress_into}; }

}  // namespace haagenti
