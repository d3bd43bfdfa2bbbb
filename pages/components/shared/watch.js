// A network at several times of its training: the server sends what it is at all of them, and here
// a slider and a play button go through them.

const EACH = 550 // milliseconds of a time while it plays
const SIZE = 270 // pixels of the square pictures
const MIDDLE = 127.5 // of the coordinates of points
const watches = new WeakMap()

export default function ({ data, parentElement, setTriggerValue }) {
  if (!watches.has(parentElement)) watches.set(parentElement, new Watch(parentElement))
  watches.get(parentElement).update(data, setTriggerValue)
  return () => watches.get(parentElement)?.pause()
}

class Watch {
  constructor(root) {
    this.root = root
    this.slider = root.querySelector("input")
    this.button = root.querySelector(".play")
    this.when = root.querySelector(".when")
    this.box = root.querySelector(".sides")
    this.legend = root.querySelector(".legend")
    root.querySelector(".stuck").remove()
    this.slider.oninput = () => { this.pause(); this.go(Number(this.slider.value)) }
    this.button.onclick = () => (this.timer ? this.pause() : this.play())
    this.pause()
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.go(this.at))
  }

  update(data, send) {
    const atEnd = this.times === undefined || this.at === this.times.length - 1
    const playing = Boolean(this.timer)
    this.send = send
    this.palette = bytes(data.palette)
    this.grey = data.grey
    this.times = [...new Set(data.sides.flatMap(side => side.steps))].sort((a, b) => a - b)
    this.sides = data.sides.map(side => new Side(side, this))
    this.box.replaceChildren(...this.sides.map(side => side.element))
    this.names = data.classes
    this.slider.max = this.times.length - 1
    const first = this.at === undefined
    this.at = first ? (data.from_start ? 0 : this.times.length - 1) : atEnd && !playing ? this.times.length - 1 : Math.min(this.at, this.times.length - 1)
    this.go(this.at)
  }

  play() {
    if (this.at === this.times.length - 1) this.go(0)
    this.timer = setInterval(() => {
      if (this.at === this.times.length - 1) this.pause()
      else this.go(this.at + 1)
    }, EACH)
    this.button.textContent = "❚❚"
    this.button.setAttribute("aria-label", "Pause")
  }

  pause() {
    clearInterval(this.timer)
    this.timer = null
    this.button.textContent = "▶"
    this.button.setAttribute("aria-label", "Play")
  }

  go(at) {
    this.at = at
    this.slider.value = at
    const step = this.times[at]
    this.when.textContent = inWords(step, this.sides)
    this.slider.setAttribute("aria-valuetext", this.when.textContent)
    this.root.querySelector(".sides").dataset.step = step
    const ink = getComputedStyle(this.box).color
    const dark = isLight(ink)
    this.colours = this.names.map((_, label) => classColour(label, this.names.length, dark))
    this.ink = ink
    this.paintLegend()
    this.sides.forEach(side => side.paint(step, dark))
  }

  paintLegend() {
    this.legend.replaceChildren(...this.names.map((name, label) => {
      const item = element("span")
      const mark = element("b", {}, glyph(name, label))
      mark.style.color = this.colours[label]
      item.append(mark, name.length > 1 ? name : "")
      return item
    }))
    this.legend.hidden = !this.sides.some(side => side.map)
  }
}

class Side {
  constructor(data, watch) {
    Object.assign(this, data)
    this.watch = watch
    this.element = element("section", { class: "side", "aria-label": data.title })
    this.title = element("h3", {}, data.title)
    this.right = element("span")
    this.title.append(this.right)
    this.rows = [element("div", { class: "row" }), element("div", { class: "row" })]
    this.element.append(this.title, ...this.rows)
    const picture = this.grid({ name: "The image", about: "", count: 1, height: 28, width: 28, ...data.image })
    paintGrid(picture, 0, bytes(watch.grey))
    this.grids = [...(data.kernels ? [data.kernels] : []), ...data.maps].map(grid => this.grid(grid))
    this.area = canvas(SIZE + 40, SIZE, "area")
    this.figure(this.rows[1], "Its probabilities", " for this image, over time", this.area)
    if (data.map) this.addMap()
    else this.rows[1].append(element("p", { class: "none" }, data.why))
  }

