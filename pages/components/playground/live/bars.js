// A bar for each class. A thin line marks what the intact network answers, where parts are off.

import { element, write } from "./elements.js"

const LEAST = 0.002 // of the width: an empty bar is still a line

export class Bars {
  constructor(place, names) {
    this.rows = names.map(name => {
      const bar = element("i")
      const mark = element("u", { hidden: "" })
      const share = element("span")
      const track = element("div", { class: "track" })
      track.append(bar, mark)
      const row = element("div", { class: "bar" })
      row.append(element("b", {}, name), track, share)
      return { row, bar, mark, share }
    })
    place.replaceChildren(...this.rows.map(({ row }) => row))
  }

  show(shares, intact) {
    const top = shares.indexOf(Math.max(...shares))
    this.rows.forEach(({ row, bar, mark, share }, at) => {
      row.classList.toggle("top", at === top)
      bar.style.transform = `scaleX(${Math.max(LEAST, shares[at])})`
      write(share, `${(100 * shares[at]).toFixed(1)} %`)
      mark.hidden = !intact
      if (intact) mark.style.left = `${100 * intact[at]}%`
    })
  }

  clear() {
    this.rows.forEach(({ row, bar, mark, share }) => {
      row.classList.remove("top")
      bar.style.transform = "scaleX(0)"
      write(share, "")
      mark.hidden = true
    })
  }
}
