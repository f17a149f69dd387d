"""Makes tokenizers.json.gz: small tokenizers of the kinds in use, and what transformers makes of nasty texts with them.

No real vocabulary is needed for that: each tokenizer is trained here on a few lines, but its normalizer, pre-tokenizer, post-processor, decoder and added
tokens are those of the family's own tokenizer.json. SentencePiece models (Llama 2, Gemma, T5) are trained with the options of the originals, and what
transformers makes of a folder that has tokenizer.model alone is recorded as well.

Made with: Python 3.11, transformers 5.23.0, tokenizers 0.23.3, sentencepiece 0.2.3 (test/python/requirements.txt).
Usage: python make_tokenizers.py [OUT]
"""

import base64
import gzip
import io
import json
import pathlib
import random
import sys
import tempfile

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import generate_merges

OUT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "tokenizers.json.gz")

CORPUS = [
    "The quick brown fox jumps over the lazy dog, and the dog doesn't mind it at all.",
    "It's what we've said: they're here, I'm there, you'd know, he'll see, she can't.",
    "IT'S WHAT WE'VE SAID: THEY'RE HERE, I'M THERE.",
    "In the beginning the universe was created. This has made a lot of people very angry.",
    "A tokenizer turns text into numbers; training turns numbers into a model of the text.",
    "def main(argv):\n    for index in range(10):\n        print(index, argv[index])\n\treturn 0\n",
    "const total = items.map((item) => item.price * 1.19).reduce((a, b) => a + b, 0);\n\n\n",
    "Der Größenwahn des Übermuts: süße Äpfel, größere Öfen und die Straße nach Köln.",
    "Le garçon où l'été naît déjà à Noël, ça coûte 1 234,56 € environ.",
    "El niño pidió una piñata en la montaña; ¿cuándo será mañana? ¡Ahora!",
    "Быстрая коричневая лиса прыгает через ленивую собаку, и собака не против.",
    "Η γρήγορη καφέ αλεπού πηδάει πάνω από το τεμπέλικο σκυλί.",
    "敏捷的棕色狐狸跳过了懒狗。今天天气很好,我们去公园散步吧。你好,世界!",
    "素早い茶色の狐がのろまな犬を飛び越える。カタカナとひらがな、漢字。",
    "빠른 갈색 여우가 게으른 개를 뛰어넘는다. 안녕하세요 세계.",
    "الثعلب البني السريع يقفز فوق الكلب الكسول. مرحبا بالعالم ١٢٣",
    "השועל החום המהיר קופץ מעל הכלב העצלן. שלום עולם",
    "तेज़ भूरी लोमड़ी आलसी कुत्ते के ऊपर कूदती है। नमस्ते दुनिया १२३",
    "สุนัขจิ้งจอกสีน้ำตาลกระโดดข้ามสุนัขขี้เกียจ สวัสดีชาวโลก",
    "Numbers: 1 12 123 1234 12345 123456 3.14159 1,000,000 2024-07-26 0xFF 50%",
    "emoji 😀 😃 👍🏽 👨‍👩‍👧‍👦 🇩🇪 ❤️ ✨ and symbols ± × ÷ ≠ ∞ √ © ® ™ § ¶ † ‡ • … — – “ ” ‘ ’",
    "user: What is the capital of France?\nassistant: The capital of France is Paris.\n\n",
    "system prompt: You are a helpful assistant. Answer the question as truthfully as you can.",
    "translate English to German: The house is wonderful.   summarize: a long   text with   spaces",
    "<html><body><h1>Title</h1><p>paragraph &amp; more</p></body></html>",
    "  indented   lines    keep     their      spaces       and        tabs\t\tand\t\t\ttabs",
] * 3

