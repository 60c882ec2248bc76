# SPDX-License-Identifier: Apache-2.0
"""Names by which models, and what calls them, are known: libraries, hosts, actions, images, and whose they are.

Source:  the vendors' own documentation of package names, hosts and model ids, as of 2026; what is not listed here is
not found, so a new vendor costs a line.
"""

import re

PYTHON = {
    "openai": "OpenAI", "anthropic": "Anthropic", "cohere": "Cohere", "mistralai": "Mistral AI", "groq": "Groq",
    "google.generativeai": "Google", "google.genai": "Google", "vertexai": "Google",
    "google.cloud.aiplatform": "Google",
    "together": "Together AI", "replicate": "Replicate", "ollama": "Ollama", "llama_cpp": "llama.cpp", "vllm": "vLLM",
    "transformers": "Hugging Face", "diffusers": "Hugging Face", "sentence_transformers": "Hugging Face",
    "huggingface_hub": "Hugging Face", "peft": "Hugging Face", "smolagents": "Hugging Face", "spacy": "Explosion",
    "langchain": "LangChain", "langchain_core": "LangChain", "langchain_openai": "OpenAI",
    "langchain_community": "LangChain", "langchain_anthropic": "Anthropic", "langgraph": "LangChain",
    "llama_index": "LlamaIndex", "autogen": "Microsoft", "autogen_agentchat": "Microsoft", "crewai": "CrewAI",
    "litellm": "LiteLLM", "dspy": "DSPy", "instructor": "Instructor", "pydantic_ai": "Pydantic", "agents": "",
    "onnxruntime": "ONNX", "torch": "PyTorch", "torchvision": "PyTorch", "tensorflow": "TensorFlow", "keras": "Keras",
    "tflite_runtime": "TensorFlow", "sklearn": "scikit-learn", "joblib": "scikit-learn", "xgboost": "XGBoost",
    "lightgbm": "LightGBM", "catboost": "CatBoost",
    "mcp": "Model Context Protocol", "fastmcp": "Model Context Protocol",
    "boto3": "Amazon", "pickle": "", "dill": "", "cloudpickle": "",
}  # fmt: skip
"""Python package -> supplier; the longest name that fits counts."""

SELECTIVE = {
    "torch": ("torch.load", "torch.hub.", "torch.jit.load"),
    "torchvision": ("torchvision.models.",),
    "tensorflow": ("tensorflow.keras.models.load_model", "tensorflow.saved_model.load", "tensorflow.lite.Interpreter"),
    "keras": ("keras.models.load_model", "keras.saving.load_model"),
    "joblib": ("joblib.load",),
    "pickle": ("pickle.load", "pickle.loads"),
    "dill": ("dill.load", "dill.loads"),
    "cloudpickle": ("cloudpickle.load", "cloudpickle.loads"),
    "boto3": ("boto3.client", "boto3.resource"),
    "huggingface_hub": ("huggingface_hub.",),
    "xgboost": ("xgboost.",),
    "agents": ("agents.Agent", "agents.Runner"),
}
"""Packages that do much besides: only these names of theirs are calls of a model."""

GUARDED = {"pickle", "dill", "cloudpickle", "joblib", "boto3", "agents"}
"""Packages whose import alone says nothing; only a call that is about a model counts."""

NOT_ASKED = re.compile(r"(Error|Exception|Warning|logging\.\w+|set_verbosity\w*|set_seed|manual_seed)$")
BEDROCK = re.compile(r"bedrock|sagemaker", re.I)
WEIGHTS = re.compile(r"\.(onnx|safetensors|gguf|ggml|pt|pth|ckpt|pkl|pickle|joblib|tflite|h5|keras|mlmodel|cbm)$", re.I)
MODEL_WORD = re.compile(
    r"model|classifier|regressor|clf\b|weights|checkpoint|estimator|network|predictor|scorer|vectori[sz]er", re.I
)

