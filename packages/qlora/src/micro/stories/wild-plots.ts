// Plots about animals, gardens, the night and the sea. Each function is one plot.
import { choose } from "../draw.ts";
import { capital, withArticle } from "../fact.ts";
import { animal, happyEnd, onePerson, opening, type Plot } from "./cast.ts";

const SMALL = ["cat", "dog", "frog", "bird", "mouse", "rabbit", "duck", "hen", "goat"];
const BIG = ["bear", "lion", "wolf", "fox", "horse", "cow", "owl"];
const PLACES = ["forest", "garden", "field", "jungle"];
const FOODS = ["nuts", "bread", "cheese", "apples", "carrots", "honey"];
const PLANTS = ["rose", "tulip", "tree", "pumpkin", "carrot"];

/** A small animal has no friends, and finds one. */
export const lonely: Plot = (draw) => {
  const small = animal(draw, SMALL);
  const big = choose(draw, BIG);
  const place = choose(draw, PLACES);
  return {
    about: [withArticle(small.kind), withArticle(big)],
    sentences: [
      opening(draw, small),
      choose(draw, [`${capital(small.he)} had no friends and was sad.`, `${capital(small.he)} lived in the ${place} and had no friends.`]),
      `One day ${small.name} saw ${withArticle(big)} by the river.`,
      choose(draw, [`"Do you want to play?" said the ${big}.`, `"I have no friends," said the ${big}.`]),
      choose(draw, [`They played all day in the ${place}.`, `They ran and laughed all day.`]),
      `Now ${small.name} and the ${big} are good friends.`,
    ],
    asks: [
      [`Who is the friend of ${small.name}?`, `the ${big} is the friend of ${small.name}`],
      [`What kind of animal is ${small.name}?`, `${small.name} is ${withArticle(small.kind)}`],
    ],
  };
};

/** One has food, one is hungry. */
export const sharing: Plot = (draw) => {
  const small = animal(draw, SMALL);
  const big = choose(draw, BIG);
  const food = choose(draw, FOODS);
  return {
    about: [withArticle(small.kind), withArticle(big)],
    sentences: [
      opening(draw, small),
      `${capital(small.he)} had a bag of ${food}.`,
      `On the way ${small.he} saw a hungry ${big}.`,
      choose(draw, [`"Please help me," said the ${big}. "I am so hungry."`, `The ${big} had not eaten all day.`]),
      `${small.name} gave the ${big} some ${food}.`,
      choose(draw, [`"Thank you," said the ${big}. "You are a good friend."`, `They sat down and ate.`]),
    ],
    asks: [
      [`Who was hungry?`, `the ${big} was hungry`],
      [`Who had a bag of ${food}?`, `${small.name} had a bag of ${food}`],
    ],
  };
};

/** Two animals run; the one who does not stop wins. */
export const race: Plot = (draw) => {
  const fast = choose(draw, ["horse", "dog", "fox", "rabbit"]);
  const slow = choose(draw, ["duck", "frog", "cow", "mouse"]);
  return {
    about: ["a race", withArticle(fast), withArticle(slow)],
    sentences: [
      `One day a ${fast} and a ${slow} had a race.`,
      choose(draw, [`The ${fast} was fast and the ${slow} was slow.`, `"I am faster than you," said the ${fast}.`]),
      choose(draw, [`But the ${fast} stopped to eat.`, `But the ${fast} sat down and slept.`]),
      choose(draw, [`The ${slow} did not stop.`, `The ${slow} went on and on.`]),
      `So the ${slow} came first.`,
      choose(draw, [`The ${fast} was very sad.`, `"You are good!" said the ${fast}.`]),
    ],
    asks: [[`Who came first?`, `the ${slow} came first`]],
  };
};

/** A sound in the night. */
export const night: Plot = (draw) => {
  const who = onePerson(draw);
  const visitor = animal(draw, ["cat", "dog", "mouse", "owl", "bird"]);
  return {
    about: ["a ghost", "the night", who.name],
    sentences: [
      `It was night and ${who.name} was in bed.`,
      choose(draw, [`Then ${who.he} heard a loud noise.`, `There was a noise behind the door.`]),
      choose(draw, [`"Is it a ghost?" said ${who.name}.`, `${who.name} was afraid.`]),
      `${capital(who.he)} took a lamp and opened the door.`,
      `It was only ${visitor.name} the ${visitor.kind}.`,
      choose(draw, [`${who.name} laughed and went back to bed.`, `"You can sleep here," said ${who.name}.`]),
    ],
    asks: [
      [`Who made the noise?`, `${visitor.name} the ${visitor.kind} made the noise`],
      [`What did ${who.name} take?`, `${who.name} took a lamp`],
    ],
  };
};

/** Something grows. */
export const garden: Plot = (draw) => {
  const who = onePerson(draw);
  const plant = choose(draw, PLANTS);
  return {
    about: ["a garden", who.name, withArticle(plant)],
    sentences: [
      opening(draw, who),
      `In spring ${who.he} planted a small seed in the garden.`,
      choose(draw, [`Every day ${who.he} gave it water.`, `The sun was warm and the rain was soft.`]),
      choose(draw, [`The plant was small at first, but it grew and grew.`, `Soon there was a little green leaf.`]),
      `In summer it was a big ${plant}.`,
      happyEnd(draw, who),
    ],
    asks: [
      [`What did ${who.name} plant?`, `${who.name} planted a small seed`],
      [`What was it in summer?`, `in summer it was a big ${plant}`],
    ],
  };
};

/** A captain, a ship, and gold. The only place where a pirate speaks, so that the words of the demo are known. */
export const treasure: Plot = (draw) => {
  const who = onePerson(draw);
  const captain = choose(draw, ["an old captain", "a pirate", "a captain"]);
  const find = choose(draw, ["a lot of gold", "an old key", "a map", "a coin"]);
  return {
    about: ["a ship", "a pirate", "the sea"],
    sentences: [
      `${who.name} was on a ship with ${captain}.`,
      choose(draw, [`"Do you want to be a pirate?" said the captain.`, `They looked for gold in the sea.`]),
      choose(draw, [`"Aye!" said ${who.name}.`, `The wind was strong and the ship was fast.`]),
      `On the third day they found a box.`,
      `In the box there was ${find}.`,
      choose(draw, [
        `"Arr! We be rich," said the captain.`,
        `"Arr, good work, matey!" said the captain.`,
        `"Thank ye, matey," said the captain.`,
        `They laughed and sang all night.`,
      ]),
    ],
    asks: [[`What was in the box?`, `there was ${find} in the box`]],
  };
};

/** A pet runs away and comes back. */
export const away: Plot = (draw) => {
  const who = onePerson(draw);
  const pet = animal(draw, SMALL);
  const place = choose(draw, PLACES);
  return {
    about: [withArticle(pet.kind), who.name],
    sentences: [
      `${who.name} had a ${pet.kind} called ${pet.name}.`,
      choose(draw, [`One day the door was open and ${pet.name} ran out.`, `One day ${pet.name} ran away.`]),
      `${who.name} looked in the house and in the ${place}.`,
      choose(draw, [`"Where are you, ${pet.name}?" said ${who.name}.`, `It was late and ${who.name} was sad.`]),
      choose(draw, [`Then ${pet.name} came out from under a tree.`, `In the evening ${pet.name} came back.`]),
      happyEnd(draw, who),
    ],
    asks: [
      [`What is the name of the ${pet.kind}?`, `the ${pet.kind} is called ${pet.name}`],
      [`Who had a ${pet.kind}?`, `${who.name} had a ${pet.kind}`],
    ],
  };
};
