// All about one region: how many neurons are active, its pattern as a barcode, its affine map, and its neighbours.

import { css, el, layerColour, short, svg, whole } from "./dom";

const MOST_ROWS = 10;
const MOST_NEIGHBOURS = 12;

function barcode(bits: string, colour: string): SVGElement {
  // One path: a bar for each neuron that is active.
  const wide = 240 / bits.length;
  let path = "";
  for (let i = 0; i < bits.length; i++) if (bits[i] === "1") path += `M${(i * wide).toFixed(2)} 0h${wide.toFixed(2)}v14h-${wide.toFixed(2)}z`;
  return svg(
    "svg",
    { viewBox: "0 0 240 14", preserveAspectRatio: "none", class: "barcode", role: "img" },
    svg("path", { d: path, fill: colour }),
  );
}

export function card(
  facts: any,
  pinned: boolean,
  inView: boolean,
  image: HTMLElement | null,
  go: (cell: number) => void,
  pin: () => void,
): HTMLElement[] {
  const depth = facts.layers.length;
  const layers = facts.layers.map((layer: any, i: number) =>
    el(
      "div",
      { class: "layer" },
      el("span", {}, layer.name),
      el("span", { class: "number" }, layer.bits === null ? `${layer.width} winners` : `${layer.active} / ${layer.width} active`),
      layer.bits === null
        ? el("div", { class: "winners" }, layer.winners.slice(0, 64).join(" "))
        : (barcode(layer.bits, css(layerColour(i + 1, depth))) as unknown as Node),
    ),
  );
  const table = el("table", {});
  table.append(el("tr", {}, el("th", {}, "output"), el("th", {}, "∂u₁"), el("th", {}, "∂u₂"), el("th", {}, "at centre")));
  facts.matrix.slice(0, MOST_ROWS).forEach((line: number[], i: number) =>
    table.append(el("tr", {}, ...[String(i), short(line[0]), short(line[1]), short(facts.offset[i])].map((text) => el("td", {}, text)))),
  );
  if (facts.matrix.length > MOST_ROWS) table.append(el("tr", {}, el("td", {}, `and ${facts.matrix.length - MOST_ROWS} more`)));
  const others = facts.neighbours?.filter((one: any) => one.cell >= 0);
  return [
    el(
      "header",
      {},
      el("strong", {}, `Region ${whole(facts.cell)}`),
      el("button", { click: pin, "aria-pressed": String(pinned), class: "small" }, pinned ? "Unpin" : "Pin"),
    ),
    ...(inView ? [] : [el("p", { class: "quiet" }, "out of view")]),
    ...(image ? [image] : []),
    el(
      "dl",
      {},
      ...[
        ["layer of birth", facts.layer_of_birth ? facts.layers[facts.layer_of_birth - 1].name : "none"],
        ["area in view", short(facts.area)],
        ["gradient norm", short(facts.gradient)],
        ["in the plane", short(facts.gradient_in_plane)],
        ["corners", String(facts.vertices)],
      ].flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]),
    ),
    ...layers,
    el("details", { open: true }, el("summary", {}, "affine map in view"), table),
    others
      ? el(
          "details",
          {},
          el("summary", {}, `${others.length} neighbours`),
          ...others
            .slice(0, MOST_NEIGHBOURS)
            .map((one: any) => el("button", { class: "small wide", click: () => go(one.cell) }, `${whole(one.cell)}: across ${one.says}`)),
        )
      : el("p", { class: "quiet" }, "a click tells its neighbours"),
  ];
}
