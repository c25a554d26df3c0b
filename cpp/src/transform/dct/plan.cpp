// See plan.h.
#include "transform/dct/plan.h"

#include <algorithm>
#include <cmath>
#include <list>

namespace haagenti::dct {
namespace {

constexpr std::uint64_t kMaxUncut = 512;            // numbers of a transform that is not cut in two; measured
constexpr std::uint64_t kMaxCached = 8;              // plans a thread keeps
constexpr std::uint64_t kMaxCachedBytes = 64 << 20;  // and their bytes, the one in use excepted

// Taylor series on [-pi/4, pi/4]: the C library's functions may differ in the last place from machine to machine.
double taylor_sin(double x) {
  const double s = x * x;
  double t = -1.0 / 1307674368000.0;  // -1 / 15!
  t = t * s + 1.0 / 6227020800.0;
  t = t * s - 1.0 / 39916800.0;
  t = t * s + 1.0 / 362880.0;
  t = t * s - 1.0 / 5040.0;
  t = t * s + 1.0 / 120.0;
  t = t * s - 1.0 / 6.0;
  return x + x * s * t;
}
double taylor_cos(double x) {
  const double s = x * x;
  double t = 1.0 / 20922789888000.0;  // 1 / 16!
  t = t * s - 1.0 / 87178291200.0;
  t = t * s + 1.0 / 479001600.0;
  t = t * s - 1.0 / 3628800.0;
  t = t * s + 1.0 / 40320.0;
  t = t * s - 1.0 / 720.0;
  t = t * s + 1.0 / 24.0;
  t = t * s - 0.5;
  return 1.0 + s * t;
}

// Roots of one n: from 2 sqrt(n) of them, one product each; all of them directly where n is small.
class Roots {
 public:
  explicit Roots(std::uint64_t n) : n_(n) {
    if (n <= 4096) return;
    while (step_ * step_ < n) step_ *= 2;
    for (std::uint64_t i = 0; i < step_; ++i) fine_.push_back(unit_root(i, n));
    for (std::uint64_t i = 0; i * step_ < n; ++i) coarse_.push_back(unit_root(i * step_, n));
  }
  Root operator()(std::uint64_t k) const {
    k %= n_;
    if (fine_.empty()) return unit_root(k, n_);
    const Root a = coarse_[k / step_], b = fine_[k % step_];
    return {a.cos * b.cos - a.sin * b.sin, a.cos * b.sin + a.sin * b.cos};
  }

