import { createBrotliDecompress, createGunzip } from "node:zlib";

/** Reads a body that is compressed while it is still being sent, as a browser does. */
export interface Unpacker {
  /** What can be read with this chunk that could not before it. */
  push(chunk: Uint8Array): Promise<string>;
}

/** Makes {@link Unpacker}. @throws Error for another coding than brotli and gzip */
export function unpackerOf(coding: string | null): Unpacker {
  if (coding !== "br" && coding !== "gzip") throw new Error(`Cannot unpack ${coding}: wanted br or gzip`);
  const stream = coding === "br" ? createBrotliDecompress() : createGunzip();
  const decoder = new TextDecoder();
  let text = "";
  stream.on("data", (bytes: Uint8Array) => (text += decoder.decode(bytes, { stream: true })));
  return {
    async push(chunk) {
      await new Promise<void>((resolve, reject) => {
        stream.write(chunk, (error) => (error ? reject(error) : resolve()));
      });
      const found = text;
      text = "";
      return found;
    },
  };
}
