// The Live canvas: while the pen moves, the browser itself prepares the drawing, computes the
// network and shows its answer and its maps. When the pen is lifted the drawing goes to the server.

import { Bars } from "./bars.js"
import { bytes, write } from "./elements.js"
import { Maps, words } from "./maps.js"
import { Network } from "./network.js"
import { Pen, opacityOf } from "./pen.js"
import { prepare } from "./prepare.js"

const BLANK = new Uint8Array(28 * 28)
const places = new WeakMap()

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  if (!places.has(parentElement)) places.set(parentElement, new Live(parentElement))
  places.get(parentElement).update(data, setStateValue, setTriggerValue)
}

class Live {
  constructor(root) {
    this.find = name => root.querySelector(`.${name}`)
    this.words = { before: this.find("before"), reads: this.find("reads"), share: this.find("share") }
    this.find("stuck").remove()
    this.canvas = this.find("ink")
    this.pen = new Pen(this.canvas, this.find("cursor"), { moved: () => this.soon(), lifted: () => this.send() })
    this.find("undo").onclick = () => this.pen.undo()
    this.find("clear").onclick = () => this.pen.clear()
    this.find("width").oninput = event => (this.pen.width = Number(event.target.value))
    this.find("restore").onclick = () => this.restore()
    this.find("again").onclick = () => this.noiseAgain()
    this.find("measure").onclick = () => this.measure()
  }

  update(data, state, trigger) {
    this.data = data
    this.state = state
    this.trigger = trigger
    if (this.shown !== data.network.id) {
      if (!data.network.numbers) return trigger("missing", data.network.id)
      this.build(data.network)
    }
    if (this.told !== data.accuracy) this.tellAccuracy(data.accuracy)
    if (this.backdrop !== data.backdrop) this.setBackdrop(data.backdrop)
    if (this.version !== data.start.version) this.adopt(data.start)
    this.soon()
  }

  build(given) {
    this.shown = given.id
    this.given = given
    const numbers = new Float32Array(bytes(given.numbers).buffer)
    this.network = new Network({ ...given, numbers })
    this.intact = new Network({ ...given, numbers })
    this.bars = new Bars(this.find("bars"), given.classes)
    const palettes = { colour: words(bytes(given.palette)), grey: words(bytes(given.grey)) }
    this.maps = new Maps(this.find("lane"), given.columns, palettes, {
      toggled: (layer, channel) => this.change(() => this.network.toggle(layer, channel)),
      noised: (layer, level) => this.change(() => this.network.setNoise(layer, level)),
    })
    this.tellChanges()
  }

  // The lab's example lies faintly behind the ink, and is read until something is drawn.
  setBackdrop(address) {
    this.backdrop = address
    this.example = null
    this.showBackdrop(false)
    if (!address) return
    const picture = new Image()
    picture.onload = () => {
      if (this.backdrop !== address) return
      const { width, height } = this.canvas
      const copy = new OffscreenCanvas(width, height).getContext("2d")
      copy.drawImage(picture, 0, 0)
      this.example = opacityOf(copy, this.canvas)
      this.soon()
    }
    picture.src = address
  }

  showBackdrop(visible) {
    if (this.backdropShown === visible) return
    this.backdropShown = visible
    this.canvas.style.backgroundImage = visible ? `url(${this.data.faint})` : "none"
  }

  // What was drawn before, or what the lab draws; the latter is new to the server.
  adopt({ version, objects }) {
    const first = this.version === undefined
    this.version = version
    this.pen.put(objects)
    if (!first) this.send()
  }

  change(make) {
    make()
    this.maps.mark(this.network)
    this.tellChanges()
    this.soon()
  }

  restore() {
    this.change(() => this.network.restore())
    this.maps.reset()
  }

  noiseAgain() {
    const seed = this.network.seed + 1
    this.change(() => this.network.noise.forEach((level, at) => level && this.network.setNoise(at, level, seed)))
  }

  tellChanges() {
    const { silenced, noise } = this.network.changes
    const channels = Object.values(silenced).reduce((sum, found) => sum + found.length, 0)
    const noisy = Object.keys(noise).length
    this.find("restore").disabled = !this.network.changed
    this.find("again").disabled = !noisy
    const parts = [channels && `${channels} silenced`, noisy && `noise in ${Object.keys(noise).join(", ")}`]
    if (this.network.changed) parts.push("thin lines: all parts on")
    this.find("accuracy").textContent = ""
    this.find("off").textContent = parts.filter(Boolean).join(" · ")
  }

  measure() {
    this.find("accuracy").textContent = "Reading the test images …"
    this.told = null
    this.trigger("measure", { network: this.shown, ...this.network.changes })
  }

  tellAccuracy(words) {
    this.told = words
    this.find("accuracy").textContent = words ?? ""
  }

  // At most once for each picture that the screen shows.
  soon() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = null
      this.answer()
    })
  }

  answer() {
    const opacity = this.pen.strokes.length ? this.pen.opacity() : this.example
    const example = !this.pen.strokes.length && Boolean(this.example)
    this.showBackdrop(example)
    const image = opacity && prepare(opacity, this.canvas.width, this.data.prepare)
    const shares = this.network.read(image ?? BLANK)
    this.maps.paint(this.network, !image)
    if (!image) {
      this.bars.clear()
      return this.say("", "Draw here", "")
    }
    this.bars.show(shares, this.network.changed ? this.intact.read(image) : null)
    const top = Math.max(...shares)
    const name = this.given.classes[shares.indexOf(top)]
    const article = /^[8AEIO]/.test(name) ? "an" : "a"
    this.say(`Reads ${article} `, name, `· ${(100 * top).toFixed(1)} %${example ? " · an example" : ""}`)
  }

  say(before, name, share) {
    write(this.words.before, before)
    write(this.words.reads, name)
    write(this.words.share, share)
  }

  send() {
    const objects = this.pen.strokes
    this.find("spoken").textContent = objects.length ? `Reads ${this.find("reads").textContent}` : "Empty canvas"
    this.state("drawing", { raw: { objects }, data: this.canvas.toDataURL(), network: this.shown })
  }
}
