// Sizes and offsets of the `.hct` header, index and footer, shared by reader and writer. See spec.md.
#pragma once

#include <cstddef>
#include <cstdint>

namespace haagenti::hct {

inline constexpr char kMagic[] = {'H', 'C', 'T', 'N'};
inline constexpr char kEndMagic[] = {'H', 'C', 'T', 'E'};
inline constexpr std::uint32_t kVersion = 4;
inline constexpr std::size_t kHeaderSize = 64;
inline constexpr std::size_t kHeaderChecksumAt = 56;
inline constexpr std::size_t kFooterSize = 64;
inline constexpr std::size_t kFooterReservedAt = 32;
inline constexpr std::size_t kFooterVersionAt = 52;
inline constexpr std::size_t kFooterMagicAt = 56;
inline constexpr std::size_t kFooterChecksumAt = 60;
inline constexpr std::size_t kTensorEntry = 32;    // before the name
inline constexpr std::size_t kMetadataEntry = 8;   // before key and value
inline constexpr std::size_t kMaxName = 65535;
inline constexpr std::size_t kAlignment = 64;

}  // namespace haagenti::hct
