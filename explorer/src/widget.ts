// The widget, as anywidget takes it.

import { Explorer } from "./app";
import { askModel } from "./ask";

export default {
  render({ model, el }: { model: any; el: HTMLElement }): () => void {
    const root = document.createElement("div");
    root.style.height = `${model.get("height")}px`;
    // Notebooks have shortcuts of their own for single keys, which cut and insert cells.
    root.addEventListener("keydown", (event) => {
      if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
    });
    el.append(root);
    const { ask, stop } = askModel(model);
    const explorer = new Explorer(root, ask);
    return () => {
      stop();
      explorer.stop();
    };
  },
};
