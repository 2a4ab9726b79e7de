// The page: the explorer fills it, and asks the server that the page came from.

import { Explorer } from "./app";
import { askServer } from "./ask";

const root = document.getElementById("explorer")!;
// Tests ask it what it shows.
(window as any).explorer = new Explorer(root, askServer());
