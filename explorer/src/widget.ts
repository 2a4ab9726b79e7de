// The widget, as anywidget takes it.

import { Explorer } from "./app";
import { askModel } from "./ask";

export default {
  render({ model, el }: { model: any; el: HTMLElement }): () => void {
    const root = document.createElement("div");
    root.style.height = `${model.get("height")}px`;
    el.append(root);
    const explorer = new Explorer(root, askModel(model));
    return () => explorer.stop();
  },
};
