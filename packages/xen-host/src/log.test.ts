import { expect, it } from "vitest";
import { createLog } from "./log.js";

it("writes its own level and those above it, with time and level in front", () => {
  let text = "";
  const log = createLog(
    "warn",
    (line) => (text += line),
    () => new Date(0),
  );
  log.error("a");
  log.warn("b");
  log.info("c");
  log.debug("d");
  expect(text).toBe("1970-01-01T00:00:00.000Z error a\n1970-01-01T00:00:00.000Z warn  b\n");
});
