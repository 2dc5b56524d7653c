import { beforeAll, describe, expect, test } from "bun:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import {
  type Asset,
  assetResponse,
  type AssetName,
  type Assets,
  buildAssets,
} from "../../../../server/pages/frame/assets.ts";

let assets: Assets;
beforeAll(async () => {
  assets = await buildAssets();
});

const NAMES: AssetName[] = ["styles", "icon", "theme", "boot", "htmx"];

describe("buildAssets()", () => {
  test("gives every file a hash in its name and smaller variants of the same content", () => {
    for (const asset of assets.all()) {
      expect(asset.url).toMatch(/^\/assets\/[a-z-]+-[a-z0-9]{8,}\.(js|css|svg)$/);
      expect(Buffer.from(gunzipSync(asset.gzip))).toEqual(Buffer.from(asset.bytes));
      expect(Buffer.from(brotliDecompressSync(asset.brotli))).toEqual(Buffer.from(asset.bytes));
      expect(asset.gzip.length).toBeLessThan(asset.bytes.length);
      expect(asset.brotli.length).toBeLessThan(asset.bytes.length);
    }
  });

  test("gives the same names to the same content", async () => {
    const again = await buildAssets();
    for (const name of NAMES) expect(again.url(name)).toBe(assets.url(name));
  });

  test("builds every script that another one imports", () => {
    const scripts = assets.all().filter(({ type }) => type.startsWith("text/javascript"));
    const imports = scripts.flatMap(({ bytes }) => {
      const text = new TextDecoder().decode(bytes);
      return [...text.matchAll(/["'](?:\.\/|\/assets\/)([\w-]+\.js)["']/g)].map(([, file]) => file);
    });
    expect(imports.some((file) => file?.startsWith("iso-chart-"))).toBe(true);
    for (const file of imports) expect(assets.get(`/assets/${file}`)).toBeDefined();
  });

  test("keeps all scripts of a page below 60 kB gzipped", () => {
    const scripts = assets.all().filter(({ type }) => type.startsWith("text/javascript"));
    expect(scripts.reduce((sum, { gzip }) => sum + gzip.length, 0)).toBeLessThan(60_000);
  });

  test("knows no file but its own", () => {
    expect(assets.get("/assets/../package.json")).toBeUndefined();
    expect(assets.get("/assets/boot.js")).toBeUndefined();
  });
});

describe("assetResponse()", () => {
  const asking = (accepted: string | null) =>
    new Request("http://localhost/", { headers: accepted === null ? {} : { "accept-encoding": accepted } });
  const answer = async (accepted: string | null) => {
    const asset = assets.get(assets.url("boot")) as Asset;
    const response = assetResponse(asset, asking(accepted));
    return {
      encoding: response.headers.get("content-encoding"),
      size: (await response.bytes()).length,
      asset,
    };
  };

  test("sends what the client takes, the smallest first", async () => {
    expect(await answer("gzip, deflate, br, zstd")).toMatchObject({ encoding: "br" });
    expect(await answer("gzip;q=1.0, br;q=0")).toMatchObject({ encoding: "gzip" });
    expect(await answer("gzip;q=1, br;q=0.5")).toMatchObject({ encoding: "gzip" });
    expect(await answer("*")).toMatchObject({ encoding: "br" });
    expect(await answer("gzip, identity;q=0")).toMatchObject({ encoding: "gzip" });
    for (const refused of ["gzip;q=0", "*;q=0", "identity;q=0"]) {
      expect(await answer(refused)).toMatchObject({ encoding: null });
    }
    const plain = await answer(null);
    expect(plain.encoding).toBeNull();
    expect(plain.size).toBe(plain.asset.bytes.length);
  });

  test("may be kept for ever, by encoding", () => {
    const { headers } = assetResponse(assets.get(assets.url("styles")) as Asset, asking("br"));
    expect(headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(headers.get("vary")).toBe("accept-encoding");
    expect(headers.get("content-type")).toBe("text/css; charset=utf-8");
  });
});
