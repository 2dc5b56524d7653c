import { escapeHtml } from "@kitajs/html";

/**
 * Text of people as it stands in an attribute. Kita escapes quotes there and nothing else, so that `&lt;` in a name would
 * come out as another name.
 */
export function attribute(text: string): string {
  return escapeHtml(text);
}

/** A link's address, only when it leads to the web: never `javascript:`. */
export function webAddress(url: string): string {
  return /^https?:\/\//i.test(url) ? attribute(url) : "#";
}
