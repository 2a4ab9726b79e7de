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

/** Asks the kernel of a notebook through the widget's model. */
export function askModel(model: any): Ask {
  const waiting = new Map<number, [(answer: Answer) => void, (error: Error) => void]>();
  let last = 0;
  model.on("msg:custom", (message: any, buffers: DataView[]) => {
    const found = waiting.get(message.number);
    if (!found) return;
    waiting.delete(message.number);
    if (message.error !== undefined) {
      found[1](new Error(message.error));
      return;
    }
    // A copy: what comes may begin at an odd place of a larger buffer.
    const view = buffers[0];
    const data = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) as ArrayBuffer;
    found[0](unpacked(message.facts, data, 0));
  });
  return (question, given) =>
    new Promise((done, failed) => {
      last += 1;
      waiting.set(last, [done, failed]);
      model.send({ number: last, question, given });
    });
}
