// The page as a person uses it: what can be clicked, and what can be read. Everything that goes wrong in it is collected.
import type { Browser, Page } from "playwright-core";
import { expect } from "vitest";

export interface PageOptions {
  /** What stands after # in the address. */
  readonly settings: string;
  readonly width?: number;
  /** Before it loads. */
  readonly prepare?: (lesson: LessonPage) => Promise<void>;
}

export class LessonPage {
  /** Errors on the console, uncaught errors, and requests to anywhere else. */
  readonly troubles: string[] = [];
  /** Files that page and workers loaded, by their path from the page's address. */
  readonly files = new Set<string>();

  private constructor(
    readonly page: Page,
    readonly address: string,
  ) {}

  static async open(browser: Browser, address: string, { settings, width = 1280, prepare }: PageOptions): Promise<LessonPage> {
    const page = await browser.newPage({ viewport: { width, height: 800 } });
    const lesson = new LessonPage(page, address);
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") lesson.troubles.push(message.text());
    });
    page.on("pageerror", (error) => lesson.troubles.push(String(error)));
    page.on("request", (request) => {
      const url = request.url().replace(/#.*/, "");
      if (url.startsWith(address)) lesson.files.add(url.slice(address.length) || "index.html");
      else if (!/^(data|blob):/.test(url)) lesson.troubles.push(`asked for ${url}`);
    });
    await prepare?.(lesson);
    await page.goto(`${address}#${settings}`);
    return lesson;
  }

  /** Waits until the page is in one of these states; says what the page says if it is not. */
  async state(...states: readonly string[]): Promise<void> {
    const arrived = this.page.waitForFunction((wanted) => wanted.includes(document.body.dataset.state ?? ""), states, { timeout: 240_000 });
    await arrived.catch(async () => expect.fail(`never ${states.join(" or ")}: ${await this.text("#status")} ${this.troubles.join("\n")}`));
  }

  async pausedAfter(step: number): Promise<void> {
    const paused = (wanted: string) => document.getElementById("status")!.textContent!.startsWith(wanted);
    await this.page.waitForFunction(paused, `Paused after step ${step}`, { timeout: 240_000 });
  }

  async text(selector: string): Promise<string> {
    return ((await this.page.locator(selector).textContent()) ?? "").trim();
  }

  /** Rows of the answers: question, before, now. */
  async answers(): Promise<string[][]> {
    const rows = await this.page.locator("#answers tr").all();
    return Promise.all(rows.map((row) => row.locator("th, td").allInnerTexts()));
  }

  /** Validation losses as they are shown. */
  async validation(): Promise<number[]> {
    return (await this.text("#validation")).split(" → ").map(Number);
  }

  async steps(): Promise<number> {
    return this.page.locator("#progress").evaluate((progress) => (progress as HTMLProgressElement).value);
  }

  async points(): Promise<string[]> {
    return ((await this.page.locator("#plot polyline").getAttribute("points")) ?? "").split(" ").filter(Boolean);
  }

  /** Training losses, read off the curve. */
  async losses(): Promise<number[]> {
    const points = await this.points();
    const top = Math.max(...(await this.page.locator(".tick-y").allTextContents()).map(Number));
    return points.map((point) => (top * (100 - Number(point.split(",")[1]))) / 100);
  }

  async close(): Promise<void> {
    await this.page.close();
    expect(this.troubles).toEqual([]);
  }
}
