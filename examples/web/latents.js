// Latents as TensorFlow draws them: seed N on the page is the same picture as
// `keras_gans.load(name).generate(1, seed=N)` in Python, which draws
// `tf.random.stateless_normal((1, d), (N, -1), alg="philox")`, or U(-1, 1) numbers likewise.
//
// The generator is Philox 4x32-10 (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3,
// 2011): four words come from a counter of four words and a key of two, in ten rounds.

const ROUNDS = 10;
const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57];
const KEY_STEPS = [0x9e3779b9, 0xbb67ae85];

// TensorFlow makes the key and the counter's upper half from the seed, under this key.
const SCRAMBLING_KEY = [0x3ec8f720, 0x02461e29];

// The second half of the seed in `generate`: -1 as 64 bits. Training counts up from 0.
const SAMPLES_STREAM = [0xffffffff, 0xffffffff];

export const MAX_SEED = 2n ** 63n - 1n;

/** The upper 32 bits of the product of two unsigned 32-bit integers, which no double holds. */
function multiplyHigh(a, b) {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = (middle & 0xffff) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0;
}

/** Four random words (unsigned 32-bit) for a counter of four words and a key of two. */
export function philox(counter, key) {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(c0, MULTIPLIERS[0]);
    const high1 = multiplyHigh(c2, MULTIPLIERS[1]);
    const low0 = Math.imul(c0, MULTIPLIERS[0]) >>> 0;
    const low1 = Math.imul(c2, MULTIPLIERS[1]) >>> 0;
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + KEY_STEPS[0]) >>> 0;
    k1 = (k1 + KEY_STEPS[1]) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** The first `size` words of the stream that TensorFlow uses for the seed (seed, -1). */
function words(seed, size) {
  const low = Number(seed & 0xffffffffn);
  const high = Number(seed >> 32n);
  const mix = philox([low, high, ...SAMPLES_STREAM], SCRAMBLING_KEY);
  const [key, upper] = [mix.slice(0, 2), mix.slice(2)];
  const result = [];
  for (let block = 0; result.length < size; block++) {
    result.push(...philox([block, 0, ...upper], key));
  }
  return result;
}

/** A number in [0, 1) from the lower 23 bits of a word. */
const fraction = (word) => (word & 0x7fffff) / 0x800000;

/** Two N(0, 1) numbers from two words (Box and Muller), rounded where TensorFlow rounds. */
function normals(first, second) {
  const u = Math.fround(Math.max(fraction(first), 1e-7));
  const angle = Math.fround(2 * Math.PI * fraction(second));
  const radius = Math.fround(Math.sqrt(Math.fround(-2 * Math.fround(Math.log(u)))));
  return [Math.sin(angle) * radius, Math.cos(angle) * radius];
}

/** A seed as a BigInt; throws a RangeError unless it is a whole number in [0, 2^63). */
export function parseSeed(text) {
  const digits = String(text).trim();
  if (!/^\d+$/.test(digits) || BigInt(digits) > MAX_SEED) {
    throw new RangeError(`The seed must be a whole number from 0 to 2^63 - 1, not “${text}”.`);
  }
  return BigInt(digits);
}

/**
 * One example's latents.
 * @param {"normal"|"uniform"} prior N(0, 1) or U(-1, 1)
 * @param {number|bigint|string} seed from 0 to 2^63 - 1
 * @param {number} size how many
 * @returns {Float32Array}
 */
export function drawLatents(prior, seed, size) {
  const stream = words(parseSeed(seed), size);
  const latents = new Float32Array(size);
  if (prior === "uniform") {
    for (let i = 0; i < size; i++) latents[i] = 2 * fraction(stream[i]) - 1;
  } else if (prior === "normal") {
    for (let i = 0; i < size; i += 2) {
      latents.set(normals(stream[i], stream[i + 1]).slice(0, size - i), i);
    }
  } else {
    throw new RangeError(`The prior must be "normal" or "uniform", not “${prior}”.`);
  }
  return latents;
}

/**
 * Latents between two others, at 0 the first and at 1 the second. N(0, 1) latents of many
 * dimensions lie near a sphere, and the way leads along it (Shoemake's slerp); uniform ones fill a
 * cube, and the way is straight.
 */
export function between(prior, first, second, at) {
  let [ofFirst, ofSecond] = [1 - at, at];
  if (prior === "normal") {
    const cosine = dot(first, second) / Math.sqrt(dot(first, first) * dot(second, second));
    const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
    // Of one direction, or of opposite ones, there is no such way, or no single one.
    if (Math.sin(angle) > 1e-4) {
      ofFirst = Math.sin((1 - at) * angle) / Math.sin(angle);
      ofSecond = Math.sin(at * angle) / Math.sin(angle);
    }
  }
  return first.map((value, i) => ofFirst * value + ofSecond * second[i]);
}

/** Two orthonormal random directions, the same for all models of one size. */
export function directions(size) {
  const first = drawLatents("normal", 2n ** 62n, size);
  const second = drawLatents("normal", 2n ** 62n + 1n, size);
  const share = dot(first, second) / dot(first, first);
  return [first, second.map((value, i) => value - share * first[i])].map((direction) => {
    const length = Math.sqrt(dot(direction, direction));
    return direction.map((value) => value / length);
  });
}

/**
 * Latents moved along two directions. At x = 1 the way is as long as latents are on average, so
 * that sliders from -1 to 1 do as much for 18 dimensions as for 1044.
 */
export function walk(prior, latents, [first, second], x, y) {
  const uniform = prior === "uniform";
  const length = Math.sqrt(latents.length * (uniform ? 1 / 3 : 1));
  return latents.map((value, i) => {
    const moved = value + length * (x * first[i] + y * second[i]);
    return uniform ? Math.min(1, Math.max(-1, moved)) : moved;
  });
}

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
