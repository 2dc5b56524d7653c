import { beforeEach, describe, expect, test } from "bun:test";
import { LakeError } from "../../../core/errors.ts";
import { FakeServices } from "../../support/fake-services.ts";
import { pageApp, type PageApp, wordsOf } from "../../support/page-app.ts";

let services: FakeServices;
let app: PageApp;
beforeEach(async () => {
  services = new FakeServices();
  app = await pageApp(services);
});

describe("GET /pipeline", () => {
  test("shows rejected records with their reasons, escaped, and where servers have pages", async () => {
    services.rejectedList = [
      { partition: 0, offset: 7, reason: "city is <b>", ingested_at: "2026-01-31T11:00:00Z", record: "<i>x" },
    ];
    app = await pageApp(services, { servers: [{ name: "HDFS NameNode n1:9870", href: "http://n1:9870/" }] });
    const html = await app.text("/pipeline");
    expect(wordsOf(html)).toContain("Sat 31 Jan, 11:00 UTC 0 : 7 city is <b>");
    expect(html).toContain(`<a href="http://n1:9870/">HDFS NameNode n1:9870</a>`);
    expect(html).not.toContain("<i>x");
  });

  test("says that rejected records cannot be read, and shows the rest", async () => {
    services.rejected = () => Promise.reject(new LakeError("unavailable", "Cannot read /secret"));
    const html = await app.text("/pipeline");
    expect(html).toContain("Rejected records cannot be read now.");
    expect(html).toContain("Every stage keeps up");
    expect(html).not.toContain("/secret");
    expect(app.lines[0]).toContain("/secret");
  });
});
