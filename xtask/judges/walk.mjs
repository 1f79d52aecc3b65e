// What both walks share: an emulator as a process, a receiver that lets the official SDK judge every delivery, and a
// table of what was called. A walk fails when one of its steps, or one delivery, fails.

import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const PATIENCE_MS = 20_000;

/** Starts an emulator with a receiver, runs the steps, and ends the process with 0 or 1. */
export async function walk({ program, secret, judge, steps }) {
  const receiver = await receive(judge);
  const emulator = await start(program, [
    ...["--seed", "7", "--at", "2026-10-05T08:00:00Z", "--time-out", "1"],
    ...["--webhook", receiver.url, "--secret", secret],
  ]);
  const calls = [];
  const step = async (name, run) => {
    try {
      const value = await run();
      calls.push([name, "ok"]);
      return value;
    } catch (error) {
      calls.push([name, `FAILED: ${error.message}`]);
      return undefined;
    }
  };
  const control = async (method, path, body) => {
    const answer = await fetch(`${emulator.address}/_emulator/${path}`, { method, body: body && JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} /_emulator/${path}: ${text}`);
    return JSON.parse(text);
  };
  try {
    await steps({ address: emulator.address, step, control, receiver });
    await settled(control, receiver);
  } catch (error) {
    calls.push(["the walk", `FAILED: ${error.stack}`]);
  } finally {
    emulator.stop();
    receiver.stop();
  }
  process.exitCode = report(calls, receiver);
}

/** A server that lets the SDK verify and parse each delivery. */
async function receive(judge) {
  const seen = { accepted: new Map(), refused: [] };
  const server = createServer((request, answer) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", async () => {
      const body = Buffer.concat(parts);
      try {
        const type = await judge(body, request.headers);
        seen.accepted.set(type, (seen.accepted.get(type) ?? 0) + 1);
        answer.writeHead(200).end();
      } catch (error) {
        seen.refused.push(`${error.message}: ${body.toString().slice(0, 200)}`);
        answer.writeHead(400).end();
      }
    });
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { ...seen, url: `http://127.0.0.1:${server.address().port}/webhooks`, stop: () => server.close() };
}

/** Starts the emulator and reads its address, which is the first line that it prints. */
function start(program, args) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, RUST_LOG: "warn" } });
  return new Promise((done, failed) => {
    const late = setTimeout(() => failed(new Error("the emulator didn't start in time")), PATIENCE_MS);
    child.once("error", failed);
    createInterface({ input: child.stdout }).once("line", (address) => {
      clearTimeout(late);
      done({ address, stop: () => child.kill("SIGTERM") });
    });
  });
}

/** Waits until no delivery is due any more. */
async function settled(control, receiver) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const { now } = await control("GET", "clock");
    const { waiting, sending } = await control("GET", "deliveries");
    const due = waiting.filter((it) => it.due <= Date.parse(now) * 1000);
    if (due.length === 0 && sending === 0) return;
    if (Date.now() > end) throw new Error(`${due.length} deliveries are still due; refused: ${receiver.refused.length}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

function report(calls, receiver) {
  const width = Math.max(...calls.map(([name]) => name.length));
  for (const [name, outcome] of calls) console.log(`${name.padEnd(width)}  ${outcome}`);
  const types = [...receiver.accepted].sort();
  const total = types.reduce((sum, [, count]) => sum + count, 0);
  console.log(`deliveries verified and parsed: ${total}, of ${types.length} types`);
  for (const [type, count] of types) console.log(`  ${String(count).padStart(4)}  ${type}`);
  for (const fault of receiver.refused) console.log(`refused: ${fault}`);
  const failed = calls.filter(([, outcome]) => outcome !== "ok").length + receiver.refused.length;
  console.log(`${calls.length} steps, ${failed} failed`);
  return failed === 0 && total > 0 ? 0 : 1;
}

/** Fails unless two values are the same. */
export function same(found, wanted, what) {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new Error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
  }
}

/** Fails unless a call is refused; returns the error. */
export async function refused(call, what) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error(`${what} was not refused`);
}
