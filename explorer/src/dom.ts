// Elements in one line each.

type Child = Node | string | null;

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | boolean | ((event: any) => void)> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (typeof value === "boolean") made.toggleAttribute(name, value);
    else made.setAttribute(name, value);
  }
  for (const child of children) if (child !== null) made.append(child);
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag: string, attributes: Record<string, string | number>, ...children: Node[]): SVGElement {
  const made = document.createElementNS(SVG, tag) as SVGElement;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

export function select(
  label: string,
  options: [string, string][],
  value: string,
  changed: (value: string) => void,
): HTMLSelectElement {
  const made = el("select", { "aria-label": label, change: () => changed(made.value) });
  made.append(...options.map(([key, text]) => el("option", { value: key }, text)));
  made.value = value;
  return made;
}

export function row(label: string, ...controls: Node[]): HTMLElement {
  return el("div", { class: "row" }, el("span", { class: "name" }, label), el("div", { class: "controls" }, ...controls));
}

/** A number to be read: four digits, and an exponent where it is large or small. */
export function short(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e5 || size < 1e-3 ? value.toExponential(2) : value.toPrecision(4);
  return text.replace("e+", "e").replace("-", "\u2212").replace("e-", "e\u2212");
}

export function whole(value: number): string {
  return value.toLocaleString("en");
}

/** Three bytes a pixel as a canvas. */
export function picture(pixels: Uint8Array, columns: number, rows: number): HTMLCanvasElement {
  const made = el("canvas", { width: String(columns), height: String(rows), class: "input" });
  const context = made.getContext("2d")!;
  const image = context.createImageData(columns, rows);
  for (let i = 0; i < columns * rows; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels[3 * i + c];
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return made;
}

export function hex(colour: string): [number, number, number] {
  const value = parseInt(colour.slice(1), 16);
  return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}

/** Viridis at nine places, dark to light: the layers' colours, as in `creases.plot`. */
const VIRIDIS = ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"];

export function layerColour(layer: number, depth: number): [number, number, number] {
  const at = depth > 1 ? ((0.82 * (layer - 1)) / (depth - 1)) * (VIRIDIS.length - 1) : 0;
  const below = Math.min(Math.floor(at), VIRIDIS.length - 2);
  const [one, other] = [hex(VIRIDIS[below]), hex(VIRIDIS[below + 1])];
  return [0, 1, 2].map((i) => one[i] + (other[i] - one[i]) * (at - below)) as [number, number, number];
}

export function css([r, g, b]: readonly number[]): string {
  return `rgb(${Math.round(255 * r)} ${Math.round(255 * g)} ${Math.round(255 * b)})`;
}
