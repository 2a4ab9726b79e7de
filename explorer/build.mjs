// Bundles the page and the widget into the Python package, and writes into each file a hash of what it is made of.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "../src/creases/explore/static");

// tests/test_explore_bundle.py computes the same.
const names = readdirSync(join(here, "src")).sort();
const hash = createHash("sha256");
for (const name of [...names.map((name) => `src/${name}`), "build.mjs", "package-lock.json"]) {
  hash.update(`${name}\n`);
  hash.update(readFileSync(join(here, name)));
}
const banner = `/* made of sources ${hash.digest("hex")} by 'make explorer' */`;

const common = { bundle: true, minify: true, target: "es2022", legalComments: "none", absWorkingDir: here };
await esbuild.build({
  ...common,
  entryPoints: ["src/page.ts"],
  outfile: join(out, "page.js"),
  format: "iife",
  banner: { js: banner },
});
await esbuild.build({
  ...common,
  entryPoints: ["src/widget.ts"],
  outfile: join(out, "widget.js"),
  format: "esm",
  banner: { js: banner },
});
await esbuild.build({
  ...common,
  entryPoints: ["src/explore.css"],
  outfile: join(out, "explore.css"),
  banner: { css: banner },
});
const page = readFileSync(join(here, "src/page.html"), "utf8");
writeFileSync(join(out, "page.html"), page.replace("<!doctype html>", `<!doctype html>\n<!-- ${banner.slice(3, -3)} -->`));
