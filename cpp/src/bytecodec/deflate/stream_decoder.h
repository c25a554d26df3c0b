// The Decoder of the three formats: header, Deflate stream through an Inflater, trailer.
#pragma once

#include <array>
#include <memory>

#include "bytecodec/deflate/header.h"
#include "bytecodec/deflate/inflater.h"
#include "haagenti/bytecodec/decompressor.h"

namespace haagenti::deflate {

class StreamDecoder final : public Decoder {
 public:
  // The inflater must take dictionaries where one is given.
  StreamDecoder(Wrapper wrapper, std::unique_ptr<Inflater> inflater, std::shared_ptr<const Dictionary> dictionary);

  DecodeStep step(ByteView src, MutableByteView dst) override;
  NextFrame next_frame(ByteView rest, std::size_t& skip) const override;
  void reset() override { begin_at(0); }

  // As reset; the next byte is at `offset` of the input, for messages.
  void begin_at(std::uint64_t offset);

 private:
  enum class State { kBegin, kHeader, kBody, kTrailer };

  bool run_state(ByteView src, MutableByteView dst, DecodeStep& step);
  void begin_body();
  bool run_body(ByteView src, MutableByteView dst, DecodeStep& step);
  bool run_trailer(ByteView src, DecodeStep& step);
  ByteView dictionary_wanted() const;

  const Wrapper wrapper_;
  std::unique_ptr<Inflater> inflater_;
  std::shared_ptr<const Dictionary> dictionary_;
  HeaderParser header_;
  State state_ = State::kBegin;
  std::uint64_t offset_ = 0;  // of the next step's first byte
  std::uint64_t size_ = 0;    // bytes of the frame given out
  std::uint32_t checksum_ = 0;
  std::array<std::uint8_t, 8> trailer_{};
  std::size_t n_trailer_ = 0;
};

// Whether a gzip member begins at rest, behind zeros that `skip` counts; rest is not empty.
NextFrame next_member(ByteView rest, std::size_t& skip);

std::unique_ptr<StreamDecoder> make_stream_decoder(Wrapper wrapper, const std::shared_ptr<const Dictionary>& dictionary);

}  // namespace haagenti::deflate
