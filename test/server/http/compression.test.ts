import { describe, expect, test } from "bun:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { compress, streamPieces } from "../../../server/http/compression.ts";
import { CODINGS } from "../../../server/http/negotiation.ts";
import { unpackerOf } from "../../support/unpacker.ts";

const UNPACK = { br: brotliDecompressSync, gzip: gunzipSync };
/** Hardly shrinks: more than one chunk of a compressor in each piece. */
const noise = (bytes: number) =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("base64");

async function* piecesOf(...pieces: (string | Promise<string>)[]): AsyncGenerator<string, void> {
  for (const piece of pieces) yield await piece;
}

test.each(CODINGS)("compress() packs with %s, for each effort", async (coding) => {
  const bytes = Buffer.from("<p>21.5 °C</p>".repeat(1_000));
  for (const effort of ["quick", "page", "kept"] as const) {
    const packed = await compress(bytes, coding, effort);
    expect(packed.byteLength).toBeLessThan(bytes.byteLength / 10);
    expect(UNPACK[coding](packed).equals(bytes)).toBe(true);
  }
});

describe("streamPieces()", () => {
  test.each(CODINGS)("sends a piece with %s while the next one is still being made", async (coding) => {
    const late = Promise.withResolvers<string>();
    const [first, second] = [noise(50_000), `<p>late °C</p>`];
    const reader = streamPieces(piecesOf(first, "", late.promise, "end"), coding).getReader();
    const { push } = unpackerOf(coding);
    let text = "";
    while (text.length < first.length) text += await push((await reader.read()).value!);
    expect(text).toBe(first);
    late.resolve(second);
    while (text.length < first.length + second.length) text += await push((await reader.read()).value!);
    for (let next = await reader.read(); !next.done; next = await reader.read())
      text += await push(next.value);
    expect(text).toBe(`${first}${second}end`);
  });

  test.each(CODINGS)("ends with a whole body of %s", async (coding) => {
    const pieces = ["<p>°</p>".repeat(500), noise(100_000), "x"];
    const bytes = await new Response(streamPieces(piecesOf(...pieces), coding)).bytes();
    expect(UNPACK[coding](bytes).toString()).toBe(pieces.join(""));
    const empty = await new Response(streamPieces(piecesOf(), coding)).bytes();
    expect(UNPACK[coding](empty).toString()).toBe("");
  });

  test.each([...CODINGS, null])("breaks off (%p) where a piece fails", async (coding) => {
    async function* broken(): AsyncGenerator<string, void> {
      yield "first";
      throw await Promise.resolve(new Error("a bug"));
    }
    const reader = streamPieces(broken(), coding).getReader();
    expect((await reader.read()).done).toBe(false);
    await expect(reader.read()).rejects.toThrow("a bug");
  });

  test.each([...CODINGS, null])("makes a piece (%p) only when the one before was taken", async (coding) => {
    let made = 0;
    async function* counted(): AsyncGenerator<string, void> {
      for (; made < 100;) yield String(++made);
    }
    const stream = streamPieces(counted(), coding);
    expect(made).toBe(0);
    const reader = stream.getReader();
    for (let i = 1; i <= 5; i++) {
      await reader.read();
      expect(made).toBe(i);
    }
    await reader.cancel();
    expect(made).toBe(5);
  });

  test.each([...CODINGS, null])(
    "goes away (%p) without waiting for the piece that is being made",
    async (coding) => {
      const late = Promise.withResolvers<string>();
      const returned = Promise.withResolvers<void>();
      let after = false;
      async function* pieces(): AsyncGenerator<string, void> {
        try {
          yield "first";
          yield await late.promise;
          after = true;
        } finally {
          returned.resolve();
        }
      }
      const reader = streamPieces(pieces(), coding).getReader();
      await reader.read();
      const next = reader.read();
      await reader.cancel();
      expect((await next).done).toBe(true);
      late.resolve("late");
      await returned.promise;
      expect(after).toBe(false);
    },
  );

  test.each([...CODINGS, null])("stops (%p) when a client of a real server goes away", async (coding) => {
    const returned = Promise.withResolvers<void>();
    async function* endless(): AsyncGenerator<string, void> {
      try {
        for (;;) yield noise(20_000);
      } finally {
        returned.resolve();
      }
    }
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => new Response(streamPieces(endless(), coding)),
    });
    try {
      const gone = new AbortController();
      const answer = await fetch(server.url, { signal: gone.signal });
      const reader = answer.body!.getReader();
      await reader.read();
      gone.abort();
      await returned.promise;
    } finally {
      await server.stop(true);
    }
  });
});
