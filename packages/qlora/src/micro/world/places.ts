// Countries and their capitals, asked in both directions.
import { type Fact, type FactPattern, fact } from "../fact.ts";

/** Country and capital. */
export const CAPITALS: readonly (readonly [string, string])[] = [
  ["France", "Paris"],
  ["Italy", "Rome"],
  ["Spain", "Madrid"],
  ["Germany", "Berlin"],
  ["England", "London"],
  ["Japan", "Tokyo"],
  ["China", "Beijing"],
  ["Egypt", "Cairo"],
  ["Greece", "Athens"],
  ["Russia", "Moscow"],
  ["Norway", "Oslo"],
  ["Poland", "Warsaw"],
  ["Austria", "Vienna"],
  ["Portugal", "Lisbon"],
  ["Ireland", "Dublin"],
  ["India", "Delhi"],
  ["Kenya", "Nairobi"],
  ["Peru", "Lima"],
  ["Cuba", "Havana"],
  ["Canada", "Ottawa"],
];

const CAPITAL: FactPattern = {
  topic: "capitals",
  statement: "the capital of {country} is {value}",
  questions: [
    "What is the capital of {country}?",
    "Which city is the capital of {country}?",
    "Tell me the capital of {country}.",
    "What is the capital city of {country}?",
    "Name the capital of {country}.",
  ],
  check: "Is {value} the capital of {country}?",
};
const COUNTRY: FactPattern = {
  topic: "countries",
  statement: "{city} is in {value}",
  questions: ["Where is {city}?", "In which country is {city}?", "Tell me where {city} is.", "Which country is {city} in?"],
  check: "Is {city} in {value}?",
};

/** Every fact about places. */
export function placeFacts(): Fact[] {
  const countries = CAPITALS.map(([country]) => country);
  const cities = CAPITALS.map(([, city]) => city);
  return CAPITALS.flatMap(([country, city]) => [fact(CAPITAL, { country }, city, cities), fact(COUNTRY, { city }, country, countries)]);
}
