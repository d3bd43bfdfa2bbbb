// Small helpers for the page.

export function element(tag, attributes = {}, words = "") {
  const made = document.createElement(tag)
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value))
  made.textContent = words
  return made
}

// Text that stays is not set anew: the browser would lay it out again.
export function write(place, words) {
  if (place.textContent !== words) place.textContent = words
}

export const bytes = coded => Uint8Array.from(atob(coded), letter => letter.charCodeAt(0))