TEXTS = [
    "",
    " ",
    "  ",
    "   \n",
    "a",
    " a",
    "a ",
    "  a  ",
    "Hello, world!",
    "hello   world",
    "\n",
    "\n\n",
    "\n\n\n\n",
    "\r\n",
    "a\r\nb\r\n\r\nc",
    "\t",
    "\ta\t\tb",
    "line\n  indented\n\ttabbed\n",
    "trailing   ",
    "   leading",
    "I'm you're we'll they'd it's don't 'S 'T 'LL",
    "IT'S I'M WE'VE",
    "don\u2019t it\u2019s",
    "'\u017f and \u212a'\u017f",
    "0 1 12 123 1234 12345 123456 1234567 12345678901234567890",
    "3.14159 1,000,000 1e-10 0xDEADBEEF v1.2.3",
    "\u0661\u0662\u0663 \u0967\u0968\u0969 \u00b2\u00b3\u00bd \u2167 \uff11\uff12 \u2460\u2461 \u4e00\u4e8c\u4e09 \u3007",
    "caf\u00e9 cafe\u0301 \u00c5 A\u030a \u212b",
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324\u031e\u0349\u035a\u032f\u031e\u0320\u034dA\u036b\u0357\u0334\u0362\u0335\u031c",
    "\ud55c\uae00 \u1112\u1161\u11ab\u1100\u1173\u11af",
    "\U0001f600",
    "\U0001f600\U0001f601\U0001f602",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 family",
    "\U0001f44d\U0001f3fd thumbs \U0001f1e9\U0001f1ea flag \u2764\ufe0f heart 1\ufe0f\u20e3",
    "\U00020000\U0002a6d6 \U0001d54f\U0001d552",
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645 \u200f\u0627\u0644\u0633\u0644\u0627\u0645\u200f",
    "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd \u202eabc\u202c",
    "\u4f60\u597d,\u4e16\u754c!\u4eca\u5929\u5929\u6c14\u5f88\u597d\u3002",
    "\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8 \uff76\uff80\uff76\uff85 \u30ab\u3099",
    "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01 \u0e01\u0e33\u0e25\u0e31\u0e07",
    "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e",
    "a\u00a0b\u2003c\u2009d\u3000e\u202ff\u205fg",
    "a\u200bb\u200cc\u200dd\u2060e\ufefff",
    "\ufeffbegins with a mark",
    "a\u0085b\u2028c\u2029d\u000be\u000cf\u001cg\u001fh\u007fi\u0001j",
    "\ufb01\ufb02 \u2460 \u33a5 \u00bd \u1e9e \u0130\u0131 \u01c6 \uff21\uff22 \u2126",
    "\uff5e \u301c ~ \u00ad soft\u00adhyphen",
    "\u2581 \u2581\u2581 a\u2581b",
    "<0x0A> <0xE2><0x82><0xAC> <unk>",
    "\ufffd\ufffd \ue000 \U000f0000",
    "!!! ??? ... --- *** ### $$$ %%% &&& (((()))) {{{}}} [[[]]] <<<>>>",
    "a.b,c;d:e!f?g/h\\i|j~k`l@m#n$o%p^q&r*s(t)u-v_w=x+y[z]",
    "\u00bfQu\u00e9? \u00a1Hola! \u00abquote\u00bb \u201cquote\u201d \u2018q\u2019 \u2014dash\u2013 \u2026",
    "snake_case camelCase PascalCase SCREAMING_CASE kebab-case mixedUPPERlower HTMLParser",
    "if (x == 1) {\n    return \"a\\n\";\n} // comment\n",
    "https://example.org/path?query=1&b=%20#fragment user@example.org",
    "\u00e4\u00f6\u00fc\u00df \u00c4\u00d6\u00dc Stra\u00dfe na\u00efve \u0153uvre \u0141\u00f3d\u017a \u0130stanbul",
    "\u0441\u044a\u0435\u0448\u044c \u0435\u0449\u0451 \u044d\u0442\u0438\u0445 \u0439 \u0438\u0306",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "                                                                        ",
    "the the the\nthe\n the\n\nthe \n \n the",
    " \n \n\n  \n a \r \r\n  b",
]

FRAGMENTS = [
    *" \n\t.,'!-_/0123456789abcdefgthinerXYZ\u00e9\u00df\u00f1\u4e16\u754c\u3042\u0645\u0301\u200d\ufe0f\u0661\u00b2\u00bd\u00a0\u3000\ufeff\u0085\u2581\ufb01\u2167",
    "  ", "   ", "\r\n", "\n\n", " \n", "the", " the", "ing", "'s", "'LL", "123", "1234", " a", "\U0001f600", "\U0001f44d\U0001f3fd", "\u0e33", "\uac00", "\u1100\u1161",
]

