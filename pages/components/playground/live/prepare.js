// From the canvas to the 28×28 pixels that a network reads: mnist_core/imaging/preprocess.py, step
// by step. Images are arrays of grey levels, row by row; 0 is no ink, 255 is full ink.

import { resizeFloat, resizeGrey } from "./resample.js"

const SIDE = 28
const BOX = 20
const FULL = 0.75
const LEAST_CONTRAST = 8
const CLEAR = 0.02
const LEAST_INK = 32 // of a pixel that is part of the digit
const UNCHANGED = Uint8Array.from({ length: 256 }, (_, level) => level)

// `opacity`: how opaque each of side × side pixels is; the ink is white. null without any ink.
// `fill`: the ink fills all of 28×28. Without `centred` the canvas is only shrunk.
export function prepare(opacity, side, { fill, centred }) {
  const levels = inkOf(opacity, side)
  if (!levels) return null
  if (!centred) return Uint8Array.from(resizeGrey(opacity.map(level => levels[level]), side, SIDE, "box"))
  const inside = cut({ pixels: opacity, rows: side, columns: side }, LEAST_INK, levels)
  return fill ? fit(inside, SIDE) : centre(fit(inside, BOX))
}

// For each level of opacity how far it is from the background, 255 for the farthest. The background
// is clear, unless nearly all is covered: then it is the commonest level along the border.
function inkOf(opacity, side) {
  const counts = new Uint32Array(256)
  for (let at = 0; at < opacity.length; at++) counts[opacity[at]]++
  const ground = counts[0] / opacity.length > CLEAR ? 0 : commonest(border(opacity, side))
  let peak = 0
  counts.forEach((count, level) => count && (peak = Math.max(peak, Math.abs(level - ground))))
  if (peak < LEAST_CONTRAST) return null
  return Uint8Array.from(counts, (_, level) => Math.min(255, Math.floor((Math.abs(level - ground) * 255) / peak)))
}

function border(image, side) {
  const found = []
  for (let at = 0; at < side; at++) {
    found.push(image[at], image[(side - 1) * side + at], image[at * side], image[at * side + side - 1])
  }
  return found
}

// The lowest of equally common levels.
function commonest(levels) {
  const counts = new Uint32Array(256)
  for (const level of levels) counts[level]++
  return counts.indexOf(highest(counts))
}

// The smallest box that holds every pixel whose level in `levels` is `least` or more.
function cut({ pixels, rows, columns }, least, levels) {
  let [top, bottom, left, right] = [rows, -1, columns, -1]
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (levels[pixels[at++]] < least) continue
      if (bottom < 0) top = row
      bottom = row
      if (column < left) left = column
      if (column > right) right = column
    }
  }
  const inside = { rows: bottom - top + 1, columns: right - left + 1 }
  inside.pixels = new Uint8Array(inside.rows * inside.columns)
  for (let row = 0, to = 0; row < inside.rows; row++) {
    let from = (top + row) * columns + left
    for (const end = from + inside.columns; from < end; from++) inside.pixels[to++] = levels[pixels[from]]
  }
  return inside
}

// The longer side fills the square, the shorter one is in the middle; most of the ink is white.
function fit(image, side) {
  const longer = Math.max(image.rows, image.columns)
  const square = new Float32Array(longer * longer)
  paste(image, square, longer, Math.floor((longer - image.rows) / 2), Math.floor((longer - image.columns) / 2))
  const fitted = longer === side ? square : resizeFloat(square, longer, side, longer >= side ? "box" : "bicubic")
  for (let at = 0; at < fitted.length; at++) fitted[at] = Math.max(0, fitted[at])
  const faint = Math.fround(Math.fround(0.05) * highest(fitted))
  const factor = Math.fround(255 / quantile(fitted.filter(level => level > faint), FULL))
  return Uint8Array.from(fitted, level => rounded(Math.min(255, Math.fround(level * factor))))
}

function paste(image, target, width, top, left) {
  for (let row = 0; row < image.rows; row++) {
    for (let column = 0; column < image.columns; column++) {
      target[(top + row) * width + left + column] = image.pixels[row * image.columns + column]
    }
  }
}

// As numpy computes it of single precision: linear between the two nearest values.
function quantile(values, share) {
  const sorted = values.sort()
  const place = share * (sorted.length - 1)
  const low = sorted[Math.floor(place)]
  const high = sorted[Math.min(sorted.length - 1, Math.floor(place) + 1)]
  const part = place - Math.floor(place)
  const step = Math.fround(high - low)
  if (part >= 0.5) return Math.fround(high - Math.fround(step * (1 - part)))
  return Math.fround(low + Math.fround(step * part))
}

// To the nearest whole number, halves to the even one.
export function rounded(value) {
  const below = Math.floor(value)
  if (value - below !== 0.5) return Math.round(value)
  return below + (below % 2)
}

// The centre of mass of the ink falls into pixel (14, 14).
function centre(fitted) {
  const tight = cut({ pixels: fitted, rows: BOX, columns: BOX }, 1, UNCHANGED)
  const image = new Uint8Array(SIDE * SIDE)
  const rows = new Float64Array(tight.rows)
  const columns = new Float64Array(tight.columns)
  tight.pixels.forEach((level, at) => {
    rows[Math.floor(at / tight.columns)] += level
    columns[at % tight.columns] += level
  })
  paste(tight, image, SIDE, offset(rows), offset(columns))
  return image
}

function offset(profile) {
  let moment = 0
  let sum = 0
  profile.forEach((level, at) => {
    moment += level * at
    sum += level
  })
  const start = Math.floor(SIDE / 2 + 0.5 - moment / sum)
  return Math.max(0, Math.min(SIDE - profile.length, start))
}

function highest(values) {
  let found = values[0]
  for (const value of values) if (value > found) found = value
  return found
}
