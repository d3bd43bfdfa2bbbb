// Resizing as Pillow does it, to the bit: the same weights, the same order of the two passes, the
// same rounding between them. The server prepares drawings with Pillow.

const FILTERS = {
  box: [0.5, x => (x > -0.5 && x <= 0.5 ? 1 : 0)],
  bicubic: [2, bicubic],
}

function bicubic(x) {
  const a = -0.5
  const far = Math.abs(x)
  if (far < 1) return ((a + 2) * far - (a + 3)) * far * far + 1
  return far < 2 ? (((far - 5) * far + 8) * far - 4) * a : 0
}

// The weights change only with the size of what was drawn.
const plans = new Map()

// For each place of the result: the first place that it reads, and the weights from there on.
function weights(from, to, name) {
  const key = `${from} ${to} ${name}`
  if (!plans.has(key)) plans.set(key, planned(from, to, name))
  return plans.get(key)
}

function planned(from, to, name) {
  const [reach, filter] = FILTERS[name]
  const step = from / to
  const widest = Math.max(1, step)
  return Array.from({ length: to }, (_, place) => {
    const centre = (place + 0.5) * step
    const first = Math.max(0, Math.trunc(centre - reach * widest + 0.5))
    const end = Math.min(from, Math.trunc(centre + reach * widest + 0.5))
    const found = new Float64Array(end - first)
    let sum = 0
    for (let at = first; at < end; at++) {
      found[at - first] = filter((at - centre + 0.5) * (1 / widest))
      sum += found[at - first]
    }
    if (sum) for (let at = 0; at < found.length; at++) found[at] /= sum
    return { first, found }
  })
}

// Square images of single precision, side by side: (side, side) -> (to, to) Float32Array.
export function resizeFloat(image, side, to, name) {
  const plan = weights(side, to, name)
  const across = pass(image, side, side, plan, new Float32Array(side * to))
  return transposed(pass(transposed(across, side, to), to, side, plan, new Float32Array(to * to)), to, to)
}

// The same of whole grey levels, with Pillow's fixed-point weights.
export function resizeGrey(image, side, to, name) {
  const exact = 2 ** 22
  const plan = weights(side, to, name).map(({ first, found }) => ({ first, found: found.map(w => Math.trunc(w * exact + (w < 0 ? -0.5 : 0.5))) }))
  const across = new Uint8ClampedArray(side * to)
  const down = new Uint8ClampedArray(to * to)
  const finish = sum => Math.floor((sum + exact / 2) / exact)
  return transposed(pass(transposed(pass(image, side, side, plan, across, finish), side, to), to, side, plan, down, finish), to, to)
}

// Each row of (rows, columns) becomes shorter or longer.
function pass(image, rows, columns, plan, result, finish = sum => sum) {
  for (let place = 0; place < plan.length; place++) {
    const { first, found } = plan[place]
    for (let row = 0; row < rows; row++) {
      let sum = 0
      for (let at = 0, read = row * columns + first; at < found.length; at++, read++) sum += image[read] * found[at]
      result[row * plan.length + place] = finish(sum)
    }
  }
  return result
}

function transposed(image, rows, columns) {
  const turned = new image.constructor(image.length)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) turned[column * rows + row] = image[row * columns + column]
  }
  return turned
}
