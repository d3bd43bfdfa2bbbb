// One function for each kind of layer. (channels, rows, columns) of single precision go in and come
// out, one value after the other; `layer.from` and `layer.to` are the two shapes.

export const LAYERS = { conv, linear, max: maximum, average, mean, norm, leaky, elu, tanh }

function conv(layer, input, output, numbers) {
  const [channels, rows, columns] = layer.to
  const [kernelRows, kernelColumns] = layer.kernel
  const [stepRows, stepColumns] = layer.stride
  const given = padded(layer, input, 0)
  const size = given.rows * given.columns
  const addRow = kernelColumns === 3 ? addThree : addAny
  let weight = layer.weight
  for (let channel = 0; channel < channels; channel++) {
    const target = output.subarray(channel * rows * columns, (channel + 1) * rows * columns)
    target.fill(layer.bias === null ? 0 : numbers[layer.bias + channel])
    for (let from = 0; from < layer.from[0]; from++) {
      for (let down = 0; down < kernelRows; down++) {
        const factors = numbers.subarray(weight, (weight += kernelColumns))
        for (let row = 0; row < rows; row++) {
          const read = from * size + (row * stepRows + down) * given.columns
          addRow(target, row * columns, columns, given.values, read, stepColumns, factors)
        }
      }
    }
  }
}

// A row of a kernel slides along a row of values; what it gives is added to a row of the target.
function addAny(target, first, columns, values, read, step, factors) {
  for (let right = 0; right < factors.length; right++) {
    const factor = factors[right]
    for (let at = 0; at < columns; at++) target[first + at] += factor * values[read + right + at * step]
  }
}

// The same for the most frequent width, in half the time.
function addThree(target, first, columns, values, read, step, factors) {
  const left = factors[0]
  const middle = factors[1]
  const right = factors[2]
  for (let at = 0; at < columns; at++, read += step) {
    target[first + at] += left * values[read] + middle * values[read + 1] + right * values[read + 2]
  }
}

function linear(layer, input, output, numbers) {
  let weight = layer.weight
  for (let unit = 0; unit < output.length; unit++) {
    let sum = layer.bias === null ? 0 : numbers[layer.bias + unit]
    for (let at = 0; at < input.length; at++) sum += input[at] * numbers[weight++]
    output[unit] = sum
  }
}

function maximum(layer, input, output) {
  const given = padded(layer, input, -Infinity)
  slide(layer, given, output, (values, reads) => {
    let found = -Infinity
    for (const at of reads) if (values[at] > found) found = values[at]
    return found
  })
}

function average(layer, input, output) {
  const given = padded(layer, input, 0)
  const inside = layer.counts_padding ? null : padded({ ...layer, from: [1, ...layer.from.slice(1)] }, ones(layer), 0)
  slide(layer, given, output, (values, reads, first) => {
    let sum = 0
    let count = 0
    for (const at of reads) {
      sum += values[at]
      count += inside ? inside.values[at - first] : 1
    }
    return sum / count
  })
}

const ones = ({ from }) => new Float32Array(from[1] * from[2]).fill(1)

// Calls `reduce` with the places under each position of the window.
function slide(layer, given, output, reduce) {
  const [channels, rows, columns] = layer.to
  const [kernelRows, kernelColumns] = layer.kernel
  const reads = new Int32Array(kernelRows * kernelColumns)
  let at = 0
  for (let channel = 0; channel < channels; channel++) {
    const first = channel * given.rows * given.columns
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const corner = first + row * layer.stride[0] * given.columns + column * layer.stride[1]
        for (let place = 0; place < reads.length; place++) {
          reads[place] = corner + Math.floor(place / kernelColumns) * given.columns + (place % kernelColumns)
        }
        output[at++] = reduce(given.values, reads, first)
      }
    }
  }
}

function mean(layer, input, output) {
  const size = input.length / output.length
  for (let channel = 0; channel < output.length; channel++) {
    let sum = 0
    for (let at = 0; at < size; at++) sum += input[channel * size + at]
    output[channel] = sum / size
  }
}

function norm(layer, input, output, numbers) {
  each(layer, input, output, (value, channel) => value * numbers[layer.weight + channel] + numbers[layer.bias + channel])
}

function leaky(layer, input, output, numbers) {
  each(layer, input, output, (value, channel) =>
    value > 0 ? value : value * numbers[layer.weight + (layer.count > 1 ? channel : 0)])
}

function elu(layer, input, output) {
  each(layer, input, output, value => layer.scale * (value > 0 ? value : layer.alpha * Math.expm1(value)))
}

function tanh(layer, input, output) {
  each(layer, input, output, Math.tanh)
}

function each(layer, input, output, change) {
  const size = input.length / layer.to[0]
  for (let channel = 0, at = 0; channel < layer.to[0]; channel++) {
    for (const end = at + size; at < end; at++) output[at] = change(input[at], channel)
  }
}

// The input with its padding around it.
function padded(layer, input, value) {
  const [channels, rows, columns] = layer.from
  const [top, left] = layer.padding
  const given = { rows: rows + 2 * top, columns: columns + 2 * left, values: input }
  if (!top && !left) return given
  given.values = new Float32Array(channels * given.rows * given.columns).fill(value)
  for (let line = 0; line < channels * rows; line++) {
    const row = Math.floor(line / rows) * given.rows + top + (line % rows)
    given.values.set(input.subarray(line * columns, (line + 1) * columns), row * given.columns + left)
  }
  return given
}
