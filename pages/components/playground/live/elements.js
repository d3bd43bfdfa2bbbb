// Small helpers for the page.

export function element(tag, attributes = {}, words = "") {
  const made = document.createElement(tag)
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value))
  made.textContent = words
  return made
}

export const bytes = coded => Uint8Array.from(atob(coded), letter => letter.charCodeAt(0))