  grid(grid) {
    const inside = element("div", { class: "grid", role: "img", "aria-label": `${grid.name}, ${grid.about}` })
    const tile = grid.kernel ? 44 : 52
    inside.style.setProperty("--tile", `${tile}px`)
    inside.style.setProperty("--across", Math.min(grid.count, grid.count > 8 ? Math.ceil(grid.count / 2) : grid.count, 6))
    const tiles = Array.from({ length: grid.count }, () => canvas(grid.width, grid.height, "", 1))
    inside.append(...tiles)
    this.figure(this.rows[0], grid.name, ` ${grid.about}`, inside)
    return { ...grid, tiles, pixels: bytes(grid.pixels) }
  }

  figure(row, name, about, content) {
    const figure = element("figure")
    const caption = element("figcaption")
    caption.append(element("b", {}, name), about)
    figure.append(caption, content)
    row.append(figure)
  }

  addMap() {
    const given = this.map // stays as it came: the page may draw it once more
    const map = (this.map = { ...given, points: bytes(given.points), answers: bytes(given.answers), labels: bytes(given.labels) })
    const away = value => Math.abs(value - MIDDLE)
    this.extent = Math.max(20, map.points.reduce((most, value) => Math.max(most, away(value)), 0))
    this.points = canvas(SIZE, SIZE, "points")
    this.points.tabIndex = 0
    this.points.setAttribute("role", "application")
    this.points.onclick = event => this.open(this.nearest(event))
    this.points.onkeydown = event => this.move(event)
    this.points.onblur = () => { this.cursor = undefined; this.watch.go(this.watch.at) }
    this.figure(this.rows[1], `${map.labels.length.toLocaleString("en")} test images`, map.can_open ? ": click one to see it" : " in the plane", this.points)
    this.matrix = canvas(SIZE, SIZE, "matrix")
    this.figure(this.rows[1], "True class", " down, answer across", this.matrix)
  }

  // The last snapshot at this step or before it.
  place(step) {
    let at = 0
    this.steps.forEach((each, number) => { if (each <= step) at = number })
    return at
  }

  paint(step, dark) {
    const at = this.place(step)
    this.now = at
    this.grids.forEach(grid => paintGrid(grid, at, this.watch.palette))
    paintArea(this, at)
    if (!this.map) {
      this.right.textContent = ""
      return
    }
    const count = this.map.labels.length
    const answers = this.map.answers.subarray(at * count, (at + 1) * count)
    const right = answers.reduce((sum, answer, i) => sum + (answer === this.map.labels[i]), 0)
    this.right.textContent = `${right} of ${count.toLocaleString("en")} test images right`
    paintPoints(this, at, dark)
    paintMatrix(this, answers)
  }

  xy(at, place) {
    const start = 2 * (at * this.map.labels.length + place)
    return this.onCanvas([this.map.points[start], this.map.points[start + 1]])
  }

  // The points at all times fill the square.
  onCanvas(point) {
    return point.map(value => SIZE / 2 + ((value - MIDDLE) / this.extent) * (SIZE / 2 - 8))
  }

  nearest(event) {
    const box = this.points.getBoundingClientRect()
    const [x, y] = [event.clientX - box.left, event.clientY - box.top].map(v => (v * SIZE) / box.width)
    let best, least = 196
    for (let i = 0; i < this.map.labels.length; i++) {
      const [px, py] = this.xy(this.now, i)
      const far = (px - x) ** 2 + (SIZE - py - y) ** 2
      if (far < least) [best, least] = [i, far]
    }
    return best
  }

  move(event) {
    const turn = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key]
    const count = this.map.labels.length
    if (event.key === "Enter") return this.open(this.cursor)
    if (!turn) return
    event.preventDefault()
    this.cursor = ((this.cursor ?? (turn > 0 ? -1 : 0)) + turn + count) % count
    this.watch.go(this.watch.at)
  }

  open(place) {
    if (place === undefined) return
    this.cursor = place
    this.watch.go(this.watch.at)
    if (this.map.can_open) this.watch.send("point", { run: this.run, place, at: this.now })
  }
}

