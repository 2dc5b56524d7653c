import { GET_CITIES } from "./weather/cities.ts";
import { GET_CURRENT } from "./weather/current.ts";
import { GET_DAY, GET_DAYS } from "./weather/days.ts";
import { GET_VERIFICATION } from "./analytics/forecast.ts";
import { GET_LIVENESS, GET_READINESS } from "./operation/health.ts";
import { POST_OBSERVATIONS } from "./weather/ingest.ts";
import { GET_JOB, GET_JOBS, GET_RUN, GET_RUNS, POST_CANCEL, POST_RUN } from "./analytics/jobs.ts";
import { GET_LIVE } from "./operation/live.ts";
import { GET_OBSERVATIONS } from "./weather/observations.ts";
import { GET_PIPELINE } from "./operation/pipeline.ts";
import { GET_ANOMALIES, GET_RESULT, GET_STATISTICS, GET_TRENDS } from "./analytics/results.ts";
import { GET_VERDICT } from "./weather/verdict.ts";
import { GET_WHY } from "./weather/why.ts";
import { PUSH_ECOWITT, PUSH_ECOWITT_KEY, PUSH_WUNDERGROUND } from "./stations/stations.ts";
import {
  DELETE_ALERT_RULE,
  GET_ALERT_CHANNELS,
  GET_ALERT_MESSAGES,
  GET_ALERT_RULES,
  GET_ALERTS,
  POST_ALERT_RULE,
  POST_ALERT_TEST,
} from "./alerts/alert-endpoints.ts";
import type { Endpoint } from "../api/endpoint.ts";

/** The whole API, in the order of its documentation. */
export const ENDPOINTS: readonly Endpoint[] = [
  GET_CURRENT,
  GET_VERDICT,
  GET_OBSERVATIONS,
  GET_WHY,
  GET_DAYS,
  GET_DAY,
  GET_CITIES,
  POST_OBSERVATIONS,
  GET_STATISTICS,
  GET_TRENDS,
  GET_ANOMALIES,
  GET_RESULT,
  GET_VERIFICATION,
  GET_JOBS,
  GET_JOB,
  POST_RUN,
  GET_RUNS,
  GET_RUN,
  POST_CANCEL,
  GET_ALERTS,
  GET_ALERT_RULES,
  POST_ALERT_RULE,
  DELETE_ALERT_RULE,
  GET_ALERT_CHANNELS,
  POST_ALERT_TEST,
  GET_ALERT_MESSAGES,
  GET_LIVE,
  GET_PIPELINE,
  GET_LIVENESS,
  GET_READINESS,
  PUSH_WUNDERGROUND,
  PUSH_ECOWITT,
  PUSH_ECOWITT_KEY,
];
