// The network from left to right: a column for each layer, a tile for each map.
// Numbers come from the server; here they are drawn, chosen, and looked up.

const ROWS = 4 // tiles in a column, from top to bottom
const LARGE = 224 // pixels of an enlarged map
const LAST = 254 // of the palette
const ZERO = 127
const strips = new WeakMap()

export default function ({ data, parentElement, setTriggerValue }) {
  if (!strips.has(parentElement)) strips.set(parentElement, new Strip(parentElement))
  strips.get(parentElement).update(data, setTriggerValue)
}

class Strip {
  constructor(root) {
    this.lane = root.querySelector(".lane")
    this.detail = root.querySelector(".detail")
    this.says = root.querySelector(".says")
    this.flip = root.querySelector(".flip")
    root.querySelector(".stuck").remove()
    this.lane.onkeydown = event => this.move(event)
    this.detail.onkeydown = event => event.key === "Escape" && this.close()
    this.focus = { column: 0, place: 0 }
  }

  update(data, send) {
    this.data = data
    this.send = send
    this.palette = { colour: bytes(data.palette), grey: bytes(data.grey) }
    this.columns = data.columns.map(column => ({ ...column, cells: bytes(column.pixels) }))
    if (this.network !== data.network) this.build()
    this.columns.forEach((column, at) => this.paint(column, at))
    if (!this.asked || same(this.asked, data.chosen)) {
      this.asked = null
      this.chosen = data.chosen
    }
    this.tell()
    this.show()
  }

  // What turned the answer, with a button that shows the unit.
  tell() {
    const { flip } = this.data
    this.flip.hidden = !flip
    if (!flip) return
    const button = element("button", { type: "button" }, flip.button)
    button.onclick = () => this.choose(flip.column, flip.channel)
    this.flip.replaceChildren(element("b", {}, flip.words), button)
  }

  // The elements of all columns, once for each network.
  build() {
    this.network = this.data.network
    this.asked = null
    this.focus = { column: 0, place: 0 }
    this.tiles = []
    this.lane.replaceChildren()
    this.columns.forEach((column, at) => {
      if (at) this.lane.append(element("span", { class: "arrow", "aria-hidden": "true" }, "▸"))
      if (column.kernels) {
        this.lane.append(this.kernels(column), element("span", { class: "arrow", "aria-hidden": "true" }, "✳"))
      }
      this.lane.append(this.column(column, at))
    })
  }

  column(column, at) {
    const group = element("div", { class: "column", role: "group", "aria-label": describe(column) })
    group.append(heading(column))
    const inside = element("div", { class: column.flat ? `units${long(column) ? " named" : ""}` : "tiles" })
    if (!column.flat) inside.style.setProperty("--across", across(column))
    this.tiles[at] = column.ids.map((_, place) => {
      const button = element("button", { type: "button", tabindex: at + place ? "-1" : "0" })
      if (column.flat) {
        button.className = "unit"
        button.append(element("span"), element("i"))
      } else {
        button.className = "tile"
        button.append(canvas(column), element("i", { class: "patch" }), element("i", { class: "field" }))
      }
      button.onclick = () => this.choose(at, this.columns[at].ids[place])
      button.onfocus = () => this.rove(at, place)
      inside.append(button)
      return button
    })
    group.append(inside)
    return group
  }

  kernels(column) {
    const { height, width } = column.kernels
    const box = element("div", { class: "column" })
    box.append(heading({ name: "kernels", of: column.of, kind: `${height}×${width} weights`, size: "" }))
    const inside = element("div", { class: "kernels", role: "img", "aria-label": `The kernels of ${column.name}` })
    inside.style.setProperty("--across", across(column))
    inside.append(...column.ids.map(() => canvas(column.kernels)))
    box.append(inside)
    this.framed = inside.children
    return box
  }

  paintKernels(column) {
    const cells = bytes(column.kernels.pixels)
    column.ids.forEach((id, place) => {
      draw(this.framed[place], cells, place * column.kernels.height * column.kernels.width, this.palette.colour)
      this.framed[place].title = `kernel ${id}`
    })
  }

  paint(column, at) {
    if (column.kernels) this.paintKernels(column)
    const colours = column.grey ? this.palette.grey : this.palette.colour
    const size = column.height * column.width
    this.tiles[at].forEach((button, place) => {
      const name = `${column.flat ? column.names?.[place] ?? "unit " + column.ids[place] : "map " + column.ids[place]}`
      const changed = column.changed === column.ids[place]
      button.classList.toggle("changed", changed)
      const note = changed ? ", changed most by the last stroke" : ""
      if (column.flat) {
        const value = column.numbers?.[place]
        bar(button, column, place, value)
        button.setAttribute("aria-label", `${column.name}, ${name}: ${value === undefined ? "empty" : text(value)}${note}`)
      } else {
        draw(button.firstChild, column.cells, place * size, colours)
        button.setAttribute("aria-label", `${column.name}, ${name}${note}`)
      }
      button.title = name + note
    })
  }

