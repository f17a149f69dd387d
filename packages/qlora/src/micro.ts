// What the embedded micro model is made of, and where it lies: its grammar, tokenizer, exam and demo data. No logic.
export { type DemoData, type DemoRow, demoData } from "./micro/demo-data.ts";
export { draws } from "./micro/draw.ts";
export { type ExamQuestion, microExam } from "./micro/exam.ts";
export { type MicroDocument, type MicroMessage, microGrammar, microText } from "./micro/grammar.ts";
export { microDemoUrl, microModelUrl } from "./micro/location.ts";
export { MICRO_CONFIG, microModelFiles } from "./micro/model-files.ts";
export { storyText, tellStory } from "./micro/stories/story.ts";
export { microWindow } from "./micro/window.ts";
