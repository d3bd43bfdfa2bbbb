// Normally distributed numbers by seed and place, the same ones as mnist_core/inspection/ablation.py
// draws: the server measures the same noisy network that the browser shows.

export function normal(seed, place) {
  const radius = Math.sqrt(-2 * Math.log(uniform(seed, 2 * place) + 2 ** -33))
  return radius * Math.cos(2 * Math.PI * uniform(seed, 2 * place + 1))
}

// The generator "mulberry32" by Tommy Ettinger, whose state only counts up.
function uniform(seed, count) {
  let mixed = (seed + Math.imul(count + 1, 0x6d2b79f5)) | 0
  mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
}
