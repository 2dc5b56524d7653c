/** A text with a capital letter at its beginning, as a sentence or a heading has it. */
export function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
