import { describe, expect, test } from "bun:test";
import { formatTimestamp } from "../../core/time.ts";
import { NowPage } from "../../views/pages/now/now.tsx";
import { Anomalies } from "../../views/parts/anomalies.tsx";
import { Card } from "../../views/parts/card.tsx";
import { Chart } from "../../views/pages/now/chart.tsx";
import { inWords } from "../../server/answers/verdict.ts";
import { verdictFacts } from "../support/verdict.ts";
import { Course } from "../../views/pages/now/course.tsx";
import { Statistics } from "../../views/pages/now/statistics.tsx";
import type { CityAnomaly, CityStatistics, CityNow } from "../../views/city-facts.ts";
import { DEFAULT_UNITS, scalesOf } from "../../views/units.ts";
import { NOW, observation } from "../support/fake-services.ts";

const EVIL = `<script>alert(1)</script>`;
const cityNow = (changes: Partial<CityNow> = {}): CityNow => ({
  city: "London",
  slug: "london",
  observation: observation(),
  ageMs: 600_000,
  stale: false,
  recorded: false,
  ...changes,
});
const card = async (now: CityNow): Promise<string> =>
  await Promise.resolve(
    <Card now={now} index={0} course={""} asOf={NOW} scales={scalesOf(DEFAULT_UNITS)} isFavourite={false} />,
  );

describe("Card()", () => {
  test("escapes a city's name and a condition with quotes", async () => {
    const html = await card(
      cityNow({ city: EVIL, observation: observation({ weather_description: `"a" & 'b' <i>` }) }),
    );
    expect(html).not.toContain("<script");
    expect(html).not.toContain("<i>");
    expect(html).toContain("&lt;script&gt;alert(1)&lt;/script&gt;</a>");
    expect(html).toContain("&quot;a&quot; &amp; &#x27;b&#x27; &lt;i&gt;");
  });

  test("keeps an ampersand of a name in the attribute the browser looks for", async () => {
    expect(await card(cityNow({ city: `A&lt;B "C"` }))).toContain(`data-city="A&amp;lt;B &quot;C&quot;"`);
  });

  test("shows a missing value as an en dash, and zero as zero", async () => {
    const html = await card(cityNow({ observation: observation({ temperature: null, rainfall: 0 }) }));
    expect(html).toMatch(/class="temp missing"[^>]*><data value="">–<\/data>/);
    expect(html).toMatch(/data-field="rainfall"><data value="0">0\.0<\/data>/);
  });

  test("says that a value is stale, and its age in a time element", async () => {
    const html = await card(cityNow({ stale: true }));
    expect(html).toContain(`class="card is-stale"`);
    expect(html).toMatch(/<time datetime="2026-01-31T11:50:00Z"[^>]*>10 min<\/time>/);
    expect(await card(cityNow())).not.toContain("is-stale");
  });

  test("says that a city has not reported", async () => {
    const html = await card(cityNow({ observation: null }));
    expect(html).toContain("no report yet");
    expect(html).toMatch(/data-field="temperature"><data value="">–/);
  });
});

test("Course() draws a gap as a gap and leaves an unknown course empty", async () => {
  const line = { city: "London", t: [0, 3600, 7200, 10_800], v: [1, null, 2, 5], gap: 3600 };
  const html = await Promise.resolve(<Course series={line} from={0} to={10_800} flatBelow={0.5} />);
  expect(html.match(/ d="([^"]*)"/)?.[1]?.match(/M/g)).toHaveLength(2);
  expect(html).toContain("+4.0");
  expect(await Promise.resolve(<Course series={null} from={0} to={1} flatBelow={0.5} />)).toContain(`d=""`);
});

describe("Chart()", () => {
  const history = {
    from: 0,
    to: 86_400,
    series: [
      { city: EVIL, t: [0, 40_000, 86_400], v: [-2, null, 3], gap: 3600 },
      { city: "Cairo", t: [0, 1000], v: [20, 31], gap: 3600 },
    ],
  };

  test("says in a sentence what is seen, and which data is missing", async () => {
    const html = await Promise.resolve(
      <Chart history={history} focus={null} staleAfterSeconds={3600} unit="°C" />,
    );
    expect(html).toContain("from −2.0 °C in");
    expect(html).toContain("to 31.0 °C in Cairo");
    expect(html).toContain("Data is missing for a time in");
    expect(html).not.toContain("<script");
  });

  test("shows no old value as the newest, and brings the asked city forward", async () => {
    const html = await Promise.resolve(
      <Chart history={history} focus="Cairo" staleAfterSeconds={3600} unit="°C" />,
    );
    expect(html).toMatch(/data-focus="Cairo" aria-pressed="true">.*<output>–<\/output>/);
  });

  test("stands ready without data", async () => {
    const empty = { from: 0, to: 1, series: [{ city: "Cairo", t: [], v: [], gap: 60 }] };
    const html = await Promise.resolve(
      <Chart history={empty} focus={null} staleAfterSeconds={60} unit="°C" />,
    );
    expect(html).toContain("No temperature yet");
    expect(html).toContain("<iso-chart");
  });
});

