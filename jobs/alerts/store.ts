import { Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { type AlertRule, type AlertRuleJson, parseAlertRule, ruleJson } from "../../core/alert-rule.ts";
import { ConfigError } from "../../core/errors.ts";
import { DAY_MS, formatTimestamp } from "../../core/time.ts";
import type { ActiveAlert, AlertChange, Track } from "./state-machine.ts";
import type { AlertMessage, KeptMessage } from "../../core/alert-message.ts";

/** Format of the file, in its `user_version`. A newer one is refused. */
const FORMAT = 1;
/** Retention of messages that were sent or given up, ms. */
const KEPT_MS = 90 * DAY_MS;
/** Retention of the state of a source that no longer reports, ms. */
const TRACK_MS = 30 * DAY_MS;

/** A message for one channel. */
export interface NewMessage {
  channel: string;
  message: AlertMessage;
}

/** A message that is not delivered yet. */
export interface WaitingMessage extends NewMessage {
  /** Number of failed tries. */
  tries: number;
  /** When it was made, ms. */
  madeMs: number;
}

interface MessageRow {
  id: string;
  channel: string;
  message: string;
  state: KeptMessage["state"];
  tries: number;
  made: number;
  sent: number | null;
  next: number | null;
  error: string | null;
}

/**
 * The durable state of the alerts, in one SQLite file for each data set: rules made on the page, active alerts, and messages.
 * A change of an alert and its messages are one transaction (a transactional outbox). After a kill both are stored or
 * neither; if neither, the same reports cause them again.
 */
export class AlertStore {
  readonly #db: Database;

  /**
   * @param path of the file; made with its folder when it is not there
   * @throws ConfigError `bad_setting` when a newer program wrote it
   */
  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true });
    this.#db = new Database(path, { create: true, readwrite: true, strict: true });
    try {
      this.#prepare(path);
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  #prepare(path: string): void {
    const db = this.#db;
    db.run("PRAGMA busy_timeout = 2000");
    db.run("PRAGMA journal_mode = WAL");
    db.run("PRAGMA synchronous = FULL"); // a stored message must survive a power loss
    const format = db.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version ?? 0;
    if (format > FORMAT) {
      throw new ConfigError(
        "bad_setting",
        `Cannot open the alerts ${path}: their format is ${format}, wanted at most ${FORMAT}`,
        { hint: "A newer program wrote them: use that one, or move the file away." },
      );
    }
    db.transaction(() => {
      db.run("CREATE TABLE IF NOT EXISTS rules (id TEXT PRIMARY KEY, rule TEXT NOT NULL) STRICT");
      db.run(
        "CREATE TABLE IF NOT EXISTS tracks (rule TEXT, city TEXT, source TEXT, since REAL, last REAL NOT NULL, " +
          "PRIMARY KEY (rule, city, source)) WITHOUT ROWID, STRICT",
      );
      db.run(
        "CREATE TABLE IF NOT EXISTS active (rule TEXT, city TEXT, alert TEXT NOT NULL, definition TEXT NOT NULL, " +
          "PRIMARY KEY (rule, city)) WITHOUT ROWID, STRICT",
      );
      db.run(
        "CREATE TABLE IF NOT EXISTS messages (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, " +
          "channel TEXT NOT NULL, thread TEXT NOT NULL, message TEXT NOT NULL, state TEXT NOT NULL, " +
          "tries INTEGER NOT NULL, made REAL NOT NULL, sent REAL, next REAL, error TEXT) STRICT",
      );
      db.run(
        "CREATE INDEX IF NOT EXISTS waiting ON messages (channel, thread, number) WHERE state = 'waiting'",
      );
      db.run(`PRAGMA user_version = ${FORMAT}`);
    }).immediate();
  }

  /**
   * The rules made on the page, sorted by name.
   *
   * @param channels the configured channels: channels of a rule that no longer exist are left out
   */
  rules(channels: readonly { name: string }[]): AlertRule[] {
    return this.#db
      .query<{ id: string; rule: string }, []>("SELECT id, rule FROM rules ORDER BY rule, id")
      .all()
      .map(({ id, rule }) => {
        const json = JSON.parse(rule) as AlertRuleJson;
        const known = json.channels.map((name) => ({ name })); // the channels were checked when the rule was made
        const parsed = parseAlertRule(json, known);
        const left = parsed.channels.filter((name) => channels.some((channel) => channel.name === name));
        return { ...parsed, channels: left, id, origin: "page" };
      });
  }

  /** Stores a rule made on the page. */
  addRule(rule: AlertRule): void {
    const text = JSON.stringify(ruleJson(rule));
    this.#db.query("INSERT INTO rules (id, rule) VALUES (?, ?)").run(rule.id, text);
  }

  /** The saved state for a new evaluation. Deletes state older than 30 days. */
  saved(now: number): { tracks: Track[]; alerts: ActiveAlert[] } {
    this.#db.query("DELETE FROM tracks WHERE last < ?").run(now - TRACK_MS);
    const tracks = this.#db.query<Track, []>("SELECT rule, city, source, since, last FROM tracks").all();
    return { tracks, alerts: this.alerts().map(({ alert }) => alert) };
  }

  /** The active alerts with their rules as they were when they were raised, the newest first. */
  alerts(): { alert: ActiveAlert; rule: AlertRule }[] {
    return this.#db
      .query<{ alert: string; definition: string }, []>("SELECT alert, definition FROM active")
      .all()
      .map(({ alert, definition }) => ({
        alert: JSON.parse(alert) as ActiveAlert,
        rule: JSON.parse(definition) as AlertRule,
      }))
      .sort((a, b) => b.alert.at - a.alert.at);
  }

  /** Stores the changes of an evaluation with their messages in one transaction. */
  keep(
    changes: {
      tracks?: readonly Track[];
      /** In the order in which they happened: one batch may raise an alert and end it. */
      alerts?: readonly Pick<AlertChange, "type" | "alert" | "rule">[];
      /** Ids of rules that no longer exist: their state is deleted. */
      forgotten?: readonly string[];
      messages?: readonly NewMessage[];
    },
    now: number,
  ): void {
    const { tracks = [], alerts = [], forgotten = [], messages = [] } = changes;
    const db = this.#db;
    db.transaction(() => {
      for (const { rule, city, source, since, last } of tracks) {
        db.query("INSERT OR REPLACE INTO tracks VALUES (?, ?, ?, ?, ?)").run(rule, city, source, since, last);
      }
      for (const { type, alert, rule } of alerts) {
        const { rule: id, city } = alert;
        if (type === "recovered") {
          db.query("DELETE FROM active WHERE rule = ? AND city = ?").run(id, city);
        } else {
          const [text, definition] = [JSON.stringify(alert), JSON.stringify(rule)];
          db.query("INSERT OR REPLACE INTO active VALUES (?, ?, ?, ?)").run(id, city, text, definition);
        }
      }
      for (const rule of forgotten) {
        db.query("DELETE FROM rules WHERE id = ?").run(rule);
        db.query("DELETE FROM tracks WHERE rule = ?").run(rule);
        db.query("DELETE FROM active WHERE rule = ?").run(rule);
      }
      for (const { channel, message } of messages) {
        const thread = message.alert_id ?? message.id;
        db.query(
          "INSERT INTO messages (id, channel, thread, message, state, tries, made, next) VALUES (?, ?, ?, ?, 'waiting', 0, ?, ?)",
        ).run(message.id, channel, thread, JSON.stringify(message), now, now);
      }
      if (messages.length > 0) {
        db.query("DELETE FROM messages WHERE state <> 'waiting' AND made < ?").run(now - KEPT_MS);
      }
    }).immediate();
  }

  /**
   * The due messages of a channel, the oldest first. A recovery is due only after its alert was sent or given up.
   */
  due(channel: string, now: number, options: { testsOnly: boolean; limit: number }): WaitingMessage[] {
    return this.#db
      .query<Pick<MessageRow, "message" | "tries" | "made">, [string, number, number, number]>(
        `SELECT message, tries, made FROM messages AS m
        WHERE state = 'waiting' AND channel = ? AND next <= ? AND (? = 0 OR message ->> 'type' = 'test') AND NOT EXISTS (
          SELECT 1 FROM messages AS b
          WHERE b.state = 'waiting' AND b.channel = m.channel AND b.thread = m.thread AND b.number < m.number
        )
        ORDER BY number LIMIT ?`,
      )
      .all(channel, now, options.testsOnly ? 1 : 0, options.limit)
      .map(({ message, tries, made }) => ({
        channel,
        message: JSON.parse(message) as AlertMessage,
        tries,
        madeMs: made,
      }));
  }

  /** Time of a channel's first try after `after`, ms; null if there is none. */
  nextDue(channel: string, after: number): number | null {
    const sql = "SELECT min(next) AS next FROM messages WHERE state = 'waiting' AND channel = ? AND next > ?";
    return this.#db.query<{ next: number | null }, [string, number]>(sql).get(channel, after)?.next ?? null;
  }

  /** Marks a message as delivered. */
  sent(id: string, now: number): void {
    this.#db
      .query(
        "UPDATE messages SET state = 'sent', tries = tries + 1, sent = ?, next = NULL, error = NULL WHERE id = ?",
      )
      .run(now, id);
  }

  /** Records a failed try. @param next time of the next try, ms; null to give the message up */
  failed(id: string, error: string, next: number | null): void {
    this.#db
      .query("UPDATE messages SET state = ?, tries = tries + 1, next = ?, error = ? WHERE id = ?")
      .run(next === null ? "failed" : "waiting", next, error, id);
  }

  /** Gives up the waiting messages of channels that no longer exist. */
  giveUpWithout(channels: readonly string[]): void {
    this.#db
      .query(
        "UPDATE messages SET state = 'failed', next = NULL, error = 'There is no channel of this name any more' " +
          "WHERE state = 'waiting' AND channel NOT IN (SELECT value FROM json_each(?))",
      )
      .run(JSON.stringify(channels));
  }

  /** Messages, the newest first. */
  messages(limit: number): KeptMessage[] {
    return this.#db
      .query<MessageRow, [number]>("SELECT * FROM messages ORDER BY number DESC LIMIT ?")
      .all(limit)
      .map(({ id, channel, message, state, tries, made, sent, next, error }) => {
        const { type, rule, city, text } = JSON.parse(message) as AlertMessage;
        return {
          id,
          channel,
          type,
          rule,
          city,
          text,
          state,
          tries,
          made_at: formatTimestamp(made),
          sent_at: sent === null ? null : formatTimestamp(sent),
          next_try_at: next === null ? null : formatTimestamp(next),
          error,
        };
      });
  }

  /** Closes the file. */
  close(): void {
    this.#db.close();
  }
}
