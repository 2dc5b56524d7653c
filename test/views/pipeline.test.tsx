import { describe, expect, test } from "bun:test";
import { Pipeline, pipelineAnswer, type PipelineProps } from "../../views/pages/pipeline/pipeline.tsx";
import { FakeServices, NOW } from "../support/fake-services.ts";

const props = (changes: Partial<PipelineProps> = {}): PipelineProps => ({
  ...new FakeServices().status,
  asOf: NOW,
  now: NOW,
  isRecording: false,
  staleAfterSeconds: 60,
  rejected: [],
  servers: [],
  ...changes,
});
const render = async (changes: Partial<PipelineProps> = {}): Promise<string> =>
  await Promise.resolve(<Pipeline {...props(changes)} />);
const answer = (changes: Partial<PipelineProps>) => {
  const { answer: first, rest } = pipelineAnswer(props(changes));
  return first + rest;
};

describe("pipelineAnswer()", () => {
  const [source, log, lake, result, screen] = props().stages;

  test("names the stage that lags, and never the scheduled results", () => {
    if (!source || !log || !lake || !result || !screen) throw new Error("wanted five stages");
    const old = { watermark: "2026-01-31T11:40:00Z" };
    expect(answer({ stages: [source, log, { ...lake, ...old }, result, screen] })).toBe(
      "The lake is 10 min behind, everything else keeps up",
    );
    expect(answer({ stages: [source, log, lake, { ...result, ...old }, screen] })).toBe(
      "Every stage keeps up",
    );
  });

  test("tells first which stage stands still, before the jobs that fail by it", () => {
    if (!source || !log || !lake || !result || !screen) throw new Error("wanted five stages");
    const jobs = props().jobs.map((job) => ({ ...job, state: "failed" as const }));
    const away = { trouble: "no answer" };
    expect(answer({ stages: [source, { ...log, ...away }, lake, result, screen], jobs })).toBe(
      "The log stands still",
    );
    expect(answer({ stages: [source, log, { ...lake, ...away }, { ...result, ...away }, screen] })).toBe(
      "The lake and result stand still",
    );
  });

  test("tells a failed job first", () => {
    const jobs = props().jobs.map((job, i) => (i === 0 ? { ...job, state: "failed" as const } : job));
    expect(answer({ jobs })).toBe("producer failed, 1 other job fine");
  });

  test("says that nothing has arrived", () => {
    expect(answer({ stages: props().stages.map((stage) => ({ ...stage, watermark: null })) })).toBe(
      "Nothing has arrived yet",
    );
  });
});

describe("Pipeline()", () => {
  test("shows that the log equals the lake only where the numbers say so", async () => {
    const [partition] = props().partitions;
    if (!partition) throw new Error("wanted a partition");
    const counts = { next: 10_704, rows: 10_000, duplicates: 700, rejected: 4 };
    const equal = await render({ partitions: [{ ...partition, ...counts }] });
    expect(equal).toContain("Log equals lake");
    expect(equal).toContain("10\u2009704 offsets = 10\u2009000 rows + 700 duplicates + 4 rejected");
    const unequal = await render({ partitions: [{ ...partition, ...counts, rows: 9999 }] });
    expect(unequal).not.toContain("Log equals lake");
  });

  test("says when it was verified last, and how many problems were found", async () => {
    expect(await render()).toContain("<code>bun run verify</code> proves it record by record");
    const proof = { at: "2026-01-31T09:00:00Z", offsets: 10_704, compared: 10_700, problems: 0 };
    const verified = await render({ proof });
    expect(verified).toContain("10\u2009700 records");
    expect(verified).toContain("3 h ago</time>");
    expect(await render({ proof: { ...proof, problems: 2 } })).toContain("2 problems");
  });

  test("shows a job's reason, escaped, and a log that is away as a dash", async () => {
    const reason = `cannot read "<b>x</b>"`;
    const html = await render({
      jobs: [{ name: "consumer", state: "failed", since: "2026-01-31T11:00:00Z", restarts: 3, reason }],
      partitions: props().partitions.map((one) => ({ ...one, low: null, high: null })),
    });
    expect(html).toContain("cannot read &quot;&lt;b&gt;x&lt;/b&gt;&quot;");
    expect(html).toContain("<td>–</td>");
    expect(html).toContain("st-err");
  });

  test("shows why a stage stands still, escaped, in its place", async () => {
    const stages = props().stages.map((stage) =>
      stage.name === "lake" ? { ...stage, trouble: "no answer from <nn>" } : stage,
    );
    const html = await render({ stages });
    const [, lake = ""] = /<h3>Lake<\/h3>([\s\S]*?)<\/li>/.exec(html) ?? [];
    expect(lake).toContain("stands still");
    expect(lake).toContain("no answer from &lt;nn&gt;");
    expect(html.match(/stands still/g)).toHaveLength(2); // the headline says it too
  });

  test("shows how many records a second log and lake take, and where that is not known yet", async () => {
    const rates = { log: { per_second: 12.3, seconds: 300 }, lake: { per_second: 0, seconds: 42 } };
    const html = await render({ rates });
    expect(html).toContain("12 records/s over 5 min");
    expect(html).toContain("0 records/s over 42 s");
    expect(await render({ rates: { log: { per_second: 0.033, seconds: 90 }, lake: null } })).toMatch(
      /0\.033 records\/s over 1 min[\s\S]*rate not known yet/,
    );
  });

  test("shows a stage that saw nothing as a dash", async () => {
    const stages = props().stages.map((stage) => ({ ...stage, watermark: null }));
    expect(await render({ stages })).toContain(`<span class="missing">–</span>`);
  });
});