  // Keyboard: one tile of all is in the tab order.
  rove(column, place) {
    this.tiles[this.focus.column][this.focus.place]?.setAttribute("tabindex", "-1")
    this.focus = { column, place }
    this.tiles[column][place].setAttribute("tabindex", "0")
  }

  move(event) {
    const { column, place } = this.focus
    const wide = across(this.columns[column])
    const row = Math.floor(place / wide)
    const count = this.tiles[column].length
    let next = null
    if (event.key === "ArrowDown" && place + wide < count) next = [column, place + wide]
    if (event.key === "ArrowUp" && place >= wide) next = [column, place - wide]
    if (event.key === "ArrowRight") {
      const inside = (place + 1) % wide && place + 1 < count
      next = inside ? [column, place + 1] : this.beside(column + 1, row, false)
    }
    if (event.key === "ArrowLeft") next = place % wide ? [column, place - 1] : this.beside(column - 1, row, true)
    if (event.key === "Home") next = [0, 0]
    if (event.key === "End") next = [this.tiles.length - 1, 0]
    if (event.key === "Escape") this.close()
    if (!next) return
    event.preventDefault()
    const button = this.tiles[next[0]][next[1]]
    button.focus({ preventScroll: true })
    button.scrollIntoView({ block: "nearest", inline: "nearest" })
  }

  // The tile of another column in about the same row, at its left or right edge.
  beside(column, row, right) {
    if (!this.tiles[column]) return null
    const wide = across(this.columns[column])
    const count = this.tiles[column].length
    const first = Math.min(row, Math.floor((count - 1) / wide)) * wide
    return [column, right ? Math.min(first + wide, count) - 1 : first]
  }

  choose(column, channel, row = null, col = null, reads = null) {
    if (this.data.empty) return
    this.asked = { column, channel, row, col, reads }
    this.chosen = { ...this.asked }
    this.send("unit", { stage: this.columns[column].name, channel, row, col, reads })
    this.show()
  }

  close() {
    if (!this.chosen) return
    const { column, channel } = this.chosen
    this.asked = this.chosen = null
    this.send("unit", { stage: null })
    this.show()
    const place = Math.max(0, this.columns[column].ids.indexOf(channel))
    this.tiles[column][place].focus({ preventScroll: true })
  }

  // The chosen map, enlarged, and the arithmetic of one of its units.
  show() {
    const one = this.chosen
    this.tiles.forEach((tiles, at) =>
      tiles.forEach((button, place) => {
        const on = one && one.column === at && one.channel === this.columns[at].ids[place]
        button.setAttribute("aria-pressed", on ? "true" : "false")
      }))
    this.detail.hidden = !one
    if (!one) {
      this.light(null)
      const marked = this.columns.some(column => column.changed !== undefined && column.changed !== null)
      const hint = this.data.hint + (marked ? " Dashed: what the last stroke changed most in each layer." : "")
      this.says.textContent = this.data.empty ? "Nothing to read yet: every map is empty." : hint
      return
    }
    const column = this.columns[one.column]
    const waiting = one.html === undefined
    if (!waiting || this.shown?.column !== one.column || this.shown?.channel !== one.channel) {
      this.fill(one, column)
    }
    const pinned = one.row === null || one.row === undefined ? null : [one.row, one.col]
    const moved = this.here && this.pinned && pinned && pinned.join() === this.pinned.join()
    this.pinned = pinned
    this.at(moved ? this.here : pinned)
  }

  fill(one, column) {
    const kept = this.detail.contains(active(this.detail)) && active(this.detail)?.className
    this.shown = one
    this.frames = {}
    const name = column.names?.[one.channel] ?? one.channel
    const title = element("h3", {}, `${column.name}, ${column.flat ? "unit" : "map"} ${name}`)
    const close = element("button", { type: "button", class: "close", "aria-label": "Close" }, "✕")
    close.onclick = () => this.close()
    const head = element("div", { class: "head" })
    head.append(title, element("span", {}, column.kind), close)
    const body = element("div", { class: "body" })
    if (one.read) body.append(this.figure("read", one.read, `${one.read.name}, map ${one.read.channel}`))
    if (!column.flat) body.append(this.large(one, column))
    const numbers = element("div", { class: "numbers" })
    numbers.innerHTML = one.html ?? ""
    numbers.querySelectorAll("[data-reads]").forEach(button => {
      button.onclick = () => this.choose(one.column, one.channel, one.row, one.col, Number(button.dataset.reads))
    })
    body.append(numbers)
    this.detail.replaceChildren(head, body)
    if (kept === "large") this.detail.querySelector(".large").focus({ preventScroll: true })
    if (kept === "close") close.focus({ preventScroll: true })
  }

