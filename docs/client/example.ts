// What the cities report now, and the newest observations of one of them, by a client that knows every type of the API.
// Run it with the address of a program: bun docs/client/example.ts http://localhost:3000
import { treaty } from "@elysiajs/eden";
import type { IsobarApi } from "./isobar-api.ts";

// Times stay the text that the types say they are.
const isobar = treaty<IsobarApi>(process.argv[2] ?? "http://localhost:3000", { parseDate: false });

const print = (line: string) => void process.stdout.write(`${line}\n`);

const current = await isobar.api.v1.current.get();
if (current.error !== null) throw new Error(current.error.value.error.message);
for (const { city, temperature, stale } of current.data.rows) {
  print(`${city}: ${temperature === null ? "no temperature" : `${temperature} °C`}${stale ? ", stale" : ""}`);
}

const { data, error } = await isobar.api.v1.observations.get({ query: { city: "london", limit: 3 } });
if (error !== null) throw new Error(error.value.error.message);
print(`${data.rows.length} rows, temperature in ${data.units.temperature}`);

const refused = await isobar.api.v1.results({ job: "no_such_job" }).get();
if (refused.error?.status === 404) print(refused.error.value.error.code);
