import { expect, it } from "vitest";
import { createStore } from "./store.js";

it("keeps values by path, lists children and removes whole branches", () => {
  const store = createStore();
  expect(store.write({ "/local/domain/1/name": "a", "/local/domain/1/vm": "/vm/x", "/local/domain/12/name": "b" })).toBe(true);
  expect(store.read("/local/domain/1/name")).toBe("a");
  expect(store.read("/local/domain/1")).toBeNull();
  expect(store.list("/local/domain")).toEqual(["1", "12"]);
  expect(store.list("/")).toEqual(["local"]);
  store.write({ "/local/domain/1": null });
  expect(store.read("/local/domain/1/vm")).toBeNull();
  expect(store.list("/local/domain")).toEqual(["12"]);
});

it.each(["", "/", "relative", "/a//b", "/a/", "/a\0b"])("refuses the path %j and then writes nothing", (path) => {
  const store = createStore();
  expect(store.write({ "/good": "1", [path]: "2" })).toBe(false);
  expect(store.read("/good")).toBeNull();
});
