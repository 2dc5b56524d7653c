import type { ExecutePlanResponse_ExecutionProgress as ExecutionProgress } from "./spark_connect_pb.ts";

/** The most that is told while it runs: Spark learns of later stages when the earlier ones have ended. */
const MOST = 0.99;

/** Turns Spark's messages of its progress into a share that does not fall; the first is told even when nothing is done. */
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
    const share = tasks === 0 ? 0 : Math.min(MOST, completed / tasks);
    if (share <= told) return;
    told = share;
    tell(share);
  };
}
