import { join } from "node:path";
import type { Setting, Settings } from "../../core/setting.ts";
import { clientTypes } from "../api/client-types.ts";
import { apiPage } from "../api/docs.ts";
import { ENDPOINTS } from "../routes/endpoints.ts";
import { jobsPage } from "./docs/job-docs.ts";
import { pagesWithTables, variablesPage } from "./docs/variable-docs.ts";
import { markdownTable } from "../../core/markdown.ts";
import { SETTINGS } from "../config/settings.ts";

const GENERATED = "made by `bun run docs` from server/config/settings.ts";

/**
 * The files that are made without running anything, of settings, routes, variables and limits: their paths in the project,
 * and what they hold.
 *
 * @param table the settings. Default: {@link SETTINGS}
 */
export function generatedFiles(table: Settings = SETTINGS): Record<string, string> {
  const settings = Object.values(table);
  return {
    ".env.example": envExample(settings),
    "docs/configuration.md": configurationPage(settings),
    "docs/api.md": apiPage(ENDPOINTS),
    "docs/client/isobar-api.ts": clientTypes(ENDPOINTS),
    "docs/variables.md": variablesPage(),
    ...pagesWithTables(),
  };
}

function envExample(settings: readonly Setting[]): string {
  const lines = [
    `# Isobar's settings, ${GENERATED.replaceAll("`", "")}.`,
    "# Copy this file to .env and take the # away from what you set. The environment wins over .env.",
  ];
  for (const { meaning, kind, unit, otherwise, written, name } of settings) {
    const value = /\s/.test(written) ? `"${written}"` : written;
    lines.push(
      "",
      `# ${plain(meaning)}`,
      `# Allowed: ${plain(kind.wanted)}${unit === undefined ? "" : ` (${unit})`}.`,
      `# Default: ${otherwise === undefined ? written : `${plain(otherwise)}. Example:`}`,
      `#${name}=${value}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

function configurationPage(settings: readonly Setting[]): string {
  const rows = settings.map(({ name, otherwise, written, unit, kind, meaning }) => [
    `\`${name}\``,
    otherwise ?? `\`${written}\``,
    unit ?? "",
    kind.wanted,
    meaning,
  ]);
  return `# Configuration

<!-- This page is ${GENERATED}. -->

Settings are environment variables. A file \`.env\` in the folder the program is started in works too; the environment
wins over it. [\`.env.example\`](../.env.example) has a line for each setting. In \`.env\`, put a value with a space or a \`#\` into
quotes, and write \`\\$\` for a \`$\`.

A wrong value stops the start with one message that names every wrong setting, its value and what was wanted. An empty
value is wrong as well: leave the line out instead. A variable that is nearly the name of a setting is reported when the
program starts.

${markdownTable(["Setting", "Default", "Unit", "Allowed", "Meaning"], rows)}
`;
}

function plain(text: string): string {
  return text.replaceAll("`", "");
}

if (import.meta.main) {
  const root = join(import.meta.dir, "../..");
  for (const [path, text] of Object.entries({ ...generatedFiles(), "docs/jobs.md": await jobsPage() })) {
    await Bun.write(join(root, path), text);
    console.log(`Wrote ${path}`);
  }
}
