// One function for each kind of layer. (channels, rows, columns) go in and come out, one value after
// the other; `layer.from` and `layer.to` are the two shapes. What a layer needs beside its output
// is made once and kept in it, so that an answer leaves no garbage behind.

export const LAYERS = { conv, linear, max: maximum, average, mean, norm, leaky, elu, tanh }

const WIDE = 4 // columns, or units, that are summed up together

// Sums stay in the processor's registers: two channels and four columns at a time, where there are
// as many. The last ones of a row or of all channels overlap those before.
function conv(layer, input, output, numbers) {
  const plan = (layer.plan ??= planOf(layer))
  const given = padded(layer, input, 0)
  const sum = plan.high > 1 ? sumEight : sumOne
  for (let channel = 0; channel < plan.channels; channel += plan.high) {
    const first = Math.min(channel, plan.channels - plan.high)
    for (let row = 0; row < plan.rows; row++) {
      for (let column = 0; column < plan.columns; column += plan.wide) {
        sum(plan, given, numbers, output, first, row, Math.min(column, plan.columns - plan.wide))
      }
    }
  }
}

// A convolution's sizes as plain numbers, and how many channels and columns are summed up at once.
function planOf({ from, to, kernel, stride, weight, bias }) {
  const [channels, rows, columns] = to
  const eight = channels > 1 && columns >= WIDE
  return {
    weight, bias, channels, rows, columns, from: from[0],
    down: kernel[0], right: kernel[1], stepDown: stride[0], step: stride[1],
    count: from[0] * kernel[0] * kernel[1], // weights of a channel
    high: eight ? 2 : 1, wide: eight ? WIDE : 1,
  }
}

function sumEight(plan, { values, rows, columns }, numbers, output, channel, row, column) {
  const { count, step, down, right } = plan
  let weight = plan.weight + channel * count
  let a0 = plan.bias === null ? 0 : numbers[plan.bias + channel]
  let b0 = plan.bias === null ? 0 : numbers[plan.bias + channel + 1]
  let a1 = a0
  let a2 = a0
  let a3 = a0
  let b1 = b0
  let b2 = b0
  let b3 = b0
  for (let from = 0; from < plan.from; from++) {
    let line = (from * rows + row * plan.stepDown) * columns + column * step
    for (let y = 0; y < down; y++, line += columns) {
      for (let read = line; read < line + right; read++, weight++) {
        const a = numbers[weight]
        const b = numbers[weight + count]
        const v0 = values[read]
        const v1 = values[read + step]
        const v2 = values[read + 2 * step]
        const v3 = values[read + 3 * step]
        a0 += a * v0
        a1 += a * v1
        a2 += a * v2
        a3 += a * v3
        b0 += b * v0
        b1 += b * v1
        b2 += b * v2
        b3 += b * v3
      }
    }
  }
  const at = (channel * plan.rows + row) * plan.columns + column
  const next = at + plan.rows * plan.columns
  output[at] = a0
  output[at + 1] = a1
  output[at + 2] = a2
  output[at + 3] = a3
  output[next] = b0
  output[next + 1] = b1
  output[next + 2] = b2
  output[next + 3] = b3
}

function sumOne(plan, { values, rows, columns }, numbers, output, channel, row, column) {
  let weight = plan.weight + channel * plan.count
  let sum = plan.bias === null ? 0 : numbers[plan.bias + channel]
  for (let from = 0; from < plan.from; from++) {
    for (let y = 0; y < plan.down; y++) {
      const read = (from * rows + row * plan.stepDown + y) * columns + column * plan.step
      for (let x = 0; x < plan.right; x++) sum += numbers[weight++] * values[read + x]
    }
  }
  output[(channel * plan.rows + row) * plan.columns + column] = sum
}

function linear(layer, input, output, numbers) {
  const size = input.length
  const wide = output.length >= WIDE ? WIDE : 1
  for (let next = 0; next < output.length; next += wide) {
    const unit = Math.min(next, output.length - wide)
    const first = layer.weight + unit * size
    if (wide === 1) output[unit] = biasOf(layer, numbers, unit) + dot(input, numbers, first)
    else sumFour(layer, input, output, numbers, unit, first)
  }
}

const biasOf = (layer, numbers, unit) => (layer.bias === null ? 0 : numbers[layer.bias + unit])

