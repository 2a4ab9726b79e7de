// Cells, walls and pictures in WebGL2. Places are in half widths of the view in which they were cut; a layer that is
// seen from another view is moved and scaled as it is drawn.

import { Numbers } from "./ask";

const FILL = `#version 300 es
in vec2 place; in vec3 colour; uniform vec3 at; uniform float aspect; flat out vec3 seen;
void main() { seen = colour; gl_Position = vec4((place * at.z + at.xy) * vec2(1.0, aspect), 0.0, 1.0); }`;
const FILL_PIXEL = `#version 300 es
precision mediump float; flat in vec3 seen; out vec4 pixel;
void main() { pixel = vec4(seen, 1.0); }`;

// Each wall is a quad around the segment from a to b; "only" chooses walls by layer, and a negative one means all.
const WALL = `#version 300 es
precision highp float; precision highp int;
in vec2 a; in vec2 b; in int layer;
uniform vec3 at; uniform float aspect; uniform vec2 pixels; uniform float width;
uniform int only; uniform vec4 plain; uniform vec3 palette[32];
out vec4 seen;
void main() {
  bool shown = only < 0 ? true : only == 0 ? layer > 0 : layer == only;
  if (!shown) { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); seen = vec4(0.0); return; }
  vec2 scale = vec2(1.0, aspect);
  vec2 p = (a * at.z + at.xy) * scale, q = (b * at.z + at.xy) * scale;
  vec2 along = (q - p) * pixels;
  float size = length(along);
  vec2 unit = size > 0.0 ? along / size : vec2(1.0, 0.0);
  int corner = gl_VertexID;
  vec2 across = vec2(-unit.y, unit.x) * (corner % 2 == 0 ? -1.0 : 1.0) * width;
  vec2 beyond = unit * (corner < 2 ? -0.5 : 0.5) * width;
  gl_Position = vec4((corner < 2 ? p : q) + (across + beyond) / pixels, 0.0, 1.0);
  seen = only < 0 ? plain : vec4(palette[min(max(layer - 1, 0), 31)], 1.0);
}`;
// The same as a line of one pixel, for many walls: software draws a thousand quads in the time of a hundred thousand lines.
const LINE = `#version 300 es
precision highp float; precision highp int;
in vec2 a; in int layer;
uniform vec3 at; uniform float aspect; uniform int only; uniform vec4 plain; uniform vec3 palette[32];
out vec4 seen;
void main() {
  bool shown = only < 0 ? true : only == 0 ? layer > 0 : layer == only;
  seen = only < 0 ? plain : vec4(palette[min(max(layer - 1, 0), 31)], 1.0);
  gl_Position = shown ? vec4((a * at.z + at.xy) * vec2(1.0, aspect), 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
}`;
const WALL_PIXEL = `#version 300 es
precision mediump float; in vec4 seen; out vec4 pixel;
void main() { pixel = vec4(seen.rgb * seen.a, seen.a); }`;

const PICTURE = `#version 300 es
uniform vec3 at; uniform float aspect; uniform float high; out vec2 where;
void main() {
  vec2 corner = vec2(gl_VertexID % 2, gl_VertexID / 2);
  where = vec2(corner.x, 1.0 - corner.y);
  vec2 place = (corner * 2.0 - 1.0) * vec2(1.0, high);
  gl_Position = vec4((place * at.z + at.xy) * vec2(1.0, aspect), 0.0, 1.0);
}`;
const PICTURE_PIXEL = `#version 300 es
precision mediump float; in vec2 where; uniform sampler2D picture; out vec4 pixel;
void main() { pixel = texture(picture, where); }`;

type GL = WebGL2RenderingContext;

// More walls than this are lines of one pixel.
const MOST_QUADS = 4000;

export interface Mesh {
  fill: WebGLVertexArrayObject | null;
  indices: number;
  walls: WebGLVertexArrayObject | null; // as quads, or as lines where there are many
  wallCount: number;
  asLines: boolean;
  ends: Float32Array;
  marks: Int32Array;
  chosen: { neuron: number; array: WebGLVertexArrayObject; count: number; buffers: WebGLBuffer[] } | null;
  boundary: WebGLVertexArrayObject | null;
  boundaryCount: number;
  texture: WebGLTexture | null;
  high: number;
  buffers: WebGLBuffer[];
}

export interface Look {
  kinks: number; // -1 none, 0 all layers, else one
  neuron: number; // a bit of the pattern, -1 none
  boundary: boolean;
  bits: number;
  palette: Float32Array;
  cells: number;
  highlight: [number, number, number];
}

