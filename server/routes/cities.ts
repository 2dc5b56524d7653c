import { Elysia } from "elysia";
import { answerRows } from "../answer.ts";
import type { WebContext } from "../context.ts";
import { type Column, chooseFormat } from "../formats.ts";
import { Parameters } from "../parameters.ts";

const COLUMNS: readonly Column[] = [
  ["name", "string"],
  ["slug", "string"],
  ["latitude", "double"],
  ["longitude", "double"],
  ["zone", "string"],
];

/** The places shown; of one that is not configured only the name is known. */
export function cityRoutes(context: WebContext) {
  return new Elysia().get("/cities", ({ request }) => {
    const format = chooseFormat(new Parameters(request, ["format"]), request);
    const rows = context.services
      .cities()
      .map(({ name, slug, latitude, longitude, zone }) => ({ name, slug, latitude, longitude, zone }));
    return answerRows(context, request, format, {
      columns: COLUMNS,
      rows,
      extra: { units: { latitude: "° north", longitude: "° east" } },
    });
  });
}
