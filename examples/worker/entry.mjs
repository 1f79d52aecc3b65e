// The module with the Worker's handlers. It starts the compiled module once, and passes every request to it.
import wasm from "./worker_bg.wasm";
import { initSync, fetch as handle } from "./worker.js";

initSync({ module: wasm });

export default { fetch: (request, env, context) => handle(request, env, context) };
