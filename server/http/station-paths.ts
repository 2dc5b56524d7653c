/** Where the Weather Underground protocol pushes to. */
export const WUNDERGROUND_PATH = "/weatherstation/updateweatherstation.php";
/** Where Ecowitt's consoles push to where nothing else is set; the station's key may follow as a last segment. */
export const ECOWITT_PATH = "/data/report";

/** Whether a path is one that stations push to. */
export function isStationPath(path: string): boolean {
  return /^\/(weatherstation\/updateweatherstation\.php|data\/report(\/[^/]+)?)\/?$/.test(path);
}

/** The paths of stations, for people. */
export const STATION_PATHS = `${WUNDERGROUND_PATH}, or ${ECOWITT_PATH}/ followed by the key`;

/** Whether a path is meant to be one that stations push to and is none: `//data/report/`, `/updateweatherstation.php`. */
export function isNearStationPath(path: string): boolean {
  return !isStationPath(path) && /updateweatherstation|^\/+(weatherstation|data\/+report)(\/|$)/i.test(path);
}

/** A path as it may be logged: whatever is no part of a station's path may be a key. */
export function withoutSecrets(path: string): string {
  const shown = path
    .split("/")
    .map((part) => (/^(data|report|weatherstation|updateweatherstation(\.php)?|)$/i.test(part) ? part : "…"));
  return shown.slice(0, 10).join("/");
}

/**
 * A station's request as the router can read it. Consoles leave the Host out or name one of a few letters (`pi`), and the
 * router looks for the path behind the eleventh character of the URL.
 */
export function routable(request: Request): Request {
  const [, host = "", rest = ""] = /^(?:https?:\/\/([^/?#]*))?(.*)$/s.exec(request.url) ?? [];
  if (host.length >= 4 || !isStationPath(rest.replace(/[?#].*$/s, ""))) return request;
  return new Request(`http://station.invalid${rest}`, request);
}

/** A path that stations push to, with the key in it blacked out. */
export function withoutKey(path: string): string {
  return path.replace(/^(\/data\/report\/)[^/]+/, "$1…");
}
