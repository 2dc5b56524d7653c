/** A rejected record (dead letter): it could not be read, and the lake keeps it with the reason. */
export interface RejectedRecord {
  partition: number;
  offset: number;
  /** The field, its value, and what was expected. */
  reason: string;
  /** When the log took it, ISO 8601 UTC. */
  ingested_at: string;
  /** The beginning of the record's text. */
  record: string;
}
