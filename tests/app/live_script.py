"""Runs the Live canvas's own JavaScript: under Node.js, or else in a browser without a window."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pages.components.playground.live.component import script

# What the tests call, after all modules; `given` and the answer are JSON.
HARNESS = """
const bytesOf = coded => Uint8Array.from(atob(coded), letter => letter.charCodeAt(0))
function examine({ drawings, side, ways, networks }) {
  const prepared = ways.map(way => {
    const some = drawings.filter((_, at) => at % way.every === 0)
    return some.map(drawing => prepare(bytesOf(drawing), side, way))
  })
  const answers = networks.map(({ chain, way, changes }) => {
    const numbers = new Float32Array(bytesOf(chain.numbers).buffer)
    const network = new Network({ ...chain, numbers })
    for (const [layer, channel] of changes?.silenced ?? []) network.toggle(layer, channel)
    for (const [layer, level] of changes?.noise ?? []) network.setNoise(layer, level, changes.seed)
    return prepared[way].map(image => network.read(image))
  })
  const plain = images => images.map(image => Array.from(image))
  return { prepared: prepared.map(plain), answers }
}
"""
NODE = """
import { readFileSync } from "node:fs"
process.stdout.write(JSON.stringify(examine(JSON.parse(readFileSync(0, "utf-8")))))
"""


def examine(given: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What the page's script makes of drawings and networks."""
    if shutil.which("node"):
        file = folder / "live.mjs"
        file.write_text(script() + HARNESS + NODE)
        command = ["node", str(file)]
        done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    return _in_browser(given)


def _in_browser(given: dict[str, Any]) -> dict[str, Any]:
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import FLAGS, NAMES

    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        assert not os.environ.get("CI"), "neither Node.js nor a browser is installed"
        pytest.skip("neither Node.js nor Chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page()
        code = script().replace("export default function", "function mount") + HARNESS
        found = page.evaluate(f"given => {{ {code}\nreturn examine(given) }}", given)
        browser.close()
    return found
