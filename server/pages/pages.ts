import { Elysia } from "elysia";
import { aboutPage } from "./about.tsx";
import { type AlertPagesOptions, alertPages } from "./alerts.tsx";
import { anomaliesPage } from "./anomalies.tsx";
import { apiPageRoutes } from "./api.tsx";
import { chartData, chartHistory } from "./chart.ts";
import { cityPages } from "./city.tsx";
import { forecastPage } from "./forecast.tsx";
import { assetRoutes } from "./frame/assets.ts";
import { favouritesRoutes } from "./frame/favourites.ts";
import type { PagesOptions } from "./frame/page.tsx";
import { jobsPages } from "./jobs.tsx";
import { nowPage } from "./now.tsx";
import { pipelinePages } from "./pipeline.tsx";
import { trendsPage } from "./trends.tsx";
import { unitsPage } from "./units.tsx";
import { whyPage } from "./why.tsx";

/** Every page with its fragments, the chart's data and the files they refer to. */
export function pagesRoutes(options: PagesOptions & AlertPagesOptions) {
  const history = chartHistory(options);
  return new Elysia({ name: "pages" })
    .use(nowPage(options, history))
    .use(cityPages(options))
    .use(whyPage(options))
    .use(anomaliesPage(options))
    .use(trendsPage(options))
    .use(forecastPage(options))
    .use(alertPages(options))
    .use(jobsPages(options))
    .use(pipelinePages(options))
    .use(aboutPage(options))
    .use(unitsPage(options))
    .use(apiPageRoutes(options))
    .use(favouritesRoutes(options))
    .use(chartData(options, history))
    .use(assetRoutes(options.assets));
}
