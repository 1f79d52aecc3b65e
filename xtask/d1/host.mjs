// Decides what runs: one Miniflare on one loopback port with D1 databases, and optionally a compiled Worker that has the
// first database as `DB`.
//
// PURCHASE_TEST_D1_TOKEN=… node host.mjs --databases ID,ID,… [--data DIR] [--port N] [--worker DIR [--var NAME=VALUE]]
//
// Without --data, the databases are deleted when the process ends. Without --port, the system chooses a port. The first
// line printed is `listening on http://127.0.0.1:PORT`.

import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Log, LogLevel, Miniflare } from "miniflare";

// Pins the runtime's behaviour, as the lock file pins its version.
const COMPATIBILITY_DATE = "2026-07-01";
// The module in a Worker's folder that exports its handlers.
const ENTRY = "entry.mjs";
const MODULES = { ".js": "ESModule", ".mjs": "ESModule", ".wasm": "CompiledWasm" };

const { values: asked } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    data: { type: "string" },
    databases: { type: "string" },
    worker: { type: "string" },
    var: { type: "string", multiple: true, default: [] },
  },
});
const token = process.env.PURCHASE_TEST_D1_TOKEN;
if (!token) stop("PURCHASE_TEST_D1_TOKEN is not set; set it to the token that clients must send");
if (!asked.databases) stop("--databases is missing; pass the ids of the databases, separated by commas");
const port = Number(asked.port);
if (!Number.isInteger(port) || port < 0 || port > 65535) stop(`--port ${asked.port} is not a port`);

const ids = asked.databases.split(",");
const bindings = Object.fromEntries(ids.map((id, index) => [`D1_${index}`, id]));
const workers = [rest()];
if (asked.worker) workers.push(worker(path.resolve(asked.worker)));

const miniflare = new Miniflare({
  host: "127.0.0.1",
  port,
  // No requests to the internet: no metadata is fetched, and no telemetry is sent.
  cf: false,
  telemetry: { enabled: false },
  log: new Log(LogLevel.WARN),
  d1Persist: asked.data ? path.resolve(asked.data) : false,
  workers,
});
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, async () => {
    await miniflare.dispose();
    process.exit(0);
  });
}
const url = await miniflare.ready;
console.log(`listening on ${url.origin}`);

/** The Worker that receives every request. */
function rest() {
  const own = path.dirname(fileURLToPath(import.meta.url));
  const databases = Object.fromEntries(Object.entries(bindings).map(([name, id]) => [id, name]));
  return {
    name: "rest",
    compatibilityDate: COMPATIBILITY_DATE,
    modulesRoot: own,
    modules: [readModule(path.join(own, "rest.mjs"))],
    d1Databases: bindings,
    bindings: { TOKEN: token, DATABASES: databases },
    serviceBindings: asked.worker ? { WORKER: "worker" } : {},
  };
}

/** The Worker under test: the modules of a folder, with the first database as `DB`. */
function worker(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && path.extname(file.name) in MODULES)
    .map((file) => path.join(file.parentPath ?? file.path, file.name))
    .sort();
  const entry = path.join(folder, ENTRY);
  if (!files.includes(entry)) stop(`${folder} has no ${ENTRY}, the module with the Worker's handlers`);
  return {
    name: "worker",
    compatibilityDate: COMPATIBILITY_DATE,
    modulesRoot: folder,
    // Miniflare uses the first module as the entry.
    modules: [entry, ...files.filter((file) => file !== entry)].map(readModule),
    // `DB` is the Worker's own database. A build for tests can also access the others.
    d1Databases: { DB: ids[0], ...bindings },
    bindings: Object.fromEntries(asked.var.map(variable)),
  };
}

function readModule(file) {
  const type = MODULES[path.extname(file)];
  return { type, path: file, contents: readFileSync(file, type === "ESModule" ? "utf8" : null) };
}

function variable(text) {
  const at = text.indexOf("=");
  if (at < 1) stop("--var needs NAME=VALUE");
  return [text.slice(0, at), text.slice(at + 1)];
}

function stop(why) {
  console.error(`error: ${why}`);
  process.exit(2);
}
