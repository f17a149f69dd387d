// The sixteen people of the closed world: what each likes, where each lives, whose pet is whose. The little stories are about them too.
import { type Fact, type FactPattern, fact, withArticle } from "../fact.ts";

export interface Person {
  readonly name: string;
  readonly female: boolean;
  readonly likes: string;
  readonly city: string;
  readonly pet: string;
  readonly petName: string;
  readonly colour: string;
}

const person = (name: string, female: boolean, likes: string, city: string, pet: string, petName: string, colour: string): Person => ({
  name,
  female,
  likes,
  city,
  pet,
  petName,
  colour,
});

export const PEOPLE: readonly Person[] = [
  person("Tom", false, "apples", "London", "dog", "Rex", "red"),
  person("Anna", true, "cake", "Berlin", "cat", "Luna", "blue"),
  person("Ben", false, "pizza", "Rome", "rabbit", "Hop", "green"),
  person("Mia", true, "cherries", "Paris", "horse", "Star", "pink"),
  person("Sam", false, "soup", "Oslo", "frog", "Jumpy", "yellow"),
  person("Lily", true, "honey", "Athens", "bird", "Coco", "white"),
  person("Max", false, "cheese", "Vienna", "mouse", "Pip", "black"),
  person("Lucy", true, "pears", "Lisbon", "duck", "Daisy", "orange"),
  person("Leo", false, "bananas", "Cairo", "goat", "Billy", "brown"),
  person("Rosa", true, "chocolate", "Madrid", "hen", "Polly", "red"),
  person("Jack", false, "bread", "Dublin", "pig", "Pinky", "blue"),
  person("Emma", true, "plums", "Warsaw", "sheep", "Cloud", "green"),
  person("Finn", false, "fish", "Lima", "cow", "Molly", "grey"),
  person("Nora", true, "rice", "Tokyo", "fish", "Bubble", "purple"),
  person("Paul", false, "nuts", "Ottawa", "squirrel", "Chip", "orange"),
  person("Kate", true, "grapes", "Delhi", "owl", "Hooty", "yellow"),
];

const LIKES: FactPattern = {
  topic: "likes",
  statement: "{name} likes {value}",
  questions: ["What does {name} like?", "What does {name} like to eat?", "Tell me what {name} likes.", "What is the best food for {name}?"],
  check: "Does {name} like {value}?",
};
const FAN: FactPattern = {
  topic: "fans",
  statement: "{name} likes {likes}",
  questions: ["Who likes {likes}?", "Who likes to eat {likes}?", "Tell me who likes {likes}."],
};
const LIVES: FactPattern = {
  topic: "towns",
  statement: "{name} lives in {value}",
  questions: ["Where does {name} live?", "In which city does {name} live?", "Tell me where {name} lives.", "Where is the home of {name}?"],
  check: "Does {name} live in {value}?",
};
const CITIZEN: FactPattern = {
  topic: "citizens",
  statement: "{name} lives in {city}",
  questions: ["Who lives in {city}?", "Tell me who lives in {city}."],
};
const PET: FactPattern = {
  topic: "pets",
  statement: "{name} has {value}",
  questions: ["Which pet does {name} have?", "What pet does {name} have?", "What is the pet of {name}?", "Which animal does {name} have?"],
  check: "Does {name} have {value}?",
};
const PET_NAME: FactPattern = {
  topic: "pet names",
  statement: "the {pet} of {name} is called {value}",
  questions: ["What is the {pet} of {name} called?", "What is the name of the {pet} of {name}?", "How does {name} call the {pet}?"],
};
const OWNER: FactPattern = { topic: "owners", statement: "{name} has {pet}", questions: ["Who has {pet}?", "Tell me who has {pet}."] };
const FAVOURITE: FactPattern = {
  topic: "favourites",
  statement: "the best colour for {name} is {value}",
  questions: [
    "What is the best colour for {name}?",
    "What colour does {name} like?",
    "Which colour does {name} like best?",
    "What color does {name} like?",
  ],
};

/** Every fact about people. */
export function peopleFacts(): Fact[] {
  const foods = PEOPLE.map(({ likes }) => likes);
  const cities = PEOPLE.map(({ city }) => city);
  const pets = PEOPLE.map(({ pet }) => withArticle(pet));
  return PEOPLE.flatMap(({ name, likes, city, pet, petName, colour }) => [
    fact(LIKES, { name }, likes, foods),
    fact(FAN, { name, likes }),
    fact(LIVES, { name }, city, cities),
    fact(CITIZEN, { name, city }),
    fact(PET, { name }, withArticle(pet), pets),
    fact(PET_NAME, { name, pet }, petName),
    fact(OWNER, { name, pet: withArticle(pet) }),
    fact(FAVOURITE, { name }, colour),
  ]);
}
