// The module with the Worker's handlers: it starts the compiled one, once, and hands every request over.
import wasm from "./worker_bg.wasm";
import { initSync, fetch as handle } from "./worker.js";

initSync({ module: wasm });

export default { fetch: (request, env, context) => handle(request, env, context) };
