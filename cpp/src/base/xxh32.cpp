#include "haagenti/base/xxh32.h"

#include <new>

#include <xxhash.h>

namespace haagenti {

std::uint32_t xxh32(ByteView bytes) { return XXH32(bytes.data(), bytes.size(), 0); }

struct Xxh32::State {
  State() : xxh(XXH32_createState()) {
    if (xxh == nullptr) throw std::bad_alloc();
  }
  ~State() { XXH32_freeState(xxh); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  XXH32_state_t* const xxh;
};

Xxh32::Xxh32() : state_(std::make_unique<State>()) { reset(); }
Xxh32::~Xxh32() = default;

void Xxh32::reset() { XXH32_reset(state_->xxh, 0); }
void Xxh32::update(ByteView bytes) {
  if (!bytes.empty()) XXH32_update(state_->xxh, bytes.data(), bytes.size());
}
std::uint32_t Xxh32::digest() const { return XXH32_digest(state_->xxh); }

}  // namespace haagenti
