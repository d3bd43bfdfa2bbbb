// A chain of layers with its weights, some of whose parts may be switched off.

import { LAYERS } from "./layers.js"
import { normal } from "./noise.js"
import { rounded } from "./prepare.js"

export class Network {
  // `chain`: the layers; `numbers`: all their numbers; `input`: size, fit, scale and offset.
  constructor({ layers, numbers, input }) {
    this.layers = layers.map(layer => ({ ...layer }))
    // Of double precision, which is what JavaScript computes in: nothing is converted on the way.
    this.intact = Float64Array.from(numbers)
    this.numbers = this.intact.slice()
    this.input = new Input(input)
    this.outputs = layers.map(layer => layer.kind === "flatten" ? null : new Float64Array(product(layer.to)))
    this.outputs.forEach((output, at) => (this.outputs[at] ??= this.outputs[at - 1] ?? this.input.values))
    this.silenced = layers.map(() => new Set())
    this.noise = layers.map(() => 0)
    this.seed = 1
  }

  // Ten probabilities, say, for 28×28 grey levels. `outputs` then holds what each layer made.
  read(image) {
    let values = (this.image = this.input.read(image))
    this.layers.forEach((layer, at) => {
      if (layer.kind !== "flatten") LAYERS[layer.kind](layer, values, this.outputs[at], this.numbers)
      values = this.outputs[at]
      this.silence(layer, at)
    })
    return softmax(values)
  }

  silence(layer, at) {
    if (!this.silenced[at].size) return
    const size = this.outputs[at].length / layer.to[0]
    for (const channel of this.silenced[at]) this.outputs[at].fill(0, channel * size, (channel + 1) * size)
  }

  toggle(at, channel) {
    if (!this.silenced[at].delete(channel)) this.silenced[at].add(channel)
  }

  // Noise of `level` times the spread of the layer's weights.
  setNoise(at, level, seed = this.seed) {
    const { weight, count, spread } = this.layers[at]
    this.noise[at] = level
    this.seed = seed
    for (let place = weight; place < weight + count; place++) {
      const added = level ? level * spread * normal(seed, place) : 0
      this.numbers[place] = this.intact[place] + added
    }
  }

  restore() {
    this.silenced.forEach(channels => channels.clear())
    this.noise.forEach((level, at) => level && this.setNoise(at, 0))
  }

  get changed() {
    return this.silenced.some(channels => channels.size) || this.noise.some(level => level)
  }

  // What is switched off, by the names of the layers.
  get changes() {
    const silenced = {}
    const noise = {}
    this.layers.forEach(({ name }, at) => {
      if (this.silenced[at].size) silenced[name] = [...this.silenced[at]].sort((a, b) => a - b)
      if (this.noise[at]) noise[name] = this.noise[at]
    })
    return { silenced, noise, seed: this.seed }
  }
}

// From 28×28 grey levels to what the network reads: another size, then scaled.
class Input {
  constructor({ size, fit, scale, offset }) {
    this.size = size
    this.resize = size === 28 ? null : fit === "pad" ? pad : enlarge
    this.sized = new Uint8Array(size * size)
    this.values = new Float64Array(size * size)
    this.scaled = Float64Array.from({ length: 256 }, (_, level) =>
      Math.fround(Math.fround(level * Math.fround(scale)) + Math.fround(offset)))
    this.places = Array.from({ length: size }, (_, at) => between(at, size))
  }

  read(image) {
    this.resize?.(image, this.sized, this)
    const sized = this.resize ? this.sized : image
    for (let at = 0; at < sized.length; at++) this.values[at] = this.scaled[sized[at]]
    return this.values
  }
}

function pad(image, larger, { size }) {
  const before = Math.floor((size - 28) / 2)
  for (let row = 0; row < 28; row++) {
    larger.set(image.subarray(row * 28, (row + 1) * 28), (row + before) * size + before)
  }
}

// Linear between the two nearest pixels of each direction, rounded to whole grey levels.
function enlarge(image, larger, { size, places }) {
  for (let row = 0; row < size; row++) {
    const { low: top, high: bottom, part: down } = places[row]
    for (let column = 0; column < size; column++) {
      const { low, high, part } = places[column]
      const above = image[top * 28 + low] * (1 - part) + image[top * 28 + high] * part
      const below = image[bottom * 28 + low] * (1 - part) + image[bottom * 28 + high] * part
      larger[row * size + column] = rounded(above * (1 - down) + below * down)
    }
  }
}

// The two of 28 pixels that a place of the larger image lies between, and how far from the first.
function between(at, size) {
  const place = Math.max(0, ((at + 0.5) * 28) / size - 0.5)
  const low = Math.floor(place)
  return { low, high: Math.min(27, low + 1), part: place - low }
}

function softmax(logits) {
  const top = Math.max(...logits)
  const shares = Array.from(logits, logit => Math.exp(logit - top))
  const sum = shares.reduce((one, other) => one + other)
  return shares.map(share => share / sum)
}

const product = shape => shape.reduce((one, other) => one * other, 1)