function paintGrid(grid, at, palette) {
  const size = grid.width * grid.height
  grid.tiles.forEach((tile, channel) => {
    const pixels = new ImageData(grid.width, grid.height)
    const start = (at * grid.count + channel) * size
    for (let i = 0; i < size; i++) {
      const colour = 3 * grid.pixels[start + i]
      for (let c = 0; c < 3; c++) pixels.data[4 * i + c] = palette[colour + c]
      pixels.data[4 * i + 3] = 255
    }
    tile.getContext("2d").putImageData(pixels, 0, 0)
  })
}

// A band for each class, the first at the bottom; a line where the slider stands.
function paintArea(side, at) {
  const { colours, names, ink } = side.watch
  const [context, width, height] = prepared(side.area)
  const [left, bottom] = [4, 20]
  const x = time => left + (time / Math.max(1, side.steps.length - 1)) * (width - 2 * left)
  const y = share => (1 - share) * (height - bottom)
  const below = side.steps.map(() => 0)
  const bands = []
  names.forEach((_, label) => {
    const above = below.map((share, time) => share + side.probabilities[time][label])
    context.beginPath()
    above.forEach((share, time) => context.lineTo(x(time), y(share)))
    for (let time = below.length - 1; time >= 0; time--) context.lineTo(x(time), y(below[time]))
    context.fillStyle = colours[label]
    context.fill()
    bands.push({ label, high: above[at], low: below[at], first: [above[0], below[0]] })
    above.forEach((share, time) => { below[time] = share })
  })
  context.font = "600 12px sans-serif"
  const late = x(at) > width / 2
  context.fillStyle = "#fff"
  context.strokeStyle = "rgba(0,0,0,.75)"
  context.lineWidth = 3
  const write = (words, along, high, low) => {
    if (high - low < 0.06) return
    const where = [along, y((high + low) / 2) + 4]
    context.strokeText(words, ...where)
    context.fillText(words, ...where)
  }
  if (late) bands.forEach(({ label, first }) => write(glyph(names[label], label), left + 4, ...first))
  context.textAlign = late ? "right" : "left"
  for (const { label, high, low } of bands) {
    write(`${names[label]} · ${(100 * (high - low)).toFixed(0)} %`, x(at) + (late ? -5 : 5), high, low)
  }
  context.strokeStyle = context.fillStyle = ink
  context.lineWidth = 2
  context.beginPath()
  context.moveTo(x(at), 0)
  context.lineTo(x(at), height - bottom)
  context.stroke()
  context.font = "12px sans-serif"
  context.textAlign = "left"
  context.fillText("untrained", left, height - 5)
  context.textAlign = "right"
  context.fillText(`${side.steps.at(-1).toLocaleString("en")} steps`, width - left, height - 5)
  const top = side.probabilities[at].indexOf(Math.max(...side.probabilities[at]))
  describe(side.area, `${names[top]} with ${(100 * side.probabilities[at][top]).toFixed(0)} %`)
}

function paintPoints(side, at, dark) {
  const { colours, names, ink } = side.watch
  const [context] = prepared(side.points)
  const { labels } = side.map
  context.font = "600 9px sans-serif"
  context.textAlign = "center"
  context.textBaseline = "middle"
  for (let i = 0; i < labels.length; i++) {
    const [x, y] = side.xy(at, i)
    context.fillStyle = colours[labels[i]]
    context.fillText(glyph(names[labels[i]], labels[i]), x, SIZE - y)
  }
  context.strokeStyle = ink
  if (side.cursor !== undefined) {
    const [x, y] = side.xy(at, side.cursor)
    context.lineWidth = 2
    context.beginPath()
    context.arc(x, SIZE - y, 8, 0, 7)
    context.stroke()
  }
  const [x, y] = side.onCanvas(side.map.cross[at])
  for (const [width, colour] of [[6, dark ? "#000" : "#fff"], [3, ink]]) {
    context.strokeStyle = colour
    context.lineWidth = width
    context.beginPath()
    for (const [dx, dy] of [[8, 8], [8, -8]]) {
      context.moveTo(x - dx, SIZE - y - dy)
      context.lineTo(x + dx, SIZE - y + dy)
    }
    context.stroke()
  }
  const chosen = side.cursor === undefined ? "" : `; chosen: a ${names[labels[side.cursor]]}, number ${side.map.index[side.cursor]}`
  describe(side.points, `Test images in the plane, coloured by class; the cross is the image${chosen}`)
}

