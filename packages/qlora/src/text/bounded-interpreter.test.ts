import { Environment, parse, tokenize } from "@huggingface/jinja";
import { expect, it } from "vitest";
import { BoundedInterpreter } from "./bounded-interpreter.ts";

function render(source: string, mostWork: number): unknown {
  const environment = new Environment();
  environment.set("range", (length: number) => Array.from({ length }, (_, i) => i));
  environment.set("true", true);
  return new BoundedInterpreter(environment, mostWork).run(parse(tokenize(source))).value;
}

it.each([
  ["loops in loops", "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}x{% endfor %}{% endfor %}{% endfor %}"],
  ["loops that do nothing", "{% set r = range(9000) %}{% for a in r %}{% for b in r if true %}{% endfor %}{% endfor %}"],
  ["a macro that calls itself twice", "{% macro f(n) %}{% if n %}{{ f(n - 1) ~ f(n - 1) }}{% endif %}{% endmacro %}{{ f(200) }}"],
  ["a text that is doubled", "{% set n = namespace(t='ab') %}{% for a in range(99) %}{% set n.t = n.t ~ n.t %}{% endfor %}{{ n.t }}"],
  ["a list that is doubled", "{% set n = namespace(t=[1]) %}{% for a in range(99) %}{% set n.t = n.t + n.t %}{% endfor %}"],
  ["long texts compared", "{% set t = range(999) | join('abcdefgh') %}{% for a in range(9999) %}{{ t == t ~ '' }}{% endfor %}"],
])("ends soon for %s", (_, source) => {
  expect(() => render(source, 20_000)).toThrow("it takes more than 20000 steps");
});

it("counts no more than it takes", () => {
  const source = "{% for a in range(100) %}{% for b in range(100) %}x{% endfor %}{% endfor %}";
  expect(render(source, 50_000)).toBe("x".repeat(10_000));
});
