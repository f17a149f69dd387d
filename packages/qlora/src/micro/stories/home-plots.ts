// Plots about people at home and in the town. Each function is one plot.
import { choose } from "../draw.ts";
import { capital, withArticle } from "../fact.ts";
import { CAPITALS } from "../world/places.ts";
import { COLOURS } from "../world/things.ts";
import { happyEnd, opening, type Plot, twoPeople } from "./cast.ts";

const TOYS = ["ball", "kite", "doll", "hat", "book", "drum", "boat", "car", "bike", "key"];
const SPOTS = [
  "under the bed",
  "behind the door",
  "in the garden",
  "under a tree",
  "in the kitchen",
  "on the table",
  "in a bag",
  "by the river",
];
const DISHES = ["soup", "a cake", "bread", "a pizza", "a pie"];
const VEHICLES = ["train", "bus", "car", "boat", "bike"];

/** Something is lost, a friend finds it. */
export const lost: Plot = (draw) => {
  const [who, friend] = twoPeople(draw);
  const toy = choose(draw, TOYS);
  const colour = choose(draw, COLOURS);
  const spot = choose(draw, SPOTS);
  return {
    about: [who.name, withArticle(toy)],
    sentences: [
      opening(draw, who),
      `${capital(who.he)} had ${withArticle(colour)} ${toy}.`,
      choose(draw, [`One day the ${toy} was gone.`, `One day ${who.he} could not find the ${toy}.`]),
      choose(draw, [`${who.name} was very sad.`, `${who.name} looked for it all day.`]),
      `Then ${friend.name} found the ${toy} ${spot}.`,
      choose(draw, [`"Thank you, ${friend.name}!" said ${who.name}.`, happyEnd(draw, who)]),
    ],
    asks: [
      [`Who found the ${toy}?`, `${friend.name} found the ${toy}`],
      [`What colour was the ${toy}?`, `the ${toy} was ${colour}`],
      [`Where was the ${toy}?`, `the ${toy} was ${spot}`],
    ],
  };
};

/** A present for a friend. */
export const present: Plot = (draw) => {
  const [who, friend] = twoPeople(draw);
  const toy = choose(draw, TOYS);
  const colour = choose(draw, COLOURS);
  return {
    about: [who.name, "a birthday"],
    sentences: [
      choose(draw, [`It was the birthday of ${friend.name}.`, `Today was a big day for ${friend.name}.`]),
      `${who.name} went to the shop and looked for a present.`,
      `${capital(who.he)} found ${withArticle(colour)} ${toy}.`,
      choose(draw, [`${who.name} gave the ${toy} to ${friend.name}.`, `"This is for you," said ${who.name}.`]),
      choose(draw, [`${friend.name} loved it and they played all day.`, `"I love it!" said ${friend.name}.`]),
    ],
    asks: [
      [`Who gave the present?`, `${who.name} gave the present`],
      [`What was the present?`, `the present was ${withArticle(colour)} ${toy}`],
    ],
  };
};

/** Two friends cook. */
export const cooking: Plot = (draw) => {
  const [who, friend] = twoPeople(draw);
  const dish = choose(draw, DISHES);
  return {
    about: [who.name, dish],
    sentences: [
      choose(draw, [`${who.name} was hungry.`, `${opening(draw, who)} One day ${who.he} was hungry.`]),
      choose(draw, [
        `"Let us make ${dish}," said ${who.name} to ${friend.name}.`,
        `${who.name} wanted to make ${dish} with ${friend.name}.`,
      ]),
      choose(draw, [
        `They went to the kitchen and found a big pot.`,
        `${friend.name} washed ${friend.his} hands and ${who.name} found a spoon.`,
      ]),
      choose(draw, [`Soon the house was warm and the food was ready.`, `They worked for an hour.`]),
      choose(draw, [`It was very good.`, `They ate it all and laughed.`]),
    ],
    asks: [
      [`What did they make?`, `they made ${dish}`],
      [`Who was hungry?`, `${who.name} was hungry`],
    ],
  };
};

/** A trip to a city. */
export const trip: Plot = (draw) => {
  const [who, friend] = twoPeople(draw);
  const [, city] = choose(draw, CAPITALS);
  const vehicle = choose(draw, VEHICLES);
  return {
    about: [who.name, city],
    sentences: [
      `${who.name} wanted to see ${city}.`,
      `So ${who.he} went there by ${vehicle} with ${friend.name}.`,
      choose(draw, [`The way was long, but the sun was warm.`, `It was a long way and they sang songs.`]),
      choose(draw, [`In ${city} they saw a big old house and a river.`, `In ${city} they ate cake and looked at the ships.`]),
      choose(draw, [`"I want to come back," said ${friend.name}.`, `At night they came home and slept well.`]),
    ],
    asks: [
      [`Which city did they see?`, `they saw ${city}`],
      [`Who went with ${who.name}?`, `${friend.name} went with ${who.name}`],
      [`How did they go there?`, `they went there by ${vehicle}`],
    ],
  };
};

/** A toy breaks and is made whole. */
export const broken: Plot = (draw) => {
  const [who, friend] = twoPeople(draw);
  const toy = choose(draw, TOYS);
  return {
    about: [who.name, withArticle(toy)],
    sentences: [
      opening(draw, who),
      choose(draw, [`One day ${who.his} ${toy} was broken.`, `One day ${who.he} fell and the ${toy} was broken.`]),
      choose(draw, [`"Do not be sad," said ${friend.name}. "I can help you."`, `${friend.name} saw it and wanted to help.`]),
      choose(draw, [`${capital(friend.he)} worked with a hammer and some wood.`, `${capital(friend.he)} worked for an hour.`]),
      choose(draw, [`Soon the ${toy} was as good as new.`, `Then the ${toy} was good again.`]),
      happyEnd(draw, who),
    ],
    asks: [
      [`What was broken?`, `the ${toy} was broken`],
      [`Who wanted to help?`, `${friend.name} wanted to help`],
    ],
  };
};

/** It rains, and they stay in. */
export const rain: Plot = (draw) => {
  const [who, friend] = twoPeople(draw);
  const game = choose(draw, ["painted pictures", "read a book", "made a boat of paper", "sang songs", "played with a ball"]);
  return {
    about: [who.name, "the rain"],
    sentences: [
      choose(draw, [`It was a cold and wet day.`, `The sky was grey and the rain was loud.`]),
      `${who.name} wanted to play in the garden, but it was too wet.`,
      `So ${who.he} went to see ${friend.name}.`,
      `They ${game} all day.`,
      choose(draw, [`In the evening the sun came out.`, `"I like the rain," said ${who.name}.`, happyEnd(draw, who)]),
    ],
    asks: [
      [`What did they do?`, `they ${game}`],
      [`Who wanted to play in the garden?`, `${who.name} wanted to play in the garden`],
    ],
  };
};
