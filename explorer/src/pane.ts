// One network seen in the common view: what was cut last stays, moved and scaled, until the new cells are there.

import { Ask, Superseded } from "./ask";
import { Drawer, Look, Mesh } from "./draw";
import { Picker } from "./pick";
import { View } from "./view";

// Older layers that stay under the newest, for what moves into view.
const LAYERS = 3;
// A layer that would be drawn so many times larger or smaller shows nothing.
const MOST_SCALE = 2000;
// An answer that takes longer than this is given up for a newer view.
const PATIENCE = 300;
let turns = 0;

export interface Wanted {
  view: View;
  network: number;
  color_by: string;
  boundary: boolean;
}

export interface Layer {
  wanted: Wanted;
  mesh: Mesh;
  facts: any;
  picker: Picker | null;
  number: number; // of the view, to ask about its cells; -1 of a picture
}

/** Whether all of a view lies in another one. */
function covers(view: View, other: View): boolean {
  const [x, y, scale] = view.locate(other);
  const [high, otherHigh] = [view.h / view.w, (other.h / other.w) * scale];
  const slack = 1e-4;
  return Math.abs(x) + 1 <= scale + slack && Math.abs(y) + high <= otherHigh + slack;
}

function sameLook(one: Wanted, other: Wanted): boolean {
  return one.network === other.network && one.color_by === other.color_by && one.view.plane === other.view.plane;
}

export function sameWanted(one: Wanted | null, other: Wanted): boolean {
  return one !== null && sameLook(one, other) && one.boundary === other.boundary && one.view.same(other.view);
}

export class Pane {
  readonly element = document.createElement("div");
  readonly canvas = document.createElement("canvas");
  readonly overlay = document.createElement("canvas");
  layers: Layer[] = [];
  error = "";
  private drawer: Drawer;
  private running: { wanted: Wanted; since: number; turn: number }[] = [];
  private arrays: Record<number, Record<string, any>> = {};
  private failed: Wanted | null = null;
  private drawn = "";

  constructor(
    readonly name: string,
    private ask: Ask,
    private changed: () => void,
  ) {
    this.element.className = "pane";
    this.canvas.className = "cells";
    this.overlay.className = "overlay";
    this.element.append(this.canvas, this.overlay);
    this.drawer = new Drawer(this.canvas, () => {
      this.layers = [];
      this.drawn = "";
      this.changed();
    });
  }

  get newest(): Layer | null {
    return this.layers[this.layers.length - 1] ?? null;
  }

  /** Whether what is shown is what is wanted, or cannot be had. */
  isCurrent(wanted: Wanted): boolean {
    return sameWanted(this.newest?.wanted ?? null, wanted) || sameWanted(this.failed, wanted);
  }

  get busy(): boolean {
    return this.running.length > 0;
  }

  /** Ask for a view, unless it is there, or on its way, or another is and has not been long. */
  want(wanted: Wanted, urgent: boolean): void {
    if (this.isCurrent(wanted) || this.running.some((one) => sameWanted(one.wanted, wanted))) return;
    const now = performance.now();
    if (!urgent && this.running.some((one) => now - one.since < PATIENCE)) return;
    const turn = ++turns;
    this.running.push({ wanted, since: now, turn });
    const pixels = Math.max(this.canvas.width, this.canvas.height);
    this.ask("view", {
      ...wanted.view.asked(),
      network: wanted.network,
      color_by: wanted.color_by,
      boundary: wanted.boundary,
      pane: this.name,
      turn,
      pixels,
    })
      .then(({ facts, arrays }) => {
        if (this.newest && turn < this.newest.number) return;
        this.error = "";
        this.failed = null;
        this.take(wanted, turn, facts, arrays);
      })
      .catch((error: Error) => {
        if (error instanceof Superseded) return;
        this.failed = wanted;
        this.error = error.message;
      })
      .finally(() => {
        this.running = this.running.filter((one) => one.turn !== turn);
        this.changed();
      });
  }

