// The explorer: one view of one plane, in one pane or two; controls beside it, all about one region on it.

import { Answer, Ask } from "./ask";
import { card } from "./card";
import { curve } from "./curve";
import { css, el, hex, layerColour, picture, row, select, short, whole } from "./dom";
import { follow } from "./gestures";
import { Pane, Wanted } from "./pane";
import { View, decimal, exact, rounded } from "./view";

const KIND_WORDS: Record<string, string> = {
  inputs: "the two inputs",
  points: "through three points",
  origin: "through the origin and two points",
  random: "random",
  coordinates: "along two inputs",
};
const COLOUR_WORDS: Record<string, string> = {
  pattern: "pattern",
  layer: "layer of birth",
  gradient: "gradient norm",
  class: "class",
  activity: "active neurons",
};
const KEYS: [string, string][] = [
  ["drag, arrows", "move"],
  ["wheel, pinch, + −", "zoom"],
  ["0", "first view"],
  ["click, Enter", "pin the region, or that in the middle"],
  ["Esc", "unpin"],
  ["c", "next colouring"],
  ["k", "next layer of kinks"],
  ["b", "decision boundary"],
  ["p", "data points"],
  ["l", "the function along a line"],
  ["space, [ ]", "play the film, one step"],
];
const COMPILING = "cutting… (where kernels have never been compiled on this machine, that takes a minute, once)";
const STEP = 0.25;
const FRAME = 250; // milliseconds of a network in the film, at least
const MOST_JOINED = 10_000;
const MOST_LABELS = 150;
const MOST_PICTURES = 40;
const SNAP = 22;
const NAMES = ["A", "B", "C"];

interface Anchor {
  x: bigint;
  y: bigint;
  row: number;
}

export class Explorer {
  private hello: any = null;
  private plane: any = null;
  private places: Float64Array | null = null;
  private exactPlaces: [bigint, bigint][] = [];
  private distances: Float64Array | null = null;
  private view!: View;
  private panes: Pane[] = [];
  private networks = [0, 0];
  private colour = "pattern";
  private kinks = -1;
  private neuronLayer = -1;
  private neuronIndex = 0;
  private boundary = false;
  private marks = "marks";
  private line = false;
  private anchors: Anchor[] = [];
  private held = -1;
  private playing = false;
  private shownAt = 0;
  private urgent = false;
  private endedAt = 0;
  private lag = 0;
  private stopped = false;
  private frame = 0;
  private theme = "auto";
  private hover: { pane: Pane; x: number; y: number } | null = null;
  private hovered: { pane: Pane; cell: number } | null = null;
  private cellFacts: any = null;
  private cellAsked = "";
  private cellBusy = false;
  private pin: { pane: Pane; x: bigint; y: bigint } | null = null;
  private lineKey = "";
  private lineBusy = false;
  private lineAnswer: Answer | null = null;
  private pictures = new Map<number, HTMLCanvasElement | null>();
  private message = "";

  private stage = el("div", { class: "stage", tabindex: "0", role: "application", "aria-label": "Map of regions. Arrow keys move, + and - scale, ? lists all keys." });
  private side = el("aside", { class: "side" });
  private strip = el("div", { class: "strip", hidden: true });
  private cardBox = el("section", { class: "card", hidden: true, "aria-label": "One region" });
  private count = el("div", { class: "count" });
  private said = el("div", { class: "visually-hidden", role: "status", "aria-live": "polite" });
  private where = el("div", { class: "where" });
  private legend = el("div", { class: "legend" });
  private controls = el("div", { class: "all-controls" });
  private toast = el("div", { class: "toast", role: "alert", hidden: true });
  private dialog = el("dialog", {});
  private film: HTMLInputElement | null = null;
  private filmName = el("span", { class: "number" });
  private observer: ResizeObserver;

  constructor(
    readonly root: HTMLElement,
    private ask: Ask,
  ) {
    root.classList.add("creases-explorer");
    root.append(
      el("div", { class: "main" }, this.stage, this.strip),
      this.side,
      this.said,
      this.toast,
      this.dialog,
    );
    this.stage.append(this.cardBox);
    this.side.append(this.count, this.where, this.controls);
    this.count.textContent = "…";
    this.observer = new ResizeObserver(() => {
      if (this.hello) {
        this.view = View.of(this.view.plane, this.view.x, this.view.y, this.view.w, this.panes[0].aspect);
        this.urgent = true;
        this.refresh();
      }
    });
    this.start().catch((error: Error) => this.say(error.message));
  }

  stop(): void {
    this.stopped = true;
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
    this.panes.forEach((pane) => pane.close());
  }

  /** What is shown, for tests: numbers of each pane, and whether all that was asked for is there. */
  state(): any {
    const current = this.hello !== null && this.panes.every((pane, i) => pane.isCurrent(this.wanted(i)) && !pane.busy);
    return {
      idle: current && !this.cellBusy && !this.lineBusy && this.frame === 0,
      lag: this.lag,
      error: [...this.panes.map((pane) => pane.error), this.message].filter(Boolean).join(" "),
      panes: this.panes.map((pane) => pane.newest?.facts ?? null),
      asked: this.hello && this.view.asked(),
      half: this.hello && [this.view.w, this.view.h],
      cell: this.cellFacts,
      pinned: this.pin !== null,
      line: this.lineAnswer?.facts ?? null,
      plane: this.plane,
      networks: this.networks,
      colour: this.colour,
    };
  }

