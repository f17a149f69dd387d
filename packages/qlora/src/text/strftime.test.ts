import { expect, it } from "vitest";
import { strftime } from "./strftime.ts";

const date = new Date(Date.UTC(2024, 6, 6, 5, 4, 3));

it.each([
  ["%d %b %Y", "06 Jul 2024"],
  ["%A, %B %d, %y", "Saturday, July 06, 24"],
  ["%a %m/%d %H:%M:%S", "Sat 07/06 05:04:03"],
  ["100 %% %Q", "100 % %Q"],
])("formats %s as %s", (format, text) => {
  expect(strftime(date, format)).toBe(text);
});