GPT4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN = GPT4.replace(r"\p{N}{1,3}", r"\p{N}")
O200K = "|".join([
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"\p{N}{1,3}",
    r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
    r"\s*[\r\n]+",
    r"\s+(?!\S)",
    r"\s+",
])


def special(*contents, **flags):
    return [AddedToken(content, special=True, normalized=False, **flags) for content in contents]


def plain(*contents, **flags):
    return [AddedToken(content, special=False, **{"normalized": False, **flags}) for content in contents]


def around(tokenizer, before=(), after=()):
    ids = [(token, tokenizer.token_to_id(token)) for token in (*before, *after)]
    return processors.TemplateProcessing(single=" ".join([*before, "$A", *after]), special_tokens=ids)


def byte_level(pre_tokenizer, added, normalizer=None, ignore_merges=False, size=560):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), special_tokens=[], show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    for token in added:
        tokenizer.add_tokens([token])
    return tokenizer


def split_then_bytes(pattern, behavior="isolated", invert=False):
    split = pre_tokenizers.Split(Regex(pattern), behavior=behavior, invert=invert)
    return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def llama3():
    names = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|python_tag|>"]
    tokenizer = byte_level(split_then_bytes(GPT4), special(*names), ignore_merges=True)
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(), around(tokenizer, ["<|begin_of_text|>"])])
    return tokenizer, {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"}


def qwen():
    added = special("<|endoftext|>", "<|im_start|>", "<|im_end|>") + plain("<tool_call>", "</tool_call>", "<think>", "</think>")
    return byte_level(split_then_bytes(QWEN), added, normalizers.NFC()), {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}


def phi4():
    added = special("<|endoftext|>", "<|end|>", "<|user|>", "<|assistant|>", rstrip=True)
    return byte_level(split_then_bytes(O200K), added), {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}


def olmo2():
    added = plain("<|extra_id_0|>") + special("<|endoftext|>", "<|pad|>")
    return byte_level(split_then_bytes(GPT4, "removed", invert=True), added), {"eos_token": "<|endoftext|>", "pad_token": "<|pad|>"}


def gpt2():
    added = [AddedToken("<|endoftext|>", special=True, normalized=True)]
    names = {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}
    return byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), added), names


def neox():
    spaces = plain(*[" " * count for count in range(24, 1, -1)], normalized=True)
    added = special("<|endoftext|>", "<|padding|>") + spaces
    return byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), added, normalizers.NFC()), {"eos_token": "<|endoftext|>"}


def prefixed():
    """GPT-2 with a space put before (BART, OPT), a token for whole words only, and one that takes the spaces before it."""
    added = special("<s>", "</s>") + plain("word", single_word=True) + special("<mask>", lstrip=True)
    tokenizer = byte_level(pre_tokenizers.ByteLevel(add_prefix_space=True), added)
    tokenizer.post_processor = around(tokenizer, ["<s>"], ["</s>"])
    return tokenizer, {"bos_token": "<s>", "eos_token": "</s>"}


def smollm2():
    digits = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    return byte_level(digits, special("<|endoftext|>", "<|im_start|>", "<|im_end|>")), {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"}


def train_sentencepiece(**options):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line for text in CORPUS for line in text.split("\n") if line]),
        model_writer=model, num_threads=1, minloglevel=2, hard_vocab_limit=False, **options,
    )
    return model.getvalue()


BPE_OPTIONS = dict(
    model_type="bpe", vocab_size=700, byte_fallback=True, character_coverage=0.98, split_digits=True, allow_whitespace_only_pieces=True,
    normalization_rule_name="identity", remove_extra_whitespaces=False,
)
LLAMA_MODEL = train_sentencepiece(**BPE_OPTIONS)
GEMMA_MODEL = train_sentencepiece(
    **BPE_OPTIONS, add_dummy_prefix=False, pad_id=0, eos_id=1, bos_id=2, unk_id=3, pad_piece="<pad>", eos_piece="<eos>", bos_piece="<bos>",
    user_defined_symbols=["<mask>", "<start_of_turn>", "<end_of_turn>", "\n", "\n\n", "\n\n\n", "\u2581\u2581", "\u2581\u2581\u2581", "<h1>", "</h1>"],
)
T5_MODEL = train_sentencepiece(
    model_type="unigram", vocab_size=420, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, normalization_rule_name="nmt_nfkc", character_coverage=0.995
)


