// This file is made by `bun run docs` from the routes in server/routes/.
import type { Elysia } from "elysia";

/** The one shape of every error. */
export type ApiError = {
  error: {
    code: string;
    message: string;
    hint?: string;
  };
};

/** Every path, and what its methods take and answer. */
export interface Routes {
  api: {
    v1: {
      current: {
        /** The newest observation of each city. */
        get: {
          body: unknown;
          params: unknown;
          query: {
            city?: string;
          };
          headers: unknown;
          response: {
            200: {
              generated_at: string;
              dataset: string;
              kind: "observed" | "simulated" | "replayed";
              units: Record<string, string>;
              stale_after_seconds: number;
              rows: {
                timestamp: string;
                city: string;
                temperature: number | null;
                humidity: number | null;
                pressure: number | null;
                wind_speed: number | null;
                rainfall: number | null;
                weather_main: string | null;
                weather_description: string | null;
                source: string;
                wind_direction?: number | null;
                wind_gust?: number | null;
                dew_point?: number | null;
                clouds?: number | null;
                visibility?: number | null;
                impossible?: string | null;
                log_offset: number;
                ingested_at: string;
                age_seconds: number;
                stale: boolean;
                flag: number | null;
                q_gross: number | null;
                q_step: number | null;
                q_spike: number | null;
                q_stuck: number | null;
                q_level: number | null;
                q_consistency: number | null;
                q_time: number | null;
                q_neighbour: number | null;
                temperature_flag: number | null;
                humidity_flag: number | null;
                pressure_flag: number | null;
                wind_speed_flag: number | null;
                rainfall_flag: number | null;
                wind_direction_flag: number | null;
                wind_gust_flag: number | null;
                dew_point_flag: number | null;
                clouds_flag: number | null;
                visibility_flag: number | null;
                temperature_expected: number | null;
                temperature_lower: number | null;
                temperature_upper: number | null;
                anomalies: string | null;
              }[];
            };
            400: ApiError;
            403: ApiError;
            404: ApiError;
            406: ApiError;
            500: ApiError;
            503: ApiError;
          };
        };
      };
      verdict: {
        /** What is unusual or late now, and who cannot be judged yet. */
        get: {
          body: unknown;
          params: unknown;
          query: {
            city?: string;
          };
          headers: unknown;
          response: {
            200: {
              generated_at: string;
              dataset: string;
              kind: "observed" | "simulated" | "replayed";
              as_of: string;
              text: string;
              too_early: string | null;
              cities: number;
              judged: number;
              days_needed: number;
              late: string[];
              silent: string[];
              unusual: {
                city: string;
                kind: "spike" | "step" | "unusual" | "stuck";
                side: "above" | "below" | null;
              }[];
              unjudged: {
                city: string;
                days: number | null;
                judged_from: string | null;
              }[];
            };
            400: ApiError;
            403: ApiError;
            404: ApiError;
            500: ApiError;
            503: ApiError;
          };
        };
      };
      observations: {
        /** Observations with their quality flags, in time order. */
        get: {
          body: unknown;
          params: unknown;
          query: {
            city?: string;
            from?: string;
            to?: string;
            limit?: number;
            cursor?: string;
            since?: string;
          };
          headers: unknown;
          response: {
            200: {
              generated_at: string;
              dataset: string;
              kind: "observed" | "simulated" | "replayed";
              units: Record<string, string>;
              city: string | null;
              from: string | null;
              to: string | null;
              next_cursor: string | null;
              next: string | null;
              next_since?: string;
              more?: boolean;
              rows: {
                timestamp: string;
                city: string;
                temperature: number | null;
                humidity: number | null;
                pressure: number | null;
                wind_speed: number | null;
                rainfall: number | null;
                weather_main: string | null;
                weather_description: string | null;
                source: string;
                wind_direction?: number | null;
                wind_gust?: number | null;
                dew_point?: number | null;
                clouds?: number | null;
                visibility?: number | null;
                impossible?: string | null;
                log_offset: number;
                ingested_at: string;
                flag: number | null;
                q_gross: number | null;
                q_step: number | null;
                q_spike: number | null;
                q_stuck: number | null;
                q_level: number | null;
                q_consistency: number | null;
                q_time: number | null;
                q_neighbour: number | null;
                temperature_flag: number | null;
                humidity_flag: number | null;
                pressure_flag: number | null;
                wind_speed_flag: number | null;
                rainfall_flag: number | null;
                wind_direction_flag: number | null;
                wind_gust_flag: number | null;
                dew_point_flag: number | null;
                clouds_flag: number | null;
                visibility_flag: number | null;
              }[];
            };
            400: ApiError;
            403: ApiError;
            404: ApiError;
            406: ApiError;
            500: ApiError;
            503: ApiError;
          };
        };
        /** Take observations in. */
        post: {
          body: {
            timestamp: string;
            city: string;
            temperature: number | null;
            humidity?: number | null;
            pressure?: number | null;
            wind_speed?: number | null;
            rainfall?: number | null;
            wind_direction?: number | null;
            wind_gust?: number | null;
            dew_point?: number | null;
            clouds?: number | null;
            visibility?: number | null;
            weather_main?: string | null;
            weather_description?: string | null;
            source?: string;
            correction?: boolean;
          }[];
          params: unknown;
          query: {
            history?: "true" | "false";
          };
          headers: unknown;
          response: {
            200: {
              generated_at: string;
              dataset: string;
              kind: "observed" | "simulated" | "replayed";
              appended: number;
              rejected: number;
              reasons: {
                line: number;
                reason: string;
              }[];
              left_out?: {
                line: number;
                reason: string;
              }[];
            };
            400: ApiError;
            403: ApiError;
            409: ApiError;
            413: ApiError;
            415: ApiError;
            500: ApiError;
            503: ApiError;
          };
        };
        why: {
          /** Origin of an observation, and the results that used it. */
          get: {
            body: unknown;
            params: unknown;
            query: {
              city: string;
              timestamp: string;
              source?: string;
            };
            headers: unknown;
            response: {
              200: {
                generated_at: string;
                dataset: string;
                kind: "observed" | "simulated" | "replayed";
                observations: {
                  observation: {
                    timestamp: string;
                    city: string;
                    temperature: number | null;
                    humidity: number | null;
                    pressure: number | null;
                    wind_speed: number | null;
                    rainfall: number | null;
                    weather_main: string | null;
                    weather_description: string | null;
                    source: string;
                    wind_direction?: number | null;
                    wind_gust?: number | null;
                    dew_point?: number | null;
                    clouds?: number | null;
                    visibility?: number | null;
                    impossible?: string | null;
                    log_offset: number;
                    ingested_at: string;
                    flag: number | null;
                    q_gross: number | null;
                    q_step: number | null;
                    q_spike: number | null;
                    q_stuck: number | null;
                    q_level: number | null;
                    q_consistency: number | null;
                    q_time: number | null;
                    q_neighbour: number | null;
                    temperature_flag: number | null;
                    humidity_flag: number | null;
                    pressure_flag: number | null;
                    wind_speed_flag: number | null;
                    rainfall_flag: number | null;
                    wind_direction_flag: number | null;
                    wind_gust_flag: number | null;
                    dew_point_flag: number | null;
                    clouds_flag: number | null;
                    visibility_flag: number | null;
                  };
                  record: {
                    topic: string;
                    partition: number;
                    offset: number;
                    ingested_at: string;
                  };
                  file: {
                    path: string;
                    rows: number;
                    bytes: number;
                    sha256: string;
                    first: number;
                    last: number;
                    judged: string | null;
                  };
                  commit: {
                    sequence: number;
                    path: string;
                    kind: "claim" | "batch" | "compaction" | "retraction" | "checkpoint" | null;
                    at: string | null;
                  };
                  retraction: {
                    path: string;
                    at: string;
                    reason: string;
                  } | null;
                  tests: {
                    test:
                      | "q_gross"
                      | "q_step"
                      | "q_spike"
                      | "q_stuck"
                      | "q_level"
                      | "q_consistency"
                      | "q_time"
                      | "q_neighbour";
                    flag: number | null;
                    limits: {
                      test: string;
                      variable: string;
                      latitude: string | null;
                      season: string | null;
                      hours: number | null;
                      suspect_low: number | null;
                      suspect_high: number | null;
                      fail_low: number | null;
                      fail_high: number | null;
                      unit: string;
                      source: string;
                    }[];
                  }[];
                  revisions: {
                    observation: {
                      timestamp: string;
                      city: string;
                      temperature: number | null;
                      humidity: number | null;
                      pressure: number | null;
                      wind_speed: number | null;
                      rainfall: number | null;
                      weather_main: string | null;
                      weather_description: string | null;
                      source: string;
                      wind_direction?: number | null;
                      wind_gust?: number | null;
                      dew_point?: number | null;
                      clouds?: number | null;
                      visibility?: number | null;
                      impossible?: string | null;
                      log_offset: number;
                      ingested_at: string;
                    };
                    record: {
                      topic: string;
                      partition: number;
                      offset: number;
                      ingested_at: string;
                    };
                    file: {
                      path: string;
                      rows: number;
                      bytes: number;
                      sha256: string;
                      first: number;
                      last: number;
                      judged: string | null;
                    };
                    commit: {
                      sequence: number;
                      path: string;
                      kind: "claim" | "batch" | "compaction" | "retraction" | "checkpoint" | null;
                      at: string | null;
                    };
                    retraction: {
                      path: string;
                      at: string;
                      reason: string;
                    } | null;
                  }[];
                  results: {
                    job: string;
                    run: string;
                    generated_at: string;
                    used: boolean | null;
                  }[];
                }[];
              };
              400: ApiError;
              403: ApiError;
              404: ApiError;
              500: ApiError;
              503: ApiError;
            };
          };
        };
        days: {
          /** The days of observation that the lake holds. */
          get: {
            body: unknown;
            params: unknown;
            query: unknown;
            headers: unknown;
            response: {
              200: {
                generated_at: string;
                dataset: string;
                kind: "observed" | "simulated" | "replayed";
                days: {
                  date: string;
                  rows: number;
                  revisions: number;
                  compacted: boolean;
                  bytes: number | null;
                  path: string;
                }[];
              };
              400: ApiError;
              403: ApiError;
              500: ApiError;
              503: ApiError;
            };
          };
          ":file": {
            /** Every observation of a day, as Parquet. */
            get: {
              body: unknown;
              params: {
                file: string;
              };
              query: unknown;
              headers: unknown;
              response: {
                200: unknown;
                400: ApiError;
                403: ApiError;
                404: ApiError;
                500: ApiError;
                503: ApiError;
              };
            };
          };
        };
      };
      cities: {
        /** The places shown. */
        get: {
          body: unknown;
          params: unknown;
          query: unknown;
          headers: unknown;
          response: {
            200: {
              generated_at: string;
              dataset: string;
              kind: "observed" | "simulated" | "replayed";
              units: Record<string, string>;
              rows: {
                name: string;
                slug: string;
                latitude: number | null;
                longitude: number | null;
                zone: string | null;
              }[];
            };
            400: ApiError;
            403: ApiError;
            406: ApiError;
            500: ApiError;
            503: ApiError;
          };
        };
      };
      statistics: {
        /** Statistics of each city. */
        get: {
          body: unknown;
          params: unknown;
          query: {
            city?: string;
          };
          headers: unknown;
          response: {
            200: {
              generated_at: string;
              dataset: string;
              kind: "observed" | "simulated" | "replayed";
              units?: Record<string, string>;
              result: {
                job: string;
                run: string;
                generated_at: string;
                engine: string;
                commits: Record<string, number>;
                rows_read: number;
                duration_ms: number;
                rows: number;
              } | null;
              rows: Record<string, unknown>[];
            };
            400: ApiError;
            403: ApiError;
            404: ApiError;
            406: ApiError;
            500: ApiError;
            503: ApiError;
          };
        };
      };
      trends: {
        /** Hourly trends of each city. */
        get: {
          body: unknown;
          params: unknown;
          query: {
            city?: string;
          };
          headers: unknown;
          response: {
            200: {
              generated_at: string;
              dataset: string;
              kind: "observed" | "simulated" | "replayed";
              units?: Record<string, string>;
              result: {
                job: string;
                run: string;
                generated_at: string;
                engine: string;
                commits: Record<string, number>;
                rows_read: number;
                duration_ms: number;
                rows: number;
              } | null;
              rows: Record<string, unknown>[];
            };
            400: ApiError;
            403: ApiError;
            404: ApiError;
            406: ApiError;
            500: ApiError;
            503: ApiError;
          };
        };
      };
      anomalies: {
        /** What was unusual. */
        get: {
          body: unknown;
          params: unknown;
          query: {
            city?: string;
          };
          headers: unknown;
          response: {
            200: {
              generated_at: string;
              dataset: string;
              kind: "observed" | "simulated" | "replayed";
              units?: Record<string, string>;
              result: {
                job: string;
                run: string;
                generated_at: string;
                engine: string;
                commits: Record<string, number>;
                rows_read: number;
                duration_ms: number;
                rows: number;
              } | null;
              rows: Record<string, unknown>[];
            };
            400: ApiError;
            403: ApiError;
            404: ApiError;
            406: ApiError;
            500: ApiError;
            503: ApiError;
          };
        };
      };
      results: {
        ":job": {
          /** The newest result of a job. */
          get: {
            body: unknown;
            params: {
              job: string;
            };
            query: {
              city?: string;
            };
            headers: unknown;
            response: {
              200: {
                generated_at: string;
                dataset: string;
                kind: "observed" | "simulated" | "replayed";
                units?: Record<string, string>;
                result: {
                  job: string;
                  run: string;
                  generated_at: string;
                  engine: string;
                  commits: Record<string, number>;
                  rows_read: number;
                  duration_ms: number;
                  rows: number;
                } | null;
                rows: Record<string, unknown>[];
              };
              400: ApiError;
              403: ApiError;
              404: ApiError;
              406: ApiError;
              500: ApiError;
              503: ApiError;
            };
          };
        };
      };
      forecast: {
        verification: {
          /** Verification of past forecasts. */
          get: {
            body: unknown;
            params: unknown;
            query: unknown;
            headers: unknown;
            response: {
              200: {
                generated_at: string;
                dataset: string;
                kind: "observed" | "simulated" | "replayed";
                verification: {
                  n: number;
                  within: number;
                  issues: number;
                  since: string | null;
                  leads: {
                    from: number;
                    to: number;
                    n: number;
                    within: number;
                    error: number | null;
                    bias: number | null;
                  }[];
                  misses: {
                    city: string;
                    issued_at: string;
                    lead: number;
                    timestamp: string;
                    temperature: number;
                    lower: number;
                    upper: number;
                    observed: number;
                  }[];
                } | null;
              };
              400: ApiError;
              403: ApiError;
              500: ApiError;
              503: ApiError;
            };
          };
        };
      };
      jobs: {
        /** The analytic jobs. */
        get: {
          body: unknown;
          params: unknown;
          query: unknown;
          headers: unknown;
          response: {
            200: {
              generated_at: string;
              dataset: string;
              kind: "observed" | "simulated" | "replayed";
              jobs: {
                name: string;
                title: string;
                question: string;
                schedule: string | null;
                chart: string | null;
                last_run: {
                  id: string;
                  job: string;
                  state: "queued" | "running" | "succeeded" | "failed" | "cancelled";
                  trigger: "schedule" | "request" | "start";
                  progress: number;
                  queued_at: string;
                  started_at: string | null;
                  finished_at: string | null;
                  rows: number | null;
                  error: string | null;
                  code: string | null;
                } | null;
                next_run_at: string | null;
                result: {
                  job: string;
                  run: string;
                  generated_at: string;
                  engine: string;
                  commits: Record<string, number>;
                  rows_read: number;
                  duration_ms: number;
                  rows: number;
                } | null;
              }[];
            };
            400: ApiError;
            403: ApiError;
            500: ApiError;
            503: ApiError;
          };
        };
        ":name": {
          /** One analytic job, with its SQL. */
          get: {
            body: unknown;
            params: {
              name: string;
            };
            query: unknown;
            headers: unknown;
            response: {
              200: {
                generated_at: string;
                dataset: string;
                kind: "observed" | "simulated" | "replayed";
                job: {
                  name: string;
                  title: string;
                  question: string;
                  schedule: string | null;
                  chart: string | null;
                  last_run: {
                    id: string;
                    job: string;
                    state: "queued" | "running" | "succeeded" | "failed" | "cancelled";
                    trigger: "schedule" | "request" | "start";
                    progress: number;
                    queued_at: string;
                    started_at: string | null;
                    finished_at: string | null;
                    rows: number | null;
                    error: string | null;
                    code: string | null;
                  } | null;
                  next_run_at: string | null;
                  result: {
                    job: string;
                    run: string;
                    generated_at: string;
                    engine: string;
                    commits: Record<string, number>;
                    rows_read: number;
                    duration_ms: number;
                    rows: number;
                  } | null;
                  sql: string;
                };
              };
              400: ApiError;
              403: ApiError;
              404: ApiError;
              500: ApiError;
              503: ApiError;
            };
          };
          runs: {
            /** Run a job now. */
            post: {
              body: unknown;
              params: {
                name: string;
              };
              query: unknown;
              headers: unknown;
              response: {
                202: {
                  generated_at: string;
                  dataset: string;
                  kind: "observed" | "simulated" | "replayed";
                  run: {
                    id: string;
                    job: string;
                    state: "queued" | "running" | "succeeded" | "failed" | "cancelled";
                    trigger: "schedule" | "request" | "start";
                    progress: number;
                    queued_at: string;
                    started_at: string | null;
                    finished_at: string | null;
                    rows: number | null;
                    error: string | null;
                    code: string | null;
                  };
                };
                400: ApiError;
                403: ApiError;
                404: ApiError;
                409: ApiError;
                500: ApiError;
                503: ApiError;
              };
            };
          };
        };
      };
      runs: {
        /** The runs of the jobs, newest first. */
        get: {
          body: unknown;
          params: unknown;
          query: {
            job?: string;
            limit?: number;
          };
          headers: unknown;
          response: {
            200: {
              generated_at: string;
              dataset: string;
              kind: "observed" | "simulated" | "replayed";
              runs: {
                id: string;
                job: string;
                state: "queued" | "running" | "succeeded" | "failed" | "cancelled";
                trigger: "schedule" | "request" | "start";
                progress: number;
                queued_at: string;
                started_at: string | null;
                finished_at: string | null;
                rows: number | null;
                error: string | null;
                code: string | null;
              }[];
            };
            400: ApiError;
            403: ApiError;
            404: ApiError;
            500: ApiError;
            503: ApiError;
          };
        };
        ":id": {
          /** One run. */
          get: {
            body: unknown;
            params: {
              id: string;
            };
            query: unknown;
            headers: unknown;
            response: {
              200: {
                generated_at: string;
                dataset: string;
                kind: "observed" | "simulated" | "replayed";
                run: {
                  id: string;
                  job: string;
                  state: "queued" | "running" | "succeeded" | "failed" | "cancelled";
                  trigger: "schedule" | "request" | "start";
                  progress: number;
                  queued_at: string;
                  started_at: string | null;
                  finished_at: string | null;
                  rows: number | null;
                  error: string | null;
                  code: string | null;
                };
              };
              400: ApiError;
              403: ApiError;
              404: ApiError;
              500: ApiError;
              503: ApiError;
            };
          };
          cancel: {
            /** Cancel a run. */
            post: {
              body: unknown;
              params: {
                id: string;
              };
              query: unknown;
              headers: unknown;
              response: {
                200: {
                  generated_at: string;
                  dataset: string;
                  kind: "observed" | "simulated" | "replayed";
                  run: {
                    id: string;
                    job: string;
                    state: "queued" | "running" | "succeeded" | "failed" | "cancelled";
                    trigger: "schedule" | "request" | "start";
                    progress: number;
                    queued_at: string;
                    started_at: string | null;
                    finished_at: string | null;
                    rows: number | null;
                    error: string | null;
                    code: string | null;
                  };
                };
                400: ApiError;
                403: ApiError;
                404: ApiError;
                500: ApiError;
                503: ApiError;
              };
            };
          };
        };
      };
      alerts: {
        /** Active alerts, the newest first. */
        get: {
          body: unknown;
          params: unknown;
          query: unknown;
          headers: unknown;
          response: {
            200: {
              generated_at: string;
              dataset: string;
              kind: "observed" | "simulated" | "replayed";
              alerts: {
                id: string;
                rule: {
                  id: string;
                  name: string;
                };
                city: string;
                source: string;
                since: string;
                raised_at: string;
              }[];
            };
            400: ApiError;
            403: ApiError;
            500: ApiError;
            503: ApiError;
          };
        };
        rules: {
          /** The rules, those of the file first. */
          get: {
            body: unknown;
            params: unknown;
            query: unknown;
            headers: unknown;
            response: {
              200: {
                generated_at: string;
                dataset: string;
                kind: "observed" | "simulated" | "replayed";
                rules: {
                  id: string;
                  origin: "file" | "page";
                  active: number;
                  name: string;
                  city: string | null;
                  variable?:
                    | "temperature"
                    | "humidity"
                    | "pressure"
                    | "wind_speed"
                    | "rainfall"
                    | "wind_direction"
                    | "wind_gust"
                    | "dew_point"
                    | "clouds"
                    | "visibility";
                  above?: number;
                  below?: number;
                  for_minutes?: number;
                  anomaly?: "spike" | "step" | "unusual" | "stuck" | "silent" | "outage";
                  severity?: 1 | 2 | 3;
                  channels: string[];
                }[];
              };
              400: ApiError;
              403: ApiError;
              500: ApiError;
              503: ApiError;
            };
          };
          /** Add a rule. */
          post: {
            body: {
              name: string;
              city?: string | null;
              variable?:
                | "temperature"
                | "humidity"
                | "pressure"
                | "wind_speed"
                | "rainfall"
                | "wind_direction"
                | "wind_gust"
                | "dew_point"
                | "clouds"
                | "visibility";
              above?: number;
              below?: number;
              for_minutes?: number;
              anomaly?: "spike" | "step" | "unusual" | "stuck" | "silent" | "outage";
              severity?: 1 | 2 | 3;
              channels: string[];
            };
            params: unknown;
            query: unknown;
            headers: unknown;
            response: {
              201: {
                generated_at: string;
                dataset: string;
                kind: "observed" | "simulated" | "replayed";
                rule: {
                  id: string;
                  origin: "file" | "page";
                  active: number;
                  name: string;
                  city: string | null;
                  variable?:
                    | "temperature"
                    | "humidity"
                    | "pressure"
                    | "wind_speed"
                    | "rainfall"
                    | "wind_direction"
                    | "wind_gust"
                    | "dew_point"
                    | "clouds"
                    | "visibility";
                  above?: number;
                  below?: number;
                  for_minutes?: number;
                  anomaly?: "spike" | "step" | "unusual" | "stuck" | "silent" | "outage";
                  severity?: 1 | 2 | 3;
                  channels: string[];
                };
              };
              400: ApiError;
              403: ApiError;
              409: ApiError;
              413: ApiError;
              415: ApiError;
              500: ApiError;
              503: ApiError;
            };
          };
          ":id": {
            /** Delete a rule, and close its alerts. */
            delete: {
              body: unknown;
              params: {
                id: string;
              };
              query: unknown;
              headers: unknown;
              response: {
                200: {
                  generated_at: string;
                  dataset: string;
                  kind: "observed" | "simulated" | "replayed";
                  deleted: string;
                };
                400: ApiError;
                403: ApiError;
                404: ApiError;
                409: ApiError;
                500: ApiError;
                503: ApiError;
              };
            };
          };
        };
        channels: {
          /** Channels that messages are sent to. */
          get: {
            body: unknown;
            params: unknown;
            query: unknown;
            headers: unknown;
            response: {
              200: {
                generated_at: string;
                dataset: string;
                kind: "observed" | "simulated" | "replayed";
                channels: {
                  name: string;
                  type: "webhook" | "sms" | "email";
                  target: string;
                  quiet_hours: string | null;
                }[];
              };
              400: ApiError;
              403: ApiError;
              500: ApiError;
              503: ApiError;
            };
          };
          ":name": {
            test: {
              /** Send a test message. */
              post: {
                body: unknown;
                params: {
                  name: string;
                };
                query: unknown;
                headers: unknown;
                response: {
                  202: {
                    generated_at: string;
                    dataset: string;
                    kind: "observed" | "simulated" | "replayed";
                    message: string;
                  };
                  400: ApiError;
                  403: ApiError;
                  404: ApiError;
                  409: ApiError;
                  500: ApiError;
                  503: ApiError;
                };
              };
            };
          };
        };
        messages: {
          /** Messages, sent and waiting, the newest first. */
          get: {
            body: unknown;
            params: unknown;
            query: {
              limit?: number;
            };
            headers: unknown;
            response: {
              200: {
                generated_at: string;
                dataset: string;
                kind: "observed" | "simulated" | "replayed";
                messages: {
                  id: string;
                  channel: string;
                  type: "alert" | "recovery" | "test";
                  rule: string | null;
                  city: string | null;
                  text: string;
                  state: "waiting" | "sent" | "failed";
                  tries: number;
                  made_at: string;
                  sent_at: string | null;
                  next_try_at: string | null;
                  error: string | null;
                }[];
              };
              400: ApiError;
              403: ApiError;
              500: ApiError;
              503: ApiError;
            };
          };
        };
      };
      pipeline: {
        /** State of the pipeline. */
        get: {
          body: unknown;
          params: unknown;
          query: unknown;
          headers: unknown;
          response: {
            200: {
              generated_at: string;
              dataset: string;
              kind: "observed" | "simulated" | "replayed";
              about: {
                version: string;
                source: {
                  name: string;
                  reason: string;
                  credit: {
                    text: string;
                    url: string;
                  } | null;
                } | null;
                log: string;
                lake: string;
                engine: string;
                stale_after_seconds: number;
              };
              stages: {
                name: "source" | "log" | "lake" | "result" | "screen";
                by: string;
                watermark: string | null;
                behind: number | null;
                trouble: string | null;
              }[];
              jobs: {
                name: string;
                state: "starting" | "running" | "waiting" | "failed" | "stopped";
                since: string;
                restarts: number;
                reason: string | null;
              }[];
              partitions: {
                partition: number;
                low: number | null;
                high: number | null;
                next: number;
                sequence: number;
                rows: number;
                duplicates: number;
                rejected: number;
                files: number;
                bytes: number;
              }[];
              rates: {
                log: {
                  per_second: number;
                  seconds: number;
                } | null;
                lake: {
                  per_second: number;
                  seconds: number;
                } | null;
              };
              proof: {
                at: string;
                offsets: number;
                compared: number;
                problems: number;
              } | null;
              live: {
                clients: number;
                dropped: number;
              };
            };
            400: ApiError;
            403: ApiError;
            500: ApiError;
            503: ApiError;
          };
        };
      };
      health: {
        live: {
          /** Liveness: whether the process runs. */
          get: {
            body: unknown;
            params: unknown;
            query: unknown;
            headers: unknown;
            response: {
              200: {
                generated_at: string;
                dataset: string;
                kind: "observed" | "simulated" | "replayed";
                status: "live";
              };
              400: ApiError;
              403: ApiError;
              500: ApiError;
              503: ApiError;
            };
          };
        };
        ready: {
          /** Readiness: whether the process can do its work. */
          get: {
            body: unknown;
            params: unknown;
            query: unknown;
            headers: unknown;
            response: {
              200: {
                generated_at: string;
                dataset: string;
                kind: "observed" | "simulated" | "replayed";
                status: "ready" | "not ready";
                reasons: string[];
              };
              400: ApiError;
              403: ApiError;
              500: ApiError;
              503:
                | {
                    generated_at: string;
                    dataset: string;
                    kind: "observed" | "simulated" | "replayed";
                    status: "ready" | "not ready";
                    reasons: string[];
                  }
                | ApiError;
            };
          };
        };
      };
    };
  };
}

/** The API, for `treaty<IsobarApi>(…)` of @elysiajs/eden. */
export type IsobarApi = Elysia & { "~Routes": Routes };
