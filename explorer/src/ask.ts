// Questions to the session, and answers: facts, and arrays as they are. `answers.py` says how they are packed.

export type Numbers = Float32Array | Float64Array | Uint8Array | Uint32Array | Int32Array;

export interface Answer {
  facts: any;
  arrays: Record<string, Numbers>;
}

export type Ask = (question: string, given: object) => Promise<Answer>;

/** A newer question has come, and this one has no answer. */
export class Superseded extends Error {}

const KINDS: Record<string, any> = { Float32Array, Float64Array, Uint8Array, Uint32Array, Int32Array };

export function unpacked(facts: any, data: ArrayBuffer, begin: number): Answer {
  const arrays: Record<string, Numbers> = {};
  for (const { name, kind, at, length } of facts.arrays) arrays[name] = new KINDS[kind](data, begin + at, length);
  return { facts, arrays };
}

/** Asks the server of the page, relative to the page's own address, which has the token. */
export function askServer(): Ask {
  return async (question, given) => {
    const response = await fetch(`ask/${question}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(given),
    });
    if (response.status === 204) throw new Superseded();
    if (!response.ok) {
      const said = await response.json().catch(() => ({ error: `the server says ${response.status}` }));
      throw new Error(said.error);
    }
    const data = await response.arrayBuffer();
    const length = new DataView(data).getUint32(0, true);
    const facts = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    return unpacked(facts, data, 4 + length);
  };
}

/** Asks the kernel of a notebook through the widget's model, until it is stopped.
 *
 * A kernel answers one question after the other and cannot be told to leave one out. So while a view is cut for a pane,
 * only the newest of its other questions for a view is held here, and sent afterwards.
 */
export function askModel(model: any): { ask: Ask; stop: () => void } {
  type Question = { question: string; given: any; done: (answer: Answer) => void; failed: (error: Error) => void };
  const waiting = new Map<string, Question>();
  const held = new Map<string, Question | null>(); // of each pane for which a view is on its way
  // A model may be shown in several places, and each hears the answers to all.
  const own = Math.random().toString(36).slice(2);
  let last = 0;
  const send = (one: Question): void => {
    const number = `${own} ${++last}`;
    waiting.set(number, one);
    model.send({ number, question: one.question, given: one.given });
  };
  const hear = (message: any, buffers: DataView[]): void => {
    const found = waiting.get(message.number);
    if (!found) return;
    waiting.delete(message.number);
    if (found.question === "view") {
      const next = held.get(found.given.pane);
      if (next) {
        held.set(found.given.pane, null);
        send(next);
      } else held.delete(found.given.pane);
    }
    if (message.error !== undefined) {
      found.failed(new Error(message.error));
      return;
    }
    // A copy: what comes may begin at an odd place of a larger buffer.
    const view = buffers[0];
    const data = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) as ArrayBuffer;
    found.done(unpacked(message.facts, data, 0));
  };
  model.on("msg:custom", hear);
  const ask: Ask = (question, given: any) =>
    new Promise((done, failed) => {
      const one = { question, given, done, failed };
      if (question !== "view" || !held.has(given.pane)) {
        if (question === "view") held.set(given.pane, null);
        send(one);
        return;
      }
      held.get(given.pane)?.failed(new Superseded());
      held.set(given.pane, one);
    });
  return { ask, stop: () => model.off("msg:custom", hear) };
}