function dot(input, numbers, first) {
  let sum = 0
  for (let at = 0; at < input.length; at++) sum += input[at] * numbers[first + at]
  return sum
}

function sumFour(layer, input, output, numbers, unit, first) {
  const size = input.length
  let a = biasOf(layer, numbers, unit)
  let b = biasOf(layer, numbers, unit + 1)
  let c = biasOf(layer, numbers, unit + 2)
  let d = biasOf(layer, numbers, unit + 3)
  for (let at = 0, place = first; at < size; at++, place++) {
    const value = input[at]
    a += value * numbers[place]
    b += value * numbers[place + size]
    c += value * numbers[place + 2 * size]
    d += value * numbers[place + 3 * size]
  }
  output[unit] = a
  output[unit + 1] = b
  output[unit + 2] = c
  output[unit + 3] = d
}

function maximum(layer, input, output) {
  const { values, rows, columns } = padded(layer, input, -Infinity)
  windows(layer, rows, columns, (corner, at) => {
    let found = -Infinity
    for (let down = 0; down < layer.kernel[0]; down++) {
      for (let right = 0; right < layer.kernel[1]; right++) {
        const value = values[corner + down * columns + right]
        if (value > found) found = value
      }
    }
    output[at] = found
  })
}

function average(layer, input, output) {
  const { values, rows, columns } = padded(layer, input, 0)
  const [kernelRows, kernelColumns] = layer.kernel
  windows(layer, rows, columns, (corner, at, row, column) => {
    let sum = 0
    for (let down = 0; down < kernelRows; down++) {
      for (let right = 0; right < kernelColumns; right++) sum += values[corner + down * columns + right]
    }
    const inside = layer.counts_padding
      ? kernelRows * kernelColumns
      : overlap(row, kernelRows, layer.padding[0], layer.from[1]) * overlap(column, kernelColumns, layer.padding[1], layer.from[2])
    output[at] = sum / inside
  })
}

// How many of `count` places from `first` on are not padding.
function overlap(first, count, padding, size) {
  return Math.min(first + count, padding + size) - Math.max(first, padding)
}

// Calls `reduce` for each position of the window with its first place in the padded input, the
// place of the output, and its row and column in the padded input.
function windows(layer, rows, columns, reduce) {
  let at = 0
  for (let channel = 0; channel < layer.to[0]; channel++) {
    for (let row = 0; row < layer.to[1]; row++) {
      for (let column = 0; column < layer.to[2]; column++) {
        const top = row * layer.stride[0]
        const left = column * layer.stride[1]
        reduce((channel * rows + top) * columns + left, at++, top, left)
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
  const size = input.length / layer.to[0]
  for (let channel = 0, at = 0; channel < layer.to[0]; channel++) {
    const factor = numbers[layer.weight + channel]
    const summand = numbers[layer.bias + channel]
    for (const end = at + size; at < end; at++) output[at] = input[at] * factor + summand
  }
}

function leaky(layer, input, output, numbers) {
  const size = input.length / layer.to[0]
  for (let channel = 0, at = 0; channel < layer.to[0]; channel++) {
    const slope = numbers[layer.weight + (layer.count > 1 ? channel : 0)]
    for (const end = at + size; at < end; at++) output[at] = input[at] > 0 ? input[at] : input[at] * slope
  }
}

function elu(layer, input, output) {
  for (let at = 0; at < input.length; at++) {
    output[at] = layer.scale * (input[at] > 0 ? input[at] : layer.alpha * Math.expm1(input[at]))
  }
}

function tanh(layer, input, output) {
  for (let at = 0; at < input.length; at++) output[at] = Math.tanh(input[at])
}

// The input with its padding around it.
function padded(layer, input, value) {
  const [channels, rows, columns] = layer.from
  const [top, left] = layer.padding
  const given = (layer.padded ??= { rows: rows + 2 * top, columns: columns + 2 * left, values: input })
  if (!top && !left) {
    given.values = input
    return given
  }
  if (given.values === input) given.values = new Float64Array(channels * given.rows * given.columns).fill(value)
  for (let line = 0, from = 0; line < channels * rows; line++) {
    let to = (Math.floor(line / rows) * given.rows + top + (line % rows)) * given.columns + left
    for (const end = from + columns; from < end; from++) given.values[to++] = input[from]
  }
  return given
}