  private async start(): Promise<void> {
    const { facts, arrays } = await this.ask("hello", {});
    if (this.stopped) return;
    this.hello = facts;
    const film = this.filmNumbers();
    this.networks = [0, facts.networks.length > 1 ? (film.length > 1 ? film[0] : 1) : 0];
    this.addPane();
    this.takePlane(facts.plane, arrays);
    // A second model, and no film, was given to be beside the first.
    if (facts.networks.some((one: any, i: number) => i > 0 && one.step === null)) {
      this.networks[1] = facts.networks.findIndex((one: any, i: number) => i > 0 && one.step === null);
      this.addPane();
    }
    this.buildControls();
    this.observer.observe(this.stage);
    this.stage.addEventListener("keydown", (event) => this.key(event));
    this.refresh();
  }

  private filmNumbers(): number[] {
    return this.hello.networks.flatMap((one: any, i: number) => (one.step === null ? [] : [i]));
  }

  private takePlane(facts: any, arrays: Answer["arrays"]): void {
    this.plane = facts;
    this.places = (arrays.places as Float64Array) ?? null;
    this.distances = (arrays.distances as Float64Array) ?? null;
    this.exactPlaces = [];
    if (this.places)
      for (let i = 0; i < this.places.length; i += 2)
        this.exactPlaces.push([exact(this.places[i]), exact(this.places[i + 1])]);
    this.anchors = facts.anchors.map(([x, y]: number[], i: number) => ({ x: exact(x), y: exact(y), row: facts.rows[i] }));
    this.pin = null;
    this.hovered = null;
    this.cellFacts = null;
    this.home();
  }

  private home(): void {
    const aspect = this.panes[0].aspect || 1;
    const half = this.plane.half * Math.max(aspect, 1) * 1.02;
    this.view = View.of(this.plane.plane, exact(this.plane.centre[0]), exact(this.plane.centre[1]), half, aspect);
    this.ended();
  }

  private addPane(): void {
    const pane: Pane = new Pane(String(this.panes.length) + Math.random().toString(36).slice(2), this.ask, () => this.refresh());
    this.panes.push(pane);
    this.stage.append(pane.element);
    follow(pane.overlay, {
      moved: (dx, dy) => this.move((-2 * dx) / pane.element.clientWidth, (2 * dy) / pane.element.clientWidth, 1),
      scaled: (factor, x, y) => {
        const [px, py] = this.placeOf(pane, x, y);
        this.move(px * (1 - factor), py * (1 - factor), factor);
      },
      grabbed: (x, y) => {
        this.held = this.anchorAt(pane, x, y);
        return this.held >= 0;
      },
      dragged: (x, y) => {
        const [px, py] = this.placeOf(pane, x, y);
        const anchor = this.anchors[this.held];
        anchor.x = this.view.x + exact(px * this.view.w);
        anchor.y = this.view.y + exact(py * this.view.w);
        anchor.row = -2;
        this.refresh();
      },
      dropped: (x, y) => this.drop(pane, x, y),
      hovered: (x, y) => {
        this.hover = { pane, x, y };
        this.refresh();
      },
      left: () => {
        this.hover = null;
        this.refresh();
      },
      clicked: (x, y) => {
        this.stage.focus({ preventScroll: true });
        this.pinAt(pane, ...this.placeOf(pane, x, y));
      },
      ended: () => this.ended(),
    });
    this.stage.classList.toggle("two", this.panes.length === 2);
  }

  private placeOf(pane: Pane, x: number, y: number): [number, number] {
    const wide = pane.element.clientWidth;
    return [(2 * x) / wide - 1, (pane.element.clientHeight - 2 * y) / wide];
  }

  private pixelOf(pane: Pane, x: number, y: number): [number, number] {
    const wide = pane.element.clientWidth;
    return [((x + 1) * wide) / 2, (pane.element.clientHeight - y * wide) / 2];
  }

  private move(dx: number, dy: number, factor: number): void {
    this.view = this.view.moved(dx, dy, factor, this.panes[0].aspect);
    this.refresh();
  }

  private ended(): void {
    this.endedAt = performance.now();
    this.urgent = true;
    this.refresh();
  }

  private anchorAt(pane: Pane, x: number, y: number): number {
    if (!this.line && this.marks === "none") return -1;
    return this.anchors.findIndex((anchor) => {
      const [px, py] = this.pixelOf(pane, ...this.view.place(anchor.x, anchor.y));
      return Math.hypot(px - x, py - y) < 14;
    });
  }

  /** A point that is dropped on one of the data takes it, and the plane goes through that one. */
  private drop(pane: Pane, x: number, y: number): void {
    const anchor = this.anchors[this.held];
    this.held = -1;
    const near = this.nearest(pane, x, y);
    if (near < 0 || !this.plane.rows.length) {
      this.refresh();
      return;
    }
    anchor.row = near;
    [anchor.x, anchor.y] = this.exactPlaces[near];
    const rows = this.anchors.map((one) => one.row);
    if (this.plane.kind === "points" && new Set(rows).size === 3 && rows.every((one) => one >= 0))
      this.choosePlane({ kind: "points", rows });
    else if (this.plane.kind === "origin" && rows[1] >= 0 && rows[2] >= 0 && rows[1] !== rows[2])
      this.choosePlane({ kind: "origin", rows: rows.slice(1) });
    this.refresh();
  }

  private nearest(pane: Pane, x: number, y: number): number {
    let [best, far] = [-1, SNAP];
    this.exactPlaces.forEach(([px, py], i) => {
      const [cx, cy] = this.pixelOf(pane, ...this.view.place(px, py));
      const away = Math.hypot(cx - x, cy - y);
      if (away < far) [best, far] = [i, away];
    });
    return best;
  }

  private choosePlane(given: object): void {
    this.ask("plane", given)
      .then(({ facts, arrays }) => {
        this.say("");
        this.takePlane(facts, arrays);
        this.buildControls();
      })
      .catch((error: Error) => this.say(error.message));
  }