 private:
  std::uint64_t n_;
  std::uint64_t step_ = 1;
  std::vector<Root> fine_;
  std::vector<Root> coarse_;
};

// Radices whose product is m. Few passes, the larger radices first: the last passes have fewer factors to load.
std::vector<std::uint32_t> radices(std::uint64_t m) {
  std::vector<std::uint32_t> found;
  for (std::uint32_t odd = kLargestRadix; odd > 13; odd -= 2) {
    for (; largest_prime(odd) == odd && m % odd == 0; m /= odd) found.push_back(odd);
  }
  for (const std::uint32_t odd : {13u, 11u, 7u, 5u}) {
    for (; m % odd == 0; m /= odd) found.push_back(odd);
  }
  std::uint32_t twos = 0, threes = 0;
  for (; m % 2 == 0; m /= 2) ++twos;
  for (; m % 3 == 0; m /= 3) ++threes;
  for (; threes >= 2; threes -= 2) found.push_back(9);
  if (threes == 1 && twos % 3 == 1) {
    found.push_back(6);
    --twos;
  } else if (threes == 1) {
    found.push_back(3);
  }
  if (twos % 3 == 1 && twos > 1) {
    found.push_back(4);
    found.push_back(4);
    twos -= 4;
  }
  for (; twos >= 3; twos -= 3) found.push_back(8);
  if (twos > 0) found.push_back(1u << twos);
  if (found.empty()) found.push_back(1);
  return found;
}

template <class T>
FftPlan<T> fft_plan(std::uint64_t m) {
  FftPlan<T> plan;
  plan.m = m;
  const Roots root(m);
  std::uint64_t stride = 1;
  for (const std::uint32_t radix : radices(m)) {
    const std::uint64_t count = m / (radix * stride);
    plan.passes.push_back({radix, stride, count, plan.twiddles.size(), plan.roots.size()});
    for (std::uint64_t j = 0; radix > 13 && j < radix; ++j) {
      const Root r = unit_root(j, radix);
      plan.roots.push_back(static_cast<T>(r.cos));
      plan.roots.push_back(static_cast<T>(r.sin));
    }
    for (std::uint64_t p = 0; p < count; ++p) {
      for (std::uint32_t i = 1; i < radix; ++i) {
        const Root r = root(p * i * stride);
        plan.twiddles.push_back(static_cast<T>(r.cos));
        plan.twiddles.push_back(static_cast<T>(-r.sin));
      }
    }
    stride *= radix;
  }
  return plan;
}

// The divisor of m nearest below its square root; both parts hold at least 16 numbers, or m is not cut.
std::uint64_t cut(std::uint64_t m) {
  if (m <= kMaxUncut) return m;
  std::uint64_t best = 1;
  for (std::uint64_t d = 1; d * d <= m; ++d) {
    if (m % d == 0) best = d;
  }
  return best >= 16 ? best : m;
}

// The element of the line that Makhoul's order puts at place t: even ones first, then odd ones backwards.
std::uint32_t element_at(std::uint64_t t, std::uint64_t n) { return static_cast<std::uint32_t>(2 * t < n ? 2 * t : 2 * (n - t) - 1); }

template <class T>
void fill_rotations(LinePlan<T>* plan) {
  const std::uint64_t n = plan->n, count = plan->m / 2 + 1;
  const double scale = plan->even ? 1.0 / std::sqrt(2.0 * static_cast<double>(n)) : std::sqrt(2.0 / static_cast<double>(n));
  const Roots root(4 * n);
  for (std::uint64_t k = 0; k < count; ++k) {
    const Root a = root(k);
    plan->alpha_re.push_back(static_cast<T>(a.cos * scale));
    plan->alpha_im.push_back(static_cast<T>(a.sin * scale));
    if (!plan->even) continue;
    const Root b = root(5 * k + 3 * n);
    plan->beta_re.push_back(static_cast<T>(b.cos * scale));
    plan->beta_im.push_back(static_cast<T>(b.sin * scale));
  }
}

template <class T>
std::shared_ptr<const LinePlan<T>> make_plan(std::uint64_t n) {
  auto plan = std::make_shared<LinePlan<T>>();
  plan->n = n;
  plan->even = n % 2 == 0;
  plan->m = plan->even ? n / 2 : n;
  plan->first = static_cast<T>(1.0 / std::sqrt(static_cast<double>(n)));
  plan->bluestein = largest_prime(n) > kLargestRadix || n > 0xffffffffu;
  if (plan->bluestein) return plan;
  plan->n1 = cut(plan->m);
  plan->n2 = plan->m / plan->n1;
  plan->level1 = fft_plan<T>(plan->n1);
  if (plan->n2 > 1) {
    plan->level2 = fft_plan<T>(plan->n2);
    const Roots root(plan->m);
    for (std::uint64_t k1 = 0; k1 < plan->n1; ++k1) {
      for (std::uint64_t j2 = 0; j2 < plan->n2; ++j2) {
        const Root r = root(k1 * j2);
        plan->between_re.push_back(static_cast<T>(r.cos));
        plan->between_im.push_back(static_cast<T>(-r.sin));
      }
    }
  }
  for (std::uint64_t t = 0; t < n; ++t) plan->order.push_back(element_at(t, n));
  fill_rotations(plan.get());
  return plan;
}

}  // namespace

Root unit_root(std::uint64_t k, std::uint64_t n) {
  k %= n;
  const auto octant = static_cast<std::uint64_t>(static_cast<unsigned __int128>(k) * 8 / n);
  // The nearest multiple of a quarter of the circle, and the angle from there.
  const std::uint64_t quarter = (octant + 1) / 2;
  const auto left = static_cast<__int128>(k) * 4 - static_cast<__int128>(quarter) * n;  // in units of a quarter / n
  const double x = static_cast<double>(static_cast<std::int64_t>(left)) * 1.5707963267948966192 / static_cast<double>(n);
  const double c = taylor_cos(x), s = taylor_sin(x);
  switch (quarter % 4) {
    case 0: return {c, s};
    case 1: return {-s, c};
    case 2: return {-c, -s};
    default: return {s, -c};
  }
}

std::uint64_t largest_prime(std::uint64_t n) {
  std::uint64_t largest = 1;
  for (std::uint64_t d = 2; d * d <= n; ++d) {
    for (; n % d == 0; n /= d) largest = d;
  }
  return std::max(largest, n);
}

template <class T>
std::uint64_t LinePlan<T>::n_bytes() const {
  return sizeof(T) * (level1.twiddles.size() + level2.twiddles.size() + 2 * between_re.size() + 4 * alpha_re.size()) + 4 * order.size();
}

template <class T>
std::shared_ptr<const LinePlan<T>> line_plan(std::uint64_t n) {
  thread_local std::list<std::shared_ptr<const LinePlan<T>>> cache;  // most recent first
  const auto found = std::find_if(cache.begin(), cache.end(), [n](const auto& plan) { return plan->n == n; });
  if (found != cache.end()) {
    cache.splice(cache.begin(), cache, found);
    return cache.front();
  }
  std::shared_ptr<const LinePlan<T>> made = make_plan<T>(n);
  if (made->n_bytes() > kMaxCachedBytes) return made;
  cache.push_front(std::move(made));
  std::uint64_t bytes = cache.front()->n_bytes(), kept = 1;
  for (auto it = std::next(cache.begin()); it != cache.end();) {
    bytes += (*it)->n_bytes();
    it = ++kept > kMaxCached || bytes > kMaxCachedBytes ? cache.erase(it) : std::next(it);
  }
  return cache.front();
}

template std::shared_ptr<const LinePlan<float>> line_plan<float>(std::uint64_t n);
template std::shared_ptr<const LinePlan<double>> line_plan<double>(std::uint64_t n);

}  // namespace haagenti::dct