def proto(model):
    parsed = sentencepiece_model_pb2.ModelProto()
    parsed.ParseFromString(model)
    return parsed


def sentencepiece_bpe(model, added, normalizer, pre_tokenizer, strip):
    pieces = proto(model).pieces
    vocab = {piece.piece: index for index, piece in enumerate(pieces)}
    normal = {piece.piece: piece.score for piece in pieces if piece.type == 1}
    merges = generate_merges(vocab, normal)
    tokenizer = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizer
    if pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizer
    tail = [decoders.Strip(" ", 1, 0)] if strip else []
    tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), *tail])
    tokenizer.add_tokens(added)
    return tokenizer


def llama2():
    normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    tokenizer = sentencepiece_bpe(LLAMA_MODEL, special("<unk>", "<s>", "</s>"), normalizer, None, True)
    tokenizer.post_processor = around(tokenizer, ["<s>"])
    return tokenizer, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def mistral():
    metaspace = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer = sentencepiece_bpe(LLAMA_MODEL, special("<unk>", "<s>", "</s>", "[INST]", "[/INST]"), None, metaspace, True)
    tokenizer.post_processor = around(tokenizer, ["<s>"])
    return tokenizer, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def phi3():
    normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    added = special("<unk>", "<s>") + plain("</s>", rstrip=True) + special("<|endoftext|>")
    added += special("<|assistant|>", "<|system|>", "<|end|>", "<|user|>", rstrip=True)
    tokenizer = sentencepiece_bpe(LLAMA_MODEL, added, normalizer, None, True)
    return tokenizer, {"bos_token": "<s>", "eos_token": "<|endoftext|>", "unk_token": "<unk>"}


def gemma():
    added = special("<pad>", "<eos>", "<bos>", "<unk>") + plain("<mask>") + special("<start_of_turn>", "<end_of_turn>")
    added += plain("\n", "\n\n", "\n\n\n", "\u2581\u2581", "\u2581\u2581\u2581", "<h1>", "</h1>")
    split = pre_tokenizers.Split(" ", behavior="merged_with_previous")
    tokenizer = sentencepiece_bpe(GEMMA_MODEL, added, normalizers.Replace(" ", "\u2581"), split, False)
    tokenizer.post_processor = around(tokenizer, ["<bos>"])
    return tokenizer, {"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>", "unk_token": "<unk>"}


def t5_of(pre_tokenizer, decoder, normalizer=None):
    parsed = proto(T5_MODEL)
    vocab = [(piece.piece, piece.score) for piece in parsed.pieces] + [(f"<extra_id_{i}>", 0.0) for i in range(9, -1, -1)]
    tokenizer = Tokenizer(models.Unigram(vocab, unk_id=2))
    charsmap = normalizers.Precompiled(parsed.normalizer_spec.precompiled_charsmap)
    tokenizer.normalizer = normalizers.Sequence([charsmap, *normalizer]) if normalizer else charsmap
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoder
    tokenizer.add_tokens(special("<pad>", "</s>", "<unk>", *[f"<extra_id_{i}>" for i in range(10)]))
    tokenizer.post_processor = around(tokenizer, [], ["</s>"])
    return tokenizer, {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}


def t5():
    metaspace = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    return t5_of(pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace]), decoders.Metaspace())


def t5_converted():
    """As transformers 4 converted Flan-T5: no splitting at white space, runs of spaces collapsed and the end stripped by the normalizer."""
    collapse = [normalizers.Strip(left=False, right=True), normalizers.Replace(Regex(" {2,}"), "\u2581")]
    return t5_of(pre_tokenizers.Metaspace(prepend_scheme="always", split=True), decoders.Metaspace(), collapse)


KINDS = [llama3, qwen, phi4, olmo2, gpt2, neox, prefixed, smollm2, llama2, mistral, phi3, gemma, t5, t5_converted]

