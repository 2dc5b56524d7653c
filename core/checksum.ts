/** SHA-256 of text (as UTF-8) or bytes, hex: what `sha256sum` prints. */
export function sha256Hex(content: string | Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(content).digest("hex");
}