  figure(kind, part, caption) {
    const figure = element("figure", { class: kind })
    const picture = canvas(part)
    draw(picture, bytes(part.pixels), 0, part.grey ? this.palette.grey : this.palette.colour)
    const frame = element("i", { class: "patch" })
    const inside = element("div", { class: "picture" })
    inside.style.width = `${part.width * scale(part)}px`
    inside.append(picture, frame)
    figure.append(inside, element("figcaption", {}, caption))
    this.frames[kind] = [frame, part]
    return figure
  }

  // The enlarged map: pointing or the arrow keys choose one of its pixels.
  large(one, column) {
    const place = column.ids.indexOf(one.channel)
    const size = column.height * column.width
    const pixels = one.own ?? { ...column, cells: column.cells.subarray(place * size, (place + 1) * size) }
    const figure = element("figure")
    const inside = element("div", {
      class: "large",
      tabindex: "0",
      role: "application",
      "aria-label": `${column.name}, map ${one.channel}, enlarged. Arrow keys choose a pixel, Enter shows its arithmetic, Escape closes.`,
    })
    inside.style.width = `${column.width * scale(column)}px`
    const picture = canvas(column)
    this.cells = one.own ? bytes(one.own.pixels) : pixels.cells
    draw(picture, this.cells, 0, column.grey ? this.palette.grey : this.palette.colour)
    const pin = element("i", { class: "pin" })
    const cursor = element("i", { class: "cursor" })
    inside.append(picture, pin, cursor)
    this.frames.pin = [pin, column]
    this.frames.cursor = [cursor, column]
    const pixel = event => {
      const box = inside.getBoundingClientRect()
      const row = Math.floor(((event.clientY - box.top) / box.height) * column.height)
      const col = Math.floor(((event.clientX - box.left) / box.width) * column.width)
      return [clamp(row, column.height), clamp(col, column.width)]
    }
    inside.onpointermove = event => this.at(pixel(event))
    inside.onpointerleave = () => this.at(this.pinned)
    inside.onclick = event => this.choose(one.column, one.channel, ...pixel(event))
    inside.onkeydown = event => this.step(event, one, column)
    figure.append(inside, element("figcaption", {}, "Point at a pixel; click it for its arithmetic"))
    return figure
  }

  step(event, one, column) {
    const [row, col] = this.here ?? [0, 0]
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }
    if (event.key === "Enter" || event.key === " ") this.choose(one.column, one.channel, row, col)
    else if (steps[event.key]) {
      const [down, right] = steps[event.key]
      this.at([clamp(row + down, column.height), clamp(col + right, column.width)])
    } else return
    event.preventDefault()
    event.stopPropagation()
  }

  // Lights up what the unit at [row, column] reads, and says so.
  at(here) {
    this.here = here
    const one = this.chosen
    if (!one) return
    const column = this.columns[one.column]
    this.light(here)
    if (this.frames.pin) place(...this.frames.pin, this.pinned && box(this.pinned))
    if (this.frames.cursor) place(...this.frames.cursor, here && box(here))
    if (column.flat || !here) {
      this.says.textContent = column.flat ? `Unit ${column.names?.[one.channel] ?? one.channel} of ${column.name}` : ""
      return
    }
    const value = text(this.value(column, here))
    const patch = reads(column, here)
    const from = this.columns[column.source]
    let words = `Row ${here[0]}, column ${here[1]}: about ${value}.`
    if (from && patch) {
      words += ` Reads rows ${patch[0]} to ${patch[2] - 1}, columns ${patch[1]} to ${patch[3] - 1} of ${from.name}.`
    }
    const field = sees(column, here)
    if (field) words += ` Sees ${field[2] - field[0]}×${field[3] - field[1]} pixels of the image.`
    this.says.textContent = words
  }

  value(column, [row, col]) {
    const cell = this.cells[row * column.width + col]
    const { low, high } = column
    if (!column.grey && low === 0) return ((cell - ZERO) / (LAST - ZERO)) * high
    return low + (cell / LAST) * (high - low)
  }

  light(here) {
    const one = this.chosen
    const column = one && this.columns[one.column]
    const flat = column?.flat
    const patch = column && (flat || here) ? reads(column, here ?? [0, 0]) : null
    const field = column && (flat || here) ? sees(column, here ?? [0, 0]) : null
    this.columns.forEach((other, at) =>
      this.tiles[at].forEach((button, index) => {
        const read = column && column.source === at && group(column, one.channel, other.ids[index], other.of)
        if (other.flat) return button.classList.toggle("read", Boolean(read))
        place(button.children[1], other, read ? patch ?? [0, 0, other.height, other.width] : null)
        place(button.children[2], other, at === 0 && column?.source ? field : null)
      }))
    if (this.frames?.read) place(...this.frames.read, patch)
  }
}

