#include "codec_calls.h"

#include "fastcall.h"
#include "haagenti/base/error.h"

namespace haagenti::bindings {
namespace {

// Up to this many bytes of input, giving the GIL up and taking it back costs more than the work; at worst, zstd makes 8 MiB of them. Not
// so of brotli, whose few bytes may become anything.
constexpr std::size_t kShort = 256;
// Results up to this are made on the stack and copied once they have a size.
constexpr std::size_t kSmallBound = 1024;

PyObject* compress_small(Compressor& compressor, ByteView src, std::size_t bound) {
  std::uint8_t packed[kSmallBound];
  std::size_t size;
  {
    const GilRelease release(src.size() > kShort);
    size = compressor.compress(src, {packed, bound});
  }
  return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(packed), static_cast<Py_ssize_t>(size));
}

bool is_short(const ByteCodec& codec, ByteView src) { return src.size() <= kShort && codec.id != CodecId::kBrotli; }

std::uint64_t run(const ByteCodec& codec, Decompressor& decompressor, ByteView src, BytesOutput& out) {
  struct Held {
    BytesOutput& out;
    ~Held() { out.acquire_gil(); }
  };
  if (!is_short(codec, src)) out.release_gil();
  const Held held{out};
  return decompressor.decompress(src, out);
}

}  // namespace

PyObject* compress_to_bytes(Compressor& compressor, const ByteArgument& data) {
  const std::uint64_t bound = compressor.bound(data.bytes().size());
  if (bound <= kSmallBound) return compress_small(compressor, data.bytes(), bound);
  PyObject* packed = new_bytes(bound);
  std::size_t size;
  try {
    const GilRelease release;
    size = compressor.compress(data.bytes(), {reinterpret_cast<std::uint8_t*>(PyBytes_AS_STRING(packed)), bound});
  } catch (...) {
    Py_DECREF(packed);
    throw;
  }
  if (_PyBytes_Resize(&packed, static_cast<Py_ssize_t>(size)) != 0) return nullptr;
  return packed;
}

PyObject* compress_to_buffer(Compressor& compressor, const ByteArgument& data, const ByteArgument& out) {
  check_disjoint(data.bytes(), out.bytes());
  std::size_t size;
  {
    const GilRelease release(data.bytes().size() > kShort);
    size = compressor.compress(data.bytes(), out.mutable_bytes());
  }
  return PyLong_FromSize_t(size);
}

const ByteCodec& codec_of(const ByteCodec* codec, ByteView data) {
  if (codec != nullptr) return *codec;
  codec = detect_byte_codec(data);
  if (codec != nullptr) return *codec;
  if (data.empty()) fail(ErrorKind::kTruncated, "the input is empty");
  fail(ErrorKind::kCorrupt, "the input begins like no zstd, lz4, gzip or zlib stream; deflate, brotli and lz4_block are only read with algorithm=");
}

PyObject* decompress_to_bytes(const ByteCodec& codec, Decompressor& decompressor, const ByteArgument& data, const DecompressLimits& limits) {
  const bool by_size = limits.size && *limits.size <= limits.max_size;
  if (codec.functions.stream.needs_size && !limits.size && limits.max_size == BytesOutput::kNoLimit) {
    fail(ErrorKind::kInvalidArgument, codec.name, " does not store its size: give size, or max_size");
  }
  BytesOutput out(by_size ? *limits.size : limits.max_size, by_size);
  if (by_size) out.reserve(*limits.size);
  run(codec, decompressor, data.bytes(), out);
  if (limits.size && out.size() != *limits.size) {
    fail(ErrorKind::kCorrupt, codec.name, ": the data decompresses to ", out.size(), " bytes, expected size of ", *limits.size);
  }
  return out.take();
}

PyObject* decompress_to_buffer(const ByteCodec& codec, Decompressor& decompressor, const ByteArgument& data, const ByteArgument& out) {
  check_disjoint(data.bytes(), out.bytes());
  FixedOutput dst(out.mutable_bytes());
  {
    const GilRelease release(!is_short(codec, data.bytes()));
    decompressor.decompress(data.bytes(), dst);
  }
  return PyLong_FromSize_t(dst.size());
}

DecompressLimits limits_argument(PyObject* max_size, PyObject* size) {
  DecompressLimits limits;
  limits.max_size = size_argument(max_size, "max_size", BytesOutput::kNoLimit);
  if (is_given(size)) limits.size = size_argument(size, "size", BytesOutput::kNoLimit);
  return limits;
}

}  // namespace haagenti::bindings