CONFIGS = {
    "LlamaTokenizer": (LLAMA_MODEL, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}),
    "GemmaTokenizer": (GEMMA_MODEL, {"bos_token": "<bos>", "eos_token": "<eos>", "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>"}),
    "LlamaTokenizer with tokens added": (LLAMA_MODEL, {
        "tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "<|im_end|>", "unk_token": "<unk>", "pad_token": "<|pad|>",
        "added_tokens_decoder": {
            str(id): {"content": content, "lstrip": False, "normalized": False, "rstrip": rstrip, "single_word": False, "special": special}
            for id, content, rstrip, special in [
                (0, "<unk>", False, True), (1, "<s>", False, True), (2, "</s>", True, False), (700, "<|im_start|>", False, True),
                (701, "<|im_end|>", True, True), (702, "<|pad|>", False, True), (703, "<tool>", False, False),
            ]
        },
    }),
    "LlamaTokenizer with added_tokens.json": (LLAMA_MODEL, {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}, {
        "added_tokens.json": {"<|im_start|>": 700, "<|im_end|>": 701, "<|pad|>": 702, "<tool>": 703},
        "special_tokens_map.json": {
            "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
            "pad_token": {"content": "<|pad|>", "lstrip": False, "normalized": True, "rstrip": False, "single_word": False},
            "additional_special_tokens": ["<|im_start|>"], "extra_special_tokens": ["<|im_end|>"],
        },
    }),
    "T5Tokenizer": (T5_MODEL, {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "extra_ids": 10}),
}


def texts_for(name, added, count=90):
    rng = random.Random(name)
    inside = [f"a{token}b {token} c{token} \n{token}" for token in added[:12]]
    inside += ["".join(added), " ".join(added), "words wordy word, word", "<mask> a  <mask>  b"]
    mixed = ["".join(rng.choice(added) if rng.random() < 0.08 else rng.choice(FRAGMENTS) for _ in range(rng.randint(2, 40))) for _ in range(count)]
    return TEXTS + inside + mixed


def cases(name, tokenizer):
    added = [token.content for token in tokenizer.added_tokens_decoder.values()]
    rng = random.Random(name + " ids")
    size = len(tokenizer)
    encoded = []
    for text in texts_for(name, added):
        ids = tokenizer.encode(text, add_special_tokens=False)
        encoded.append([text, ids, tokenizer.encode(text), tokenizer.decode(ids), tokenizer.decode(ids, skip_special_tokens=True)])
    listed = [[rng.randrange(size) for _ in range(rng.randint(1, 24))] for _ in range(60)]
    # the first ids of byte vocabularies are single bytes: mostly broken UTF-8
    listed += [[rng.randrange(min(size, 262)) for _ in range(rng.randint(1, 16))] for _ in range(40)]
    return {"texts": encoded, "ids": [[ids, tokenizer.decode(ids), tokenizer.decode(ids, skip_special_tokens=True)] for ids in listed]}


def main():
    kinds, folders = {}, {}
    for make in KINDS:
        tokenizer, names = make()
        fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, **names)
        parsed = json.loads(fast.backend_tokenizer.to_str())
        charsmap = json.dumps(parsed).count("precompiled_charsmap")
        for step in [parsed["normalizer"] or {}, *(parsed["normalizer"] or {}).get("normalizers", [])]:
            if "precompiled_charsmap" in step:
                step["precompiled_charsmap"] = "T5"  # once is enough: the one of the model below
        kinds[make.__name__] = {"tokenizer": parsed, "config": names, **cases(make.__name__, fast)}
        print(make.__name__, len(fast), "tokens", "with a charsmap" if charsmap else "")
    for name, (model, names, *more) in CONFIGS.items():
        config = {"tokenizer_class": name, **names}
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            (path / "tokenizer.model").write_bytes(model)
            files = {"tokenizer_config.json": config, **(more[0] if more else {})}
            for file, content in files.items():
                (path / file).write_text(json.dumps(content))
            fast = AutoTokenizer.from_pretrained(folder)
        folders[name] = {"model": base64.b64encode(model).decode(), "files": files, **cases(name, fast)}
        print(name, len(fast), "tokens from tokenizer.model")
    data = json.dumps({"kinds": kinds, "folders": folders}, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    with open(OUT, "wb") as file, gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=9) as packed:
        packed.write(data)
    print(len(data), "bytes, packed", OUT.stat().st_size)


main()
