import { Elysia } from "elysia";
import packageJson from "../../package.json" with { type: "json" };
import { capitalized } from "../../core/text.ts";
import { SOURCES } from "../../jobs/sources/sources.ts";
import { AboutPage, type AboutProps } from "../../views/pages/about/about.tsx";
import { pageResponse, type PagesOptions } from "./frame/page.tsx";
import { Parameters } from "../http/parameters.ts";

/** Packages whose version helps who reports a fault. */
const PARTS = ["elysia", "htmx.org", "uplot", "apache-arrow", "@duckdb/node-api"] as const;

/** What runs here, how it is set, and whose data it is. */
export function aboutPage(options: PagesOptions) {
  const { services, settings } = options;
  return new Elysia().get("/about", ({ request }) => {
    new Parameters(request, []);
    const parts = [
      { name: "Bun", version: Bun.version },
      ...PARTS.map((name) => ({ name, version: packageJson.dependencies[name] })),
    ];
    const licences = SOURCES.map(({ title, licence }) => ({ source: capitalized(title), ...licence }));
    const props: AboutProps = { ...services.about, parts, licences, settings };
    return pageResponse(options, request, { path: "/about", title: "About" }, <AboutPage {...props} />);
  });
}
