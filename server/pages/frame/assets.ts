import { Elysia } from "elysia";
import { RequestError } from "../../../core/errors.ts";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { chooseCoding } from "../../http/negotiation.ts";

/** A file the pages refer to, held in memory in every encoding it is served in. */
export interface Asset {
  /** Path with a hash of the content, so that it may be kept for ever. */
  url: string;
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
  gzip: Uint8Array<ArrayBuffer>;
  brotli: Uint8Array<ArrayBuffer>;
}

/** Names pages refer to. Chunks that only scripts import have none. */
export type AssetName = "styles" | "icon" | "theme" | "boot" | "htmx";

/** The built files. */
export interface Assets {
  /** The address of a file. */
  url(name: AssetName): string;
  /** The file at a path, or undefined. */
  get(path: string): Asset | undefined;
  /** All of them, for tests and measurements. */
  all(): readonly Asset[];
}

/** Where assets are served. */
export const ASSETS_PATH = "/assets/";

const SCRIPT = "text/javascript; charset=utf-8";
/** Close to the best, at a tenth of its time: the files are compressed at each start. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };

/**
 * Builds what the browser needs: islands bundled and split, styles joined, the rest as it is.
 *
 * @throws {AggregateError} when an island cannot be built
 */
export async function buildAssets(): Promise<Assets> {
  const files = new Map<string, Asset>();
  const names = new Map<AssetName, string>();
  const add = (url: string, type: string, bytes: Uint8Array<ArrayBuffer>, name?: AssetName) => {
    const gzip = gzipSync(bytes, { level: 9 });
    files.set(url, { url, type, bytes, gzip, brotli: brotliCompressSync(bytes, BROTLI) });
    if (name !== undefined) names.set(name, url);
  };
  const addText = (text: string, base: string, extension: string, type: string, name: AssetName) => {
    const bytes = new TextEncoder().encode(text);
    add(`${ASSETS_PATH}${base}-${Bun.hash(bytes).toString(36)}.${extension}`, type, bytes, name);
  };

  const build = await Bun.build({
    entrypoints: [pathOf("../../../views/islands/boot.ts")],
    target: "browser",
    minify: true,
    splitting: true,
    publicPath: ASSETS_PATH,
    naming: { entry: "[name]-[hash].[ext]", chunk: "[name]-[hash].[ext]" },
  });
  for (const output of build.outputs) {
    const url = ASSETS_PATH + output.path.replace(/^\.?\//, "");
    const bytes = new Uint8Array(await output.arrayBuffer());
    add(url, SCRIPT, bytes, output.kind === "entry-point" ? "boot" : undefined);
  }
  const [uplot, sheet, icon, theme, htmx] = await Promise.all([
    readPackage("uplot/dist/uPlot.min.css"),
    readFile("../../../public/isobar.css"),
    readFile("../../../public/icon.svg"),
    readFile("../../../public/theme.js"),
    readPackage("htmx.org/dist/htmx.min.js"),
  ]);
  addText(uplot + sheet, "isobar", "css", "text/css; charset=utf-8", "styles");
  addText(icon, "icon", "svg", "image/svg+xml", "icon");
  addText(theme, "theme", "js", SCRIPT, "theme");
  addText(htmx, "htmx", "js", SCRIPT, "htmx");

  return {
    url(name) {
      const url = names.get(name);
      if (url === undefined) throw new TypeError(`Cannot link the asset "${name}": it was not built`);
      return url;
    },
    get: (path) => files.get(path),
    all: () => [...files.values()],
  };
}

/** Serves the built files. */
export function assetRoutes(assets: Assets) {
  return new Elysia().get(`${ASSETS_PATH}:file`, ({ request, params }) => {
    const asset = assets.get(ASSETS_PATH + params.file);
    if (asset === undefined) {
      throw new RequestError("not_found", `There is no file ${JSON.stringify(params.file)}`, {
        hint: "Reload the page: a newer version has other files.",
      });
    }
    return assetResponse(asset, request);
  });
}

/** The answer to a request for an asset, in the coding that {@link chooseCoding} chooses. */
export function assetResponse(asset: Asset, request: Request): Response {
  const headers: Record<string, string> = {
    "content-type": asset.type,
    "cache-control": "public, max-age=31536000, immutable",
    vary: "accept-encoding",
  };
  const coding = chooseCoding(request);
  if (coding === null) return new Response(asset.bytes, { headers });
  const bytes = coding === "br" ? asset.brotli : asset.gzip;
  return new Response(bytes, { headers: { ...headers, "content-encoding": coding } });
}

function pathOf(relative: string): string {
  return new URL(relative, import.meta.url).pathname;
}

function readFile(relative: string): Promise<string> {
  return Bun.file(pathOf(relative)).text();
}

function readPackage(path: string): Promise<string> {
  return Bun.file(Bun.resolveSync(path, import.meta.dir)).text();
}