function program(gl: GL, vertex: string, fragment: string, names: string[]): WebGLProgram {
  const made = gl.createProgram()!;
  for (const [kind, text] of [
    [gl.VERTEX_SHADER, vertex],
    [gl.FRAGMENT_SHADER, fragment],
  ] as [number, string][]) {
    const shader = gl.createShader(kind)!;
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost())
      throw new Error(`A shader was not compiled: ${gl.getShaderInfoLog(shader)}`);
    gl.attachShader(made, shader);
  }
  names.forEach((name, i) => gl.bindAttribLocation(made, i, name));
  gl.linkProgram(made);
  return made;
}

export class Drawer {
  private gl: GL;
  private programs!: { fill: WebGLProgram; wall: WebGLProgram; line: WebGLProgram; picture: WebGLProgram };
  private places = new Map<WebGLProgram, Map<string, WebGLUniformLocation | null>>();

  constructor(
    readonly canvas: HTMLCanvasElement,
    restored: () => void,
  ) {
    const gl = canvas.getContext("webgl2", { antialias: true, preserveDrawingBuffer: true, premultipliedAlpha: true });
    if (!gl) throw new Error("This browser has no WebGL2, with which the regions are drawn.");
    this.gl = gl;
    this.compile();
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => {
      this.compile();
      restored();
    });
  }

  private compile(): void {
    const gl = this.gl;
    this.places.clear();
    this.programs = {
      fill: program(gl, FILL, FILL_PIXEL, ["place", "colour"]),
      wall: program(gl, WALL, WALL_PIXEL, ["a", "b", "wall", "layer"]),
      line: program(gl, LINE, WALL_PIXEL, ["a", "b", "wall", "layer"]),
      picture: program(gl, PICTURE, PICTURE_PIXEL, []),
    };
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  private uniform(made: WebGLProgram, name: string): WebGLUniformLocation | null {
    let known = this.places.get(made);
    if (!known) this.places.set(made, (known = new Map()));
    if (!known.has(name)) known.set(name, this.gl.getUniformLocation(made, name));
    return known.get(name)!;
  }

  private buffer(buffers: WebGLBuffer[], target: number, data: ArrayBufferView): WebGLBuffer {
    const gl = this.gl;
    const made = gl.createBuffer()!;
    gl.bindBuffer(target, made);
    gl.bufferData(target, data as AllowSharedBufferSource, gl.STATIC_DRAW);
    buffers.push(made);
    return made;
  }

  /** Cells as fans of triangles, and their walls. */
  mesh(arrays: Record<string, Numbers>): Mesh {
    const gl = this.gl;
    const mesh = empty();
    const finer = arrays.finer_first !== undefined;
    const first = (finer ? arrays.finer_first : arrays.first) as Uint32Array;
    const corners = (finer ? arrays.finer_corners : arrays.corners) as Float32Array;
    const colours = (finer ? arrays.finer_colours : arrays.colours) as Uint8Array;
    const cells = first.length - 1;
    const count = corners.length / 2;
    const indices = new Uint32Array(3 * Math.max(count - 2 * cells, 0));
    const spread = new Uint8Array(4 * count);
    let at = 0;
    for (let cell = 0; cell < cells; cell++) {
      const begin = first[cell];
      const end = first[cell + 1];
      for (let i = begin; i < end; i++) {
        spread[4 * i] = colours[3 * cell];
        spread[4 * i + 1] = colours[3 * cell + 1];
        spread[4 * i + 2] = colours[3 * cell + 2];
      }
      for (let i = begin + 1; i + 1 < end; i++) {
        indices[at++] = begin;
        indices[at++] = i;
        indices[at++] = i + 1;
      }
    }
    mesh.fill = gl.createVertexArray();
    gl.bindVertexArray(mesh.fill);
    this.buffer(mesh.buffers, gl.ARRAY_BUFFER, corners);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    this.buffer(mesh.buffers, gl.ARRAY_BUFFER, spread);
    gl.enableVertexAttribArray(1);
    gl.vertexAttribPointer(1, 3, gl.UNSIGNED_BYTE, true, 4, 0);
    this.buffer(mesh.buffers, gl.ELEMENT_ARRAY_BUFFER, indices);
    gl.bindVertexArray(null);
    mesh.indices = at;
    this.addWalls(mesh, arrays);
    if (arrays.boundary) this.addBoundary(mesh, arrays.boundary as Float32Array);
    return mesh;
  }

  private addWalls(mesh: Mesh, arrays: Record<string, Numbers>): void {
    const first = arrays.first as Uint32Array;
    const corners = arrays.corners as Float32Array;
    const walls = arrays.walls as Int32Array;
    const layers = arrays.layers as Uint8Array;
    const count = walls.length;
    const ends = new Float32Array(4 * count);
    const marks = new Int32Array(2 * count);
    let at = 0;
    for (let cell = 0; cell + 1 < first.length; cell++) {
      for (let i = first[cell]; i < first[cell + 1]; i++) {
        if (walls[i] < 0) continue;
        const next = i + 1 < first[cell + 1] ? i + 1 : first[cell];
        const ax = corners[2 * i];
        const ay = corners[2 * i + 1];
        const bx = corners[2 * next];
        const by = corners[2 * next + 1];
        // A wall is a side of two cells, which go round it in opposite ways: it is drawn once.
        if (ax > bx || (ax === bx && ay > by)) continue;
        ends[4 * at] = ax;
        ends[4 * at + 1] = ay;
        ends[4 * at + 2] = bx;
        ends[4 * at + 3] = by;
        marks[2 * at] = walls[i];
        marks[2 * at + 1] = layers[i];
        at += 1;
      }
    }
    mesh.ends = ends.slice(0, 4 * at);
    mesh.marks = marks.slice(0, 2 * at);
    mesh.asLines = at > MOST_QUADS;
    mesh.walls = mesh.asLines ? this.lines(mesh) : this.segments(mesh.buffers, mesh.ends, mesh.marks);
    mesh.wallCount = at;
  }

  private lines(mesh: Mesh): WebGLVertexArrayObject {
    const gl = this.gl;
    const made = gl.createVertexArray()!;
    const twice = new Int32Array(2 * mesh.marks.length);
    for (let i = 0; i < mesh.marks.length; i += 2) {
      twice[2 * i] = twice[2 * i + 2] = mesh.marks[i];
      twice[2 * i + 1] = twice[2 * i + 3] = mesh.marks[i + 1];
    }
    gl.bindVertexArray(made);
    this.buffer(mesh.buffers, gl.ARRAY_BUFFER, mesh.ends);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 8, 0);
    this.buffer(mesh.buffers, gl.ARRAY_BUFFER, twice);
    for (const place of [0, 1]) {
      gl.enableVertexAttribArray(2 + place);
      gl.vertexAttribIPointer(2 + place, 1, gl.INT, 8, 4 * place);
    }
    gl.bindVertexArray(null);
    return made;
  }

  /** The walls of one neuron, as quads. */
  private choose(mesh: Mesh, neuron: number, bits: number): { array: WebGLVertexArrayObject; count: number } {
    if (mesh.chosen?.neuron === neuron) return mesh.chosen;
    this.forget(mesh);
    const ends: number[] = [];
    for (let i = 0; 2 * i < mesh.marks.length; i++)
      if (mesh.marks[2 * i] % bits === neuron) ends.push(...mesh.ends.subarray(4 * i, 4 * i + 4));
    const count = ends.length / 4;
    const buffers: WebGLBuffer[] = [];
    const array = this.segments(buffers, new Float32Array(ends), new Int32Array(2 * count));
    mesh.chosen = { neuron, array, count, buffers };
    return mesh.chosen;
  }

  private forget(mesh: Mesh): void {
    mesh.chosen?.buffers.forEach((buffer) => this.gl.deleteBuffer(buffer));
    this.gl.deleteVertexArray(mesh.chosen?.array ?? null);
    mesh.chosen = null;
  }

  private addBoundary(mesh: Mesh, ends: Float32Array): void {
    const count = ends.length / 4;
    mesh.boundary = this.segments(mesh.buffers, ends, new Int32Array(2 * count));
    mesh.boundaryCount = count;
  }

  private segments(buffers: WebGLBuffer[], ends: Float32Array, marks: Int32Array): WebGLVertexArrayObject {
    const gl = this.gl;
    const made = gl.createVertexArray()!;
    gl.bindVertexArray(made);
    this.buffer(buffers, gl.ARRAY_BUFFER, ends);
    for (const place of [0, 1]) {
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, 2, gl.FLOAT, false, 16, 8 * place);
      gl.vertexAttribDivisor(place, 1);
    }
    this.buffer(buffers, gl.ARRAY_BUFFER, marks);
    for (const place of [0, 1]) {
      gl.enableVertexAttribArray(2 + place);
      gl.vertexAttribIPointer(2 + place, 1, gl.INT, 8, 4 * place);
      gl.vertexAttribDivisor(2 + place, 1);
    }
    gl.bindVertexArray(null);
    return made;
  }

  /** A picture of the whole view, three bytes a pixel, the top row first. */
  picture(pixels: Uint8Array, columns: number, rows: number): Mesh {
    const gl = this.gl;
    const mesh = empty();
    mesh.texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, mesh.texture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB8, columns, rows, 0, gl.RGB, gl.UNSIGNED_BYTE, pixels);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    mesh.high = rows / columns;
    return mesh;
  }

  free(mesh: Mesh): void {
    const gl = this.gl;
    this.forget(mesh);
    mesh.buffers.forEach((buffer) => gl.deleteBuffer(buffer));
    for (const array of [mesh.fill, mesh.walls, mesh.boundary]) gl.deleteVertexArray(array);
    gl.deleteTexture(mesh.texture);
  }

  /** Give the context back: a page has few of them. */
  lose(): void {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  clear(ground: [number, number, number]): void {
    const gl = this.gl;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(...ground, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
  }

  /** Draw a layer. at: where it lies in the view. */
  draw(mesh: Mesh, at: [number, number, number], look: Look): void {
    const gl = this.gl;
    const aspect = this.canvas.width / this.canvas.height;
    if (mesh.texture) {
      const made = this.use("picture", at, aspect);
      gl.uniform1f(this.uniform(made, "high"), mesh.high);
      gl.bindTexture(gl.TEXTURE_2D, mesh.texture);
      gl.bindVertexArray(null);
      gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
      return;
    }
    this.use("fill", at, aspect);
    gl.bindVertexArray(mesh.fill);
    gl.drawElements(gl.TRIANGLES, mesh.indices, gl.UNSIGNED_INT, 0);
    const ratio = this.canvas.width / Math.max(this.canvas.clientWidth, 1);
    const wide = 1.3 * ratio * Math.min(1, Math.sqrt(600 / Math.max(look.cells, 1)));
    const thin = Math.min(0.75, (0.75 * wide) / ratio);
    const plain = [0.13, 0.13, 0.13, thin];
    if (mesh.asLines) this.drawLines(mesh, at, { only: -1, plain }, look);
    else this.walls(mesh.walls, mesh.wallCount, at, Math.max(wide, ratio) / 2, { only: -1, plain }, look);
    if (look.kinks >= 0) {
      const size = ratio * Math.max(1.1, 2.4 * Math.min(1, Math.sqrt(2500 / Math.max(look.cells, 1))));
      if (mesh.asLines) this.drawLines(mesh, at, { only: look.kinks, plain }, look);
      else this.walls(mesh.walls, mesh.wallCount, at, size / 2, { only: look.kinks }, look);
    }
    if (look.boundary && mesh.boundary) {
      this.walls(mesh.boundary, mesh.boundaryCount, at, 2.6 * ratio, { only: -1, plain: [1, 1, 1, 1] }, look);
      this.walls(mesh.boundary, mesh.boundaryCount, at, 1.2 * ratio, { only: -1, plain: [0.1, 0.1, 0.1, 1] }, look);
    }
    if (look.neuron >= 0) {
      const { array, count } = this.choose(mesh, look.neuron, Math.max(look.bits, 1));
      this.walls(array, count, at, 3.2 * ratio, { only: -1, plain: [1, 1, 1, 1] }, look);
      this.walls(array, count, at, 1.9 * ratio, { only: -1, plain: [...look.highlight, 1] }, look);
    }
  }

  private drawLines(mesh: Mesh, at: [number, number, number], which: { only: number; plain: number[] }, look: Look): void {
    const gl = this.gl;
    const made = this.use("line", at, this.canvas.width / this.canvas.height);
    gl.uniform1i(this.uniform(made, "only"), which.only);
    gl.uniform4fv(this.uniform(made, "plain"), which.plain);
    gl.uniform3fv(this.uniform(made, "palette"), look.palette);
    gl.bindVertexArray(mesh.walls);
    gl.drawArrays(gl.LINES, 0, 2 * mesh.wallCount);
  }

  private walls(
    array: WebGLVertexArrayObject | null,
    count: number,
    at: [number, number, number],
    width: number,
    which: { only: number; plain?: number[] },
    look: Look,
  ): void {
    const gl = this.gl;
    const made = this.use("wall", at, this.canvas.width / this.canvas.height);
    gl.uniform2f(this.uniform(made, "pixels"), this.canvas.width / 2, this.canvas.height / 2);
    gl.uniform1f(this.uniform(made, "width"), width);
    gl.uniform1i(this.uniform(made, "only"), which.only);
    gl.uniform4fv(this.uniform(made, "plain"), which.plain ?? [0, 0, 0, 1]);
    gl.uniform3fv(this.uniform(made, "palette"), look.palette);
    gl.bindVertexArray(array);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, count);
  }

  private use(name: "fill" | "wall" | "line" | "picture", at: [number, number, number], aspect: number): WebGLProgram {
    const made = this.programs[name];
    this.gl.useProgram(made);
    this.gl.uniform3f(this.uniform(made, "at"), ...at);
    this.gl.uniform1f(this.uniform(made, "aspect"), aspect);
    return made;
  }
}

function empty(): Mesh {
  return {
    fill: null,
    indices: 0,
    walls: null,
    wallCount: 0,
    asLines: false,
    ends: new Float32Array(0),
    marks: new Int32Array(0),
    chosen: null,
    boundary: null,
    boundaryCount: 0,
    texture: null,
    high: 1,
    buffers: [],
  };
}
