// The feature maps, a column for each layer: a map is a button that silences its channel, and a
// layer with weights has a slider that adds noise to them.

import { element } from "./elements.js"

const ZERO = 127 // the place of zero in the palette
const LAST = 254
const MOST = 256 // channels of a column that are drawn
const HEIGHT = 212 // pixels of a column of maps
const GAP = 3 // pixels between two maps
const IMAGE = 103 // pixels of what the network reads
const UNIT = 16 // pixels of a single number
const CLEAR_PALETTE = new Uint32Array(LAST + 1)

export class Maps {
  constructor(lane, columns, palettes, { toggled, noised }) {
    this.palettes = palettes
    this.columns = columns
    this.tell = { toggled, noised }
    this.focus = [1, 0]
    this.parts = columns.map((column, at) => this.build(column, at))
    lane.replaceChildren(...this.parts.map(({ box }) => box))
    const watcher = new IntersectionObserver(entries => entries.forEach(entry => this.appear(entry)))
    this.parts.forEach(({ picture }) => watcher.observe(picture.canvas))
    lane.onkeydown = event => this.key(event)
  }

  build(column, at) {
    const box = element("div", { class: "column", role: "group", "aria-label": `${column.name}, ${column.kind}` })
    const head = element("div", { class: "name", title: column.kind })
    head.append(element("b", {}, column.name), element("small", {}, size(column)))
    const across = Math.ceil(shown(column) / rows(column))
    const inside = element("div", { class: "tiles" })
    inside.style.setProperty("--across", across)
    inside.style.setProperty("--tile", `${tile(column)}px`)
    const picture = new Picture(column, across)
    const buttons = at ? Array.from({ length: shown(column) }, (_, channel) => this.button(column, at, channel)) : []
    inside.append(picture.canvas, ...buttons)
    box.append(head, inside)
    if (column.noise !== null) box.append(this.slider(column))
    return { box, picture, buttons, across, visible: true }
  }

  button(column, at, channel) {
    const tabindex = at === 1 && channel === 0 ? "0" : "-1"
    const button = element("button", { type: "button", class: "map", "aria-pressed": "false", tabindex })
    button.onclick = () => this.tell.toggled(column.layer, channel)
    button.onfocus = () => this.rove(at, channel)
    name(button, label(column, channel), false)
    return button
  }

  slider(column) {
    const label = element("label", { class: "noise" }, "noise ")
    const range = element("input", {
      type: "range", min: "0", max: "2", step: "0.05", value: "0",
      "aria-label": `Noise on the weights of ${column.name}, as a share of their spread`,
    })
    const value = element("output", {}, "0")
    range.oninput = () => {
      value.textContent = Number(range.value)
      this.tell.noised(column.noise, Number(range.value))
    }
    column.reset = () => {
      range.value = "0"
      value.textContent = "0"
    }
    label.append(range, value)
    return label
  }

  // Paints what the network just computed, as far as it is in sight; dark without an image.
  paint(network, empty) {
    this.painted = { network, empty }
    this.parts.forEach(({ visible }, at) => visible && this.paintColumn(at))
  }

  paintColumn(at) {
    const { network, empty } = this.painted
    const values = at ? network.outputs[this.columns[at].layer] : network.image
    const palette = empty ? CLEAR_PALETTE : at ? this.palettes.colour : this.palettes.grey
    this.parts[at].picture.paint(values, scale(values, !at), palette)
  }

  // A column comes into sight, or leaves it.
  appear({ target, isIntersecting }) {
    const at = this.parts.findIndex(({ picture }) => picture.canvas === target)
    this.parts[at].visible = isIntersecting
    if (isIntersecting && this.painted) this.paintColumn(at)
  }

  // Which channels are silenced.
  mark(network) {
    this.columns.forEach((column, at) =>
      this.parts[at].buttons.forEach((button, channel) =>
        name(button, label(column, channel), network.silenced[column.layer].has(channel))))
  }

  reset() {
    this.columns.forEach(column => column.reset?.())
  }

  // One map of all is in the tab order; the arrow keys go on from there.
  rove(at, channel) {
    const [column, place] = this.focus
    this.parts[column].buttons[place]?.setAttribute("tabindex", "-1")
    this.focus = [at, channel]
    this.parts[at].buttons[channel].setAttribute("tabindex", "0")
  }

