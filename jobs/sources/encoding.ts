/** How the bytes of a file may be text. Windows-1252 holds all of Latin-1. */
export const ENCODINGS = ["utf-8", "utf-16le", "utf-16be", "windows-1252"] as const;
/** One of {@link ENCODINGS}. */
export type Encoding = (typeof ENCODINGS)[number];

/** The encoding that a file's first bytes say: the mark of UTF-16 and a character of Latin-1 behind it; null without. */
function markOf(head: Uint8Array): Encoding | null {
  if (head[0] === 0xff && head[1] === 0xfe && head[3] === 0) return "utf-16le";
  if (head[0] === 0xfe && head[1] === 0xff && head[2] === 0) return "utf-16be";
  return null;
}

/** The encoding of a file by its beginning: by its mark, else UTF-8 where the bytes are such, else Windows-1252. */
export function encodingOf(head: Uint8Array): Encoding {
  const mark = markOf(head);
  if (mark !== null) return mark;
  try {
    // A character may be cut at the end of what is known.
    new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true });
    return "utf-8";
  } catch {
    return "windows-1252";
  }
}

/**
 * The bytes of a text in UTF-8.
 *
 * @param encoding of the text, where it has no mark of UTF-16; null for UTF-8
 */
export async function* asUtf8(
  blocks: AsyncIterable<Uint8Array>,
  encoding: Encoding | null,
): AsyncGenerator<Uint8Array> {
  let decoder: TextDecoder | null = null;
  let first = true;
  const encoder = new TextEncoder();
  for await (const block of blocks) {
    if (first) {
      const found = markOf(block) ?? encoding ?? "utf-8";
      decoder = found === "utf-8" ? null : new TextDecoder(found);
      first = false;
    }
    yield decoder === null ? block : encoder.encode(decoder.decode(block, { stream: true }));
  }
  const rest = decoder?.decode() ?? "";
  if (rest !== "") yield encoder.encode(rest);
}
