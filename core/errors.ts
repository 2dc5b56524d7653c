/**
 * An error a caller may act on. `code` is stable and belongs to one list per port; `message` names the action,
 * the value and what was wanted; `hint` says what to do. Anything else that is thrown is a bug.
 */
export class IsobarError<Code extends string = string> extends Error {
  /** Stable, machine-readable, `lower_snake_case`. */
  readonly code: Code;
  /** What a person can do about it. */
  readonly hint: string | undefined;

  constructor(code: Code, message: string, options: { cause?: unknown; hint?: string } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
  }
}

/** A setting is wrong; the start stops. */
export class ConfigError extends IsobarError<"bad_setting" | "locked" | "port_in_use"> {}

/**
 * The log port failed. `out_of_range`: the offset asked for is not held (retention, or a log made anew).
 * `too_large`: a record is longer than the port takes. `newer_format`: written by a newer program.
 * `mismatch`: the log is not the one that was opened or configured (made anew, another number of partitions).
 */
export class LogError extends IsobarError<
  "unavailable" | "out_of_range" | "full" | "damaged" | "newer_format" | "too_large" | "closed" | "mismatch"
> {
  /** Of `unavailable`: nobody answered, or not yet, so waiting may help. It was no refusal. */
  readonly away: boolean;

  constructor(
    code: LogError["code"],
    message: string,
    options: { cause?: unknown; hint?: string; away?: boolean } = {},
  ) {
    super(code, message, options);
    this.away = options.away ?? false;
  }
}

/**
 * The lake port failed. `exists`: create-if-absent found the name taken. `unclear`: the answer was lost, so the effect
 * may or may not have happened. `no_hard_links`: the folder's file system cannot keep the commit protocol.
 */
export class LakeError extends IsobarError<
  "unavailable" | "missing" | "exists" | "unclear" | "full" | "unwritable" | "bad_path" | "no_hard_links"
> {}

/**
 * The chain of commits refuses to go on. `damaged`: an entry or a file is missing or not what its checksum says.
 * `fenced`: another writer claimed the partition. `newer_format`: written by a newer program.
 * `mismatch`: the log is not the one the lake was filled from. `retention`: the log lost what the lake needs next.
 */
export class CommitError extends IsobarError<
  "damaged" | "fenced" | "newer_format" | "mismatch" | "retention"
> {}

/** The engine port failed: `bad_query` is the query's own fault, `cancelled` was asked for, `not_shared` an engine
 * elsewhere that does not see this machine's folder. */
export class EngineError extends IsobarError<
  "bad_query" | "cancelled" | "unavailable" | "out_of_memory" | "not_shared"
> {}

/** A weather source failed. `unauthorized` needs a person; the other errors may be transient. */
export class SourceError extends IsobarError<
  "unauthorized" | "rate_limited" | "unavailable" | "bad_response" | "not_found" | "bad_file"
> {}

/** A message could not be delivered. `refused`: the address is not allowed, or the receiver rejected the message. */
export class DeliveryError extends IsobarError<"refused" | "unavailable"> {}

/** A request is wrong: the named parameter, its value, and what was wanted. Becomes a 4xx. */
export class RequestError extends IsobarError<
  | "bad_parameter"
  | "unknown_parameter"
  | "unauthorized"
  | "not_found"
  | "not_acceptable"
  | "forbidden"
  | "conflict"
  | "too_large"
  | "unsupported_media_type"
> {}

/** The message of whatever was thrown, for a log line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of whatever was thrown (Node's `ENOENT`, ours, …), or undefined. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error === "object" && error !== null && "code" in error && typeof error.code === "string")
    return error.code;
  return undefined;
}
