"""Makes masks.json.gz: conversations as chat templates in use render them, and which of their tokens TRL puts the loss on.

Two ways of TRL (1.16, trainer/sft_trainer.py):
- assistant_only_loss: transformers' apply_chat_template(return_assistant_tokens_mask=True), on a template that marks with {% generation %} what the
  assistant says. For Llama 3, Gemma, Phi-3 and Qwen the marked templates are TRL's own; for the others they are written below, with the same places marked.
- completion_only_loss: everything behind the longest common beginning of prompt (with the generation prompt) and prompt + completion. Done here for every
  turn of the assistant, the conversation cut behind it.
The tokenizers are those of tokenizers.json.gz, run make_tokenizers.py before.

Made with: Python 3.11, transformers 5.23.0, trl 1.16.0 (test/python/requirements.txt).
Usage: python make_masks.py [OUT]
"""

import gzip
import json
import pathlib
import sys

import jinja2
import trl
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

HERE = pathlib.Path(__file__).parent
OUT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else HERE / "masks.json.gz")
TRL_TEMPLATES = pathlib.Path(trl.__file__).parent / "chat_templates"
TOKENIZERS = json.loads(gzip.open(HERE / "tokenizers.json.gz").read())["kinds"]

CHATML = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
CHATML_MARKED = (
    "{%- for message in messages %}\n"
    "    {%- if loop.first and messages[0]['role'] != 'system' %}\n"
    "        {{- '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}\n"
    "    {%- endif %}\n"
    "    {{- '<|im_start|>' + message['role'] + '\n' }}\n"
    "    {%- if message['role'] == 'assistant' %}\n"
    "        {%- generation %}\n"
    "        {{- message['content'] + '<|im_end|>' + '\n' }}\n"
    "        {%- endgeneration %}\n"
    "    {%- else %}\n"
    "        {{- message['content'] + '<|im_end|>' + '\n' }}\n"
    "    {%- endif %}\n"
    "{%- endfor %}\n"
    "{%- if add_generation_prompt %}\n"
    "    {{- '<|im_start|>assistant\n' }}\n"
    "{%- endif %}\n"
)
ZEPHYR = (
    "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'system' %}\n{{ '<|system|>\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n"
    "{% endif %}\n{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}"
)
ZEPHYR_MARKED = ZEPHYR.replace(
    "{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}",
    "{{ '<|assistant|>\n' }}{% generation %}{{ message['content'] + eos_token }}\n{% endgeneration %}{% endif %}",
)
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'] + eos_token}}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
)
MISTRAL_MARKED = MISTRAL.replace(
    "{{ ' ' + message['content'] + eos_token}}", "{% generation %}{{ ' ' + message['content'] + eos_token}}{% endgeneration %}"
)


def from_trl(name):
    return (TRL_TEMPLATES / f"{name}.jinja").read_text(), (TRL_TEMPLATES / f"{name}_training.jinja").read_text()


# name: tokenizer, template as models ship it, template with marks
TEMPLATES = {
    "chatml": ("smollm2", CHATML, CHATML_MARKED),
    "llama3": ("llama3", *from_trl("llama3")),
    "gemma": ("gemma", *from_trl("gemma")),
    "qwen2_5": ("qwen", *from_trl("qwen2_5")),
    "qwen3": ("qwen", *from_trl("qwen3")),
    "phi3": ("phi3", *from_trl("phi3")),
    "mistral": ("mistral", MISTRAL, MISTRAL_MARKED),
    "zephyr": ("mistral", ZEPHYR, ZEPHYR_MARKED),
}


def talk(*contents, system=None):
    messages = [{"role": "system", "content": system}] if system is not None else []
    return messages + [{"role": "user" if i % 2 == 0 else "assistant", "content": text} for i, text in enumerate(contents)]


