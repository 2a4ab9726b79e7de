// A view of a plane, whose centre is as fine as need be: whole multiples of 2^-640, in BigInts.

const UNIT = 640;
// Half widths and centres are whole multiples of 2^-GRID of the width, so that the corners of a view are floats as long
// as floats are fine enough.
const GRID = 20;

/** A float as a whole multiple of the unit; what is finer is left out. */
export function exact(value: number): bigint {
  if (!value) return 0n;
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const high = bits.getUint32(0);
  const exponent = (high >>> 20) & 0x7ff;
  const mantissa = (BigInt(high & 0xfffff) << 32n) | BigInt(bits.getUint32(4));
  const whole = exponent ? mantissa | (1n << 52n) : mantissa;
  const shift = BigInt(Math.max(exponent, 1) - 1075 + UNIT);
  const size = shift >= 0n ? whole << shift : whole >> -shift;
  return high >>> 31 ? -size : size;
}

/** The float near a whole multiple of the unit. */
export function rounded(value: bigint): number {
  const size = value < 0n ? -value : value;
  const extra = Math.max(size.toString(16).length * 4 - 64, 0);
  const near = Number(size >> BigInt(extra)) * 2 ** (extra - UNIT);
  return value < 0n ? -near : near;
}

/** A number with so many digits behind the point that views of this width can be told apart. */
export function decimal(value: bigint, width: number): string {
  const digits = Math.min(Math.max(Math.ceil(-Math.log10(width)) + 3, 0), 160);
  const scaled = (value * 10n ** BigInt(digits)) >> BigInt(UNIT);
  const size = (scaled < 0n ? -scaled : scaled).toString().padStart(digits + 1, "0");
  const text = digits ? `${size.slice(0, -digits)}.${size.slice(-digits)}` : size;
  return scaled < 0n ? `\u2212${text}` : text;
}

export class View {
  /** x, y: the centre. w, h: half the width and height. */
  constructor(
    readonly plane: number,
    readonly x: bigint,
    readonly y: bigint,
    readonly w: number,
    readonly h: number,
  ) {}

  static of(plane: number, x: bigint, y: bigint, w: number, aspect: number): View {
    const half = Math.min(Math.max(w, 1e-120), 1e60);
    const step = 2 ** (Math.floor(Math.log2(half)) - GRID);
    const onGrid = (value: bigint): bigint => {
      const unit = exact(step);
      const down = value >= 0n ? (value + unit / 2n) / unit : -((-value + unit / 2n) / unit);
      return down * unit;
    };
    const round = (value: number): number => Math.max(Math.round(value / step), 1) * step;
    return new View(plane, onGrid(x), onGrid(y), round(half), round(half / aspect));
  }

  /** The view after it has been moved by so much, in half widths, and scaled. */
  moved(dx: number, dy: number, factor: number, aspect: number): View {
    return View.of(this.plane, this.x + exact(dx * this.w), this.y + exact(dy * this.w), this.w * factor, aspect);
  }

  /** Where another view lies in this one, in its half widths: place of the centre, and scale. */
  locate(other: View): [number, number, number] {
    return [rounded(other.x - this.x) / this.w, rounded(other.y - this.y) / this.w, other.w / this.w];
  }

  /** Where a place of the plane lies in this view, in its half widths. */
  place(x: bigint, y: bigint): [number, number] {
    return [rounded(x - this.x) / this.w, rounded(y - this.y) / this.w];
  }

  same(other: View | null): boolean {
    return (
      other !== null &&
      this.plane === other.plane &&
      this.x === other.x &&
      this.y === other.y &&
      this.w === other.w &&
      this.h === other.h
    );
  }

  asked(): { plane: number; centre: [string, number][]; half: [number, number] } {
    return {
      plane: this.plane,
      centre: [
        [this.x.toString(), -UNIT],
        [this.y.toString(), -UNIT],
      ],
      half: [this.w, this.h],
    };
  }
}
