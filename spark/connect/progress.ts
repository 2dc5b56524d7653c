import type { ExecutePlanResponse_ExecutionProgress as ExecutionProgress } from "./spark_connect_pb.ts";

/** Upper bound while the query runs: Spark reports later stages only when the earlier ones have ended. */
const RUNNING_MAX = 0.99;

/** Turns Spark's progress messages into a share that never falls. The first message is reported even if the share is 0. */
export function progressOf(
  tell: ((share: number) => void) | undefined,
): ((progress: ExecutionProgress) => void) | undefined {
  if (tell === undefined) return undefined;
  let told = -1;
  return ({ stages }) => {
    let tasks = 0;
    let completed = 0;
    for (const { numTasks, numCompletedTasks } of stages) {
      tasks += Number(numTasks);
      completed += Number(numCompletedTasks);
    }
    const share = tasks === 0 ? 0 : Math.min(RUNNING_MAX, completed / tasks);
    if (share <= told) return;
    told = share;
    tell(share);
  };
}
