// Which cell a place lies in: cells by the squares of a grid that their boxes meet.

const SIDE = 96;

export class Picker {
  private buckets = new Map<number, number[]>();

  constructor(
    private first: Uint32Array,
    private corners: Float32Array,
    private high: number,
  ) {
    for (let cell = 0; cell + 1 < first.length; cell++) {
      let [left, right, low, top] = [Infinity, -Infinity, Infinity, -Infinity];
      for (let i = first[cell]; i < first[cell + 1]; i++) {
        left = Math.min(left, corners[2 * i]);
        right = Math.max(right, corners[2 * i]);
        low = Math.min(low, corners[2 * i + 1]);
        top = Math.max(top, corners[2 * i + 1]);
      }
      for (let column = this.square(left, 1); column <= this.square(right, 1); column++)
        for (let row = this.square(low, this.high); row <= this.square(top, this.high); row++) {
          const key = column * SIDE + row;
          const bucket = this.buckets.get(key);
          if (bucket) bucket.push(cell);
          else this.buckets.set(key, [cell]);
        }
    }
  }

  private square(value: number, half: number): number {
    return Math.min(Math.max(Math.floor(((value / half + 1) / 2) * SIDE), 0), SIDE - 1);
  }

  /** The cell at a place in half widths; -1 where there is none. */
  at(x: number, y: number): number {
    if (Math.abs(x) > 1 || Math.abs(y) > this.high) return -1;
    const bucket = this.buckets.get(this.square(x, 1) * SIDE + this.square(y, this.high)) ?? [];
    return bucket.find((cell) => this.holds(cell, x, y)) ?? -1;
  }

  private holds(cell: number, x: number, y: number): boolean {
    const { first, corners } = this;
    let before = first[cell + 1] - 1;
    for (let i = first[cell]; i < first[cell + 1]; i++) {
      const ax = corners[2 * before];
      const ay = corners[2 * before + 1];
      if ((corners[2 * i] - ax) * (y - ay) - (corners[2 * i + 1] - ay) * (x - ax) < 0) return false;
      before = i;
    }
    return true;
  }

  polygon(cell: number): [number, number][] {
    const found: [number, number][] = [];
    for (let i = this.first[cell]; i < this.first[cell + 1]; i++)
      found.push([this.corners[2 * i], this.corners[2 * i + 1]]);
    return found;
  }
}
