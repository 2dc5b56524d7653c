import { Elysia } from "elysia";
import { UnitsPage } from "../../views/pages/units/units.tsx";
import { unitsFrom, writeUnits } from "../../views/units.ts";
import {
  KEPT_SECONDS,
  ownPath,
  pageResponse,
  type PagesOptions,
  UNITS_COOKIE,
  unitsOfReader,
} from "./frame/page.tsx";
import { Parameters } from "../http/parameters.ts";

/** Where a reader chooses units and clock. */
export function unitsPage(options: PagesOptions) {
  return new Elysia()
    .get("/units", ({ request }) => {
      const back = ownPath(new Parameters(request, ["back"]).text("back"));
      const page = { path: "/units", title: "Units" };
      return pageResponse(options, request, page, <UnitsPage units={unitsOfReader(request)} back={back} />);
    })
    .post(
      "/units",
      async ({ request }) => {
        const form = await request.formData();
        const field = (name: string) => {
          const value = form.get(name);
          return typeof value === "string" ? value : null;
        };
        const cookie = `${UNITS_COOKIE}=${writeUnits(unitsFrom(field))}; Path=/; Max-Age=${KEPT_SECONDS}; SameSite=Lax; HttpOnly`;
        const headers = { location: ownPath(field("back")), "set-cookie": cookie };
        return new Response(null, { status: 303, headers });
      },
      { parse: "none" },
    );
}
