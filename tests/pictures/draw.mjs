// Draws functions/pictures/*.dot with Graphviz (viz.js), for light and for dark pages: node draw.mjs SOURCES TARGET
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";

const require = createRequire(new URL("../node/package.json", import.meta.url));
const { instance } = require("@viz-js/viz");

// The contrast of text with each box and with the page, white or GitHub's dark, is at least 4.5:1 (WCAG 2.2).
const themes = {
  light: {
    text: "#1f2328", soft: "#59636e", line: "#818b98", box: "#f6f8fa", outside: "#ffffff", queue: "#fff1e5",
    function: "#ddf4ff", paid: "#cf222e", good: "#dafbe1", bad: "#ffebe9", open: "#fff8c5", doubt: "#fbefff",
  },
  dark: {
    text: "#e6edf3", soft: "#9198a1", line: "#768390", box: "#151b23", outside: "#0d1117", queue: "#3d2a16",
    function: "#12344d", paid: "#ff7b72", good: "#12361f", bad: "#4a1d1c", open: "#3a2f0b", doubt: "#33204d",
  },
};

const [sources, target] = process.argv.slice(2);
const viz = await instance();
for (const file of readdirSync(sources).filter((name) => name.endsWith(".dot")).sort()) {
  const source = readFileSync(join(sources, file), "utf8");
  for (const [theme, colours] of Object.entries(themes)) {
    const coloured = source.replace(/"\$(\w+)"/g, (_, name) => {
      if (!(name in colours)) throw new Error(`${file}: no colour ${name}`);
      return `"${colours[name]}"`;
    });
    const svg = viz.renderString(coloured, { format: "svg" });
    // The comment names a build of Graphviz.
    writeFileSync(join(target, `${basename(file, ".dot")}-${theme}.svg`), svg.replace(/<!--[\s\S]*?-->\n?/g, ""));
  }
}