  private wanted(i: number): Wanted {
    return { view: this.view, network: this.networks[i], color_by: this.colour, boundary: this.boundary || this.colour === "class" };
  }

  refresh(): void {
    if (!this.frame && !this.stopped && this.hello) this.frame = requestAnimationFrame(() => this.render());
  }

  private render(): void {
    this.frame = 0;
    let current = true;
    this.panes.forEach((pane, i) => {
      if (!pane.fit()) return;
      const wanted = this.wanted(i);
      if (!pane.isCurrent(wanted)) {
        current = false;
        pane.want(wanted, this.urgent);
      }
      const style = getComputedStyle(this.root);
      pane.draw(
        this.view,
        {
          kinks: this.kinks,
          neuron: this.neuron(pane),
          boundary: wanted.boundary,
          bits: this.bits(pane).reduce((sum, one) => sum + one, 0),
          palette: this.layerPalette(this.bits(pane).length),
          highlight: hex("#D55E00"),
        },
        hex(style.getPropertyValue("--ground").trim() || "#ffffff"),
      );
    });
    this.urgent = false;
    if (current && this.endedAt) {
      this.lag = performance.now() - this.endedAt;
      this.endedAt = 0;
    }
    this.updateCount();
    this.updateHover(current);
    this.updateLine();
    this.panes.forEach((pane) => this.drawOverlay(pane));
    if (current && this.playing) this.nextFrame();
  }

  /** How many bits each layer of the network in a pane has: the two may differ. */
  private bits(pane: Pane): number[] {
    return pane.newest?.facts.bits ?? this.hello.bits;
  }

  private neuron(pane: Pane): number {
    const bits = this.bits(pane);
    if (this.neuronLayer < 0 || this.neuronIndex >= (bits[this.neuronLayer] ?? 0)) return -1;
    return bits.slice(0, this.neuronLayer).reduce((sum, one) => sum + one, 0) + this.neuronIndex;
  }

  private layerPalette(depth: number): Float32Array {
    const colours = new Float32Array(96);
    for (let layer = 1; layer <= Math.min(depth, 32); layer++) colours.set(layerColour(layer, depth), 3 * (layer - 1));
    return colours;
  }

  private updateCount(): void {
    const lines = this.panes.map((pane, i) => {
      const facts = pane.newest?.facts;
      const name = this.hello.networks[this.networks[i]].name;
      if (pane.error) return el("p", { class: "error" }, pane.error);
      if (!facts) return el("p", { class: "quiet" }, performance.now() < 4000 ? "cutting…" : COMPILING);
      const late = !pane.isCurrent(this.wanted(i));
      const layers = facts.by_layer.map(whole).join(", ");
      return el(
        "div",
        { class: late ? "late" : "" },
        el("div", { class: "quiet" }, name),
        el("div", {}, el("strong", { class: "big" }, whole(facts.regions)), facts.regions === 1 ? " region in view" : " regions in view"),
        el(
          "div",
          { class: "quiet" },
          el("span", { class: facts.certified ? "good" : "bad" }, facts.certified ? "✓ certified" : "not certified"),
          ` · ${facts.milliseconds < 10 ? facts.milliseconds.toFixed(1) : facts.milliseconds.toFixed(0)} ms`,
        ),
        el("div", { class: "quiet" }, `by layer ${layers}`),
        facts.why ? el("div", { class: "quiet" }, facts.why) : null,
      );
    });
    this.count.replaceChildren(...lines);
    const first = this.panes[0].newest?.facts;
    const said = first && this.panes[0].isCurrent(this.wanted(0)) ? `${whole(first.regions)} regions in view` : "";
    if (said && this.said.textContent !== said) this.said.textContent = said;
    const zoom = this.plane.half / this.view.w;
    this.where.replaceChildren(
      el("div", { class: "quiet" }, `plane: ${this.plane.says}`),
      el(
        "div",
        { class: "place" },
        `u₁ ${decimal(this.view.x, this.view.w)}`,
        el("br"),
        `u₂ ${decimal(this.view.y, this.view.w)}`,
        el("br"),
        `width ${short(2 * this.view.w)}${zoom > 1.5 ? ` · zoom ${short(zoom)}` : ""}`,
      ),
    );
    const legends = this.panes.map((pane) => pane.newest?.facts.legend ?? null);
    const key = JSON.stringify(legends) + this.colour + this.kinks;
    if (this.legend.dataset.key !== key) {
      this.legend.dataset.key = key;
      // Two networks have one legend each where their scales are two.
      const two = legends.length === 2 && legends[0]?.stops && legends[1]?.stops;
      const parts = (two ? legends : legends.slice(0, 1)).flatMap((one, i) => this.scaleParts(one, two ? ["left: ", "right: "][i] : ""));
      this.legend.replaceChildren(...parts, ...this.kinkParts());
    }
  }

  private scaleParts(legend: any, which: string): Node[] {
    const parts: Node[] = [];
    if (legend?.steps) {
      const steps = legend.steps.map(([step, colour]: [number, number[]]) =>
        el("span", { class: "step" }, swatch(css(colour.map((c) => c / 255))), legend.title.startsWith("layer") && !step ? "none" : String(step)),
      );
      parts.push(el("div", { class: "steps" }, ...steps));
    } else if (legend?.stops) {
      const bar = el("div", { class: "bar" });
      bar.style.background = `linear-gradient(to right, ${legend.stops.map((c: number[]) => css(c.map((v) => v / 255))).join(",")})`;
      parts.push(
        bar,
        el("div", { class: "ends" }, el("span", {}, short(legend.low)), el("span", {}, legend.log ? "logarithmic" : ""), el("span", {}, short(legend.high))),
        el("div", { class: "quiet" }, which + legend.title),
      );
    } else {
      parts.push(el("div", { class: "quiet" }, "a colour for each pattern, the same in every view"));
    }
    return parts;
  }

