// Scratch of binary32 values: small ones stay with their thread, large ones go back.
// Not responsible for contents.
#pragma once

#include "haagenti/base/buffer.h"

namespace haagenti {

class FloatScratch {
 public:
  // Values for as long as the lease lives; one lease at a time.
  class Lease {
   public:
    Lease(FloatScratch& scratch, std::uint64_t n) {
      const std::uint64_t n_bytes = n * sizeof(float);
      if (n_bytes > kKept) {
        large_ = Buffer(n_bytes);
        data_ = reinterpret_cast<float*>(large_.data());
        return;
      }
      if (scratch.kept_.size() < n_bytes) scratch.kept_ = Buffer(n_bytes);
      data_ = reinterpret_cast<float*>(scratch.kept_.data());
    }
    float* data() { return data_; }

   private:
    Buffer large_;
    float* data_ = nullptr;
  };

 private:
  static constexpr std::uint64_t kKept = 8u << 20;  // bytes: a writer's chunks have about 1 MiB, twice that in binary32
  Buffer kept_;
};

}  // namespace haagenti
