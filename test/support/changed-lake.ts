import type { Lake } from "../../jobs/lake/lake.ts";

/** A lake of which some methods are the test's own. */
export function changedLake(lake: Lake, changed: Partial<Lake>): Lake {
  return {
    kind: lake.kind,
    put: (files) => lake.put(files),
    create: (path, bytes) => lake.create(path, bytes),
    read: (path) => lake.read(path),
    list: (folder) => lake.list(folder),
    delete: (paths) => lake.delete(paths),
    locate: (path) => lake.locate(path),
    ...changed,
  };
}