  private take(wanted: Wanted, turn: number, facts: any, arrays: Record<string, any>): void {
    const [keep, drop]: [Layer[], Layer[]] = [[], []];
    for (const layer of this.layers) (sameLook(layer.wanted, wanted) ? keep : drop).push(layer);
    while (keep.length >= LAYERS) drop.push(keep.shift()!);
    drop.forEach((layer) => this.free(layer));
    const mesh = facts.picture
      ? this.drawer.picture(arrays.pixels, facts.picture[0], facts.picture[1])
      : this.drawer.mesh(arrays);
    this.layers = [...keep, { wanted, mesh, facts, picker: null, number: turn }];
    this.arrays = facts.picture ? {} : { [turn]: arrays };
  }

  /** Let go of all that the graphics card holds. */
  close(): void {
    this.layers.forEach((layer) => this.free(layer));
    this.layers = [];
    this.arrays = {};
    this.drawer.lose();
  }

  private free(layer: Layer): void {
    this.drawer.free(layer.mesh);
  }

  /** The newest layer's cell at a place of a view; -1 where there is none. */
  cellAt(view: View, x: number, y: number): number {
    const layer = this.newest;
    const arrays = layer && this.arrays[layer.number];
    if (!layer || !arrays) return -1;
    layer.picker ??= new Picker(arrays.first, arrays.corners, layer.wanted.view.h / layer.wanted.view.w);
    const [cx, cy, scale] = view.locate(layer.wanted.view);
    return layer.picker.at((x - cx) / scale, (y - cy) / scale);
  }

  /** The corners of a cell of the newest layer, in a view. */
  polygon(view: View, cell: number): [number, number][] {
    const layer = this.newest;
    if (!layer?.picker) return [];
    const [cx, cy, scale] = view.locate(layer.wanted.view);
    return layer.picker.polygon(cell).map(([x, y]) => [x * scale + cx, y * scale + cy]);
  }

  /** Make the canvases as large as they are seen. Returns whether they have a size. */
  fit(): boolean {
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const [wide, high] = [this.element.clientWidth, this.element.clientHeight];
    if (wide < 2 || high < 2) return false;
    for (const canvas of [this.canvas, this.overlay]) {
      const [columns, rows] = [Math.round(wide * ratio), Math.round(high * ratio)];
      if (canvas.width !== columns || canvas.height !== rows) {
        canvas.width = columns;
        canvas.height = rows;
      }
    }
    return true;
  }

  get aspect(): number {
    return this.element.clientWidth / Math.max(this.element.clientHeight, 1);
  }

  draw(view: View, look: Omit<Look, "cells">, ground: [number, number, number]): void {
    // The mouse moves over cells that stay: software takes a second to draw a hundred thousand of them again.
    const { palette, ...rest } = look;
    const numbers = [view.plane, view.x, view.y, view.w, view.h, this.canvas.width, this.canvas.height];
    const seen = [...numbers, ...this.layers.map((layer) => layer.number), ...ground, ...palette, JSON.stringify(rest)].join(" ");
    if (seen === this.drawn) return;
    this.drawn = seen;
    this.drawer.clear(ground);
    // What lies under a layer that fills the view is not seen.
    let begin = this.layers.length - 1;
    while (begin > 0 && !covers(view, this.layers[begin].wanted.view)) begin -= 1;
    for (const layer of this.layers.slice(Math.max(begin, 0))) {
      const at = view.locate(layer.wanted.view);
      if (at[2] > MOST_SCALE || at[2] < 1 / MOST_SCALE || Math.abs(at[0]) > 1e4 || Math.abs(at[1]) > 1e4) continue;
      const seen = layer.facts.cells / Math.max(at[2] * at[2], 1e-6);
      this.drawer.draw(layer.mesh, at, { ...look, cells: seen });
    }
  }
}
