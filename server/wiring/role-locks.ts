import { resolve } from "node:path";
import { lockRole, type RoleLock } from "../../jobs/role-lock.ts";
import type { Config } from "../config/config.ts";
import type { Role } from "../config/settings.ts";
import type { DatasetLake } from "./lakes.ts";

/**
 * Takes those of some roles that only one process may play on a data folder: the ones that write what is embedded in it.
 * Kafka and HDFS fence by themselves.
 *
 * @param lake the data set's lake
 * @returns the roles taken, as one lock
 * @throws ConfigError `locked` when another process plays one of them; none is held then
 */
export async function lockRoles(
  config: Config,
  dataset: string,
  lake: Pick<DatasetLake, "folder">,
  roles: readonly Role[],
): Promise<RoleLock> {
  const embedsLog = config.kafkaBrokers === null;
  const embedsLake = lake.folder !== null;
  const writes: Partial<Record<Role, boolean>> = {
    producer: embedsLog,
    consumer: embedsLog || embedsLake,
    analytics: embedsLake,
  };
  const locks: RoleLock[] = [];
  const release = () => {
    for (const lock of locks.toReversed()) lock.release();
  };
  try {
    for (const role of roles) {
      if (writes[role] === true) locks.push(await lockRole(resolve(config.dataDir), dataset, role));
    }
  } catch (error) {
    release();
    throw error;
  }
  return { announce: (url) => locks.forEach((lock) => lock.announce(url)), release };
}
