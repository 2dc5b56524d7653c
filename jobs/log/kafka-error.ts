import { LogError, codeOf } from "../../core/errors.ts";

/** What failed in kafkajs, as the log port says it. */
export function kafkaLogError(error: unknown, action: string): LogError {
  if (error instanceof LogError) return error;
  const causes = causesOf(error);
  const root = causes.at(-1) ?? error;
  const make = (code: LogError["code"], hint: string, away = false) =>
    new LogError(code, `${action}: ${root instanceof Error ? root.message : String(root)}`, {
      cause: error,
      hint,
      away,
    });
  const type = causes.map(kafkaErrorType).find((found) => found !== "") ?? "";
  if (type === "MESSAGE_TOO_LARGE" || type === "RECORD_LIST_TOO_LARGE")
    return make("too_large", "Raise max.message.bytes of the topic.");
  if (type === "OFFSET_OUT_OF_RANGE") return make("out_of_range", "The log no longer holds that offset.");
  if (type.endsWith("AUTHORIZATION_FAILED"))
    return make("unavailable", "The user lacks a right on the topic, the group or the cluster.");
  if (/SASL/.test(type) || causes.some(({ name }) => /SASL/.test(name)))
    return make("unavailable", "The user name, the password or the SASL mechanism is wrong.");
  if (causes.some(isOfTls))
    return make(
      "unavailable",
      "Check the authority (CA), the client certificate, and the host name it is for.",
    );
  return make("unavailable", "Is Kafka running, and are its addresses right?", true);
}

/** Whether Kafka did not answer, or not yet: no refusal, no wrong certificate. Waiting may help. */
export function isKafkaAway(error: unknown): boolean {
  return error instanceof LogError && error.away;
}

/** Whether an error is Kafka's refusal of this client: it does not go away by trying again. */
export function isKafkaRefusal(error: unknown): boolean {
  return causesOf(error).some(
    (cause) =>
      cause.name === "KafkaJSSASLAuthenticationError" ||
      kafkaErrorType(cause).endsWith("AUTHORIZATION_FAILED"),
  );
}

/** Kafka's own name of an error: `NOT_LEADER_FOR_PARTITION`; empty for any other. */
export function kafkaErrorType(error: unknown): string {
  return error instanceof Error && "type" in error && typeof error.type === "string" ? error.type : "";
}

/** An error, its cause, the cause of that, and so on. */
function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let at = error; at instanceof Error && causes.length < 5; at = at.cause) causes.push(at);
  return causes;
}

/**
 * Whether TLS did not come about. Most such errors have a code (`ERR_TLS_CERT_ALTNAME_INVALID`). A server that speaks no TLS
 * has the code of any connection that breaks (`ECONNRESET`): only the message tells it.
 */
function isOfTls(error: Error): boolean {
  return /certificate|TLS|SSL|UNABLE_TO/i.test(`${codeOf(error) ?? ""} ${error.message}`);
}
