import { Elysia } from "elysia";
import { AnomaliesPage, SEVERITIES, WINDOWS } from "../../views/pages/anomalies/anomalies.tsx";
import { KINDS } from "../../views/pages/anomalies/anomaly-item.tsx";
import { anomaliesPageOf } from "./props/anomalies.ts";
import { pageResponse, type PagesOptions, unitsOfReader } from "./frame/page.tsx";
import { badParameter, Parameters } from "../http/parameters.ts";

/** Every anomaly, filtered by the address. */
export function anomaliesPage(options: PagesOptions) {
  const { services, clock } = options;
  return new Elysia().get("/anomalies", ({ request }) => {
    const parameters = new Parameters(request, ["city", "kind", "severity", "hours"]);
    /** One of a few values; a form sends its empty choice too. */
    const choice = <T extends string>(name: string, known: Record<T, unknown>): T | null => {
      const text = parameters.text(name);
      if (text === null || text === "") return null;
      if (Object.hasOwn(known, text)) return text as T;
      throw badParameter(name, text, `one of ${Object.keys(known).join(", ")}`);
    };
    const number = (text: string | null) => (text === null ? null : Number(text));
    const filter = {
      city: parameters.text("city") === "" ? null : parameters.city("city", services.cities()),
      kind: choice("kind", KINDS),
      severity: number(choice<string>("severity", SEVERITIES)),
      hours: number(choice<string>("hours", WINDOWS)),
    };
    const props = anomaliesPageOf(services, clock.now(), unitsOfReader(request), filter);
    return pageResponse(
      options,
      request,
      { path: "/anomalies", title: "Anomalies" },
      <AnomaliesPage {...props} />,
    );
  });
}