PACKAGES = {
    "openai": "OpenAI", "@openai/agents": "OpenAI", "@anthropic-ai/sdk": "Anthropic",
    "@anthropic-ai/claude-agent-sdk": "Anthropic", "@google/generative-ai": "Google", "@google/genai": "Google",
    "@google-cloud/vertexai": "Google", "cohere-ai": "Cohere", "@mistralai/mistralai": "Mistral AI",
    "groq-sdk": "Groq", "replicate": "Replicate", "ollama": "Ollama", "ai": "Vercel", "@ai-sdk/openai": "OpenAI",
    "@ai-sdk/anthropic": "Anthropic", "langchain": "LangChain", "@langchain/core": "LangChain",
    "@langchain/openai": "OpenAI", "@langchain/anthropic": "Anthropic", "@langchain/langgraph": "LangChain",
    "llamaindex": "LlamaIndex", "@huggingface/inference": "Hugging Face", "@huggingface/transformers": "Hugging Face",
    "@xenova/transformers": "Hugging Face", "onnxruntime-node": "ONNX", "onnxruntime-web": "ONNX",
    "@tensorflow/tfjs": "TensorFlow", "@tensorflow/tfjs-node": "TensorFlow",
    "@modelcontextprotocol/sdk": "Model Context Protocol", "@aws-sdk/client-bedrock-runtime": "Amazon",
}  # fmt: skip
"""Packages of JavaScript and TypeScript."""

GO = {
    "github.com/sashabaranov/go-openai": "OpenAI", "github.com/openai/openai-go": "OpenAI",
    "github.com/anthropics/anthropic-sdk-go": "Anthropic", "github.com/google/generative-ai-go": "Google",
    "google.golang.org/genai": "Google", "github.com/tmc/langchaingo": "LangChain",
    "github.com/ollama/ollama/api": "Ollama", "github.com/yalue/onnxruntime_go": "ONNX",
    "github.com/mark3labs/mcp-go": "Model Context Protocol",
}  # fmt: skip
RUST = {
    "async_openai": "OpenAI", "candle_core": "Hugging Face", "candle_transformers": "Hugging Face", "ort": "ONNX",
    "llama_cpp_2": "llama.cpp", "mistralrs": "mistral.rs", "rmcp": "Model Context Protocol", "tch": "PyTorch",
    "ollama_rs": "Ollama", "rig": "rig",
}  # fmt: skip

DISTRIBUTIONS = {
    **{name.split(".")[0].replace("_", "-"): by for name, by in PYTHON.items() if "." not in name},
    "google-generativeai": "Google", "google-genai": "Google", "google-cloud-aiplatform": "Google",
    "llama-cpp-python": "llama.cpp", "scikit-learn": "scikit-learn", "llama-index": "LlamaIndex",
    "onnxruntime-gpu": "ONNX", "openai-agents": "OpenAI", "claude-agent-sdk": "Anthropic", "pydantic-ai": "Pydantic",
    "pyautogen": "Microsoft", "autogen-agentchat": "Microsoft", "tflite-runtime": "TensorFlow",
}  # fmt: skip
"""Names of Python distributions, normalised; the modules of guarded packages are no dependency on a model."""
for _name in ("agents", "boto3", "pickle", "dill", "cloudpickle", "joblib", "sklearn", "replicate-"):
    DISTRIBUTIONS.pop(_name, None)

HOSTS = {
    "api.openai.com": "OpenAI", "openai.azure.com": "Microsoft", "api.anthropic.com": "Anthropic",
    "generativelanguage.googleapis.com": "Google", "aiplatform.googleapis.com": "Google", "api.cohere.ai": "Cohere",
    "api.cohere.com": "Cohere", "api.mistral.ai": "Mistral AI", "api.groq.com": "Groq",
    "api.together.xyz": "Together AI",
    "openrouter.ai": "OpenRouter", "api-inference.huggingface.co": "Hugging Face",
    "router.huggingface.co": "Hugging Face", "api.replicate.com": "Replicate", "api.deepseek.com": "DeepSeek",
    "api.x.ai": "xAI", "api.perplexity.ai": "Perplexity", "models.inference.ai.azure.com": "Microsoft",
    "models.github.ai": "GitHub",
}  # fmt: skip
LOCAL = re.compile(r"^https?://[^/]+:11434(/|$)")
URL = re.compile(r"^(?:https?|wss?)://([^/\s:?#@\\]+)[^\s]*$")