  private kinkParts(): Node[] {
    const parts: Node[] = [];
    if (this.kinks >= 0) {
      const depth = this.hello.layers.length;
      const shown = this.hello.layers.map((one: any, i: number) => [one.name, i + 1]).filter(([, i]: [string, number]) => !this.kinks || this.kinks === i);
      parts.push(
        el("div", { class: "steps" }, ...shown.slice(0, 12).map(([name, i]: [string, number]) => el("span", { class: "step" }, swatch(css(layerColour(i, depth))), name))),
      );
    }
    return parts;
  }

  // What the mouse is over, and what is pinned.

  private updateHover(current: boolean): void {
    let found: { pane: Pane; cell: number } | null = null;
    if (this.pin) {
      const [x, y] = this.view.place(this.pin.x, this.pin.y);
      found = { pane: this.pin.pane, cell: this.pin.pane.cellAt(this.view, x, y) };
    } else if (this.hover && this.held < 0) {
      const place = this.placeOf(this.hover.pane, this.hover.x, this.hover.y);
      found = { pane: this.hover.pane, cell: this.hover.pane.cellAt(this.view, ...place) };
    }
    this.hovered = found && found.cell >= 0 ? found : null;
    if (!this.hovered) {
      if (!this.pin) {
        this.cellFacts = null;
        this.cellAsked = "";
        this.cardBox.hidden = true;
      }
      return;
    }
    const layer = this.hovered.pane.newest!;
    const key = `${this.hovered.pane.name} ${layer.facts.view} ${this.hovered.cell} ${this.pin !== null}`;
    if (key === this.cellAsked || this.cellBusy || !current) return;
    this.cellAsked = key;
    this.cellBusy = true;
    const [cell, hover] = [this.hovered.cell, this.hover];
    const image = this.hello.image ? this.imageAt(hover) : Promise.resolve(null);
    // To tell neighbours all cells are put together: of many only where one is pinned.
    const neighbours = this.pin !== null || layer.facts.cells <= MOST_JOINED;
    Promise.all([this.ask("cell", { view: layer.facts.view, cell, neighbours }), image])
      .then(([answer, shown]) => {
        this.cellFacts = answer.facts;
        this.showCard(shown);
      })
      .catch(() => {
        this.cellAsked = ""; // the view is kept no longer: another one is on its way
      })
      .finally(() => {
        this.cellBusy = false;
        this.refresh();
      });
  }

  private imageAt(hover: Explorer["hover"]): Promise<HTMLElement | null> {
    let place: [number, number];
    if (this.pin) place = this.view.place(this.pin.x, this.pin.y);
    else if (hover) place = this.placeOf(hover.pane, hover.x, hover.y);
    else return Promise.resolve(null);
    return this.ask("image", { ...this.view.asked(), at: place.map((value) => value * this.view.w) })
      .then(({ facts, arrays }) => {
        const shown = picture(arrays.pixels as Uint8Array, facts.shape[2], facts.shape[1]);
        return el("figure", {}, shown, el("figcaption", {}, "the input here"));
      })
      .catch(() => null);
  }

  private showCard(image: HTMLElement | null): void {
    this.cardBox.hidden = false;
    const parts = card(
      this.cellFacts,
      this.pin !== null,
      this.hovered !== null,
      image,
      (cell) => this.goTo(cell),
      () => {
        if (this.pin) this.unpin();
        else if (this.hover) this.pinAt(this.hover.pane, ...this.placeOf(this.hover.pane, this.hover.x, this.hover.y));
      },
    );
    const scrolled = this.cardBox.scrollTop;
    this.cardBox.replaceChildren(...parts);
    this.cardBox.scrollTop = scrolled;
    this.cardBox.classList.toggle("pinned", this.pin !== null);
    // On the side where it hides nothing that is asked about.
    const stage = this.stage.getBoundingClientRect();
    const at = this.pin
      ? this.pixelOf(this.pin.pane, ...this.view.place(this.pin.x, this.pin.y))[0] + this.pin.pane.element.offsetLeft
      : (this.hover?.x ?? stage.width) + (this.hover?.pane.element.offsetLeft ?? 0);
    this.cardBox.classList.toggle("right", at < 0.45 * stage.width);
  }

  private pinAt(pane: Pane, x: number, y: number): void {
    this.pin = { pane, x: this.view.x + exact(x * this.view.w), y: this.view.y + exact(y * this.view.w) };
    this.refresh();
  }

  private unpin(): void {
    this.pin = null;
    this.cellAsked = "";
    this.refresh();
  }

  private goTo(cell: number): void {
    if (!this.pin) return;
    const corners = this.pin.pane.polygon(this.view, cell);
    if (!corners.length) return;
    const mean = (i: 0 | 1): number => corners.reduce((sum, corner) => sum + corner[i], 0) / corners.length;
    this.pinAt(this.pin.pane, mean(0), mean(1));
  }

  // The function along the line from A to B.

  private updateLine(): void {
    this.strip.hidden = !this.line;
    if (!this.line || this.anchors.length < 2) return;
    const ends = [0, 1].map((i) => this.view.place(this.anchors[i].x, this.anchors[i].y).map((value) => value * this.view.w));
    // Relative to a view that does not move with the page: the ends alone say what line it is.
    const key = [...this.anchors.slice(0, 2).flatMap((one) => [one.x, one.y]), this.networks[0], this.plane.plane].join(" ");
    if (key === this.lineKey || this.lineBusy) return;
    if (!ends.flat().every((value) => Number.isFinite(value) && Math.abs(value) < 1e12 * this.view.w)) return;
    this.lineKey = key;
    this.lineBusy = true;
    this.ask("line", { ...this.view.asked(), network: this.networks[0], from: ends[0], to: ends[1] })
      .then((answer) => {
        this.lineAnswer = answer;
        this.showLine();
      })
      .catch((error: Error) => this.strip.replaceChildren(el("p", { class: "error" }, error.message)))
      .finally(() => {
        this.lineBusy = false;
        this.refresh();
      });
  }

