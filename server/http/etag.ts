/**
 * A weak entity tag of a content: the compressed and the plain body share it.
 *
 * @param content what has to differ for another tag: of a JSON answer all but the time it was made at
 */
export function weakTag(content: string | Uint8Array): string {
  return `W/"${Bun.hash(content).toString(36)}"`;
}

/** Whether If-None-Match names the tag, by weak comparison (RFC 9110, 13.1.2). */
export function isKnown(header: string | null, etag: string): boolean {
  if (header === null) return false;
  if (header.trim() === "*") return true;
  const opaque = (tag: string) => tag.trim().replace(/^W\//, "");
  return header.split(",").some((tag) => opaque(tag) === opaque(etag));
}