  key(event) {
    if (!event.target.classList?.contains("map")) return
    const [at, place] = this.focus
    const { across, buttons } = this.parts[at]
    const steps = { ArrowUp: -across, ArrowDown: across, ArrowLeft: -1, ArrowRight: 1 }
    const step = steps[event.key]
    if (!step) return
    event.preventDefault()
    const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight"
    const last = place % across === across - 1 || place === buttons.length - 1
    const edge = sideways && (step < 0 ? place % across === 0 : last)
    const next = edge ? this.parts[at + step]?.buttons[0] : buttons[place + step]
    next?.focus()
  }
}

// All maps of a column as one picture: many small ones would take the browser far longer to show.
class Picture {
  constructor(column, across) {
    this.column = column
    this.across = across
    const side = Math.max(column.width, column.height)
    this.factor = Math.max(1, Math.round(tile(column) / (GAP * side)))
    this.gap = Math.max(1, Math.round((GAP * this.factor * side) / tile(column)))
    const step = side => side * this.factor + this.gap
    this.width = across * step(column.width) - this.gap
    const height = Math.ceil(shown(column) / across) * step(column.height) - this.gap
    this.canvas = element("canvas", { width: this.width, height, role: "img", "aria-label": `The maps of ${column.name}` })
    this.context = this.canvas.getContext("2d")
    this.image = this.context.createImageData(this.width, height)
    this.pixels = new Uint32Array(this.image.data.buffer)
  }

  paint(values, { low, factor, start }, palette) {
    const { width, height } = this.column
    const { pixels, factor: times } = this
    for (let channel = 0, at = 0; channel < shown(this.column); channel++) {
      const down = Math.floor(channel / this.across) * (height * times + this.gap)
      const along = (channel % this.across) * (width * times + this.gap)
      for (let row = 0; row < height; row++) {
        const first = (down + row * times) * this.width + along
        for (let place = first, end = first + width * times; place < end; at++) {
          const colour = palette[Math.round(start + (values[at] - low) * factor)]
          for (let copy = 0; copy < times; copy++) pixels[place++] = colour
        }
        for (let copy = 1; copy < times; copy++) {
          pixels.copyWithin(first + copy * this.width, first, first + width * times)
        }
      }
    }
    this.context.putImageData(this.image, 0, 0)
  }
}

// Where values are in a palette. As on the server: grey from the lowest to the highest; in colour
// zero is dark, warm is positive, cold is negative, on one scale for the column.
function scale(values, grey) {
  let low = Infinity
  let high = -Infinity
  for (let at = 0; at < values.length; at++) {
    if (values[at] < low) low = values[at]
    if (values[at] > high) high = values[at]
  }
  if (!grey) {
    high = Math.max(high, low < 0 ? -low : 0)
    low = low < 0 ? -high : 0
  }
  if (high <= low) high = low + 1
  const start = !grey && low === 0 ? ZERO : 0
  return { low, start, factor: (LAST - start) / (high - low) }
}

// The palette as the words of an ImageData.
export function words(palette) {
  const colours = new Uint8ClampedArray((palette.length / 3) * 4).fill(255)
  for (let at = 0; at < palette.length / 3; at++) colours.set(palette.subarray(3 * at, 3 * at + 3), 4 * at)
  return new Uint32Array(colours.buffer)
}

const shown = column => Math.min(MOST, column.channels)

function size(column) {
  const some = shown(column) < column.channels ? `${shown(column)} of ` : ""
  return `${some}${column.channels}${column.flat ? "" : ` × ${column.height}×${column.width}`}`
}

// More maps are smaller ones.
function tile(column) {
  if (column.image) return IMAGE
  if (column.flat) return UNIT
  return column.channels <= 16 ? 50 : column.channels <= 48 ? 32 : 23
}

const label = (column, channel) =>
  `${column.name}, ${column.flat ? "unit" : "map"} ${column.names?.[channel] ?? channel}`

function name(button, words, off) {
  button.setAttribute("aria-label", words)
  button.setAttribute("aria-pressed", off ? "true" : "false")
  button.title = off ? `${words}, silenced` : words
}

const rows = column => Math.floor(HEIGHT / (tile(column) + GAP))
