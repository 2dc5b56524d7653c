/** A key for the noise functions: 32 bits that depend on every character of `text` and on `seed` (FNV-1a, mixed). */
export function noiseKey(text: string, seed: number): number {
  let hash = 0x811c9dc5 ^ mix(seed | 0);
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mix(hash);
}

/** White noise: an even spread over [−1, 1), a pure function of key and index. */
export function whiteNoise(key: number, index: number): number {
  return mix(Math.imul(index | 0, 0x9e3779b1) ^ key) / 0x80000000;
}

/** A number in [0, 1), a pure function of key and index. */
export function chance(key: number, index: number): number {
  return (whiteNoise(key, index) + 1) / 2;
}

/** Value noise: smooth between white noise at whole `x`; within [−1, 1). */
export function smoothNoise(key: number, x: number): number {
  const index = Math.floor(x);
  const share = x - index;
  const left = whiteNoise(key, index);
  return left + (whiteNoise(key, index + 1) - left) * share * share * (3 - 2 * share);
}

/** The finaliser of MurmurHash3 (A. Appleby, public domain): each bit in changes half of the bits out. */
function mix(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
