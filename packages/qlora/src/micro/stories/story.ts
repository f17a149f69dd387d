// All plots, and the choice between them.
import { choose } from "../draw.ts";
import type { Below } from "../fact.ts";
import type { Plot, Story } from "./cast.ts";
import { broken, cooking, lost, present, rain, trip } from "./home-plots.ts";
import { away, garden, lonely, night, race, sharing, treasure } from "./wild-plots.ts";

const PLOTS: readonly Plot[] = [lost, present, cooking, trip, broken, rain, lonely, sharing, race, night, garden, treasure, away];

/** A little story of five or six sentences in which names and things stay the same. */
export function tellStory(draw: Below): Story {
  return choose(draw, PLOTS)(draw);
}

/** The story as one line of text. */
export function storyText({ sentences }: Story): string {
  return sentences.join(" ");
}
