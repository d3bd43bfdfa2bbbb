// All drawings of a set: each is a button that says how it is read. What comes in while the page is
// open pops up in its place. Order and choice are the browser's own; only removing asks the server.

const grids = new WeakMap()

export default function ({ data, parentElement, setTriggerValue }) {
  if (!grids.has(parentElement)) grids.set(parentElement, new Grid(parentElement))
  grids.get(parentElement).update(data, setTriggerValue)
}

class Grid {
  constructor(root) {
    this.bar = root.querySelector(".bar")
    this.grid = root.querySelector(".grid")
    this.more = root.querySelector(".more")
    this.detail = root.querySelector(".detail")
    this.order = "new"
    this.tiles = new Map()
    this.grid.onkeydown = event => this.move(event)
    this.detail.onkeydown = event => event.key === "Escape" && this.choose(null)
  }

  update(data, send) {
    this.data = data
    this.send = send
    this.mine = new Set(data.mine)
    this.drawings = data.drawings.map(([file, label, author, saved, image, answers]) => {
      const wrong = answers.filter(answer => answer !== label).length
      return { file, label, author, saved, image, answers, wrong }
    })
    this.grid.classList.toggle("large", data.large)
    const first = !this.tiles.size
    const here = new Set(this.drawings.map(one => one.file))
    for (const file of this.tiles.keys()) if (!here.has(file)) this.tiles.delete(file)
    for (const one of this.drawings) {
      if (!this.tiles.has(one.file)) this.tiles.set(one.file, this.tile(one, !first))
      this.describe(one)
    }
    if (!here.has(this.chosen)) this.chosen = null
    this.show()
  }

  tile(one, isNew) {
    const button = element("button", { type: "button", class: isNew ? "tile new" : "tile", tabindex: "-1" })
    const caption = element("span", {}, element("b", {}, this.name(one.label)))
    if (one.author) caption.append(` ${one.author}`)
    button.append(element("img", { src: one.image, alt: "" }), caption, element("i", { "aria-hidden": "true" }))
    button.onclick = () => this.choose(this.chosen === one.file ? null : one.file)
    button.onfocus = () => this.stop(one.file)
    return button
  }

  describe(one) {
    const button = this.tiles.get(one.file)
    const badge = button.querySelector("i")
    const count = this.data.networks.length
    const all = count > 0 && one.wrong === count
    button.classList.toggle("all", all)
    badge.hidden = !one.wrong
    badge.textContent = all ? "all" : one.wrong
    button.title = one.wrong ? `misread by ${one.wrong} of ${count} networks` : "read right by every network"
    button.setAttribute("aria-label", `${this.name(one.label)}${one.author ? ` by ${one.author}` : ""}, ${button.title}`)
  }

  name(label) {
    return this.data.classes[label]
  }

  // The orders that there are, each with the drawings it shows.
  orders() {
    const count = this.data.networks.length
    const wrong = this.drawings.filter(one => one.wrong).sort((a, b) => b.wrong - a.wrong)
    const all = count ? wrong.filter(one => one.wrong === count) : []
    return {
      new: ["Newest first", this.drawings],
      class: ["By class", this.drawings],
      hard: [`Misread by some · ${wrong.length}`, wrong],
      all: [`Misread by all · ${all.length}`, all],
    }
  }

  show() {
    const orders = this.orders()
    if (!orders[this.order][1].length) this.order = "new"
    this.bar.hidden = !this.drawings.length
    if (!this.bar.children.length) {
      for (const name of Object.keys(orders)) {
        const button = element("button", { type: "button" })
        button.onclick = () => { this.order = name; this.show() }
        this.bar.append(button)
      }
    }
    Object.entries(orders).forEach(([name, [words, shown]], at) => {
      const button = this.bar.children[at]
      button.textContent = words
      button.disabled = !shown.length
      button.setAttribute("aria-pressed", name === this.order)
    })
    this.place(orders[this.order][1])
    this.more.hidden = !this.data.more
    this.more.textContent = `These are the newest; ${this.data.more} older ones are not shown.`
    this.explain()
  }

  place(shown) {
    const parts = this.order === "class" ? this.byClass(shown) : shown.map(one => this.tiles.get(one.file))
    const same = parts.length === this.grid.children.length && parts.every((part, at) => part === this.grid.children[at])
    if (!same) {
      const focused = this.grid.getRootNode().activeElement
      this.grid.replaceChildren(...parts)
      if (focused?.isConnected && this.grid.contains(focused)) focused.focus()
    }
    this.shown = shown
    this.stop(shown.some(one => one.file === this.at) ? this.at : shown[0]?.file)
  }

  byClass(shown) {
    return this.data.classes.flatMap((name, label) => {
      const own = shown.filter(one => one.label === label)
      if (!own.length) return []
      const right = own.reduce((sum, one) => sum + one.answers.length - one.wrong, 0)
      const share = this.data.networks.length ? Math.round((100 * right) / (own.length * this.data.networks.length)) : 0
      const heading = element("h3", {}, name, element("span", {}, `${own.length} · ${share} % of all answers right`))
      return [heading, ...own.map(one => this.tiles.get(one.file))]
    })
  }

  // One stop of the tab key; arrow keys go on from there.
  stop(file) {
    this.tiles.get(this.at)?.setAttribute("tabindex", "-1")
    this.at = file
    this.tiles.get(file)?.setAttribute("tabindex", "0")
  }

  move(event) {
    const tiles = [...this.grid.querySelectorAll(".tile")]
    const at = tiles.indexOf(event.target)
    if (at < 0) return
    if (event.key === "Escape") return this.choose(null)
    const across = Math.max(1, tiles.filter(tile => tile.offsetTop === tiles[at].offsetTop).length)
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across }[event.key]
    if (!step) return
    event.preventDefault()
    tiles[Math.min(tiles.length - 1, Math.max(0, at + step))].focus()
  }

  choose(file) {
    this.chosen = file
    this.explain()
  }

  // How the chosen drawing is read, and a button that removes it where that is allowed.
  explain() {
    for (const [file, tile] of this.tiles) tile.setAttribute("aria-pressed", file === this.chosen)
    const one = this.drawings.find(each => each.file === this.chosen)
    this.detail.hidden = !one
    if (!one) return this.detail.replaceChildren()
    const heading = element("h3", {}, `${this.name(one.label)}${one.author ? ` · ${one.author}` : ""}`)
    const words = element("div", {}, heading, element("p", {}, this.said(one)))
    if (one.saved) words.append(element("p", { class: "soft" }, `saved ${new Date(one.saved).toLocaleString()}`))
    if (this.mine.has(one.file)) {
      const remove = element("button", { type: "button", class: "remove" }, "Remove")
      remove.onclick = () => this.send("remove", one.file)
      words.append(remove)
    }
    const close = element("button", { type: "button", class: "close", "aria-label": "Close" }, "✕")
    close.onclick = () => this.choose(null)
    this.detail.replaceChildren(element("img", { src: one.image, alt: "" }), words, close)
  }

  said(one) {
    if (!this.data.networks.length) return "No network has read it."
    if (!one.wrong) return "Every network reads it right."
    const mistakes = {}
    one.answers.forEach((answer, at) => {
      if (answer !== one.label) (mistakes[answer] ??= []).push(this.data.networks[at])
    })
    const parts = Object.entries(mistakes).map(([answer, names]) => `${this.name(answer)}: ${names.join(", ")}`)
    return `${one.wrong} of ${one.answers.length} networks misread it. ${parts.join(" · ")}`
  }
}

function element(tag, attributes = {}, ...inside) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  made.append(...inside)
  return made
}
