import { expect, it, vi } from "vitest";
import { main } from "./index.js";

it("the example of the README runs and prints what it says", async () => {
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const code = await main(["help", "resume"]);
  const text = write.mock.calls.map(([chunk]) => String(chunk)).join("");
  write.mockRestore();
  expect(code).toBe(0);
  expect(text).toMatch(/^Usage: xl \[-vtTf\] resume <Domain>\n/);
});
