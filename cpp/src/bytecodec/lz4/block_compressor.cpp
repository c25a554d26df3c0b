#include "bytecodec/lz4/block_compressor.h"

#include <algorithm>
#include <climits>
#include <cstring>
#include <new>

#include "bytecodec/lz4/frame_header.h"

namespace haagenti::lz4 {
namespace {

const char* chars(const std::uint8_t* bytes) { return reinterpret_cast<const char*>(bytes); }

template <class State>
State made(State state) {
  if (!state) throw std::bad_alloc();
  return state;
}

}  // namespace

BlockCompressor::BlockCompressor(int level, std::shared_ptr<const Dictionary> dictionary)
    : level_(level), dictionary_(std::move(dictionary)) {
  const bool high = level >= LZ4HC_CLEVEL_MIN;
  const ByteView window = dictionary_window(dictionary_.get());
  const int n_window = static_cast<int>(window.size());
  if (high) {
    high_ = made(HighState(LZ4_createStreamHC()));
    if (window.empty()) return;
    high_loaded_ = made(HighState(LZ4_createStreamHC()));
    LZ4_resetStreamHC_fast(high_loaded_.get(), level);
    LZ4_loadDictHC(high_loaded_.get(), chars(window.data()), n_window);
  } else {
    fast_ = made(FastState(LZ4_createStream()));
    if (window.empty()) return;
    fast_loaded_ = made(FastState(LZ4_createStream()));
    LZ4_loadDict(fast_loaded_.get(), chars(window.data()), n_window);
  }
}

std::size_t BlockCompressor::compress(ByteView src, MutableByteView dst) {
  static const std::uint8_t nothing = 0;  // an empty view may have no address
  const char* from = chars(src.empty() ? &nothing : src.data());
  char* to = reinterpret_cast<char*>(dst.data());
  const int n_src = static_cast<int>(src.size());
  const int n_dst = static_cast<int>(std::min<std::size_t>(dst.size(), INT_MAX));
  if (n_dst == 0) return 0;
  const int written = high() ? compress_high(from, to, n_src, n_dst) : compress_fast(from, to, n_src, n_dst);
  return static_cast<std::size_t>(std::max(written, 0));
}

int BlockCompressor::compress_fast(const char* src, char* dst, int n_src, int n_dst) {
  const int acceleration = level_ < 0 ? 1 - level_ : 1;
  if (!fast_loaded_) return LZ4_compress_fast_extState(fast_.get(), src, dst, n_src, n_dst, acceleration);
  std::memcpy(static_cast<void*>(fast_.get()), fast_loaded_.get(), static_cast<std::size_t>(LZ4_sizeofState()));
  return LZ4_compress_fast_continue(fast_.get(), src, dst, n_src, n_dst, acceleration);
}

int BlockCompressor::compress_high(const char* src, char* dst, int n_src, int n_dst) {
  if (high_loaded_) {
    std::memcpy(static_cast<void*>(high_.get()), high_loaded_.get(), static_cast<std::size_t>(LZ4_sizeofStateHC()));
  } else {
    LZ4_resetStreamHC_fast(high_.get(), level_);
  }
  return LZ4_compress_HC_continue(high_.get(), src, dst, n_src, n_dst);
}

std::uint64_t BlockCompressor::n_bytes_held() const {
  const auto size = static_cast<std::uint64_t>(high() ? LZ4_sizeofStateHC() : LZ4_sizeofState());
  return fast_loaded_ || high_loaded_ ? 2 * size : size;
}

}  // namespace haagenti::lz4