  private showLine(): void {
    const answer = this.lineAnswer;
    if (!answer) return;
    const says = el("p", {}, `${whole(answer.facts.regions)} pieces from A to B, ${answer.facts.certified ? "certified" : "not certified"}; a dot where an output bends; outputs `,
      ...Array.from({ length: answer.facts.outputs }, (_, i) => outputKey(i, this.hello.palette)));
    this.strip.replaceChildren(says);
    // The words may take two lines; the curve has the rest.
    const [wide, high] = [Math.max(this.strip.clientWidth, 300), Math.max(this.strip.clientHeight - says.offsetHeight - 12, 90)];
    this.strip.append(curve(answer, wide, high, this.hello.palette, this.hello.layers.length));
  }

  private toggleLine(): void {
    this.line = !this.line;
    while (this.line && this.anchors.length < 2) {
      const side = this.anchors.length ? 0.5 : -0.5;
      this.anchors.push({ x: this.view.x + exact(side * this.view.w), y: this.view.y + exact(0.3 * side * this.view.h), row: -2 });
    }
    this.lineKey = "";
    this.buildControls();
    this.refresh();
  }

  // What is drawn over the cells.

  private drawOverlay(pane: Pane): void {
    const context = pane.overlay.getContext("2d")!;
    const ratio = pane.overlay.width / Math.max(pane.element.clientWidth, 1);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, pane.element.clientWidth, pane.element.clientHeight);
    context.lineJoin = "round";
    const hovered = this.hovered;
    if (hovered && hovered.pane === pane) {
      const corners = pane.polygon(this.view, hovered.cell).map(([x, y]) => this.pixelOf(pane, x, y));
      outline(context, corners, this.pin !== null);
    }
    if (this.marks !== "none") this.drawPoints(pane, context);
    if (this.line && this.anchors.length > 1) {
      const ends = this.anchors.slice(0, 2).map((one) => this.pixelOf(pane, ...this.view.place(one.x, one.y)));
      for (const [colour, width] of [
        ["#ffffff", 5],
        ["#111111", 2],
      ] as [string, number][]) {
        context.strokeStyle = colour;
        context.lineWidth = width;
        context.beginPath();
        context.moveTo(...ends[0]);
        context.lineTo(...ends[1]);
        context.stroke();
      }
    }
    if (this.line || this.marks !== "none") this.anchors.forEach((anchor, i) => this.drawAnchor(pane, context, anchor, i));
    this.drawScale(pane, context);
  }

  private drawPoints(pane: Pane, context: CanvasRenderingContext2D): void {
    const seen: [number, number, number][] = [];
    const [wide, high] = [pane.element.clientWidth, pane.element.clientHeight];
    this.exactPlaces.forEach(([x, y], i) => {
      const [px, py] = this.pixelOf(pane, ...this.view.place(x, y));
      if (px > -9 && py > -9 && px < wide + 9 && py < high + 9) seen.push([px, py, i]);
    });
    const classes = [...new Set(this.hello.labels ?? [])].sort();
    const numbered = classes.every((name: any) => /^\d+$/.test(name));
    const scale = Math.max(this.plane.half, 1e-300);
    for (const [x, y, i] of seen) {
      const label = this.hello.labels?.[i];
      const number = label === undefined ? -1 : numbered ? Number(label) : classes.indexOf(label);
      const colour = number < 0 ? "#222222" : this.hello.palette[number % this.hello.palette.length];
      const inPlane = this.distances![i] <= 1e-6 * scale;
      context.beginPath();
      context.arc(x, y, seen.length > 1000 ? 2.5 : 4, 0, 7);
      context.fillStyle = inPlane ? colour : "#ffffff";
      context.fill();
      context.lineWidth = inPlane ? 1.5 : 2;
      context.strokeStyle = inPlane ? "#ffffff" : colour;
      context.stroke();
    }
    if (this.marks === "pictures") {
      // Where pictures would lie on each other the first one stays; the points of the plane have pictures of their own.
      const drawn = this.anchors.map((one) => this.pixelOf(pane, ...this.view.place(one.x, one.y)));
      for (const [x, y, i] of seen) {
        if (drawn.length >= MOST_PICTURES) break;
        if (drawn.some(([px, py]) => Math.abs(px - x) < 44 && Math.abs(py - y) < 46)) continue;
        drawn.push([x, y]);
        this.drawPicture(context, x + 6, y - 46, i, 40);
      }
    } else if (this.hello.labels && seen.length <= MOST_LABELS) {
      context.font = "600 12px system-ui, sans-serif";
      context.textBaseline = "middle";
      for (const [x, y, i] of seen) lettered(context, this.hello.labels[i], x + 8, y);
    }
  }

  private drawPicture(context: CanvasRenderingContext2D, x: number, y: number, i: number, size: number): void {
    if (!this.pictures.has(i) && this.hello.image) {
      this.pictures.set(i, null);
      this.ask("image", { row: i })
        .then(({ facts, arrays }) => {
          this.pictures.set(i, picture(arrays.pixels as Uint8Array, facts.shape[2], facts.shape[1]));
          this.refresh();
        })
        .catch(() => undefined);
    }
    const shown = this.pictures.get(i);
    if (!shown) return;
    context.imageSmoothingEnabled = false;
    context.fillStyle = "#ffffff";
    context.fillRect(x - 1.5, y - 1.5, size + 3, size + 3);
    context.drawImage(shown, x, y, size, size);
  }

  private drawAnchor(pane: Pane, context: CanvasRenderingContext2D, anchor: Anchor, i: number): void {
    const [x, y] = this.pixelOf(pane, ...this.view.place(anchor.x, anchor.y));
    if (this.hello.image && anchor.row >= 0) this.drawPicture(context, x + 10, y - 62, anchor.row, 52);
    context.beginPath();
    context.arc(x, y, 9, 0, 7);
    context.fillStyle = "#111111";
    context.fill();
    context.lineWidth = 2;
    context.strokeStyle = "#ffffff";
    context.stroke();
    context.fillStyle = "#ffffff";
    context.font = "700 11px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(NAMES[i] ?? "", x, y + 0.5);
    context.textAlign = "start";
  }

  private drawScale(pane: Pane, context: CanvasRenderingContext2D): void {
    const wide = pane.element.clientWidth;
    const most = 0.5 * this.view.w;
    const ten = 10 ** Math.floor(Math.log10(most));
    const size = [5, 2, 1].map((times) => times * ten).find((value) => value <= most) ?? ten;
    const pixels = (size / (2 * this.view.w)) * wide;
    const [x, y] = [wide - pixels - 16, pane.element.clientHeight - 16];
    context.fillStyle = "#ffffff";
    context.fillRect(x - 4, y - 20, pixels + 8, 28);
    context.fillStyle = "#111111";
    context.fillRect(x, y, pixels, 2);
    context.fillRect(x, y - 4, 2, 6);
    context.fillRect(x + pixels - 2, y - 4, 2, 6);
    context.font = "12px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    context.fillText(size >= 1e4 || size < 1e-3 ? size.toExponential(0) : String(Number(size.toPrecision(2))), x + pixels / 2, y - 6);
    context.textAlign = "start";
  }

  // Controls.

  private buildControls(): void {
    const hello = this.hello;
    const parts: Node[] = [
      row(
        "view",
        button("−", "zoom out", () => this.zoom(2)),
        button("+", "zoom in", () => this.zoom(0.5)),
        button("first view", "the first view", () => this.home()),
      ),
      row(
        "colours",
        select("What colours tell", hello.colours.map((one: string) => [one, COLOUR_WORDS[one]]), this.colour, (value) => this.setColour(value)),
      ),
      this.legend,
      row(
        "kinks",
        select(
          "Kinks",
          [["-1", "none"], ["0", "all layers"], ...hello.layers.map((one: any, i: number) => [String(i + 1), `${one.name} only`])] as [string, string][],
          String(this.kinks),
          (value) => this.setKinks(Number(value)),
        ),
      ),
      row("neuron", ...this.neuronControls()),
      row(
        "show",
        check("decision boundary", this.boundary, () => this.toggleBoundary()),
        check("function along a line", this.line, () => this.toggleLine()),
      ),
    ];
    if (hello.points)
      parts.push(
        row(
          "data",
          select(
            "Data points",
            [["none", "hidden"], ["marks", "points"], ...(hello.image ? [["pictures", "pictures"]] : [])] as [string, string][],
            this.marks,
            (value) => {
              this.marks = value;
              this.refresh();
            },
          ),
          el("span", { class: "quiet" }, "hollow: off the plane"),
        ),
      );
    if (hello.kinds.length > 1 || (hello.kinds.length === 1 && hello.kinds[0] !== "inputs")) parts.push(...this.planeControls());
    parts.push(...this.filmControls(), ...this.besideControls(), ...this.outControls());
    this.controls.replaceChildren(...parts);
  }

  private neuronControls(): Node[] {
    const index = el("input", {
      type: "number",
      min: "0",
      value: String(this.neuronIndex),
      "aria-label": "Number of the neuron",
      input: () => {
        this.neuronIndex = Math.min(Math.max(Math.floor(Number(index.value)) || 0, 0), Math.max((this.hello.bits[this.neuronLayer] ?? 1) - 1, 0));
        this.refresh();
      },
    });
    index.disabled = this.neuronLayer < 0;
    const options = [["-1", "none"], ...this.hello.layers.map((one: any, i: number) => [String(i), one.name])] as [string, string][];
    return [
      select("Layer of the neuron", options, String(this.neuronLayer), (value) => {
        this.neuronLayer = Number(value);
        index.disabled = this.neuronLayer < 0;
        index.dispatchEvent(new Event("input"));
      }),
      index,
    ];
  }

  private planeControls(): Node[] {
    const box = el("div", { class: "controls" });
    const kind = select(
      "Kind of plane",
      this.hello.kinds.map((one: string) => [one, KIND_WORDS[one]]),
      this.hello.kinds.includes(this.plane.kind) ? this.plane.kind : this.hello.kinds[0],
      () => build(),
    );
    const pointName = (i: number): string => (this.hello.labels ? `${i}: ${this.hello.labels[i] ?? ""}` : String(i));
    const names = Math.min(this.hello.points, 2000);
    const list = el("datalist", { id: `points-${Math.random().toString(36).slice(2)}` });
    list.append(...Array.from({ length: names }, (_, i) => el("option", { value: String(i) }, pointName(i))));
    const number = (label: string, value: number, most: number): HTMLInputElement => {
      const made = el("input", { type: "number", min: "0", max: String(most), value: String(value), "aria-label": label, title: label });
      if (label.startsWith("point")) made.setAttribute("list", list.id);
      return made;
    };
    const build = (): void => {
      const rows = this.plane.rows.filter((one: number) => one >= 0);
      const inputs: HTMLInputElement[] = [];
      if (kind.value === "points" || kind.value === "origin")
        for (let i = 0; i < (kind.value === "points" ? 3 : 2); i++) inputs.push(number(`point ${NAMES[i]}`, rows[i] ?? i, this.hello.points - 1));
      else if (kind.value === "random") inputs.push(number("seed", Math.floor(Math.random() * 1000), 2 ** 31 - 1));
      else if (kind.value === "coordinates") {
        inputs.push(number("input across", 0, this.hello.inputs - 1), number("input up", 1, this.hello.inputs - 1));
        if (this.hello.points) inputs.push(number("point", 0, this.hello.points - 1));
      }
      const go = button("show", "Show this plane", () => {
        const values = inputs.map((input) => Math.floor(Number(input.value)));
        const given: any = { kind: kind.value };
        if (kind.value === "points" || kind.value === "origin") given.rows = values;
        if (kind.value === "random") given.seed = values[0];
        if (kind.value === "coordinates") {
          given.inputs = values.slice(0, 2);
          if (values.length > 2) given.row = values[2];
        }
        this.choosePlane(given);
      });
      box.replaceChildren(...inputs, go);
    };
    build();
    return [row("plane", kind), el("div", { class: "row" }, el("span", { class: "name" }), box), list];
  }

  private filmControls(): Node[] {
    const film = this.filmNumbers();
    if (film.length < 2) return [];
    const at = Math.max(film.indexOf(this.networks[0]), 0);
    this.film = el("input", {
      type: "range",
      min: "0",
      max: String(film.length - 1),
      value: String(at),
      "aria-label": "Checkpoint",
      input: () => this.setFrame(Number(this.film!.value)),
    });
    const play = button("▶", "Play the film", () => this.togglePlay());
    play.classList.add("play");
    this.filmName.textContent = this.hello.networks[this.networks[0]].name;
    return [row("film", play, this.film, this.filmName)];
  }

  private setFrame(at: number): void {
    const film = this.filmNumbers();
    const place = Math.min(Math.max(at, 0), film.length - 1);
    this.networks[0] = film[place];
    if (this.film) this.film.value = String(place);
    this.filmName.textContent = this.hello.networks[this.networks[0]].name;
    this.shownAt = performance.now();
    this.ended();
  }

  private togglePlay(): void {
    this.playing = !this.playing;
    const play = this.controls.querySelector(".play");
    if (play) play.textContent = this.playing ? "❚❚" : "▶";
    if (this.playing) {
      const film = this.filmNumbers();
      if (film.indexOf(this.networks[0]) === film.length - 1 || !film.includes(this.networks[0])) this.setFrame(0);
      this.refresh();
    }
  }

  private nextFrame(): void {
    const film = this.filmNumbers();
    const at = film.indexOf(this.networks[0]);
    if (at + 1 >= film.length) {
      this.togglePlay();
      return;
    }
    const left = FRAME - (performance.now() - this.shownAt);
    if (left > 0) setTimeout(() => this.refresh(), left);
    else this.setFrame(at + 1);
  }

  private besideControls(): Node[] {
    if (this.hello.networks.length < 2) return [];
    const names = this.hello.networks.map((one: any, i: number) => [String(i), one.name]) as [string, string][];
    const parts: Node[] = [];
    if (this.panes.length === 2)
      parts.push(
        select("Network beside", names, String(this.networks[1]), (value) => {
          this.networks[1] = Number(value);
          this.ended();
        }),
      );
    return [
      row(
        "network",
        select("Network", names, String(this.networks[0]), (value) => {
          this.networks[0] = Number(value);
          this.buildControls();
          this.ended();
        }),
      ),
      row("beside", check("side by side", this.panes.length === 2, () => this.toggleBeside()), ...parts),
    ];
  }

  private toggleBeside(): void {
    if (this.panes.length === 2) {
      const pane = this.panes.pop()!;
      pane.close();
      pane.element.remove();
      if (this.pin?.pane === pane) this.pin = null;
      if (this.hover?.pane === pane) this.hover = null;
      this.stage.classList.remove("two");
    } else this.addPane();
    this.buildControls();
    this.view = View.of(this.view.plane, this.view.x, this.view.y, this.view.w, this.panes[0].aspect);
    this.ended();
  }

  private outControls(): Node[] {
    const words: Record<string, string> = { png: "PNG", svg: "SVG", pdf: "PDF", csv: "CSV", geojson: "GeoJSON" };
    return [
      row(
        "save",
        ...this.hello.forms.map((form: string) => button(words[form], `Save the view as ${words[form]}`, () => this.save(form))),
        button("Python", "The Python that makes the same picture", () => this.showPython()),
      ),
      row("page", button("light / dark", "Light or dark", () => this.setTheme()), button("keys", "Keys and gestures", () => this.showKeys())),
      ...(this.hello.notes.length ? [el("details", {}, el("summary", {}, "notes"), ...this.hello.notes.map((note: string) => el("p", { class: "quiet" }, note)))] : []),
    ];
  }

  private look(): object {
    return {
      ...this.view.asked(),
      network: this.networks[0],
      color_by: this.colour,
      kinks: this.kinks >= 0,
      boundary: this.boundary,
      marks: this.marks !== "none" && this.hello.points > 0,
    };
  }

  private save(form: string): void {
    this.say("");
    this.ask("file", { ...this.look(), form })
      .then(({ facts, arrays }) => {
        const url = URL.createObjectURL(new Blob([arrays.content as Uint8Array<ArrayBuffer>]));
        el("a", { href: url, download: facts.name }).click();
        setTimeout(() => URL.revokeObjectURL(url), 10_000);
      })
      .catch((error: Error) => this.say(error.message));
  }

  private showPython(): void {
    this.ask("python", this.look())
      .then(({ facts }) => {
        const text = el("pre", { tabindex: "0" }, facts.python);
        const copy = button("Copy", "Copy the Python", () => {
          const chosen = document.createRange();
          chosen.selectNodeContents(text);
          getSelection()?.removeAllRanges();
          getSelection()?.addRange(chosen);
          const done = (): void => {
            copy.textContent = "Copied";
          };
          if (navigator.clipboard) navigator.clipboard.writeText(facts.python).then(done, () => document.execCommand("copy") && done());
          else if (document.execCommand("copy")) done();
        });
        this.open("The same picture in Python", text, copy);
      })
      .catch((error: Error) => this.say(error.message));
  }

  private showKeys(): void {
    const table = el("table", { class: "keys" }, ...KEYS.map(([key, does]) => el("tr", {}, el("th", {}, key), el("td", {}, does))));
    this.open("Keys and gestures", table);
  }

  private open(title: string, ...content: Node[]): void {
    const close = button("Close", "Close", () => this.dialog.close());
    this.dialog.replaceChildren(el("h2", {}, title), ...content, close);
    this.dialog.showModal();
  }

  private setTheme(): void {
    const dark = this.theme === "auto" ? matchMedia("(prefers-color-scheme: dark)").matches : this.theme === "dark";
    this.theme = dark ? "light" : "dark";
    this.root.dataset.theme = this.theme;
    this.refresh();
  }

  private setColour(value: string): void {
    this.colour = value;
    this.buildControls();
    this.ended();
  }

  private setKinks(value: number): void {
    this.kinks = value;
    this.refresh();
  }

  private toggleBoundary(): void {
    this.boundary = !this.boundary;
    this.ended();
  }

  private zoom(factor: number): void {
    this.move(0, 0, factor);
    this.ended();
  }

  private say(text: string): void {
    this.message = text;
    this.toast.textContent = text;
    this.toast.hidden = !text;
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== this.stage) return;
    const colours: string[] = this.hello.colours;
    const film = this.filmNumbers();
    const actions: Record<string, () => void> = {
      ArrowLeft: () => (this.move(-STEP, 0, 1), this.ended()),
      ArrowRight: () => (this.move(STEP, 0, 1), this.ended()),
      ArrowUp: () => (this.move(0, STEP, 1), this.ended()),
      ArrowDown: () => (this.move(0, -STEP, 1), this.ended()),
      "+": () => this.zoom(0.5),
      "=": () => this.zoom(0.5),
      "-": () => this.zoom(2),
      "0": () => this.home(),
      Enter: () => this.pinAt(this.panes[0], 0, 0),
      Escape: () => this.unpin(),
      c: () => this.setColour(colours[(colours.indexOf(this.colour) + 1) % colours.length]),
      k: () => {
        this.setKinks(this.kinks >= this.hello.layers.length ? -1 : this.kinks + 1);
        this.buildControls();
      },
      b: () => {
        this.toggleBoundary();
        this.buildControls();
      },
      p: () => {
        this.marks = this.marks === "none" ? "marks" : "none";
        this.buildControls();
        this.refresh();
      },
      l: () => this.toggleLine(),
      " ": () => film.length > 1 && this.togglePlay(),
      "[": () => film.length > 1 && this.setFrame(film.indexOf(this.networks[0]) - 1),
      "]": () => film.length > 1 && this.setFrame(film.indexOf(this.networks[0]) + 1),
      "?": () => this.showKeys(),
    };
    if (!(event.key in actions)) return;
    event.preventDefault();
    actions[event.key]();
  }

  /** For tests: look at a place of the plane, given as digits times a power of two. */
  lookAt(x: [string, number], y: [string, number], half: number): void {
    const at = ([digits, e]: [string, number]): bigint => (e + 640 >= 0 ? BigInt(digits) << BigInt(e + 640) : BigInt(digits) >> BigInt(-e - 640));
    this.view = View.of(this.view.plane, at(x), at(y), half, this.panes[0].aspect);
    this.ended();
  }

  /** For tests: a place of the plane, in pixels of the first pane. */
  pixel(x: number, y: number): [number, number] {
    return this.pixelOf(this.panes[0], ...this.view.place(exact(x), exact(y)));
  }

  /** For tests: the centre as floats. */
  centre(): [number, number] {
    return [rounded(this.view.x), rounded(this.view.y)];
  }
}

