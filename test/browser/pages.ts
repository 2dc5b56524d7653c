/** Every page there is, for what looks at all of them. */
export const PAGES: readonly { name: string; path: string }[] = [
  { name: "now", path: "/" },
  { name: "city", path: "/cities/london" },
  { name: "why", path: "/why?city=london" },
  { name: "anomalies", path: "/anomalies" },
  { name: "trends", path: "/trends" },
  { name: "forecast", path: "/forecast" },
  { name: "alerts", path: "/alerts" },
  { name: "jobs", path: "/jobs" },
  { name: "job", path: "/jobs/hourly_trends" },
  { name: "pipeline", path: "/pipeline" },
  { name: "about", path: "/about" },
  { name: "units", path: "/units" },
  { name: "api", path: "/api" },
];
