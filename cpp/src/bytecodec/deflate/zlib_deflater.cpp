#include "bytecodec/deflate/zlib_deflater.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#include "haagenti/base/error.h"

namespace haagenti::deflate {
namespace {

constexpr int kHighestLevel = 9;
constexpr int kMemoryLevel = 9;
constexpr std::size_t kMostAtOnce = 1u << 30;  // zlib counts in 32 bits

int window_bits(Wrapper wrapper) {
  if (wrapper == Wrapper::kNone) return -MAX_WBITS;
  return wrapper == Wrapper::kZlib ? MAX_WBITS : MAX_WBITS + 16;
}

// A zlib stream that begins anew, dictionary and header included.
class Deflater {
 public:
  Deflater(Wrapper wrapper, const CompressOptions& options) : wrapper_(wrapper), dictionary_(options.dictionary) {
    if (dictionary_ && options.level > kHighestLevel) fail(ErrorKind::kInvalidArgument, "levels above 9 do not take a dictionary");
    if (deflateInit2(&z_, options.level, Z_DEFLATED, window_bits(wrapper), kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc();
    head_.os = 255;  // unknown, so that the bytes are the same everywhere
    prepare();
  }
  ~Deflater() { deflateEnd(&z_); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  void begin() {
    if (fresh_) return;
    deflateReset(&z_);
    prepare();
  }

  // One call of deflate; returns its code.
  int run(ByteView src, MutableByteView dst, int flush, EncodeStep& step) {
    fresh_ = false;
    std::uint8_t none = 0;  // zlib wants pointers even where there are no bytes
    const auto n_in = static_cast<uInt>(std::min(src.size(), kMostAtOnce));
    const auto n_out = static_cast<uInt>(std::min(dst.size(), kMostAtOnce));
    z_.next_in = src.empty() ? &none : const_cast<std::uint8_t*>(src.data());
    z_.avail_in = n_in;
    z_.next_out = dst.empty() ? &none : dst.data();
    z_.avail_out = n_out;
    const int code = ::deflate(&z_, n_in < src.size() ? Z_NO_FLUSH : flush);
    step.consumed += n_in - z_.avail_in;
    step.produced += n_out - z_.avail_out;
    return code;
  }

  std::uint64_t bound(std::uint64_t n_bytes) {
    constexpr std::uint64_t kWrapper = 32;
    return deflateBound(&z_, n_bytes) + kWrapper;
  }

 private:
  void prepare() {
    fresh_ = true;
    if (wrapper_ == Wrapper::kGzip) deflateSetHeader(&z_, &head_);
    if (!dictionary_) return;
    // A window holds no more, but the id that zlib writes is of all the bytes it is given.
    deflateSetDictionary(&z_, dictionary_->bytes().data(), static_cast<uInt>(dictionary_->bytes().size()));
  }

  const Wrapper wrapper_;
  std::shared_ptr<const Dictionary> dictionary_;
  z_stream z_{};
  gz_header head_{};
  bool fresh_ = true;
};

class ZlibEncoder final : public Encoder {
 public:
  ZlibEncoder(Wrapper wrapper, const CompressOptions& options) : deflater_(wrapper, options) {}

  EncodeStep step(ByteView src, MutableByteView dst, Directive directive) override {
    EncodeStep step;
    for (;;) {
      drain(dst, step);
      if (given_ < n_staged_) return step;
      step.done = settled_ && step.consumed == src.size();
      settled_ = false;
      if (step.done) return step;
      run(src, dst, directive, step);
    }
  }

 private:
  // zlib repeats the marker of a flush when it is called again with less room than that; small outputs are given from here.
  static constexpr std::size_t kSmall = 64;

  void run(ByteView src, MutableByteView dst, Directive directive, EncodeStep& step) {
    if (!begun_) deflater_.begin();
    begun_ = true;
    const MutableByteView room = dst.subspan(step.produced);
    const bool small = room.size() < kSmall;
    const MutableByteView target = small ? MutableByteView(staged_) : room;
    const int flush = directive == Directive::kContinue ? Z_NO_FLUSH : directive == Directive::kFlush ? Z_SYNC_FLUSH : Z_FINISH;
    EncodeStep ran;
    const int code = deflater_.run(src.subspan(step.consumed), target, flush, ran);
    step.consumed += ran.consumed;
    if (small) {
      n_staged_ = ran.produced;
    } else {
      step.produced += ran.produced;
    }
    const bool has_rest = ran.produced == target.size();
    settled_ = directive == Directive::kFinish ? code == Z_STREAM_END : step.consumed == src.size() && !has_rest;
    if (code == Z_STREAM_END) begun_ = false;
  }

  void drain(MutableByteView dst, EncodeStep& step) {
    const std::size_t n = std::min(dst.size() - step.produced, n_staged_ - given_);
    if (n > 0) std::memcpy(dst.data() + step.produced, staged_.data() + given_, n);
    step.produced += n;
    given_ += n;
    if (given_ == n_staged_) given_ = n_staged_ = 0;
  }

  Deflater deflater_;
  std::array<std::uint8_t, 1024> staged_;
  std::size_t n_staged_ = 0;
  std::size_t given_ = 0;  // of n_staged_
  bool begun_ = false;
  bool settled_ = false;  // the directive is carried out, though its output may be staged still
};

class DictionaryCompressor final : public Compressor {
 public:
  DictionaryCompressor(Wrapper wrapper, const CompressOptions& options) : wrapper_(wrapper), deflater_(wrapper, options) {}

  std::uint64_t bound(std::uint64_t n_bytes) const override { return deflater_.bound(n_bytes); }

  std::uint64_t compress(ByteView src, MutableByteView dst) override {
    deflater_.begin();
    EncodeStep step;
    int code = Z_OK;
    while (code == Z_OK && step.produced < dst.size()) {
      code = deflater_.run(src.subspan(step.consumed), dst.subspan(step.produced), Z_FINISH, step);
    }
    if (code == Z_STREAM_END) return step.produced;
    fail(ErrorKind::kInvalidArgument, "out holds ", dst.size(), " bytes, compressing ", src.size(), " bytes with ", name_of(wrapper_),
         " may need up to ", bound(src.size()));
  }

  std::uint64_t n_bytes_held() const override { return kBytesOfContext; }

 private:
  static constexpr std::uint64_t kBytesOfContext = 400 * 1024;  // window, chains and hash table of zlib with memory level 9

  const Wrapper wrapper_;
  mutable Deflater deflater_;  // deflateBound takes its stream as mutable
};

}  // namespace

std::unique_ptr<Encoder> make_encoder(Wrapper wrapper, const CompressOptions& options) {
  return std::make_unique<ZlibEncoder>(wrapper, options);
}

std::unique_ptr<Compressor> make_dictionary_compressor(Wrapper wrapper, const CompressOptions& options) {
  return std::make_unique<DictionaryCompressor>(wrapper, options);
}

}  // namespace haagenti::deflate