function button(text: string, title: string, click: () => void): HTMLButtonElement {
  return el("button", { type: "button", title, click }, text);
}

function check(text: string, on: boolean, changed: () => void): HTMLElement {
  const box = el("input", { type: "checkbox", change: changed });
  box.checked = on;
  return el("label", { class: "check" }, box, text);
}

function outputKey(i: number, palette: string[]): HTMLElement {
  const made = el("span", { class: `output dash${Math.floor(i / 6) % 4}` }, String(i));
  made.style.borderColor = palette[i % 6];
  return made;
}

function swatch(colour: string): HTMLElement {
  const made = el("i", { class: "swatch" });
  made.style.background = colour;
  return made;
}

function outline(context: CanvasRenderingContext2D, corners: [number, number][], pinned: boolean): void {
  for (const [colour, width] of [
    ["#ffffff", pinned ? 6 : 4],
    [pinned ? "#D55E00" : "#111111", pinned ? 3 : 2],
  ] as [string, number][]) {
    context.beginPath();
    corners.forEach((corner, i) => (i ? context.lineTo(...corner) : context.moveTo(...corner)));
    context.closePath();
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  }
}

function lettered(context: CanvasRenderingContext2D, text: string, x: number, y: number): void {
  context.lineWidth = 3;
  context.strokeStyle = "#ffffff";
  context.strokeText(text, x, y);
  context.fillStyle = "#111111";
  context.fillText(text, x, y);
}
