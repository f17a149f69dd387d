import { describe, expect, it } from "vitest";
import { parseBytes, showBytes } from "./byte-size.ts";

describe("parseBytes", () => {
  it.each([
    ["0", 0],
    ["1500000", 1_500_000],
    ["1.5MB", 1_500_000],
    ["2 GiB", 2 ** 31],
    ["10kb", 10_000],
    ["1.5b", 2],
  ])("reads %s", (text, bytes) => expect(parseBytes(text)).toBe(bytes));
  it.each(["", "MB", "-1", "1 TB", "1e6", "1.5.2MB"])('refuses "%s"', (text) => expect(parseBytes(text)).toBeNaN());
});

describe("showBytes", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1234, "1.23 kB"],
    [999_499, "999 kB"],
    [999_500, "1.00 MB"],
    [52_130_000, "52.1 MB"],
    [99_949_999, "99.9 MB"],
    [99_950_000, "100 MB"],
    [47_861_800_000, "47.9 GB"],
    [789_481_100_000, "789 GB"],
  ])("shows %i in three digits", (bytes, text) => expect(showBytes(bytes)).toBe(text));
});