CONVERSATIONS = [
    talk("What is the capital of France?", "The capital of France is Paris."),
    talk("What is it?", "Paris.", system="You are a helpful assistant."),
    talk("Is it?", "Yes.", "Sure?", "Quite sure.", "Really?", "Really."),
    talk("Is it?", "Yes.", "And now?"),
    talk("Say nothing.", ""),
    talk("Say nothing.", "", "And now something.", "Something."),
    talk("Echo", "Echo", "Echo", "Echo", system="Echo"),
    talk("\u00bfQu\u00e9 hora es?", "Son las tres. \u2728", "Danke sch\u00f6n!", "Gern geschehen \U0001f600\U0001f44d\U0001f3fd"),
    talk("\u4f60\u597d", "\u4f60\u597d,\u4e16\u754c!", "\u0645\u0631\u062d\u0628\u0627", "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645"),
    talk("cafe\u0301 na\u00efve \U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f468\u200d\U0001f469\u200d\U0001f467 caf\u00e9"),
    talk("Write code.", "```python\ndef main():\n    return 0\n```", "Shorter.", "lambda: 0"),
    talk("List.", "1. one\n2. two\n\n3. three", system="Answer with lists.\n\nAlways."),
    talk("12345 + 1?", "12346", "007?", "8"),
    talk("Is 'assistant' a role?", "assistant", "user?", "user\nassistant\nsystem"),
    talk("What is 2 + 2?", "<think>\nTwo and two.\n</think>\n\nFour.", "And 3?", "<think>\nMore.\n</think>\n\nFive."),
    talk("Long: " + "the dog sat there " * 20, "And so did the cat. " * 12),
    talk("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", system="letters"),
    [*talk("Weather?", "Let me look."), {"role": "tool", "content": "{\"sky\": \"blue\"}"}, {"role": "assistant", "content": "It is blue."}],
    [{"role": "assistant", "content": "Hello, I speak first."}, *talk("Hello.", "How are you?")],
    [*talk("One.", "Two.", "Three."), {"role": "user", "content": "Four."}, {"role": "assistant", "content": "Five."}],
    [{"role": "system", "content": "s"}, {"role": "user", "content": "<html>&amp;</html>"}, {"role": "assistant", "content": "<p>\"It's\" {{ so }} {% it %}</p>"}],
    talk("Trailing spaces?", "Yes.  ", "And a line end?", "Yes.\n"),
    # the last: answers that grow together with what stands before them
    talk("Leading space?", " Yes.", "And a line end?", "\n\nNo."),
]


def tokenizer_for(kind):
    given = TOKENIZERS[kind]
    parsed = Tokenizer.from_str(json.dumps(given["tokenizer"]))
    return PreTrainedTokenizerFast(tokenizer_object=parsed, clean_up_tokenization_spaces=False, **given["config"])


def rendered(tokenizer, template, messages):
    """As TRL tokenizes a conversation for assistant_only_loss; None where the template refuses it."""
    try:
        text = tokenizer.apply_chat_template(messages, chat_template=template, tokenize=False)
        marked = "{% generation" in template or "{%- generation" in template
        out = tokenizer.apply_chat_template(messages, chat_template=template, return_dict=True, return_assistant_tokens_mask=marked)
        return {"text": text, "ids": out["input_ids"], **({"mask": out["assistant_masks"]} if marked else {})}
    except jinja2.exceptions.TemplateError:
        return None


def completions(tokenizer, template, messages):
    """For each turn of the assistant: its index, ids through it, and where TRL's completion begins; None where the template refuses a part."""
    found = []
    for i, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        try:
            options = {"chat_template": template, "return_dict": True}
            prompt = tokenizer.apply_chat_template(messages[:i], add_generation_prompt=True, **options)["input_ids"] if i > 0 else None
            whole = tokenizer.apply_chat_template(messages[: i + 1], **options)["input_ids"]
        except jinja2.exceptions.TemplateError:
            prompt = None
        if prompt is None:
            continue
        begin = next((at for at, (a, b) in enumerate(zip(prompt, whole)) if a != b), min(len(prompt), len(whole)))
        found.append({"turn": i, "ids": whole, "begin": begin})
    return found


def main():
    templates = {}
    for name, (kind, plain, marked) in TEMPLATES.items():
        tokenizer = tokenizer_for(kind)
        cases = [
            {
                "messages": messages,
                "marked": rendered(tokenizer, marked, messages),
                "plain": rendered(tokenizer, plain, messages),
                "completions": completions(tokenizer, plain, messages),
            }
            for messages in CONVERSATIONS
        ]
        templates[name] = {"kind": kind, "plain": plain, "marked": marked, "cases": cases}
        same = sum(case["marked"] is not None and case["plain"] is not None and case["marked"]["text"] == case["plain"]["text"] for case in cases)
        print(name, sum(case["marked"] is not None for case in cases), "rendered", same, "alike with and without marks")
    data = json.dumps(templates, ensure_ascii=False, separators=(",", ":")).encode()
    with open(OUT, "wb") as file, gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=9) as packed:
        packed.write(data)
    print(len(data), "bytes, packed", OUT.stat().st_size)


main()
