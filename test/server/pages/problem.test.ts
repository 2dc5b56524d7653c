import { expect, test } from "bun:test";
import { buildAssets } from "../../../server/pages/frame/assets.ts";
import { problemPage } from "../../../server/pages/problem.tsx";
import { FakeClock } from "../../support/fake-clock.ts";
import { FakeServices, NOW } from "../../support/fake-services.ts";
import { forbiddenIn } from "../../support/page-app.ts";

test("problemPage() shows a problem inside the frame, escaped", async () => {
  const page = problemPage({
    services: new FakeServices(),
    assets: await buildAssets(),
    clock: new FakeClock(NOW),
  });
  const html = await page({
    status: 404,
    code: "not_found",
    message: `There is nothing at "<script>alert("1")</script>"`,
  });
  expect(html).toContain("Nothing is here");
  expect(html).not.toContain("<script>");
  expect(forbiddenIn(html)).toEqual([]);
});
