// Tables that say how many bits a Deflate symbol takes, for walking a compressed block without decoding it (RFC 1951, 3.2).
// Not responsible for reading the code lengths nor for what the symbols stand for.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace haagenti::deflate {

inline constexpr unsigned kMaxCodeLength = 15;
inline constexpr unsigned kIndexBits = 11;  // of one look-up
inline constexpr std::uint32_t kIndexMask = (1u << kIndexBits) - 1;
inline constexpr std::uint32_t kLiteralTable = 0;  // where each table begins
inline constexpr std::uint32_t kDistanceTable = 1u << kIndexBits;

// An entry: bits 0-5 the bits to skip; bit 6 kLeave; kDistanceTable where the next look-up is in the table of distances. An entry with
// kLeave skips nothing and stays in its table, so that a look-up behind it finds it again.
using SkipEntry = std::uint16_t;
inline constexpr std::uint32_t kSkipMask = 63;
inline constexpr std::uint32_t kLeave = 64;

// Distances that take more bits, with their extra bits, leave the tables; those of a literal take 11 and 5 extra at most.
inline constexpr unsigned kMostDistanceBits = 20;

// One prefix code in its canonical form, for codes longer than kIndexBits and for finding the end of a block.
struct CanonicalCode {
  std::array<std::uint16_t, kMaxCodeLength + 1> count{};  // codes of each length
  std::array<std::uint16_t, 288> symbols{};               // by length, then by value
};

struct SkipTables {
  std::array<SkipEntry, 2u << kIndexBits> entries;  // literals and lengths, then distances
  CanonicalCode literals;
  CanonicalCode distances;
};

inline constexpr std::uint32_t kEndOfBlock = 256;

// Bits behind the code of a literal/length or distance symbol (RFC 1951, 3.2.5); -1 where the symbol means nothing.
int extra_bits_of_literal(std::uint32_t symbol);
int extra_bits_of_distance(std::uint32_t symbol);

// False when the lengths claim more codes than there are. Fewer are accepted: their absent codes leave the tables.
bool make_code(std::span<const std::uint8_t> lengths, CanonicalCode& code);

// False as make_code.
bool make_skip_tables(std::span<const std::uint8_t> literal_lengths, std::span<const std::uint8_t> distance_lengths, SkipTables& tables);

}  // namespace haagenti::deflate
