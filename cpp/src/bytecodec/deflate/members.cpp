#include "bytecodec/deflate/members.h"

#include <algorithm>
#include <atomic>

#include "bytecodec/deflate/header.h"
#include "bytecodec/deflate/libdeflate_handles.h"
#include "haagenti/base/checked.h"
#include "haagenti/base/error.h"
#include "haagenti/base/executor.h"

namespace haagenti::deflate {
namespace {

constexpr std::uint64_t kTrailer = 8;

// False when no member that says its size begins at `at`.
bool read_member(HeaderParser& header, ByteView src, std::uint64_t at, Member& member) {
  header.reset();
  try {
    member.body = at + header.feed(src.subspan(at), at);
  } catch (const Error&) {
    return false;
  }
  const std::uint64_t size = header.member_size();
  if (!header.done() || size > src.size() - at || size < member.body - at + kTrailer) return false;
  member.end = at + size;
  member.size = load_le<std::uint32_t>(src.data() + member.end - 4);
  return member.size <= (member.end - member.body) * kMaxExpansion;
}

bool decode_member(libdeflate_decompressor* context, const Member& member, ByteView src, std::uint8_t* dst) {
  const std::uint64_t body_size = member.end - kTrailer - member.body;
  std::size_t n_read = 0;
  std::size_t n_written = 0;
  const auto result = libdeflate_deflate_decompress_ex(context, src.data() + member.body, body_size, dst, member.size, &n_read, &n_written);
  if (result != LIBDEFLATE_SUCCESS || n_read != body_size || n_written != member.size) return false;
  return libdeflate_crc32(0, dst, n_written) == load_le<std::uint32_t>(src.data() + member.end - kTrailer);
}

}  // namespace

MemberIndex index_members(ByteView src) {
  MemberIndex index;
  HeaderParser header(Wrapper::kGzip);
  Member member;
  std::uint64_t at = 0;
  while (at < src.size() && read_member(header, src, at, member)) {
    const auto size = checked_add(index.size, member.size);
    if (!size) break;
    index.size = *size;
    index.members.push_back(member);
    at = member.end;
  }
  return index;
}

bool decode_members(const MemberIndex& index, ByteView src, Output& out, std::uint32_t threads) {
  if (index.members.empty() || index.size > out.limit() - out.size()) return false;
  if (!out.reserve_claimed(index.size, index.members.back().end * kMaxExpansion)) return false;
  std::vector<std::uint64_t> begins;
  std::uint64_t begin = out.size();
  for (const Member& member : index.members) {
    begins.push_back(begin);
    begin += member.size;
  }
  const std::size_t n_threads = std::min<std::size_t>(threads, index.members.size());
  std::vector<LibdeflateDecompressor> contexts(n_threads);
  std::atomic<bool> wrong = false;
  parallel_for_on(n_threads, index.members.size(), [&](std::size_t i, std::size_t thread) {
    if (wrong) return;
    if (!contexts[thread]) contexts[thread] = make_libdeflate_decompressor();
    std::uint8_t none = 0;
    std::uint8_t* dst = index.size == 0 ? &none : out.data() + begins[i];
    if (!decode_member(contexts[thread].get(), index.members[i], src, dst)) wrong = true;
  });
  if (wrong) return false;
  out.advance(index.size);
  return true;
}

}  // namespace haagenti::deflate
