// The outputs along a line, with dots where they bend.

import { Answer } from "./ask";
import { css, layerColour, short, svg } from "./dom";

const [LEFT, BELOW, ABOVE] = [66, 22, 8];
const MOST_DOTS = 1500;

export function curve(answer: Answer, wide: number, high: number, palette: string[], depth: number): SVGElement {
  const t = answer.arrays.t as Float64Array;
  const values = answer.arrays.values as Float64Array;
  const layers = answer.arrays.layers as Uint8Array;
  const outputs = answer.facts.outputs;
  const all = values.length ? Array.from(values).filter(Number.isFinite) : [0];
  let low = all.reduce((a, b) => Math.min(a, b), Infinity);
  let top = all.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!(low < top)) [low, top] = [low - 0.5, top + 0.5];
  const x = (at: number): number => LEFT + at * (wide - LEFT - 10);
  const y = (value: number): number => ABOVE + (1 - (value - low) / (top - low)) * (high - ABOVE - BELOW);
  const parts: Node[] = [];
  for (const value of [low, top]) {
    const label = svg("text", { x: LEFT - 6, y: y(value) + (value === low ? 0 : 8), "text-anchor": "end" });
    label.textContent = short(value);
    parts.push(label);
  }
  if (low < 0 && top > 0) parts.push(svg("line", { x1: LEFT, x2: wide - 10, y1: y(0), y2: y(0), class: "axis" }));
  for (const [at, name] of [
    [0, "A"],
    [1, "B"],
  ] as [number, string][]) {
    const label = svg("text", { x: x(at), y: high - 6, "text-anchor": "middle", class: "end" });
    label.textContent = name;
    parts.push(label);
  }
  for (let output = 0; output < outputs; output++) {
    let path = "";
    for (let i = 0; i < t.length; i++)
      path += `${i ? "L" : "M"}${x(t[i]).toFixed(2)} ${y(values[i * outputs + output]).toFixed(2)}`;
    const dash = ["", "7 3", "2 2", "7 2 2 2"][Math.floor(output / 6) % 4];
    parts.push(svg("path", { d: path, class: "line", stroke: palette[output % 6], "stroke-dasharray": dash }));
  }
  if (t.length < MOST_DOTS)
    for (let i = 1; i + 1 < t.length; i++)
      for (let output = 0; output < outputs; output++)
        parts.push(
          svg("circle", {
            cx: x(t[i]).toFixed(2),
            cy: y(values[i * outputs + output]).toFixed(2),
            r: t.length < 100 ? 2.6 : 1.4,
            fill: css(layerColour(Math.max(layers[i], 1), depth)),
          }),
        );
  return svg("svg", { viewBox: `0 0 ${wide} ${high}`, width: wide, height: high, class: "curve", role: "img" }, ...parts);
}