function paintMatrix(side, answers) {
  const { names, ink } = side.watch
  const [context] = prepared(side.matrix)
  const count = names.length
  const counts = Array.from({ length: count }, () => new Array(count).fill(0))
  answers.forEach((answer, i) => counts[side.map.labels[i]][answer]++)
  const cell = (SIZE - 18) / count
  context.font = `${Math.min(11, cell * 0.5)}px sans-serif`
  context.textAlign = "center"
  context.textBaseline = "middle"
  let worst = [0]
  counts.forEach((row, label) => {
    const all = Math.max(1, row.reduce((a, b) => a + b))
    context.fillStyle = ink
    context.fillText(glyph(names[label], label), 8, 18 + (label + 0.5) * cell)
    context.fillText(glyph(names[label], label), 18 + (label + 0.5) * cell, 8)
    row.forEach((number, answer) => {
      const share = number / all
      const warm = label === answer ? "45,125,112" : "214,124,29"
      context.fillStyle = number ? `rgba(${warm},${0.25 + 0.75 * share})` : "rgba(122,135,148,.12)"
      context.fillRect(18 + answer * cell, 18 + label * cell, cell - 1, cell - 1)
      if (!number) return
      context.fillStyle = share > 0.45 ? "#fff" : ink
      context.fillText(number, 18 + (answer + 0.5) * cell, 18 + (label + 0.5) * cell)
      if (label !== answer && number > worst[0]) worst = [number, names[label], names[answer]]
    })
  })
  const mistake = worst[0] ? `most often ${worst[1]} is read as ${worst[2]}: ${worst[0]} times` : "no mistakes"
  describe(side.matrix, `Confusion matrix; ${mistake}`)
}

function inWords(step, sides) {
  const ended = sides.map(side => side.epochs[side.steps.indexOf(step)]).find(epoch => epoch > 0)
  const steps = step === 0 ? "untrained" : `${step.toLocaleString("en")} step${step === 1 ? "" : "s"}`
  return ended ? `epoch ${ended} · ${steps}` : steps
}

// Next to each other on the wheel of hues they also differ in lightness.
function classColour(label, count, dark) {
  const hue = Math.round((360 * label) / count + 20)
  const light = (dark ? 0.76 : 0.52) + (label % 2 ? 0.08 : -0.05)
  return `oklch(${light} 0.16 ${hue})`
}

function glyph(name, label) {
  return name.length === 1 ? name : String(label)
}

function isLight(colour) {
  const probe = document.createElement("canvas").getContext("2d")
  probe.fillStyle = colour
  probe.fillRect(0, 0, 1, 1)
  const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data
  return red + green + blue > 382
}

function describe(canvas, words) {
  canvas.setAttribute("aria-label", words)
}

// A cleared canvas, ready for a screen with more than one pixel a unit.
function prepared(canvas) {
  const context = canvas.getContext("2d")
  const [width, height] = [canvas.width / canvas.scale, canvas.height / canvas.scale]
  context.setTransform(canvas.scale, 0, 0, canvas.scale, 0, 0)
  context.clearRect(0, 0, width, height)
  context.textBaseline = "alphabetic"
  return [context, width, height]
}

function canvas(width, height, kind, scale = Math.ceil(devicePixelRatio || 1)) {
  const made = element("canvas", { class: kind, width: width * scale, height: height * scale })
  made.scale = scale
  if (kind) made.style.width = `${width}px`
  if (kind) made.setAttribute("role", "img")
  return made
}

function element(tag, attributes = {}, text = "") {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  if (text) made.append(text)
  return made
}

function bytes(text) {
  return Uint8Array.from(atob(text), character => character.charCodeAt(0))
}
