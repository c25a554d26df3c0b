// Raw Deflate through zlib: where ISA-L is absent, with dictionaries, and to say exactly what is wrong with a stream.
#include <zlib.h>

#include <algorithm>
#include <new>

#include "bytecodec/deflate/inflater.h"

namespace haagenti::deflate {
namespace {

constexpr std::size_t kMostAtOnce = 1u << 30;  // zlib counts in 32 bits

class ZlibInflater final : public Inflater {
 public:
  ZlibInflater() {
    if (inflateInit2(&z_, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  }
  ~ZlibInflater() override { inflateEnd(&z_); }
  ZlibInflater(const ZlibInflater&) = delete;
  ZlibInflater& operator=(const ZlibInflater&) = delete;

  void begin(ByteView dictionary) override {
    inflateReset(&z_);
    // A window holds no more.
    const ByteView last = dictionary.last(std::min<std::size_t>(dictionary.size(), 1u << MAX_WBITS));
    if (last.empty()) return;
    if (inflateSetDictionary(&z_, last.data(), static_cast<uInt>(last.size())) != Z_OK) throw std::bad_alloc();
  }

  InflateStep step(ByteView src, MutableByteView dst) override {
    std::uint8_t none = 0;  // zlib wants pointers even where there are no bytes
    const auto n_in = static_cast<uInt>(std::min(src.size(), kMostAtOnce));
    const auto n_out = static_cast<uInt>(std::min(dst.size(), kMostAtOnce));
    z_.next_in = src.empty() ? &none : const_cast<std::uint8_t*>(src.data());
    z_.avail_in = n_in;
    z_.next_out = dst.empty() ? &none : dst.data();
    z_.avail_out = n_out;
    const int code = inflate(&z_, Z_NO_FLUSH);
    if (code == Z_MEM_ERROR) throw std::bad_alloc();
    InflateStep step{.consumed = n_in - z_.avail_in, .produced = n_out - z_.avail_out, .ended = code == Z_STREAM_END};
    if (code < 0 && code != Z_BUF_ERROR) step.error = z_.msg != nullptr ? z_.msg : "invalid data";
    return step;
  }

 private:
  z_stream z_{};
};

}  // namespace

std::unique_ptr<Inflater> make_zlib_inflater() { return std::make_unique<ZlibInflater>(); }

std::unique_ptr<Inflater> make_fast_inflater() {
  auto isal = make_isal_inflater();
  return isal ? std::move(isal) : make_zlib_inflater();
}

}  // namespace haagenti::deflate
