import { Elysia } from "elysia";
import { RequestError } from "../../core/errors.ts";
import type { AlertsService } from "../../jobs/alerts/alerts.ts";
import { describeCondition } from "../../jobs/alerts/message.ts";
import type { AlertsProps, RuleEntry } from "../../views/pages/alerts/alerts-props.ts";
import { AlertsPage } from "../../views/pages/alerts/alerts.tsx";
import { quietText, targetOf } from "../../core/alert-channel.ts";
import { pageClock } from "../answers/page-clock.ts";
import { verdictNow } from "../answers/verdict.ts";
import { readText } from "../http/body.ts";
import { pageResponse, type PagesOptions } from "./frame/page.tsx";
import { Parameters } from "../http/parameters.ts";
import { opened, withCity } from "../routes/alerts/alerts.ts";

/** Longest form, bytes. */
const FORM_MAX = 16_384;
/** Messages on the page; the API has more. */
const MESSAGES = 50;
/** Cities that are offered while one is typed. */
const OFFERED = 500;

const NOTICES: Readonly<Record<string, string>> = {
  made: "The rule is made.",
  deleted: "The rule is deleted.",
  tested: "The test message is on its way; what became of it stands below.",
};

/** What the page of alerts is made of. */
export interface AlertPagesOptions extends Pick<PagesOptions, "services" | "assets" | "clock"> {
  /** Null without a file of channels. */
  alerts: AlertsService | null;
}

/** The page of alerts: plain forms, which work without a script. */
export function alertPages(options: AlertPagesOptions) {
  const { services, clock, alerts } = options;
  const page = (
    request: Request,
    extra: Pick<AlertsProps, "notice" | "error" | "entry">,
    status = 200,
  ): Promise<Response> => {
    const props = { ...propsOf(options, clock.now()), ...extra };
    return pageResponse(
      options,
      request,
      { path: "/alerts", title: "Alerts" },
      <AlertsPage {...props} />,
      status,
    );
  };
  const parse = { parse: "none" } as const;
  return new Elysia({ name: "alert pages" })
    .get("/alerts", ({ request }) => {
      const done = new Parameters(request, ["done"]).text("done");
      return page(request, {
        notice: done === null ? null : (NOTICES[done] ?? null),
        error: null,
        entry: {},
      });
    })
    .post(
      "/alerts/rules",
      async ({ request }) => {
        new Parameters(request, []);
        const form = await readForm(request);
        try {
          opened(alerts).addRule(withCity(inputOf(form), services.cities()));
        } catch (error) {
          if (!(error instanceof RequestError)) throw error;
          // What was typed is still there, and beside it what is wrong with it.
          return page(request, { notice: null, error: `${error.message}.`, entry: entryOf(form) }, 400);
        }
        return seeOther("made");
      },
      parse,
    )
    .post(
      "/alerts/rules/:id/delete",
      ({ request, params }) => {
        new Parameters(request, []);
        opened(alerts).removeRule(params.id);
        return seeOther("deleted");
      },
      parse,
    )
    .post(
      "/alerts/channels/:name/test",
      ({ request, params }) => {
        new Parameters(request, []);
        opened(alerts).test(params.name);
        return seeOther("tested");
      },
      parse,
    );
}

/** Shows the page by GET, so that loading it anew sends nothing twice. */
function seeOther(done: string): Response {
  return new Response(null, { status: 303, headers: { location: `/alerts?done=${done}` } });
}

async function readForm(request: Request): Promise<URLSearchParams> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") {
    throw new RequestError("unsupported_media_type", "Cannot read the form: wanted one of this page");
  }
  return new URLSearchParams(await readText(request, FORM_MAX));
}

/** A form's rule as the API would take it. What is no number stays text, and is refused by its name. */
function inputOf(form: URLSearchParams): object {
  const text = (name: string) => form.get(name)?.trim() ?? "";
  const number = (name: string) => {
    const entered = text(name).replace("−", "-").replace(",", ".");
    return entered === "" || Number.isNaN(Number(entered)) ? text(name) : Number(entered);
  };
  const city = text("city");
  const common = { name: text("name"), city: city === "" ? null : city, channels: form.getAll("channel") };
  if (text("watch") === "anomaly") {
    return { ...common, anomaly: text("anomaly"), severity: number("severity") };
  }
  const side = text("side") === "below" ? "below" : "above";
  const minutes = text("for_minutes") === "" ? 0 : number("for_minutes");
  return { ...common, variable: text("variable"), [side]: number("limit"), for_minutes: minutes };
}

function entryOf(form: URLSearchParams): RuleEntry {
  return { values: Object.fromEntries(form), channels: form.getAll("channel") };
}

function propsOf(
  { services, alerts }: Pick<AlertPagesOptions, "services" | "alerts">,
  now: number,
): Omit<AlertsProps, "notice" | "error" | "entry"> {
  const rules = alerts?.rules() ?? [];
  const watchesUnusual = rules.some(
    ({ rule: { condition } }) => condition.type === "anomaly" && condition.kind === "unusual",
  );
  return {
    now,
    tooEarly: watchesUnusual ? verdictNow(services, pageClock(services, now)).tooEarly : null,
    isOn: alerts !== null,
    cities: services
      .cities()
      .slice(0, OFFERED)
      .map(({ name }) => name),
    channels: (alerts?.channels ?? []).map((channel) => ({
      name: channel.name,
      type: channel.type,
      target: targetOf(channel),
      quiet: quietText(channel),
    })),
    rules: rules.map(({ rule, active }) => ({
      id: rule.id,
      name: rule.name,
      city: rule.city,
      condition: describeCondition(rule),
      channels: rule.channels,
      active,
      isOfFile: rule.origin === "file",
    })),
    active: (alerts?.active() ?? []).map(({ alert, rule }) => ({
      rule: rule.name,
      city: alert.city,
      source: alert.source,
      condition: describeCondition(rule),
      since: alert.since,
    })),
    messages: alerts?.messages(MESSAGES) ?? [],
  };
}
