import { join } from "node:path";

const SCRIPT = join(import.meta.dir, "../../docs/read_lake.py");

/** Why docs/read_lake.py cannot be run here, or null. It needs pyarrow, and an interpreter named by ISOBAR_PYTHON. */
export function whyNotReadLake(): string | null {
  const python = process.env.ISOBAR_PYTHON;
  if (python === undefined || python === "") return "ISOBAR_PYTHON is not set";
  try {
    const { exitCode } = Bun.spawnSync([python, "-c", "import pyarrow.parquet"], { stderr: "ignore" });
    return exitCode === 0 ? null : "the interpreter in ISOBAR_PYTHON has no pyarrow";
  } catch {
    return "the interpreter in ISOBAR_PYTHON does not run";
  }
}

/** Runs docs/read_lake.py over a data set's folder, in a time zone far from UTC. */
export async function readLake(
  folder: string,
  ...options: string[]
): Promise<{ out: string; err: string; code: number }> {
  const child = Bun.spawn([process.env.ISOBAR_PYTHON!, SCRIPT, folder, ...options], {
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, PYTHONIOENCODING: "utf-8", TZ: "Asia/Tokyo" },
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { out, err, code };
}