ACTIONS = {
    "anthropics/claude-code-action": "Anthropic", "anthropics/claude-code-base-action": "Anthropic",
    "openai/codex-action": "OpenAI", "actions/ai-inference": "GitHub", "google-github-actions/run-gemini-cli": "Google",
    "coderabbitai/ai-pr-reviewer": "CodeRabbit", "qodo-ai/pr-agent": "Qodo", "codium-ai/pr-agent": "Qodo",
    "anc95/chatgpt-codereview": "OpenAI",
}  # fmt: skip
PROGRAMS = re.compile(
    r"(?:^|[;&|(]\s*|\s-\s|\bnpx\s+(?:-y\s+)?)(claude\s+(?:-p|--print)|codex\s+exec|gemini\s+-p|aider\s|ollama\s+(?:run|pull)|"
    r"llama-(?:cli|server)\b|vllm\s+serve|huggingface-cli\s+download|@anthropic-ai/claude-code)"
)
PROGRAM_OF = {
    "claude": "Anthropic", "codex": "OpenAI", "gemini": "Google", "aider": "aider", "ollama": "Ollama",
    "llama-cli": "llama.cpp", "llama-server": "llama.cpp", "vllm": "vLLM", "huggingface-cli": "Hugging Face",
    "@anthropic-ai/claude-code": "Anthropic",
}  # fmt: skip
IMAGES = {
    "ollama/ollama": "Ollama", "vllm/vllm-openai": "vLLM", "huggingface/": "Hugging Face",
    "ghcr.io/huggingface/": "Hugging Face", "ghcr.io/ggerganov/llama.cpp": "llama.cpp",
    "ghcr.io/ggml-org/llama.cpp": "llama.cpp", "nvcr.io/nvidia/tritonserver": "NVIDIA", "nvcr.io/nim/": "NVIDIA",
    "localai/localai": "LocalAI", "tensorflow/serving": "TensorFlow", "pytorch/": "PyTorch",
    "ghcr.io/berriai/litellm": "LiteLLM", "onnxruntime/": "ONNX",
}  # fmt: skip

MODELS = (
    (re.compile(r"(?:openai/)?(?:gpt-(?:3\.5|4|5)[\w.-]*|o[134](?:-(?:mini|pro|preview))?[\w.-]*|text-embedding-[\w-]+|"
                r"dall-e-\d|whisper-1|tts-1(?:-hd)?|davinci-\d+|codex-[\w-]+)"), "OpenAI"),
    (re.compile(r"(?:anthropic[/.])?claude-[\w.:@-]+"), "Anthropic"),
    (re.compile(r"(?:google/|models/|gemini/)?(?:gemini-[\w.-]+|gemma-[\w.-]+|text-bison[\w@-]*)"), "Google"),
    (re.compile(r"command-r[\w-]*|embed-(?:english|multilingual)-[\w.-]+"), "Cohere"),
    (re.compile(r"(?:mistralai/)?(?:mistral|mixtral|codestral|ministral)-[\w.:-]+"), "Mistral AI"),
    (re.compile(r"(?:meta-llama/)?(?:[Ll]lama-?[234][\w.:-]*)"), "Meta"),
    (re.compile(r"(?:deepseek-ai/)?deepseek-[\w.:-]+|(?:Qwen/)?[Qq]wen[\d.-][\w.:-]*|grok-[\w.-]+"), ""),
    (re.compile(r"(?:bert|roberta|distilbert|t5|flan-t5|all-mpnet|all-MiniLM)-[\w.-]+"), "Hugging Face"),
    (re.compile(r"(?:sentence-transformers|stabilityai|facebook|BAAI|microsoft|google-bert|openai-community|intfloat)"
                r"/[\w.-]+"), "Hugging Face"),
)  # fmt: skip
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}|-\d{4}(?:$|[^\d])|-00[1-9]$|@sha256:|[0-9a-f]{40}")


def supplier_of_model(name: str) -> str | None:
    """Say who makes a model of a name; None where the name is not known to be a model's."""
    return next((by for pattern, by in MODELS if pattern.fullmatch(name)), None)


def is_dated(name: str) -> bool:
    """Tell whether a model's name has a date, a serial number or a digest, so that it stays the same model."""
    return bool(_DATED.search(name)) and "latest" not in name


def library_of(dotted: str) -> str:
    """Give the known Python package that a dotted name lies in; empty where it is none."""
    parts = dotted.split(".")
    return next((name for end in range(len(parts), 0, -1) if (name := ".".join(parts[:end])) in PYTHON), "")


def host_supplier(text: str) -> str | None:
    """Say who runs the host of an address, where models are served there; None for any other."""
    match = URL.match(text)
    if match is None:
        return None
    host = match[1].lower()
    known = next((by for name, by in HOSTS.items() if host == name or host.endswith("." + name)), None)
    if known is None and (host.startswith("bedrock-runtime.") and host.endswith(".amazonaws.com")):
        return "Amazon"
    return "Ollama" if known is None and LOCAL.match(text) else known
