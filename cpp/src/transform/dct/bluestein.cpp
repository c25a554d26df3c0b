#include "transform/dct/bluestein.h"

// Products of complex numbers without a second attempt where infinities meet: NaN is what comes out.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("cx-limited-range")
#endif

#include <algorithm>
#include <cmath>
#include <complex>
#include <list>
#include <memory>
#include <vector>

#include "eigen3/unsupported/Eigen/FFT"
#include "haagenti/hd/fft_steps.h"
#include "transform/dct/plan.h"

namespace haagenti::dct {
namespace {

using Number = hd::Complex<double>;
using N = hd::ScalarNumbers<double>;

constexpr std::size_t kMaxCached = 4;                 // plans a thread keeps
constexpr std::uint64_t kMaxCachedBytes = 32u << 20;  // and their bytes; a larger one goes with its call

// The least number >= n of the form 2^a 3^b 5^c.
std::uint64_t smooth_from(std::uint64_t n) {
  std::uint64_t best = 1;
  while (best < n) best *= 2;
  for (std::uint64_t fives = 1; fives < best; fives *= 5) {
    for (std::uint64_t threes = fives; threes < best; threes *= 3) {
      std::uint64_t value = threes;
      while (value < n) value *= 2;
      best = std::min(best, value);
    }
  }
  return best;
}

// n odd: numbers are real on one side and their transform repeats itself conjugated on the other, so that half the differences k - j are
// enough: those from -(m - 1) to m / 2.
struct Chirp {
  std::uint64_t n;
  std::uint64_t m;       // of the Fourier transform: n / 2 pairs, or n numbers
  std::uint64_t length;  // of the convolution
  std::vector<Number> chirp;                  // w
  std::vector<std::complex<double>> filter;   // transform of conj(w), over length
  std::vector<Number> alpha, beta;            // as LinePlan
  std::vector<std::complex<double>> work, spectrum;
  Eigen::FFT<double> fft;

