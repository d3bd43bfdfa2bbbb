// The feature maps, a column for each layer: a map is a button that silences its channel, and a
// layer with weights has a slider that adds noise to them.

import { element } from "./elements.js"

const ZERO = 127 // the place of zero in the palette
const LAST = 254
const MOST = 256 // channels of a column that are drawn
const HEIGHT = 212 // pixels of a column of maps
const IMAGE = 103 // pixels of what the network reads
const UNIT = 16 // pixels of a single number

export class Maps {
  constructor(lane, columns, palettes, { toggled, noised }) {
    this.palettes = palettes
    this.columns = columns
    this.tell = { toggled, noised }
    this.focus = [1, 0]
    this.parts = columns.map((column, at) => this.build(column, at))
    lane.replaceChildren(...this.parts.map(({ box }) => box))
    lane.onkeydown = event => this.key(event)
  }

  build(column, at) {
    const box = element("div", { class: "column", role: "group", "aria-label": `${column.name}, ${column.kind}` })
    const head = element("div", { class: "name", title: column.kind })
    head.append(element("b", {}, column.name), element("small", {}, size(column)))
    const across = Math.ceil(shown(column) / rows(column))
    const inside = element("div", { class: column.flat ? "units" : "tiles" })
    inside.style.setProperty("--across", across)
    inside.style.setProperty("--tile", `${at ? tile(column) : IMAGE}px`)
    const tiles = Array.from({ length: shown(column) }, (_, channel) => this.tile(column, at, channel))
    inside.append(...tiles.map(({ button }) => button))
    box.append(head, inside)
    if (column.noise !== null) box.append(this.slider(column))
    return { box, tiles, across }
  }

  tile(column, at, channel) {
    const picture = element("canvas", { width: column.width, height: column.height, "aria-hidden": "true" })
    const name = column.names?.[channel] ?? channel
    const label = `${column.name}, ${column.flat ? "unit" : "map"} ${name}`
    const first = at === 1 && channel === 0
    const button = element(at ? "button" : "div", at
      ? { type: "button", title: label, "aria-label": label, "aria-pressed": "false", tabindex: first ? "0" : "-1" }
      : { role: "img", "aria-label": "What the network reads" })
    button.className = "map"
    button.append(picture)
    const context = picture.getContext("2d")
    const image = context.createImageData(column.width, column.height)
    if (at) {
      button.onclick = () => this.tell.toggled(column.layer, channel)
      button.onfocus = () => this.rove(at, channel)
    }
    return { button, label, context, image, pixels: new Uint32Array(image.data.buffer) }
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

  // Paints what the network just computed; dark without an image.
  paint(network, empty) {
    this.columns.forEach((column, at) => {
      const values = at ? network.outputs[column.layer] : network.image
      const colour = scale(values, at ? this.palettes.colour : this.palettes.grey, !at)
      const count = column.width * column.height
      this.parts[at].tiles.forEach(({ context, image, pixels }, channel) => {
        for (let place = 0; place < count; place++) pixels[place] = empty ? 0 : colour(values[channel * count + place])
        context.putImageData(image, 0, 0)
      })
    })
  }

  // Which channels are silenced.
  mark(network) {
    this.columns.forEach((column, at) => {
      if (!at) return
      this.parts[at].tiles.forEach(({ button, label }, channel) => {
        const off = network.silenced[column.layer].has(channel)
        button.setAttribute("aria-pressed", off ? "true" : "false")
        button.title = off ? `${label}, silenced` : label
      })
    })
  }

  reset() {
    this.columns.forEach(column => column.reset?.())
  }

  // One map of all is in the tab order; the arrow keys go on from there.
  rove(at, channel) {
    const [column, place] = this.focus
    this.parts[column].tiles[place]?.button.setAttribute("tabindex", "-1")
    this.focus = [at, channel]
    this.parts[at].tiles[channel].button.setAttribute("tabindex", "0")
  }

  key(event) {
    if (!event.target.classList?.contains("map")) return
    const [at, place] = this.focus
    const { across, tiles } = this.parts[at]
    const steps = { ArrowUp: -across, ArrowDown: across, ArrowLeft: -1, ArrowRight: 1 }
    const step = steps[event.key]
    if (!step) return
    event.preventDefault()
    const sideways = Math.abs(step) === 1
    const edge = sideways && (step < 0 ? place % across === 0 : place % across === across - 1 || place === tiles.length - 1)
    const next = edge ? this.parts[at + step]?.tiles[0] : tiles[place + step]
    if (next && (!edge || at + step > 0)) next.button.focus()
  }
}

// A value's colour. As on the server: grey from the lowest to the highest; in colour zero is dark,
// warm is positive, cold is negative, on one scale for the column.
function scale(values, palette, grey) {
  let [low, high] = [Infinity, -Infinity]
  for (const value of values) {
    if (value < low) low = value
    if (value > high) high = value
  }
  if (!grey) {
    high = Math.max(high, low < 0 ? -low : 0)
    low = low < 0 ? -high : 0
  }
  if (high <= low) high = low + 1
  const start = !grey && low === 0 ? ZERO : 0
  const factor = (LAST - start) / (high - low)
  return value => palette[Math.round(start + (value - low) * factor)]
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
  if (column.flat) return UNIT
  return column.channels <= 16 ? 50 : column.channels <= 48 ? 32 : 23
}

const rows = column => Math.floor(HEIGHT / (tile(column) + 3))
