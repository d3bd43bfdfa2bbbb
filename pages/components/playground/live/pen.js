// Drawing on a canvas with a mouse, a finger, a stylus or the keyboard. A stroke is kept as the
// steps of a path, as the Draw canvas keeps it: ["M", x, y], ["Q", x, y, x, y], ["L", x, y].

const LEAST_STEP = 1.5 // pixels: nearer points are left out
const KEYS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }
const NOTHING = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity }
const KEY_STEP = 8 // pixels; with the shift key a quarter of it

export class Pen {
  // `moved` is called whenever ink was added, `lifted` when the drawing has changed for good.
  constructor(canvas, cursor, { moved, lifted }) {
    this.canvas = canvas
    this.cursor = cursor
    this.tell = { moved, lifted }
    this.ink = canvas.getContext("2d", { willReadFrequently: true })
    this.strokes = []
    this.levels = new Uint8Array(canvas.width * canvas.height)
    this.changed = NOTHING
    this.width = 23
    this.here = [canvas.width / 2, canvas.height / 2]
    canvas.onpointerdown = event => this.down(event)
    canvas.onpointermove = event => this.move(event)
    canvas.onpointerup = canvas.onpointercancel = event => this.up(event)
    canvas.onkeydown = event => this.key(event)
    canvas.onblur = () => this.leave()
  }

  get drawing() {
    return this.pointer !== undefined
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect()
    return [
      ((event.clientX - box.left) / box.width) * this.canvas.width,
      ((event.clientY - box.top) / box.height) * this.canvas.height,
    ]
  }

  down(event) {
    if (this.drawing || event.button > 0) return
    event.preventDefault()
    this.canvas.focus({ preventScroll: true })
    this.canvas.setPointerCapture(event.pointerId)
    this.pointer = event.pointerId
    this.cursor.hidden = true
    this.begin(this.point(event))
  }

  move(event) {
    if (event.pointerId !== this.pointer) return
    const between = event.getCoalescedEvents?.() ?? []
    for (const one of between.length ? between : [event]) this.extend(this.point(one))
  }

  up(event) {
    if (event.pointerId !== this.pointer) return
    this.pointer = undefined
    this.end()
  }

  begin(place) {
    this.last = this.middle = place
    this.stroke = { type: "Path", path: [["M", ...place]], strokeWidth: this.width }
    this.strokes.push(this.stroke)
    this.line(place, () => this.ink.lineTo(place[0] + 0.01, place[1]))
    this.tell.moved()
  }

  // A curve to the middle between the last two points, which the hand's own points bend.
  extend(place) {
    if (Math.hypot(place[0] - this.last[0], place[1] - this.last[1]) < LEAST_STEP) return
    const middle = [(place[0] + this.last[0]) / 2, (place[1] + this.last[1]) / 2]
    this.line(middle, () => this.ink.quadraticCurveTo(...this.last, ...middle))
    this.stroke.path.push(["Q", ...this.last, ...middle])
    this.last = place
    this.middle = middle
    this.tell.moved()
  }

  end() {
    this.line(this.last, () => this.ink.lineTo(this.last[0] + 0.01, this.last[1]))
    this.stroke.path.push(["L", ...this.last])
    this.stroke = undefined
    this.tell.moved()
    this.tell.lifted()
  }

  // Inks the way that `go` takes from the middle to `end`.
  line(end, go) {
    this.prepareInk(this.width)
    this.ink.moveTo(...this.middle)
    go()
    this.ink.stroke()
    this.note([this.middle, this.last, end], this.width / 2 + 2)
  }

  // What is within `reach` of these points has changed.
  note(points, reach) {
    const across = points.map(point => point[0])
    const down = points.map(point => point[1])
    const { left, top, right, bottom } = this.changed
    this.changed = {
      left: Math.min(left, ...across.map(x => x - reach)),
      top: Math.min(top, ...down.map(y => y - reach)),
      right: Math.max(right, ...across.map(x => x + reach)),
      bottom: Math.max(bottom, ...down.map(y => y + reach)),
    }
  }

  prepareInk(width) {
    Object.assign(this.ink, { lineWidth: width, strokeStyle: "#ffffff", lineCap: "round", lineJoin: "round" })
    this.ink.beginPath()
  }

  // Arrow keys move the pen, the space bar puts it down and lifts it.
  key(event) {
    const way = KEYS[event.key]
    if (way) this.go(way, event.shiftKey ? KEY_STEP / 4 : KEY_STEP)
    else if (event.key === " ") this.stroke ? this.end() : this.begin(this.here)
    else if (event.key === "Backspace" || (event.key === "z" && (event.ctrlKey || event.metaKey))) this.undo()
    else return
    event.preventDefault()
    this.mark()
  }

  go([right, down], step) {
    const inside = (value, most) => Math.max(0, Math.min(most, value))
    this.here = [inside(this.here[0] + right * step, this.canvas.width), inside(this.here[1] + down * step, this.canvas.height)]
    if (this.stroke) this.extend(this.here)
  }

  mark() {
    this.cursor.hidden = false
    this.cursor.classList.toggle("down", Boolean(this.stroke))
    this.cursor.style.left = `${(100 * this.here[0]) / this.canvas.width}%`
    this.cursor.style.top = `${(100 * this.here[1]) / this.canvas.height}%`
  }

  leave() {
    if (this.stroke && !this.drawing) this.end()
    this.cursor.hidden = true
  }

  undo() {
    if (this.stroke || !this.strokes.length) return
    this.put(this.strokes.slice(0, -1))
    this.tell.lifted()
  }

  clear() {
    this.put([])
    this.tell.lifted()
  }

  // Draws these strokes instead of what is there.
  put(strokes) {
    this.strokes = strokes
    this.ink.clearRect(0, 0, this.canvas.width, this.canvas.height)
    for (const { path, strokeWidth } of strokes) {
      this.prepareInk(strokeWidth)
      for (const step of path) this.follow(step)
      this.ink.stroke()
    }
    this.changed = { left: 0, top: 0, right: this.canvas.width, bottom: this.canvas.height }
    this.tell.moved()
  }

  follow([command, ...numbers]) {
    if (command === "M") this.ink.moveTo(...numbers)
    if (command === "L") this.ink.lineTo(numbers[0] + 0.01, numbers[1])
    if (command === "Q") this.ink.quadraticCurveTo(...numbers)
    if (command === "C") this.ink.bezierCurveTo(...numbers)
    if (command === "Z") this.ink.closePath()
  }

  // How opaque each pixel is. Only what has changed is read from the canvas.
  opacity() {
    readOpacity(this.ink, this.canvas, this.changed, this.levels)
    this.changed = NOTHING
    return this.levels
  }
}

export function opacityOf(context, canvas) {
  const levels = new Uint8Array(canvas.width * canvas.height)
  readOpacity(context, canvas, { left: 0, top: 0, right: canvas.width, bottom: canvas.height }, levels)
  return levels
}

function readOpacity(context, { width, height }, { left, top, right, bottom }, levels) {
  const from = [Math.max(0, Math.floor(left)), Math.max(0, Math.floor(top))]
  const to = [Math.min(width, Math.ceil(right)), Math.min(height, Math.ceil(bottom))]
  const across = to[0] - from[0]
  const down = to[1] - from[1]
  if (!(across > 0 && down > 0)) return
  const pixels = context.getImageData(...from, across, down).data
  for (let row = 0, read = 3; row < down; row++) {
    let place = (from[1] + row) * width + from[0]
    for (const end = place + across; place < end; read += 4) levels[place++] = pixels[read]
  }
}