const info = { generated_at: formatTimestamp(NOW - 90_000), engine: "DuckDB 1.5.6", rows_read: 204_936 };
const statistics: CityStatistics = {
  city: EVIL,
  n: 12_345,
  coverage: 0.98,
  min: -3,
  p05: 0,
  median: 7,
  mean: 7.25,
  p95: 14,
  max: 19,
  deviation: 4.2,
  humidity: null,
  pressure: 1012,
  wind: 3.3,
  rain: null,
  weather: `"Rain"`,
};

test("Statistics() escapes, shows n and coverage, and missing means as dashes", async () => {
  const html = await Promise.resolve(
    <Statistics units={DEFAULT_UNITS} now={NOW} result={{ info, rows: [statistics], more: 3 }} />,
  );
  expect(html).not.toContain("<script");
  expect(html).toContain("12\u2009345");
  expect(html).toContain("<span>98</span>");
  expect(html.match(/class="wide missing">–/g)).toHaveLength(2);
  expect(html).toContain("3 more cities are");
  expect(html).toContain("1 min ago");
});

test("Statistics() and Anomalies() say why they are empty", async () => {
  expect(await Promise.resolve(<Statistics units={DEFAULT_UNITS} now={NOW} result={null} />)).toContain(
    "No statistics yet.",
  );
  expect(
    await Promise.resolve(
      <Anomalies
        units={DEFAULT_UNITS}
        asOf={NOW}
        now={NOW}
        verdict={inWords(verdictFacts())}
        result={null}
      />,
    ),
  ).toContain("No judgement yet.");
  for (const [judged, text] of [
    [3, "Nothing unusual."],
    [0, "Too early to judge."],
  ] as const) {
    const unjudged = ["A", "B", "C"].slice(judged).map((city) => ({ city, days: 2, judgedFrom: NOW }));
    const verdict = inWords(verdictFacts({ judged, unjudged }));
    const result = { info, rows: [] };
    expect(
      await Promise.resolve(
        <Anomalies units={DEFAULT_UNITS} asOf={NOW} now={NOW} verdict={verdict} result={result} />,
      ),
    ).toContain(text);
  }
});

test("Anomalies() shows expected value, bounds, score, n and method, and its severity as a word", async () => {
  const anomaly = {
    city: EVIL,
    time: NOW - 7_200_000,
    kind: "unusual",
    observed: -1.5,
    expected: 9,
    lower: 1.6,
    upper: 16.4,
    score: -5.2,
    method: "hour <of> day",
    n: 45,
    severity: 2,
  } as const;
  const html = await Promise.resolve(
    <Anomalies
      units={DEFAULT_UNITS}
      asOf={NOW}
      now={NOW}
      verdict={inWords(verdictFacts())}
      result={{ info, rows: [anomaly] }}
    />,
  );
  expect(html).toContain("expected 9.0° (1.6 to 16.4) · hour &lt;of&gt; day −5.2 · n 45<");
  expect(html).toContain("−10.5°");
  expect(html).toContain(`<span class="vh">alert</span>`);
  expect(html).not.toContain("<script");
});

test("Anomalies() says how long a station has been silent or stuck, and what is usual", async () => {
  const one = {
    city: "Oslo",
    time: NOW,
    expected: null,
    lower: null,
    upper: null,
    score: 8,
    n: 90,
    severity: 2,
  };
  const rows: CityAnomaly[] = [
    { ...one, kind: "silent", observed: 240, expected: 30, upper: 90, method: "minutes without a report" },
    { ...one, kind: "outage", observed: 5, expected: 1, upper: 3, n: 4, method: "minutes" },
    { ...one, kind: "stuck", observed: 12, upper: 6, method: "hours without a change" },
    { ...one, kind: "spike", observed: 15, expected: 9.5, method: "two opposite steps" },
  ];
  const html = await Promise.resolve(
    <Anomalies
      units={DEFAULT_UNITS}
      asOf={NOW}
      now={NOW}
      verdict={inWords(verdictFacts())}
      result={{ info, rows }}
    />,
  );
  const text = html.replace(/<[^>]*>/g, "");
  expect(text).toContain("Oslo silent for 4 h");
  expect(text).toContain("a report is usual every 30 min · minutes without a report 8.0 · n 90");
  expect(text).toContain("Outage 4 series silent at once for 5 min");
  expect(text).toContain("Oslo for the longest · a report is usual every 1 min");
  expect(text).toContain("Oslo stuck for 12 h");
  expect(text).toContain("no more than 6 h are usual · hours without a change 8.0 · n 90");
  expect(text).toContain("Oslo 15.0° +5.5° spike");
});

test("NowPage() never ships all of thousands of cities", async () => {
  const headline = inWords(verdictFacts({ cities: 5000, judged: 0 }));
  const some = (count: number) => Array.from({ length: count }, (_, i) => cityNow({ city: `City ${i}` }));
  const html = await Promise.resolve(
    <NowPage
      units={DEFAULT_UNITS}
      headline={headline}
      cards={some(8)}
      list={{ rows: some(50), search: null, found: 4992, total: 5000, page: 2, pages: 100 }}
      favourites={new Set()}
      late={null}
    />,
  );
  expect(html.match(/class="card/g)?.length).toBe(9); // eight cards and their list
  expect(html.match(/<tr data-city/g)).toHaveLength(50);
  expect(html).toContain("Page 2 of 100");
});
