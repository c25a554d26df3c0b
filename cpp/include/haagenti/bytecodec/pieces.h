// Formats that can be cut into pieces compressed on their own (LZ4 blocks, gzip members, joined deflate streams): side by side over a
// whole buffer, and in a stream. Not responsible for the formats: each is a PieceFormat.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "haagenti/bytecodec/compressor.h"

namespace haagenti {

// What compressing a piece gave: bytes written, and a checksum of its input if the format keeps one.
struct Piece {
  std::uint64_t size = 0;
  std::uint32_t checksum = 0;
  bool stored = false;  // the input follows the bytes written, as it is: copied once, from where it lies
};

// One a thread.
class PieceCompressor {
 public:
  virtual ~PieceCompressor() = default;
  // dst holds PieceFormat::piece_bound(src.size()); src is not empty.
  virtual Piece compress(ByteView src, std::uint8_t* dst) = 0;
};

// One a stream: knows the header, what follows the last piece, and what is summed up over the pieces.
class PieceFormat {
 public:
  virtual ~PieceFormat() = default;
  // Bytes of input in each piece but the last; `begin` may choose them.
  virtual std::uint64_t piece_size() const = 0;
  virtual std::uint64_t piece_bound(std::uint64_t n_bytes) const = 0;
  // Most bytes of header and trailer together.
  virtual std::uint64_t frame_bound() const = 0;
  virtual std::unique_ptr<PieceCompressor> make_compressor() const = 0;

  // Appends the header and forgets earlier pieces. content_size: of the whole input, where it is known.
  virtual void begin(std::vector<std::uint8_t>& dst, std::optional<std::uint64_t> content_size) = 0;
  // Called once a piece, in order, by one thread at a time.
  virtual void absorb(ByteView src, const Piece& piece) = 0;
  // Appends what ends the stream, no piece having come included.
  virtual void end(std::vector<std::uint8_t>& dst) = 0;
};

std::unique_ptr<Compressor> piece_compressor(std::unique_ptr<PieceFormat> format, std::uint32_t threads);
std::unique_ptr<Encoder> piece_encoder(std::unique_ptr<PieceFormat> format, std::uint32_t threads);

}  // namespace haagenti