// The part of the layer before that a unit reads: [top, left, bottom, right], null for all of it.
function reads(column, [row, col]) {
  if (!column.window) return null
  const [kh, kw, sh, sw, ph, pw, dh, dw] = column.window
  const top = row * sh - ph
  const left = col * sw - pw
  return [top, left, top + (kh - 1) * dh + 1, left + (kw - 1) * dw + 1]
}

// The pixels of the image that it can depend on.
function sees(column, [row, col]) {
  if (!column.rows.length) return null
  const [top, bottom] = column.rows[Math.min(row, column.rows.length - 1)]
  const [left, right] = column.cols[Math.min(col, column.cols.length - 1)]
  return [top, left, bottom, right]
}

// Whether a channel reads this channel of the layer before, which has `of`.
function group(column, channel, other, of) {
  const own = Math.floor((channel * column.groups) / column.of)
  return own === Math.floor((other * column.groups) / of)
}

function place(frame, part, found) {
  frame.style.display = found ? "block" : "none"
  if (!found) return
  const [top, left, bottom, right] = [
    Math.max(0, found[0]), Math.max(0, found[1]),
    Math.min(part.height, found[2]), Math.min(part.width, found[3]),
  ]
  frame.style.top = `${(100 * top) / part.height}%`
  frame.style.left = `${(100 * left) / part.width}%`
  frame.style.height = `${(100 * (bottom - top)) / part.height}%`
  frame.style.width = `${(100 * (right - left)) / part.width}%`
}

function bar(button, column, index, value) {
  const [label, line] = button.children
  label.textContent = column.names?.[index] ?? column.ids[index]
  const low = column.low
  const width = column.high - low || 1
  line.hidden = value === undefined
  if (value === undefined) return
  line.className = value < 0 ? "cold" : "warm"
  line.style.left = `calc(var(--label) + (100% - var(--label)) * ${(Math.min(0, value) - low) / width})`
  line.style.width = `max(1px, (100% - var(--label)) * ${Math.abs(value) / width})`
}

function draw(picture, cells, first, colours) {
  const { width, height } = picture
  const image = new ImageData(width, height)
  for (let at = 0; at < width * height; at++) {
    const colour = 3 * (cells.length ? cells[first + at] : colours === undefined ? 0 : ZERO)
    image.data.set([colours[colour], colours[colour + 1], colours[colour + 2], 255], 4 * at)
  }
  picture.getContext("2d").putImageData(image, 0, 0)
}

function heading(column) {
  const head = element("div", { class: "name", title: column.kind })
  const many = column.of > 1 ? (column.ids && column.ids.length < column.of ? `${column.ids.length} of ${column.of}` : `×${column.of}`) : ""
  const first = element("div")
  first.append(element("b", {}, column.name), element("span", {}, many))
  head.append(first, element("small", {}, short(column.kind)), element("small", {}, column.size))
  return head
}

function describe(column) {
  const what = column.flat ? "units" : "maps"
  const some = column.ids.length < column.of ? `the ${column.ids.length} strongest of ${column.of}` : column.of
  return `${column.name}, ${column.kind}: ${some} ${what}`
}

function element(tag, attributes = {}, words = "") {
  const made = document.createElement(tag)
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value))
  made.textContent = words
  return made
}

function canvas({ width, height }) {
  return element("canvas", { width, height, "aria-hidden": "true" })
}

const short = kind => kind.replace("convolution", "conv").replace("batch normalisation", "batch norm")
const long = ({ names }) => names?.some(name => name.length > 2)
const across = column => (column.flat ? 1 : Math.ceil(column.ids.length / ROWS))
const scale = ({ width, height }) => Math.max(1, Math.floor(LARGE / Math.max(width, height)))
const box = ([row, col]) => [row, col, row + 1, col + 1]
const clamp = (value, count) => Math.max(0, Math.min(count - 1, value))
const bytes = coded => Uint8Array.from(atob(coded), letter => letter.charCodeAt(0))
const active = inside => inside.getRootNode().activeElement
const text = value => value.toPrecision(3).replace("-", "−")

// Whether the server's unit is the one that was asked for; it fills in what was left open.
function same(asked, given) {
  return Boolean(given) && ["column", "channel", "row", "col", "reads"].every(
    name => asked[name] === null || asked[name] === given[name])
}
