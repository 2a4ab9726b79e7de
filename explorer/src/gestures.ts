// Mouse, touch and wheel: one finger moves, two fingers and the wheel scale, a click is a place.

export interface Gestures {
  /** Moved by so much, in pixels. */
  moved(dx: number, dy: number): void;
  /** Scaled by a factor around a place, in pixels from the element's corner; above one shows more. */
  scaled(factor: number, x: number, y: number): void;
  /** Whether something at this place is taken hold of. */
  grabbed(x: number, y: number): boolean;
  /** What is held is moved to this place. */
  dragged(x: number, y: number): void;
  dropped(x: number, y: number): void;
  hovered(x: number, y: number): void;
  left(): void;
  clicked(x: number, y: number): void;
  ended(): void;
}

const STILL = 5;

export function follow(element: HTMLElement, to: Gestures): void {
  const down = new Map<number, [number, number]>();
  let travelled = 0;
  let holds = false;
  const place = (event: MouseEvent): [number, number] => {
    const box = element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    const here = place(event);
    down.set(event.pointerId, here);
    travelled = down.size > 1 ? STILL + 1 : 0;
    holds = down.size === 1 && to.grabbed(...here);
  });
  element.addEventListener("pointermove", (event) => {
    const here = place(event);
    const before = down.get(event.pointerId);
    if (!before) {
      to.hovered(...here);
      return;
    }
    const [dx, dy] = [here[0] - before[0], here[1] - before[1]];
    travelled += Math.hypot(dx, dy);
    if (holds) {
      to.dragged(...here);
    } else if (down.size === 2) {
      const [, other] = [...down].find(([id]) => id !== event.pointerId)!;
      const was = Math.hypot(before[0] - other[0], before[1] - other[1]);
      const is = Math.hypot(here[0] - other[0], here[1] - other[1]);
      to.moved(dx / 2, dy / 2);
      if (was > 0 && is > 0) to.scaled(was / is, (here[0] + other[0]) / 2, (here[1] + other[1]) / 2);
    } else if (down.size === 1 && travelled > STILL) {
      to.moved(dx, dy);
    } else {
      return; // the place it was taken at stays, until it is clear that it moves
    }
    down.set(event.pointerId, here);
  });
  const up = (event: PointerEvent): void => {
    if (!down.delete(event.pointerId)) return;
    const here = place(event);
    if (holds) to.dropped(...here);
    else if (travelled <= STILL && event.type === "pointerup") to.clicked(...here);
    holds = false;
    to.ended();
  };
  element.addEventListener("pointerup", up);
  element.addEventListener("pointercancel", up);
  element.addEventListener("pointerleave", () => to.left());
  element.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
      const amount = Math.min(Math.max(event.deltaY * lines, -300), 300);
      to.scaled(Math.exp(amount * (event.ctrlKey ? 0.01 : 0.002)), ...place(event));
      to.ended();
    },
    { passive: false },
  );
  element.addEventListener("dblclick", (event) => {
    event.preventDefault();
    to.scaled(0.5, ...place(event));
    to.ended();
  });
}
