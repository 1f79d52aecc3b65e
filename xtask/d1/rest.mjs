// Decides how D1 databases are served over HTTP: like Cloudflare's REST API, with `POST …/database/{id}/query` and the
// error statuses and codes of production. Requests outside that API go to the Worker under test.
//
// Bindings: TOKEN, which a client must send; DATABASES, from a database's id to its binding's name; WORKER, optional.

const API = "/client/v4/";
const QUERY = /^\/client\/v4\/accounts\/[^/]+\/d1\/database\/([^/]+)\/query$/;

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (env.WORKER && !pathname.startsWith(API)) return env.WORKER.fetch(request);
    const route = QUERY.exec(pathname);
    if (!route || request.method !== "POST") return refuse(404, 7000, "No route for that URI");
    if (request.headers.get("authorization") !== `Bearer ${env.TOKEN}`) {
      return refuse(403, 10000, "Authentication error");
    }
    const binding = Object.hasOwn(env.DATABASES, route[1]) ? env.DATABASES[route[1]] : undefined;
    if (!binding) return refuse(404, 7404, `The database ${route[1]} could not be found`);
    const asked = await statements(request);
    if (typeof asked === "string") return refuse(400, 7400, asked);
    return run(env[binding], asked);
  },
};

/** The statements in a request, or a text that says what is wrong with it. */
async function statements(request) {
  let body;
  try {
    body = await request.json();
  } catch {
    return "The request body is not JSON";
  }
  const asked = Array.isArray(body?.batch) ? body.batch : [body];
  if (asked.length === 0) return "The batch is empty";
  for (const { sql, params } of asked.map((one) => one ?? {})) {
    if (typeof sql !== "string") return "A statement needs `sql`, a string";
    if (params !== undefined && !Array.isArray(params)) return "`params` must be a list";
  }
  return asked;
}

/** Runs statements in one transaction, which any error rolls back. */
async function run(database, asked) {
  try {
    const prepared = asked.map(({ sql, params }) => {
      const statement = database.prepare(sql);
      return params?.length ? statement.bind(...params) : statement;
    });
    const done = await database.batch(prepared);
    return answer(200, done.map(({ results, success, meta }) => ({ results, success, meta })), []);
  } catch (error) {
    return refuse(400, 7500, String(error?.message ?? error).replace(/^D1_ERROR: /, ""));
  }
}

function refuse(status, code, message) {
  return answer(status, [], [{ code, message }]);
}

function answer(status, result, errors) {
  return Response.json({ result, errors, messages: [], success: errors.length === 0 }, { status });
}
