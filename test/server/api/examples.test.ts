import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { tableFromIPC } from "apache-arrow";
import { ENDPOINTS } from "../../../server/routes/endpoints.ts";
import { LIVE_EVENTS } from "../../../server/api/live-schemas.ts";
import { openApiPath } from "../../../server/api/openapi.ts";
import { PYTHON_EXAMPLES } from "../../../server/api/python.ts";
import { misfits } from "../../support/json-schema.ts";
import {
  eventually,
  liveEvents,
  startHere,
  temporaryFolder,
  type TestProgram,
} from "../../support/running.ts";

const text = await Bun.file(join(import.meta.dir, "../../../docs/api.md")).text();
/** The commands of docs/api.md, with the section each stands in. */
const commands = text
  .split(/^### /m)
  .flatMap((section) =>
    [...section.matchAll(/^curl .*$/gm)].map(([command]) => [section.split("\n", 1)[0]!, command] as const),
  );

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let program: TestProgram;
let id = "";
let rule = "";
let timestamp = "";

beforeAll(async () => {
  folder = await temporaryFolder();
  // No message leaves: the channel's address is one that needs an allowance of its own.
  const alerts = { channels: [{ name: "ops", type: "webhook", url: "http://127.0.0.1:1/" }], rules: [] };
  await Bun.write(join(folder.path, "alerts.json"), JSON.stringify(alerts));
  program = await startHere({ DATA_DIR: folder.path, ALERTS_FILE: join(folder.path, "alerts.json") });
  const made = await program.get("/api/v1/alerts/rules", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "Heat", variable: "temperature", above: 60, channels: ["ops"] }),
  });
  rule = made.body.rule.id as string;
  await eventually("observations are committed", async () => {
    const { body } = await program.get("/api/v1/observations?city=london&limit=1");
    timestamp = body.rows[0]?.timestamp ?? "";
    return timestamp !== "" || undefined;
  });
  const started = await program.get("/api/v1/jobs/daily_summary/runs", { method: "POST" });
  id = started.body.run.id as string;
  await eventually("a job has a result", async () => {
    const { body } = await program.get("/api/v1/results/daily_summary");
    return body.result === null ? undefined : true;
  });
});
afterAll(async () => {
  await program[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** A command as a request: the words of `curl` that the documentation uses, any other is refused. */
function requestOf(command: string): { path: string; init: RequestInit } {
  const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
  const headers: Record<string, string> = {};
  const init: RequestInit = { headers };
  let path = "";
  for (let i = 1; i < words.length; i++) {
    const word = words[i]!;
    if (word === "-N") continue;
    if (word === "-X") init.method = words[++i]!;
    else if (word === "-H") {
      const [name = "", value = ""] = words[++i]!.split(": ");
      headers[name] = value;
    } else if (word === "-d") init.body = words[++i]!;
    else if (word.startsWith("localhost:3000/")) path = word.slice("localhost:3000".length);
    else throw new Error(`Cannot read ${word} of ${command}`);
  }
  const filled = path
    .replace("{id}", id)
    .replace("{rule}", rule)
    .replace("{timestamp}", timestamp)
    .replace("{day}", timestamp.slice(0, 10));
  return { path: filled, init };
}

describe("docs/api.md", () => {
  test("has an example for each endpoint but the stations'", () => {
    const shown = new Set(commands.map(([section]) => section));
    const wanted = ENDPOINTS.filter(({ tag }) => tag !== "stations");
    expect([...shown].sort()).toEqual(wanted.map((one) => `${one.method} ${openApiPath(one.path)}`).sort());
  });

  test.each(commands)("%s: a started program answers %s as described", async (section, command) => {
    const one = ENDPOINTS.find((endpoint) => `${endpoint.method} ${openApiPath(endpoint.path)}` === section)!;
    const { path, init } = requestOf(command);
    const leave = new AbortController();
    const response = await fetch(new URL(path, program.url), { ...init, signal: leave.signal });
    const answer = one.answers.find(({ status }) => status === response.status);
    expect([command, response.status]).toEqual([command, answer?.status ?? one.answers[0]!.status]);
    const type = response.headers.get("content-type")!.split(";", 1)[0]!;
    expect(Object.keys(answer!.content)).toContain(type);
    if (type === "text/event-stream") return leave.abort();
    if (type === "application/json") {
      expect(misfits(answer!.content[type]!, await response.json(), { closed: true })).toEqual([]);
    } else if (type === "text/csv") {
      expect(await response.text()).toMatch(/^[a-z_]+(,[a-z_]+)+\r\n/);
    } else if (type === "application/vnd.apache.parquet") {
      expect(await response.text()).toStartWith("PAR1");
    } else {
      expect(type).toBe("application/vnd.apache.arrow.stream");
      expect(tableFromIPC(new Uint8Array(await response.arrayBuffer())).numRows).toBeGreaterThan(0);
    }
  });
});

describe("the Python examples", () => {
  const shown = [...text.matchAll(/^```python\n(.*?)\n```$/gms)].map(([, code]) => code!);
  /** Why an example cannot be run here; null where it can. */
  const missing = (needs: string): string | null => {
    const python = process.env.ISOBAR_PYTHON ?? "";
    if (python === "") return "ISOBAR_PYTHON is not set";
    const { exitCode } = Bun.spawnSync([python, "-c", `import ${needs}`], { stderr: "ignore" });
    return exitCode === 0 ? null : `the interpreter in ISOBAR_PYTHON has no ${needs}`;
  };
  test("are those of the documentation", () => {
    expect(shown).toEqual(PYTHON_EXAMPLES.map(({ code }) => code));
  });
  for (const [index, { title, needs }] of PYTHON_EXAMPLES.entries()) {
    const reason = missing(needs);
    test.skipIf(reason !== null)(`${title} (${reason ?? needs})`, async () => {
      const code = shown[index]!.replaceAll("http://localhost:3000", program.url.origin);
      const child = Bun.spawn([process.env.ISOBAR_PYTHON!, "-c", code], {
        env: { ...process.env, PYTHONIOENCODING: "utf-8", NO_PROXY: "127.0.0.1" },
        stdout: "pipe",
        stderr: "pipe",
      });
      const [out, err, ended] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
      expect([ended, err]).toEqual([0, ""]);
      expect(out).toMatch(/[1-9]\d* rows|London/);
    });
  }
});

describe("GET /live", () => {
  test("sends events of the described types, with data and ids as described", async () => {
    const seen = new Set<string>();
    for await (const { name, id: eventId, data } of liveEvents(program.url)) {
      const described = LIVE_EVENTS[name as keyof typeof LIVE_EVENTS];
      expect(misfits(described.schema, data, { closed: true })).toEqual([]);
      if (described.id !== "sometimes")
        expect([name, eventId !== null]).toEqual([name, described.id === "always"]);
      seen.add(name);
      if (["snapshot", "observations", "judgements", "status"].every((one) => seen.has(one))) break;
    }
    expect(seen.size).toBeGreaterThanOrEqual(4);
  });
});
