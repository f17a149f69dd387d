// What a kernel is here: a plain function that computes one element of the output. gpu.js reads its text and writes GLSL, WebAssembly or JavaScript from it,
// so it may use what gpu.js knows: numbers, arrays, loops, Math, and the functions it brings along. Not a closure: what it needs comes as arguments.

/** Which element this thread computes: column x of row z. A list is all columns and no rows. */
export interface Thread {
  // gpu.js would lay out rows along y as a texture of just that width and height, and textures are at most some thousand texels wide; along z they are folded
  readonly thread: { readonly x: number; readonly z: number };
}

export type List = readonly number[];
/** matrix[row][column] */
export type Matrix = readonly List[];
/** cube[which][row][column] */
export type Cube = readonly Matrix[];

type Main = (this: Thread, ...args: never[]) => number;
type Part = (...args: never[]) => number;

/** A kernel's text: the function of one element, and functions that it calls by name. */
export interface Program {
  readonly main: Main;
  readonly parts: readonly Part[];
}

/** A program of a function and what it calls. A part is declared in the same file, or named `f` where main's text calls it so. */
export const program = (main: Main, ...parts: Part[]): Program => ({ main, parts });