  explicit Chirp(std::uint64_t n_elements);
  void convolve(std::uint64_t count);         // the numbers 0 .. count at `work`, the others zero
  Number result(std::uint64_t k) const {      // after it
    return Number{work[k].real(), work[k].imag()} * chirp[k];
  }
  std::uint64_t n_bytes() const { return 16 * (chirp.size() + alpha.size() + beta.size() + 5 * length); }
};

Chirp::Chirp(std::uint64_t n_elements) : n(n_elements), m(n % 2 == 0 ? n / 2 : n), length(smooth_from(n % 2 == 0 ? 2 * m - 1 : m + m / 2)) {
  fft.SetFlag(Eigen::FFT<double>::Unscaled);
  work.resize(length);
  spectrum.resize(length);
  filter.resize(length);
  chirp.reserve(m);
  for (std::uint64_t j = 0; j < m; ++j) {
    const auto square = static_cast<std::uint64_t>(static_cast<unsigned __int128>(j) * j % (2 * m));
    const Root root = unit_root(square, 2 * m);
    chirp.push_back({root.cos, -root.sin});
    if (n % 2 == 0 || j <= m / 2) work[j] = {root.cos, root.sin};
    work[(length - j) % length] = {root.cos, root.sin};
  }
  fft.fwd(filter.data(), work.data(), static_cast<Eigen::Index>(length));
  for (auto& value : filter) value /= static_cast<double>(length);
  const double scale = n % 2 == 0 ? 1.0 / std::sqrt(2.0 * static_cast<double>(n)) : std::sqrt(2.0 / static_cast<double>(n));
  for (std::uint64_t k = 0; k <= m / 2; ++k) {
    const Root a = unit_root(k, 4 * n), b = unit_root(5 * k + 3 * n, 4 * n);
    alpha.push_back({a.cos * scale, a.sin * scale});
    beta.push_back({b.cos * scale, b.sin * scale});
  }
}

void Chirp::convolve(std::uint64_t count) {
  const auto product = [](std::complex<double> a, Number b) {
    const Number c = Number{a.real(), a.imag()} * b;
    return std::complex<double>(c.re, c.im);
  };
  for (std::uint64_t j = 0; j < count; ++j) work[j] = product(work[j], chirp[j]);
  std::fill(work.begin() + static_cast<std::ptrdiff_t>(count), work.end(), std::complex<double>());
  fft.fwd(spectrum.data(), work.data(), static_cast<Eigen::Index>(length));
  for (std::uint64_t j = 0; j < length; ++j) spectrum[j] = product(spectrum[j], {filter[j].real(), filter[j].imag()});
  fft.inv(work.data(), spectrum.data(), static_cast<Eigen::Index>(length));
}

std::shared_ptr<Chirp> chirp_plan(std::uint64_t n) {
  thread_local std::list<std::shared_ptr<Chirp>> cache;  // most recent first
  const auto found = std::find_if(cache.begin(), cache.end(), [n](const auto& plan) { return plan->n == n; });
  if (found != cache.end()) {
    cache.splice(cache.begin(), cache, found);
    return cache.front();
  }
  auto made = std::make_shared<Chirp>(n);
  if (made->n_bytes() > kMaxCachedBytes) return made;
  cache.push_front(std::move(made));
  std::uint64_t bytes = cache.front()->n_bytes();
  std::size_t kept = 1;
  for (auto it = std::next(cache.begin()); it != cache.end();) {
    bytes += (*it)->n_bytes();
    it = ++kept > kMaxCached || bytes > kMaxCachedBytes ? cache.erase(it) : std::next(it);
  }
  return cache.front();
}

// The element of the line at place t of Makhoul's order.
std::uint64_t element_at(std::uint64_t t, std::uint64_t n) { return 2 * t < n ? 2 * t : 2 * (n - t) - 1; }

template <class T>
struct Line {
  T* at;
  std::uint64_t step;
  void put(std::uint64_t i, double y) const { at[i * step] = static_cast<T>(y); }
};

template <class T>
void forward(Chirp& c, const T* src, std::uint64_t step, const Line<T>& y) {
  const std::uint64_t n = c.n, m = c.m;
  const double first = 1.0 / std::sqrt(static_cast<double>(n));
  const auto x = [&](std::uint64_t t) { return static_cast<double>(src[element_at(t, n) * step]); };
  const auto z = [&](std::uint64_t k) { return c.result(k); };
  for (std::uint64_t j = 0; j < m; ++j) c.work[j] = n % 2 == 0 ? std::complex<double>(x(2 * j), x(2 * j + 1)) : std::complex<double>(x(j), 0.0);
  c.convolve(m);
  if (n % 2 != 0) {
    y.put(0, z(0).re * first);
    for (std::uint64_t k = 1; k <= m / 2; ++k) {
      const Number pair = hd::dct2_rotate_odd(z(k), c.alpha[k]);
      y.put(k, pair.re);
      y.put(n - k, pair.im);
    }
    return;
  }
  y.put(0, (z(0).re + z(0).im) * first);
  y.put(m, (z(0).re - z(0).im) * first);
  for (std::uint64_t k = 1; 2 * k < m; ++k) {
    const auto quad = hd::dct2_rotate<N>(z(k), z(m - k), c.alpha[k], c.beta[k]);
    y.put(k, quad.y_k);
    y.put(n - k, quad.y_n_k);
    y.put(m - k, quad.y_half_k);
    y.put(m + k, quad.y_half_pk);
  }
  if (m % 2 == 0) {
    const Number pair = hd::dct2_rotate_middle(z(m / 2), c.alpha[m / 2]);
    y.put(m / 2, pair.re);
    y.put(n - m / 2, pair.im);
  }
}

// Real and imaginary parts change places before the transform and after it, which makes it the inverse one. n odd: numbers k and n - k are
// conjugated, so that twice number k stands for both, and place n - j of the result is place -j.
template <class T>
void inverse(Chirp& c, const T* src, std::uint64_t step, const Line<T>& x) {
  const std::uint64_t n = c.n, m = c.m;
  const double first = 1.0 / std::sqrt(static_cast<double>(n));
  const auto y = [&](std::uint64_t i) { return static_cast<double>(src[i * step]); };
  const auto put = [&](std::uint64_t k, Number value) { c.work[k] = {value.im, value.re}; };
  if (n % 2 != 0) {
    put(0, {y(0) * first, 0.0});
    for (std::uint64_t k = 1; k <= m / 2; ++k) {
      const Number value = hd::dct3_rotate_odd<N>(y(k), y(n - k), c.alpha[k]);
      put(k, {2.0 * value.re, 2.0 * value.im});
    }
    c.convolve(m / 2 + 1);
    x.put(0, c.result(0).im);
    for (std::uint64_t j = 1; j <= m / 2; ++j) {
      const std::complex<double> back = c.work[c.length - j];
      x.put(element_at(j, n), c.result(j).im);
      x.put(element_at(m - j, n), (Number{back.real(), back.imag()} * c.chirp[j]).im);
    }
    return;
  }
  put(0, {(y(0) + y(m)) * first, (y(0) - y(m)) * first});
  for (std::uint64_t k = 1; 2 * k < m; ++k) {
    const auto pair = hd::dct3_rotate<N>(hd::Quad<double>{y(k), y(n - k), y(m - k), y(m + k)}, c.alpha[k], c.beta[k]);
    put(k, pair.z_k);
    put(m - k, pair.z_half_k);
  }
  if (m % 2 == 0) put(m / 2, hd::dct3_rotate_middle(y(m / 2), y(n - m / 2), c.alpha[m / 2]));
  c.convolve(m);
  for (std::uint64_t j = 0; j < m; ++j) {
    const Number pair = c.result(j);
    x.put(element_at(2 * j, n), pair.im);
    x.put(element_at(2 * j + 1, n), pair.re);
  }
}

}  // namespace

template <class T>
void bluestein_line(DctType type, const T* src, std::uint64_t src_step, T* dst, std::uint64_t dst_step, std::uint64_t n) {
  const std::shared_ptr<Chirp> held = chirp_plan(n);
  Chirp& plan = *held;
  if (type == DctType::k2) {
    forward<T>(plan, src, src_step, {dst, dst_step});
  } else {
    inverse<T>(plan, src, src_step, {dst, dst_step});
  }
}

template void bluestein_line(DctType, const float*, std::uint64_t, float*, std::uint64_t, std::uint64_t);
template void bluestein_line(DctType, const double*, std::uint64_t, double*, std::uint64_t, std::uint64_t);

}  // namespace haagenti::dct
